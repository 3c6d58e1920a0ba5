#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The README's pictures, taken of real boots: `make pictures` writes docs/pictures/."""

import argparse
import sys
import tempfile
from pathlib import Path

import cli
import grub
import qemu
import scenario
import screen

MENU = "Type its number:"
# name -> (firmware, table, pair, configuration, what to do at which mark, the mark to take it at)
PICTURES = {
    "bios-stale": ("bios", "mbr", "stale", "", {}, screen.LAST_LINE),
    "bios-menu": ("bios", "mbr", "split-brain", "timeout = 250\n",
                  {"Going on": lambda m: m.key("m")}, MENU),
    "uefi-stale": ("uefi", "gpt", "stale", "", {}, screen.LAST_LINE),
}


def take(name, folder, out):
    firmware, table, pair, config, marks, at = PICTURES[name]
    disks = scenario.make(pair, folder / name, table)
    text = folder / f"{name}.conf"
    text.write_text(config)
    cli.install(*disks.paths, options=("--config", text))
    got = qemu.boot(disks.drives((0, 1)), firmware, until=(grub.DONE, at), timeout_s=120,
                    marks={**marks, at: lambda m: m.screen(out / f"{name}.png", trim=True)})
    if not (out / f"{name}.png").exists():
        raise RuntimeError(f"{name}: no picture; the machine said:\n{got.serial}")
    print(out / f"{name}.png")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--build", default="build", help="where make built (O=)")
    args.add_argument("--out", default="docs/pictures", type=Path)
    args = args.parse_args()
    cli.use_build(Path(args.build).resolve())
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mirrorboot-pictures-") as folder:
        for name in PICTURES:
            (args.out / f"{name}.png").unlink(missing_ok=True)
            take(name, Path(folder), args.out)


if __name__ == "__main__":
    sys.exit(main())
