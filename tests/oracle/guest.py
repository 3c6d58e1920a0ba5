# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A Linux guest with real mdadm, made of the distribution's own packages.

The packages come from images/linux.py. All members go to the guest as partitions of one disk.
"""

import subprocess
from pathlib import Path

import linux

SLOT_MIB = 48  # room on the second disk for what one array gives
MODULES = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "raid1"]

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt /run/mdadm /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
echo "ORACLE kernel $(uname -r)"
echo "ORACLE mdadm $(mdadm --version 2>&1)"
"""

CASES = """
# case_ NAME MEMBER...: assemble read-only (no leg is changed, no resync starts), look, stop
case_()
{
	name=$1; shift; devs=
	for n in "$@"; do devs="$devs /dev/vda$n"; done
	mdadm --assemble --readonly --run /dev/md0 $devs 2>&1 | sed "s/^/ORACLE-LOG $name /"
	state=$(cat /sys/block/md0/md/array_state 2>/dev/null)
	case $state in
	""|clear|inactive)
		echo "ORACLE $name started no" ;;
	*)
		echo "ORACLE $name started yes"
		for d in /sys/block/md0/md/dev-vda*; do
			echo "ORACLE $name leg ${d##*/dev-vda} $(cat $d/slot) $(cat $d/state)"
		done
		sed -n "s/^md0/ORACLE-LOG $name md0/p" /proc/mdstat
		# all that the array gives, for the host to compare
		echo "ORACLE $name bytes $(($(cat /sys/block/md0/size) * 512)) $slot_"
		dd if=/dev/md0 of=/dev/vdb bs=1M seek=$((slot_ * SLOT_MIB)) 2>/dev/null
		fs=/dev/md0; [ -b /dev/md0p1 ] && fs=/dev/md0p1
		if mount -t ext4 -o ro,noload $fs /mnt 2>/dev/null; then
			echo "ORACLE $name marker $(cat /mnt/marker)"
			[ -f /mnt/payload ] && echo "ORACLE $name payload $(sha256sum </mnt/payload | cut -d' ' -f1)"
			umount /mnt
		fi ;;
	esac
	mdadm --stop /dev/md0 >/dev/null 2>&1
	slot_=$((slot_ + 1))
}
slot_=0
"""

Unavailable = linux.Unavailable


def _disk(path, members):
    """One GPT disk, a partition for each member, of its very size."""
    size = [len(m) // 512 for m in members]
    with open(path, "wb") as f:
        f.truncate((2048 + sum(s + 2048 for s in size) + 2048) * 512)
    args, at, starts = [], 2048, []
    for n, sectors in enumerate(size, 1):
        args += ["-n", f"{n}:{at}:{at + sectors - 1}", "-t", f"{n}:FD00"]
        starts.append(at)
        at += -(-sectors // 2048) * 2048
    subprocess.run(["/usr/sbin/sgdisk", *args, str(path)], check=True, capture_output=True)
    return starts


class Case:
    """What Linux said of one set of members."""

    def __init__(self):
        self.started = None   # False: mdadm or the kernel refused
        self.legs = {}        # key -> (slot, state) as md's sysfs has them
        self.data = None      # all bytes of the array
        self.marker = None    # /marker of its file system
        self.payload = None   # SHA-256 of its /payload, where it has one
        self.log = []


def run(folder, script, drives, modules=(), timeout_s=240):
    """Boot once and run `script` (sh) in the guest; returns its serial line.

    drives: as of linux.run(). modules: kernel modules to load besides those for md on virtio.
    """
    root = linux.prepare(folder)
    initrd = linux.initramfs(root, INIT + script + "sync\necho ORACLE end\npoweroff -f\n",
                             [*MODULES, *modules], [linux.program(root, "mdadm")])
    # no_timer_check: on a busy host the kernel counts too few ticks of the timer, and panics
    return linux.run(root, initrd, "ORACLE end", drives, timeout_s,
                     "raid=noautodetect no_timer_check")


def ask(folder, members, cases, write_sparse, timeout_s=240):
    """Boot once. members: {key: bytes}; cases: {name: [key, ...]}. Returns {name: Case}, serial."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    keys = list(members)
    out = folder / "contents.img"
    with open(out, "wb") as f:
        f.truncate(len(cases) * SLOT_MIB << 20)
    number = {key: n for n, key in enumerate(keys, 1)}
    disk = folder / "members.img"
    starts = _disk(disk, [members[k] for k in keys])
    with open(disk, "r+b") as f:
        for key, start in zip(keys, starts):
            write_sparse(f, start * 512, members[key])
    script = CASES.replace("SLOT_MIB", str(SLOT_MIB))
    for name, of in cases.items():
        script += f"case_ {name} {' '.join(str(number[key]) for key in of)}\n"
    serial = run(folder, script, [f"snapshot=on,file={disk}",
                                  f"cache=unsafe,detect-zeroes=on,file={out}"],
                 timeout_s=timeout_s)
    disk.unlink()
    answers = {name: Case() for name in cases}
    for line in serial.splitlines():
        word = line.split(" ", 3)
        if word[0] == "ORACLE-LOG" and len(word) > 2 and word[1] in answers:
            answers[word[1]].log.append(line.split(" ", 2)[2])
        if word[0] != "ORACLE" or len(word) < 4 or word[1] not in answers:
            continue
        case, value = answers[word[1]], word[3]
        if word[2] == "started":
            case.started = value == "yes"
        elif word[2] == "leg":
            part, slot, state = (value.split(" ", 2) + [""])[:3]
            case.legs[keys[int(part) - 1]] = (slot, state)
        elif word[2] == "bytes":
            size, slot = map(int, value.split())
            with open(out, "rb") as f:
                f.seek(slot * SLOT_MIB << 20)
                case.data = f.read(size)
        else:
            setattr(case, word[2], value)
    out.unlink()
    return answers, serial
