# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Arrays that real mdadm makes, and what Linux makes of their members afterwards.

make() creates small arrays in the Linux guest. judge() gives the guest the members as
they would be found after a boot, or after a cut in the middle of one, and has each set
assembled, resynced and checked as a started system does it.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import guest
import mdmember

MIB = 1 << 20
ENV_S512 = 2  # GRUB's environment block
ABSENT = "-"  # in place of a leg: its disk is not there

SCRIPT = """
md=/sys/block/md0/md
mkdir /ram
mount -t tmpfs -o size=256m none /ram
echo 500000 >/proc/sys/dev/raid/speed_limit_min
echo 500000 >/proc/sys/dev/raid/speed_limit_max

log_() { sed "s|^|ORACLE-LOG $name |"; }

# Until nothing is being resynced, recovered or checked any more.
idle_()
{
	tries=0
	while [ $tries -lt 600 ]; do
		read action <$md/sync_action
		read start <$md/resync_start
		[ "$action" = idle ] && [ "$start" = none ] && return
		sleep 0.02
		tries=$((tries + 1))
	done
	echo "ORACLE $name stuck $action $start"
}

check_() # WORD: say how many sectors differ
{
	echo check >$md/sync_action
	idle_
	echo "ORACLE $name $1 $(cat $md/mismatch_cnt)"
}

# size_ MIB: three loop devices of this size, all zeros
size_()
{
	for n in 0 1 2; do
		losetup -d /dev/loop$n 2>/dev/null
		rm -f /ram/$n
		dd if=/dev/zero of=/ram/$n bs=1M count=$1 2>/dev/null
		losetup /dev/loop$n /ram/$n
	done
	mib=$1
}

stop_()
{
	tries=0
	until mdadm --stop /dev/md0 2>/dev/null || [ $tries = 20 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
}

# make_ NAME MIB LEGS OPTIONS...: a new array, synced
make_()
{
	name=$1; legs=$3; devs=
	size_ $2; shift 3
	for n in $(seq 0 $((legs - 1))); do devs="$devs /dev/loop$n"; done
	mdadm --create /dev/md0 --run --homehost=any --name=$name --level=1 --raid-devices=$legs \\
		"$@" $devs 2>&1 | log_
	idle_
	check_ made
}

# rebuild_ N: fail leg N, clear it, add it, and stop in the middle of the rebuild
rebuild_()
{
	mdadm /dev/md0 --fail /dev/loop$1 --remove /dev/loop$1 2>&1 | log_
	dd if=/dev/zero of=/dev/loop$1 bs=1M count=$mib 2>/dev/null
	echo 300 >$md/sync_speed_min
	echo 300 >$md/sync_speed_max
	mdadm /dev/md0 --add /dev/loop$1 2>&1 | log_
	tries=0
	while [ $tries -lt 200 ]; do
		read done_ rest <$md/sync_completed
		[ "$done_" != none ] && [ "$done_" -gt 2000 ] && break
		sleep 0.1
		tries=$((tries + 1))
	done
	echo "ORACLE $name rebuilt $done_"
	echo frozen >$md/sync_action
}

# keep_: stop the array and hand its members out
keep_()
{
	stop_
	for n in $(seq 0 $((legs - 1))); do
		dd if=/dev/loop$n of=/dev/vda bs=1M seek=$at_ 2>/dev/null
		at_=$((at_ + mib))
	done
}

# env_ N: hand out what the array's environment block is (for the Nth time)
env_()
{
	dd if=/dev/md0 of=/dev/vdb bs=512 count=ENV_S512 skip=$env seek=$(((number * 3 + $1) * ENV_S512)) 2>/dev/null
}

# state_ NUMBER NAME ENV MIB PLACE...: assemble, read, let it resync, check, read again;
# then give back to the array each leg that it does not have, and check that
state_()
{
	number=$1; name=$2; env=$3
	[ "$mib" = $4 ] || size_ $4
	shift 4; devs=; n=0
	for place in "$@"; do
		if [ $place != ABSENT ]; then
			dd if=/dev/vda of=/ram/$n bs=1M skip=$place count=$mib conv=notrunc 2>/dev/null
			devs="$devs /dev/loop$n"
		fi
		n=$((n + 1))
	done
	# whichever disk comes first must make no difference
	[ $((number % 2)) = 0 ] || devs=$(echo $devs | tr " " "\\n" | tac)
	mdadm --assemble --run /dev/md0 $devs 2>&1 | log_
	if [ ! -e $md/degraded ]; then
		echo "ORACLE $name started no"
		stop_
		return
	fi
	echo "ORACLE $name started yes"
	env_ 0
	idle_
	here=
	for d in $md/dev-loop*; do
		read slot <$d/slot
		read state <$d/state
		case $state in *in_sync*) here="$here ${d##*/dev-}" ;; esac
		echo "ORACLE $name leg ${d##*/dev-loop} $slot $state"
	done
	check_ mismatch
	env_ 1
	for d in $devs; do
		case " $here " in *" ${d#/dev/} "*) continue ;; esac
		mdadm /dev/md0 --remove $d >/dev/null 2>&1
		mdadm /dev/md0 --add $d 2>&1 | log_
		tries=0
		while [ $tries -lt 100 ] && [ "$(cat $md/dev-${d#/dev/}/state)" != in_sync ]; do
			sleep 0.05
			tries=$((tries + 1))
		done
		idle_
		dev=$md/dev-${d#/dev/}
		echo "ORACLE $name leg ${d#/dev/loop} $(cat $dev/slot) added,$(cat $dev/state)"
		check_ mismatch_added
	done
	env_ 2
	stop_
}
at_=0
"""


@dataclass
class Verdict:
    """What Linux made of one set of members."""
    started: bool = False
    legs: dict = field(default_factory=dict)  # leg -> (slot, state), the last that was said
    mismatch: int = -1         # of the array as it was assembled, after its resync
    mismatch_added: int = 0    # after the legs that were left out have been added again
    # what the array gives at once; after the resync; in the end
    env: list = field(default_factory=list, repr=False)
    stuck: str = ""
    log: list = field(default_factory=list)

    def in_sync(self):
        return {leg for leg, (_, state) in self.legs.items() if state.startswith("in_sync")}


def _script():
    return SCRIPT.replace("ENV_S512", str(ENV_S512)).replace("ABSENT", ABSENT)


def make(folder, arrays, timeout_s=300):
    """arrays: {name: (MiB, legs, mdadm's options, further script)}. {name: [member, ...]}.

    Kept in the folder, and made again when the script changes.
    """
    script, total = _script(), 0
    for name, (mib, legs, options, further) in arrays.items():
        script += f"make_ {name} {mib} {legs} {options}\n{further}\nkeep_\n"
        total += mib * legs
    kept = folder / f"arrays-{hashlib.sha256(script.encode()).hexdigest()[:16]}.img"
    if not kept.exists():
        out = folder / f"arrays-{os.getpid()}.part"
        with open(out, "wb") as f:
            f.truncate(total * MIB)
        serial = guest.run(folder, script, [f"cache=unsafe,detect-zeroes=on,file={out}"],
                           ["loop"], timeout_s)
        kept.with_suffix(".log").write_text(serial)
        if "ORACLE-ERROR" in serial or " stuck " in serial:
            raise RuntimeError("the arrays could not be made:\n" + serial[-3000:])
        out.rename(kept)
    members = {}
    with open(kept, "rb") as f:
        for name, (mib, legs, _, _) in arrays.items():
            members[name] = [f.read(mib * MIB) for _ in range(legs)]
            for member in members[name]:
                mdmember.Superblock(member)
    return members


def judge(folder, states, timeout_s=1800, work="judge"):
    """states: {name: (sector of the environment block in the array, [member or None, ...])}.

    Members are bytes; the same ones, met in many states, are stored once. Two guests share
    the work. Returns {name: Verdict}.
    """
    names = list(states)
    parts = [{n: states[n] for n in names[k::2]} for k in range(2)]
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda k: _judge(folder, f"{work}{k}", parts[k], timeout_s), range(2))
        verdicts = {name: verdict for some in done for name, verdict in some.items()}
    return {name: verdicts[name] for name in names}


def _judge(folder, work, states, timeout_s):
    if not states:
        return {}
    place, script, end = {}, _script(), 0
    disk, out = folder / f"{work}-{os.getpid()}.states", folder / f"{work}-{os.getpid()}.env"
    with open(disk, "wb") as f:
        for number, (name, (env_s512, members)) in enumerate(states.items()):
            mib = next(len(m) for m in members if m is not None) // MIB
            for member in members:
                if member is not None and member not in place:
                    place[member] = str(end)
                    mdmember.write_sparse(f, end * MIB, member)
                    end += mib
            words = (ABSENT if m is None else place[m] for m in members)
            script += f"state_ {number} {name} {env_s512} {mib} {' '.join(words)}\n"
        f.truncate(max(end, 1) * MIB)
    with open(out, "wb") as f:
        f.truncate(len(states) * 3 * ENV_S512 * 512)
    serial = guest.run(folder, script, [f"snapshot=on,file={disk}", f"cache=unsafe,file={out}"],
                       ["loop"], timeout_s)
    (folder / f"{work}.log").write_text(serial)
    disk.unlink()
    verdicts = {name: Verdict() for name in states}
    environments = out.read_bytes()
    out.unlink()
    block = ENV_S512 * 512
    for n, verdict in enumerate(verdicts.values()):
        verdict.env = [environments[(3 * n + k) * block:(3 * n + k + 1) * block] for k in range(3)]
    for line in serial.splitlines():
        word = line.split(" ", 3)
        if len(word) < 4 or word[1] not in verdicts:
            continue
        verdict, value = verdicts[word[1]], word[3]
        if word[0] == "ORACLE-LOG":
            verdict.log.append(f"{word[2]} {value}")
        elif word[2] == "leg":
            leg, slot, state = value.split(" ", 2)
            verdict.legs[int(leg)] = (slot, state)
        elif word[2] == "started":
            verdict.started = value == "yes"
        elif word[2] == "mismatch":
            verdict.mismatch = int(value)
        elif word[2] == "mismatch_added":
            verdict.mismatch_added = max(verdict.mismatch_added, int(value))
        elif word[2] == "stuck":
            verdict.stuck = value
    return verdicts
