# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A Linux guest with real mdadm, made of the distribution's own packages.

Kernel, mdadm and busybox are downloaded with apt-get (nothing is installed) and
cached under BUILD/oracle. All members go to the guest as partitions of one disk.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

SLOT_MIB = 48  # room on the second disk for what one array gives
MODULES = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "raid1"]
KERNELS = ["linux-image-amd64", "linux-image-virtual", "linux-image-generic"]
# Of the packages, what can be needed: the programs, and the folders that hold modules.
WANTED = ["./sbin/mdadm", "./usr/sbin/mdadm", "./bin/busybox", "./usr/bin/busybox",
          "./boot/vmlinuz*", "*/modules.builtin", "*/kernel/drivers/md/*",
          "*/kernel/drivers/virtio/*", "*/kernel/drivers/block/*", "*/kernel/fs/*",
          "*/kernel/lib/*", "*/kernel/crypto/*", "*/kernel/arch/x86/crypto/*"]

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt /run/mdadm /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
echo "ORACLE kernel $(uname -r)"
echo "ORACLE mdadm $(mdadm --version 2>&1)"

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


class Unavailable(Exception):
    """The packages can't be had here."""


def _run(args, **kw):
    return subprocess.run(args, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"},
                          stdin=subprocess.DEVNULL, **kw)


def _depends(package, pattern):
    out = _run(["apt-cache", "depends", package]).stdout
    return re.findall(r"^\s*Depends: (%s)$" % pattern, out, re.M)


def _kernel_packages():
    for name in KERNELS:
        image = _depends(name, r"linux-image-[0-9]\S*")
        if image:
            return [image[0], *_depends(image[0], r"linux-modules-[0-9]\S*")]
    return []


def _resolve():
    kernel = _kernel_packages()
    return [*kernel, "mdadm", "busybox-static"] if kernel else []


def _refresh_lists():
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    try:
        _run([*sudo, "apt-get", "update"], timeout=120)
    except (OSError, subprocess.TimeoutExpired):
        pass


def download(folder):
    """The .deb files, from the cache or from the distribution."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "complete"
    if done.exists():
        return [folder / name for name in done.read_text().split()]
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get here to download a kernel with")
    said = "apt-cache knows no kernel package"
    for attempt in (1, 2):
        packages = _resolve()
        if packages:
            for old in folder.glob("*.deb"):
                old.unlink()
            try:
                # as root apt wants to download as the user _apt, who may not write here
                got = _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                            *packages], cwd=folder, timeout=900)
            except subprocess.TimeoutExpired:
                raise Unavailable("apt-get download did not end in 15 minutes") from None
            if got.returncode == 0:
                names = sorted(p.name for p in folder.glob("*.deb"))
                done.write_text("\n".join(names) + "\n")
                return [folder / name for name in names]
            said = (got.stderr.strip().splitlines() or ["apt-get download failed"])[-1]
        if attempt == 1:
            _refresh_lists()
    raise Unavailable(said)


def _unpack(deb, folder):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as tar:
        # not check=True: a pattern that matches nothing is an error to tar, not to us
        subprocess.run(["tar", "-x", "-C", str(folder), "--no-same-owner", "--wildcards", *WANTED],
                       stdin=tar.stdout, capture_output=True)


def _module_bytes(path):
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dqc", str(path)], check=True, capture_output=True).stdout
    if path.suffix == ".xz":
        return subprocess.run(["xz", "-dc", str(path)], check=True, capture_output=True).stdout
    return path.read_bytes()


def _modules(root):
    """(file name, bytes) of the modules wanted and those they need, in loading order."""
    files, builtin = {}, set()
    for path in root.rglob("*.ko*"):
        files[path.name.split(".ko")[0].replace("-", "_")] = path
    for path in root.rglob("modules.builtin"):
        builtin |= {Path(line).name.split(".ko")[0].replace("-", "_")
                    for line in path.read_text().split()}
    order = {}

    def add(name):
        if name in order or name in builtin:
            return
        if name not in files:
            if name == "crc32c_generic":  # gone, or part of another, in new kernels
                return
            raise Unavailable(f"the kernel package has no module {name}")
        data = _module_bytes(files[name])
        needs = re.search(rb"\0depends=([^\0]*)\0", data)
        for need in (needs[1].decode().split(",") if needs else []):
            if need:
                add(need.replace("-", "_"))
        order[name] = data

    for name in MODULES:
        add(name)
    return [(name + ".ko", data) for name, data in order.items()]


def _libraries(program):
    """The shared libraries of a program, as this system has them (same distribution)."""
    out = _run(["ldd", str(program)]).stdout
    return sorted({Path(p) for p in re.findall(r"(/\S+)", out) if ".so" in p})


def _cpio(entries):
    """A newc archive of (name, mode, data)."""
    out = bytearray()
    for ino, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        raw = name.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out += b"070701" + b"".join(b"%08x" % f for f in fields) + raw
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def _initramfs(root, cases):
    """cases: {name: [partition number, ...]}"""
    entries, folders = [], set()

    def put(name, mode, data):
        for folder in reversed(Path(name).parents):
            if str(folder) not in (".", "/") and folder not in folders:
                folders.add(folder)
                entries.append((str(folder), 0o040755, b""))
        entries.append((name, mode, data))

    modules = _modules(root)
    script = INIT.replace("SLOT_MIB", str(SLOT_MIB))
    for name, numbers in cases.items():
        script += f"case_ {name} {' '.join(map(str, numbers))}\n"
    put("init", 0o100755, (script + "sync\necho ORACLE end\npoweroff -f\n").encode())
    busybox, mdadm = (next((p for p in root.rglob(name) if p.is_file()), None)
                      for name in ("busybox", "mdadm"))
    if not busybox or not mdadm:
        raise Unavailable("the packages have no busybox or no mdadm where they are expected")
    put("bin/busybox", 0o100755, busybox.read_bytes())
    put("sbin/mdadm", 0o100755, mdadm.read_bytes())
    for library in _libraries(mdadm):
        put(str(library).lstrip("/"), 0o100755, library.read_bytes())
    put("modules/order", 0o100644, "\n".join(name for name, _ in modules).encode() + b"\n")
    for name, data in modules:
        put("modules/" + name, 0o100644, data)
    put("dev/console", 0o020600, b"")
    return _cpio(entries)


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


def prepare(folder):
    """Download and unpack; raises Unavailable."""
    folder = Path(folder)
    debs = download(folder / "debs")
    root = folder / "root"
    done = root / "complete"
    stamp = "\n".join(d.name for d in debs)
    if not done.exists() or done.read_text() != stamp:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        for deb in debs:
            _unpack(deb, root)
        done.write_text(stamp)
    return root


def ask(folder, members, cases, write_sparse, timeout_s=240):
    """Boot once. members: {key: bytes}; cases: {name: [key, ...]}. Returns {name: Case}, serial."""
    folder = Path(folder)
    root = prepare(folder)
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
    initrd = folder / "initrd"
    initrd.write_bytes(_initramfs(root, {case: [number[k] for k in of]
                                         for case, of in cases.items()}))
    kernel = next((root / "boot").glob("vmlinuz*"))
    got = subprocess.run(
        ["timeout", "-k", "2", str(timeout_s), "qemu-system-x86_64", "-machine", "q35",
         "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024", "-nodefaults",
         "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
         "-kernel", str(kernel), "-initrd", str(initrd),
         "-append", "console=ttyS0 quiet panic=-1 raid=noautodetect",
         "-drive", f"if=virtio,format=raw,snapshot=on,file={disk}",
         "-drive", f"if=virtio,format=raw,cache=unsafe,detect-zeroes=on,file={out}"],
        stdin=subprocess.DEVNULL, capture_output=True)
    disk.unlink()
    serial = got.stdout.decode("latin-1").replace("\r", "")
    if "ORACLE end" not in serial:
        raise RuntimeError("the guest did not come to its end:\n" + serial[-3000:]
                           + got.stderr.decode(errors="replace")[-500:])
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
