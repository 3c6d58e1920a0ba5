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
import linux  # noqa: E402

MIB = fatmade.MIB
GOAL = 64 << 10
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


def on_images(folder):
    print("\nESP: what is written to an image when a file of 40 MiB was replaced (goal: its size and "
          f"{GOAL >> 10} KiB), and when nothing was")
    widths = (28, 8, 10, 12, 16, 8, 12, 6)
    for cells in (("", "full clone", "", "unchanged", "40 MiB replaced", "", "", ""),
                  ("", "ratio", "writes", "bytes", "KiB over it", "floor", "above it", "")):
        print("  " + "".join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
    library, good = folder / "lying.so", True
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library),
                    str(TESTS / "oracle/lying.c"), "-ldl"], check=True)
    source, target = folder / "s", folder / "t"
    for kind in KINDS:
        make(source, kind, files(3))
        made = fatmade.Image(make(target, kind, {}))
        writes, full = counted(library, folder, source, target)
        nothing = counted(library, folder, source, target)
        make(source, kind, files(4), times=LATER)
        replaced = counted(library, folder, "--force", source, target)[1] - 40 * MIB
        # Each entry is as many bits as the type says; two FATs; the chain that goes, and the new one.
        floor = 40 * MIB // made.cluster * made.kind // 8 * made.fats * 2
        # Where a sector is 4 KiB, so is each mark.
        good &= nothing == (0, 0) and replaced - floor <= max(GOAL, 32 * kind[1])
        verdict = ("OK" if replaced <= GOAL else
                   "OVER, as the floor is" if floor > GOAL else "OVER")
        cells = (f"FAT{kind[0]}, {kind[1]}, clusters {made.cluster >> 10} K",
                 f"{full / sum(map(len, files(3).values())):.4f}", writes, nothing[1],
                 f"{replaced / 1024:.0f}", f"{floor / 1024:.0f}",
                 f"{(replaced - floor) / 1024:.0f}", verdict)
        print("  " + "".join(str(c).ljust(w) for c, w in zip(cells, widths)).rstrip())
    return good


# ---- in a guest ------------------------------------------------------------------------------

GUEST = """
# count_ KEY DISK COMMAND: requests, sectors and flushes that it made of the disk, and its seconds
count_()
{
	key=$1; disk=$2; shift 2
	read up rest </proc/uptime; was=$(cat /sys/block/$disk/stat)
	"$@" >/tmp/out 2>&1 || { echo "ORACLE-ERROR $key"; cat /tmp/out; }
	sync
	read up2 rest </proc/uptime; now=$(cat /sys/block/$disk/stat)
	echo "ORACLE $key $was / $now / $up $up2"
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


def rsync(folder):
    """rsync's program and the libraries that this system has not, from the distribution's packages."""
    folder.mkdir(parents=True, exist_ok=True)

    def run(*args):
        return subprocess.run(args, cwd=folder, capture_output=True, text=True,
                              env=dict(os.environ, LC_ALL="C"), stdin=subprocess.DEVNULL)

    names = ["rsync", *re.findall(r"^\s*Depends: (lib[^c]\S*|zlib\S*)$",
                                  run("apt-cache", "depends", "rsync").stdout, re.M)]
    got = run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *names)
    if got.returncode:
        raise linux.Unavailable("rsync: " + (got.stderr.strip().splitlines() or ["no package"])[-1])
    for deb in folder.glob("*.deb"):
        run("dpkg-deb", "-x", str(deb), ".")
    program = folder / "usr/bin/rsync"
    libraries = {p.name: p for p in sorted(folder.rglob("lib*.so.*"))}
    wanted = re.findall(r"^\s*(\S+) => not found", run("ldd", str(program)).stdout, re.M)
    missing = [name for name in wanted if name not in libraries]
    if missing:
        raise linux.Unavailable(f"rsync: no package has {missing}")
    return program, {f"lib/x86_64-linux-gnu/{name}": libraries[name].read_bytes() for name in wanted}


def in_guest(build, folder):
    kind = KINDS[0]
    disks = [make(folder / "vda", kind, files(3)),
             make(folder / "vdb", kind, files(4), times=LATER),
             *(make(folder / name, kind, {}) for name in ("vdc", "vdd", "vde"))]
    program, libraries = rsync(folder / "rsync")
    init = espguest.INIT + GUEST + "\nsync\necho ORACLE end\npoweroff -f\n"
    said = espguest.boot(build / "oracle", init, [espguest.drive(d) for d in disks],
                         [espguest.program("fsck.fat"), espguest.program("cp"), program], libraries,
                         timeout_s=1800)
    print(f"\nESP: in a Linux guest ({said.one('kernel')}; {said.one('cp')}; "
          f"{said.one('rsync').strip()}), FAT32 with clusters of 4 KiB on virtio-blk")
    widths = (40, 10, 10, 10, 10, 10, 10)
    print("  " + "".join(c.ljust(w) for c, w in zip(
        ("", "MiB", "of the", "requests", "of the", "flushes", "seconds"), widths)).rstrip())
    print("  " + "".join(c.ljust(w) for c, w in zip(
        ("", "written", "first", "", "first", "", "(TCG)"), widths)).rstrip())
    for run, text in RUNS.items():
        first = None
        for who in ("mirrorboot", "cp", "rsync"):
            was, now, clock = (list(map(float, part.split()))
                               for part in said.one(f"{who}.{run}").split("/"))
            requests, sectors = now[4] - was[4], now[6] - was[6]
            flushes = now[15] - was[15] if len(now) > 15 else float("nan")
            first = first or (sectors, requests)

            def ratio(n, k):
                return f"{n / first[k]:.2f}" if first[k] else "-"

            what = {"mirrorboot": "esp clone", "cp": "cp -a, sync", "rsync": "rsync -a, sync"}[who]
            cells = (what + (f", {text}" if who == "mirrorboot" else ""),
                     f"{sectors / 2048:.2f}", ratio(sectors, 0), f"{requests:.0f}",
                     ratio(requests, 1), f"{flushes:.0f}", f"{clock[1] - clock[0]:.1f}")
            print("  " + "".join(str(c).ljust(w) for c, w in zip(cells, widths)).rstrip())
    return True


def bench(build, folder):
    folder = Path(folder) / "esp"
    folder.mkdir(parents=True)
    good = on_images(folder)
    try:
        good &= in_guest(Path(build), folder)
    except linux.Unavailable as e:
        print(f"\nESP in a guest: SKIPPED, no packages for it: {e}")
    return good


if __name__ == "__main__":
    import argparse
    import tempfile

    args = argparse.ArgumentParser(description="ESP: bytes written, beside cp and rsync")
    args.add_argument("--build", default="build", help="where make built (O=)")
    given = args.parse_args()
    cli.use_build(Path(given.build).resolve())
    with tempfile.TemporaryDirectory(prefix="mirrorboot-bench-") as tmp:
        sys.exit(0 if bench(Path(given.build).resolve(), tmp) else 1)
