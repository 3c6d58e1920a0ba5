# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What a clone of an EFI system partition writes: bytes and requests, beside cp -a and rsync -a.

On images, the tool's own writes are counted (tests/oracle/lying.c, preloaded). The floor is what
no atomic replacement can do without: the file's bytes, and each FAT's entries of its new
chain and of the old one. Beside cp and rsync it runs in a Linux guest, each with a disk of its
own; the guest's kernel counts what it asks of them, from before the mount until it is unmounted.
"""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path.insert(0, str(TESTS.parent / "images"))
sys.path.insert(0, str(TESTS / "oracle"))

import cli  # noqa: E402
import espguest  # noqa: E402
import fatmade  # noqa: E402
from bench_page import Row  # noqa: E402

MIB = fatmade.MIB
BEYOND = 64 << 10  # what may be written beside a file's bytes and its entries of the FAT
KERNEL = "EFI/Linux/kernel.efi"
LATER = {KERNEL: fatmade.WHEN + 3600}
# type, bytes of a sector, MiB, sectors of a cluster
KINDS = [(32, 512, 300, 8), (32, 512, 1024, 16), (32, 4096, 300, 1), (16, 512, 200, 8),
         (16, 512, 1024, 64)]


def blob(seed, n):
    return hashlib.shake_128(b"%d" % seed).digest(n)


def files(seed):
    """A loader, 60 small files, an initramfs, and a kernel of 40 MiB that the seed stands for."""
    return {"EFI/BOOT/BOOTX64.EFI": blob(1, 900000), "EFI/Linux/initrd.img": blob(2, 15 * MIB),
            **{f"EFI/debian/file {i}.mod": blob(100 + i, 3000 + 100 * i) for i in range(60)},
            KERNEL: blob(seed, 40 * MIB)}


def make(path, kind, what, **kw):
    fatmade.make(path, kind[0], kind[1], kind[2] * MIB, kind[3], what, **kw)
    return path


# ---- on images -------------------------------------------------------------------------------

def counted(library, folder, *args):
    """(writes, bytes) to the last of the arguments."""
    count = folder / "count"
    count.unlink(missing_ok=True)
    done = subprocess.run([str(cli.build_folder() / "mirrorboot"), "esp", "clone", "--yes",
                           *map(str, args)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL,
                          env=dict(os.environ, LD_PRELOAD=str(library), LIE_TO=str(args[-1]),
                                   LIE_COUNT=str(count)))
    if done.returncode:
        raise RuntimeError(f"esp clone {args}: {done.stdout}{done.stderr}")
    return tuple(map(int, count.read_text().split())) if count.exists() else (0, 0)


def image_rows(folder, section):
    folder = folder / "esp"
    folder.mkdir(parents=True, exist_ok=True)
    library, rows = folder / "lying.so", []
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library),
                    str(TESTS / "oracle/lying.c"), "-ldl"], check=True)
    source, target = folder / "s", folder / "t"
    for kind in KINDS:
        make(source, kind, files(3))
        made = fatmade.Image(make(target, kind, {}))
        _, full = counted(library, folder, source, target)
        nothing = counted(library, folder, source, target)
        make(source, kind, files(4), times=LATER)
        replaced = counted(library, folder, "--force", source, target)[1]
        # Each entry is as many bits as the type says; two FATs; the chain that goes, and the new one.
        floor = 40 * MIB // made.cluster * made.kind // 8 * made.fats * 2
        # Where a sector is 4 KiB, so is each mark.
        allowed = max(BEYOND, 32 * kind[1])
        name = f"FAT{kind[0]}, {kind[1]}-byte sectors, {made.cluster >> 10} KiB clusters"
        key = f"esp.fat{kind[0]}.{kind[1]}.{made.cluster >> 10}"
        rows += [Row(f"{key}.full", f"{name}: all files, bytes written", full,
                     sum(map(len, files(3).values())), "the files' bytes"),
                 Row(f"{key}.again", f"{name}: nothing changed, bytes written", nothing[1], 0,
                     "", limit=0),
                 Row(f"{key}.replaced", f"{name}: 40 MiB replaced, bytes written", replaced,
                     40 * MIB + floor, "the file and its FAT entries", limit=40 * MIB + floor + allowed)]
    return rows


# ---- in a guest ------------------------------------------------------------------------------

GUEST = """
# count_ KEY DISK COMMAND: requests, sectors and flushes that it made of the disk
count_()
{
	key=$1; disk=$2; shift 2
	was=$(cat /sys/block/$disk/stat)
	"$@" >/tmp/out 2>&1 || { echo "ORACLE-ERROR $key"; cat /tmp/out; }
	sync
	now=$(cat /sys/block/$disk/stat)
	echo "ORACLE $key $was / $now"
}
with_()  # DISK COMMAND: mounted meanwhile
{
	disk=$1; shift
	mount -t vfat /dev/$disk /mnt || return 1
	"$@" || return 1
	umount /mnt
}
mkdir /source
for run in full again replaced; do
	s=vda; [ $run = replaced ] && s=vdb
	count_ mirrorboot.$run vdc mirrorboot esp clone --yes --force --leave-source /dev/$s /dev/vdc
	mount -t vfat -o ro /dev/$s /source || echo "ORACLE-ERROR mount"
	count_ cp.$run vdd with_ vdd /sbin/cp -a /source/. /mnt/
	count_ rsync.$run vde with_ vde rsync -a /source/ /mnt/
	umount /source
done
echo "ORACLE cp $(/sbin/cp --version | head -n 1)"
echo "ORACLE rsync $(rsync --version | head -n 1)"
"""
RUNS = {"full": "full clone", "again": "nothing changed", "replaced": "a file of 40 MiB replaced"}


def guest_rows(build, folder, section):
    folder = folder / "esp"
    folder.mkdir(parents=True, exist_ok=True)
    kind = KINDS[0]
    disks = [make(folder / "vda", kind, files(3)),
             make(folder / "vdb", kind, files(4), times=LATER),
             *(make(folder / name, kind, {}) for name in ("vdc", "vdd", "vde"))]
    init = espguest.INIT + GUEST + "\nsync\necho ORACLE end\npoweroff -f\n"
    said = espguest.boot(build / "oracle", init, [espguest.drive(d) for d in disks],
                         list(map(espguest.program, ("fsck.fat", "cp", "rsync"))), timeout_s=1800)
    section.versions["Linux"] = said.one("kernel")
    section.versions["coreutils"] = said.one("cp").split()[-1]
    section.versions["rsync"] = said.one("rsync").split()[2]
    rows = []
    for run, text in RUNS.items():
        got = {}
        for who in ("mirrorboot", "cp", "rsync"):
            was, now = (list(map(float, part.split())) for part in said.one(f"{who}.{run}").split("/"))
            got[who] = [now[4] - was[4], (now[6] - was[6]) * 512,
                        now[15] - was[15] if len(now) > 15 else 0]
        for who, name in (("cp", "cp -a; sync"), ("rsync", "rsync -a; sync")):
            for n, what in ((1, "bytes written"), (0, "write requests"), (2, "flushes")):
                rows.append(Row(f"esp.guest.{run}.{who}.{what.split()[-1]}", f"{text}: {what}",
                                got["mirrorboot"][n], got[who][n], name,
                                limit=0 if run == "again" and n < 2 else None))
    return rows
