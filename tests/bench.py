#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Every figure beside another's: sizes, instructions, requests; docs/performance.md explains them.

    bench.py --build DIR [--only SECTION,...] [--compare [FILE]] [--write]

Exit status 1 when a limit that is ours alone (sizes, requests of probing, writes to an ESP) is
exceeded, or a measurement failed. Goals that lean on how a firmware or an emulator does its part
are printed, OK or OVER, and fail nothing. Nothing here is a time: those would not be yours.
"""

import argparse
import datetime
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "images"))
sys.path.insert(0, str(ROOT / "tests"))

import bench_bios  # noqa: E402
import bench_count  # noqa: E402
import bench_esp  # noqa: E402
import bench_faults  # noqa: E402
import bench_others  # noqa: E402
import bench_page  # noqa: E402
import bench_probing  # noqa: E402
import bench_sizes  # noqa: E402
import bench_uefi  # noqa: E402
import cli  # noqa: E402
import linux  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
FIGURES = ROOT / "docs" / "performance.json"
PACKAGES = {"QEMU": "qemu-system-x86", "SeaBIOS": "seabios", "OVMF": "ovmf", "GRUB": "grub-common",
            "iPXE": "ipxe-qemu", "memdisk": "syslinux-common", "gcc": "gcc"}


class Bench:
    """What is made once and used by several sections."""

    def __init__(self, build, folder):
        self.build, self.folder, self._made = build, folder, {}

    def _once(self, name, make):
        if name not in self._made:
            folder = self.folder / name
            folder.mkdir()
            self._made[name] = make(self.build, folder)
        return self._made[name]

    def bios(self):
        return self._once("bios", bench_bios.Machines)

    def uefi(self):
        return self._once("uefi", bench_uefi.Machines)


# name: (title, function of a Bench and the Section that gives rows, runs)
SECTIONS = {
    "sizes": ("Sizes", lambda b, s: bench_sizes.rows(b.build, s), 1),
    "boot-bios": ("BIOS: from the MBR's first instruction to the next loader's",
                  lambda b, s: bench_bios.boot_rows(b.bios(), s), 2),
    "clock": ("BIOS: the plugin's count beside the TSC",
              lambda b, s: bench_bios.clock_rows(b.bios(), s), 1),
    "int13": ("BIOS: reads through INT 13h",
              lambda b, s: bench_bios.read_rows(b.bios(), s), 2),
    "layers": ("BIOS: what a layer in front of INT 13h adds to a request",
               lambda b, s: bench_others.rows(b.bios(), s), 2),
    "probing": ("Requests to survey a disk, by the code that BIOS and UEFI share",
                lambda b, s: bench_probing.host_rows(b.build, b.folder / "probe"), 1),
    "probing-bios": ("BIOS: boots with 2 to 16 disks",
                     lambda b, s: bench_probing.bios_rows(b.bios(), s), 2),
    "faults-bios": ("BIOS: a disk that fails",
                    lambda b, s: bench_faults.bios_rows(b.bios(), s), 2),
    "boot-uefi": ("UEFI: from the first instruction to the next loader's",
                  lambda b, s: bench_uefi.boot_rows(b.uefi(), s), 2),
    "blockio": ("UEFI: reads through Block I/O",
                lambda b, s: bench_uefi.read_rows(b.uefi(), s), 2),
    "probing-uefi": ("UEFI: boots with 2 to 16 disks",
                     lambda b, s: bench_probing.uefi_rows(b.uefi(), s), 1),
    "faults-uefi": ("UEFI: a disk that fails",
                    lambda b, s: bench_faults.uefi_rows(b.uefi(), s), 1),
    "both-legs": ("UEFI: both legs at once, 16 MiB, each throttled to 8 MiB/s",
                  lambda b, s: bench_uefi.spread_rows(b.uefi(), s), 1),
    "esp-images": ("EFI system partitions: what a clone writes to an image",
                   lambda b, s: bench_esp.image_rows(b.folder, s), 1),
    "esp-guest": ("EFI system partitions: in a Linux guest, beside cp and rsync",
                  lambda b, s: bench_esp.guest_rows(b.build, b.folder, s), 1),
}


def versions():
    out = {}
    for name, package in PACKAGES.items():
        got = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True,
                             text=True)
        if got.returncode == 0:
            out[name] = re.sub(r"^\d+:|[+~-].*$", "", got.stdout)
    return out


def measure(name, bench, runs=None):
    title, function, usual = SECTIONS[name]
    section = bench_page.Section(name, title, when=f"{datetime.date.today()}", versions=versions())
    started = time.monotonic()
    try:
        section.rows = bench_page.merge([function(bench, section) for _ in range(runs or usual)])
    except (bench_count.Unavailable, linux.Unavailable) as e:
        section.skipped = str(e)
    section.seconds = round(time.monotonic() - started)
    return section


def stored(path):
    return bench_page.from_json(path.read_text()) if path.exists() else []


def write(section):
    """Into the page and its file, section by section: what was measured stays when the next fails."""
    sections = bench_page.update(stored(FIGURES), [section], list(SECTIONS))
    FIGURES.write_text(bench_page.to_json(sections))
    PAGE.write_text(bench_page.fill_page(PAGE.read_text(), sections))


def main():
    args = argparse.ArgumentParser(description="every figure beside another's")
    args.add_argument("--build", default="build", help="where make built (O=)")
    args.add_argument("--only", help="these sections, with commas: " + ",".join(SECTIONS))
    args.add_argument("--runs", type=int, help="measure each figure so often, not as often as usual")
    args.add_argument("--json", type=Path, help="the figures go here, too (BUILD/bench.json anyway)")
    args.add_argument("--compare", nargs="?", type=Path, const=FIGURES,
                      help="show what changed by more than 2 %% since this file (docs/performance.json)")
    args.add_argument("--write", action="store_true",
                      help="put the figures into docs/performance.md and docs/performance.json")
    given = args.parse_args()
    names = given.only.split(",") if given.only else list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        args.error(f"no section {', '.join(unknown)}: there are {', '.join(SECTIONS)}")
    build = Path(given.build).resolve()
    cli.use_build(build)
    before = stored(given.compare) if given.compare else []

    sections, failed = [], []
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mirrorboot-bench-") as tmp:
        bench = Bench(build, Path(tmp))
        for name in names:
            try:
                sections.append(measure(name, bench, given.runs))
            except (RuntimeError, AssertionError, subprocess.CalledProcessError) as e:
                failed.append(f"{name}: {e}")
                print(f"\nbench: {failed[-1]}", flush=True)
                continue
            print(bench_page.text(sections[-1]), flush=True)
            if given.write and not sections[-1].skipped:
                write(sections[-1])
    print(f"\n{time.monotonic() - started:.0f} s in all")

    for path in filter(None, (build / "bench.json", given.json)):
        path.write_text(bench_page.to_json(sections))
    if given.compare:
        changes = bench_page.compare(before, sections)
        print("\n".join([f"\nsince {given.compare}:", *(changes or ["nothing changed by more than 2 %"])]))
    over = [row.id for s in sections for row in s.rows if row.binding and row.verdict != "OK"]
    if over:
        print("over their limits: " + ", ".join(over))
    return 1 if over or failed else 0


if __name__ == "__main__":
    sys.exit(main())
