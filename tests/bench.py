#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Sizes, requests and instructions, side by side with others; docs/bench.md explains them.

    bench.py --build DIR

Exit status 1 when a budget (sizes, probing) is exceeded or a measurement failed. Goals that
lean on how a firmware or an emulator does its part are printed, OK or OVER, and fail nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "images"))

import bench_bios  # noqa: E402
import bench_esp  # noqa: E402
import bench_uefi  # noqa: E402
import cli  # noqa: E402
import grub  # noqa: E402
import qemu  # noqa: E402
import scenario  # noqa: E402

PROBE_BUDGET = 16  # requests a disk
SIZES = (("MBR code", "mbr.bin", 440), ("stage2", "stage2.bin", 80 * 512),
         ("EFI application", "mirrorboot.efi", None))
RESIDENT_BUDGET = 8192
# Base memory that others keep: iPXE 0ab2277c's text16 and data16 (nm); memdisk of syslinux
# 6.04-pre1: 1744 bytes of code, E820 records, command line, 512 bytes of stack, in whole KiB.
OTHERS_RESIDENT = (("iPXE (INT 13h of sanboot)", 2355 + 12496),
                   ("memdisk (a disk in memory)", 3072))


def row(*cells, widths=(34, 12, 12, 12)):
    print("  " + "".join(str(c).ljust(w) for c, w in zip(cells, widths)).rstrip())


def sizes(build):
    print("sizes (bytes)")
    row("", "is", "budget")
    good = True
    for name, file, budget in SIZES:
        size = (build / file).stat().st_size
        row(name, size, budget or "", "" if not budget or size <= budget else "OVER")
        good &= not budget or size <= budget
    size = symbol(build / "resident.elf", "resident_bytes")
    row("resident: code, state, stack", size, RESIDENT_BUDGET,
        "" if size <= RESIDENT_BUDGET else "OVER")
    for name, others in OTHERS_RESIDENT:
        row(f"  {name}", others)
    return good and size <= RESIDENT_BUDGET


def symbol(elf, name):
    out = subprocess.run(["nm", str(elf)], check=True, capture_output=True, text=True).stdout
    return next(int(f[0], 16) for f in map(str.split, out.splitlines()) if f[-1] == name)


def build_probe(build):
    out = build / "bench_probe"
    subprocess.run(["gcc", "-std=gnu11", "-O2", f"-I{ROOT}", '-DMIRRORBOOT_VERSION="bench"',
                    "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-o", str(out),
                    str(ROOT / "tests" / "bench_probe.c"), *cli.common_sources()], check=True)
    return out


def probing(build, disks_of):
    print(f"\nmetadata probing: requests (sectors) a disk, budget {PROBE_BUDGET} requests")
    row("", "disk 0", "disk 1")
    probe, good = build_probe(build), True
    for name, disks in disks_of.items():
        out = subprocess.run([str(probe), *map(str, disks.paths)], check=True, text=True,
                             capture_output=True).stdout
        counts = [tuple(map(int, line.split())) for line in out.splitlines()]
        over = any(requests > PROBE_BUDGET for requests, _ in counts)
        row(name, *(f"{requests} ({sectors})" for requests, sectors in counts),
            "OVER" if over else "")
        good &= not over
    return good


def boot_requests(disks, firmware):
    """(requests of disk 0, of disk 1) and seconds, up to GRUB's start and to its end."""
    seen = {}

    def count(mark):
        def note(monitor):
            seen[mark] = [served for served, _ in monitor.reads()]
        return note

    got = qemu.boot(disks.drives(), firmware, until=grub.DONE,
                    marks={"GRUB: started": count("start"), grub.DONE: count("end")})
    return seen.get("start"), seen.get("end"), got


def booting(disks_of):
    print("\nboots: read requests as the disks of QEMU count them (disk 0 + disk 1)")
    row("", "to GRUB's", "to the end", "seconds")
    row("", "first line", "of a 3 MiB read")
    for name, firmware in (("MBR, md 1.2, in sync", "bios"), ("GPT, md 1.2, in sync", "uefi")):
        disks = disks_of[name]
        for label in (f"{firmware.upper()}, GRUB alone", f"{firmware.upper()}, mirrorboot"):
            if label.endswith("mirrorboot"):
                cli.install(*disks.paths)
            start, end, got = boot_requests(disks, firmware)
            row(label, *("+".join(map(str, counts)) if counts else "-" for counts in (start, end)),
                f"{got.seconds:.1f}")


def main():
    args = argparse.ArgumentParser(description="sizes and requests against their budgets")
    args.add_argument("--build", default="build", help="where make built (O=)")
    build = Path(args.parse_args().build).resolve()

    cli.use_build(build)

    good = sizes(build)
    with tempfile.TemporaryDirectory(prefix="mirrorboot-bench-") as tmp:
        tmp = Path(tmp)
        disks_of = {
            "MBR, md 1.2, in sync": scenario.make("in-sync", tmp / "mbr12"),
            "MBR, md 1.2, one leg stale": scenario.make("stale", tmp / "mbr12s"),
            "MBR, md 1.0, one leg stale": scenario.make("stale-1.0", tmp / "mbr10"),
            "MBR, md 0.90, one leg stale": scenario.make("stale-0.90", tmp / "mbr090"),
            "GPT, md 1.2, in sync": scenario.make("in-sync", tmp / "gpt12", "gpt"),
        }
        good &= probing(build, disks_of)
        try:
            booting(disks_of)
            bench_bios.bench(build, tmp)
            bench_uefi.bench(build, tmp)
            good &= bench_esp.bench(build, tmp)
        except RuntimeError as e:
            print(f"\nbench: {e}")
            good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
