#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Every command that writes, cut in 10,000 different states: the simulations, run whole.

    cuts.py --build DIR [--states N] [--write docs/powercut.md] [SIM...]

Prints a line for each command, and puts the table of them into the document, between its marks.
Exit status 1 when a simulation fails, a command has too few states, or one that is to be here is
not.
"""

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LINE = re.compile(r"^cuts: (.*): (\d+) states( \(all that there are\))?, (\d+) scenes, "
                  r"run again on (\d+)(?:, (.*) on (\d+))?(: TOO FEW)?$", re.M)
# What writes to disks, each to be here.
COMMANDS = {
    "sim_install": ["install (boot area)", "install over an older one (boot area)",
                    "uninstall (boot area)"],
    "sim_install_esp": ["install (ESP)", "install over an older one (ESP)", "uninstall (ESP)"],
    "sim_commands": ["install (two disks)", "install --add", "uninstall (two disks)", "esp clone",
                     "esp clone --create"],
    "sim_fatclone": ["a clone of a FAT file system (tool and firmware)",
                     "the tool's clone of an ESP"],
    "sim_fatformat": ["a FAT file system made (esp clone --create, --format)"],
    "sim_ldm": ["ldm create", "ldm add-mirror", "ldm break", "ldm remove", "ldm repair"],
    "sim_writes": ["a loader's write to a mirror (UEFI)", "a loader's write to a mirror (BIOS)"],
    "sim_record": ["the boot record (BIOS)"],
    "sim_entries": ["entries clone", "entries mirror", "entries delete", "entries repair"],
    "sim_files": ["esp enable", "the record of entries clone"],
}
BEGIN, END = "<!-- make cuts: begin -->", "<!-- make cuts: end -->"


def run(build, sim, states):
    """(what it printed, exit status, seconds)"""
    begun = time.monotonic()
    done = subprocess.run([str(build / "sim" / sim)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          env=dict(os.environ, SIM_STATES=str(states)))
    return done.stdout, done.returncode, time.monotonic() - begun


def table(rows, states):
    out = [f"Measured {datetime.date.today()}, `make cuts`, {states} states asked for.", "",
           "| what writes | simulation | different states | scenes | run again after the cut | "
           "real tools asked |", "|---|---|---:|---:|---:|---|"]
    for sim, name, n, all_, scenes, reruns, tool, asked, _ in rows:
        out.append(f"| {name} | `{sim}` | {int(n):,}{' (all there are)' if all_ else ''} | {scenes} "
                   f"| {int(reruns):,} | {f'{tool}: {asked}' if tool else ''} |")
    return "\n".join(out) + "\n"


def put_into(path, text):
    old = path.read_text()
    head, rest = old.split(BEGIN)
    path.write_text(head + BEGIN + "\n" + text + END + rest.split(END)[1])


def main():
    args = argparse.ArgumentParser(description="power cuts, all of them")
    args.add_argument("--build", default="build", help="where make built (O=)")
    args.add_argument("--states", type=int, default=10000)
    args.add_argument("--write", type=Path, help="put the table into this document")
    args.add_argument("sim", nargs="*", help="these simulations alone")
    args = args.parse_args()
    build = Path(args.build).resolve()
    sims = args.sim or sorted(p.stem for p in HERE.glob("sim_*.c"))
    rows, wrong = [], []
    with ThreadPoolExecutor(2) as pool:
        for sim, result in [(s, pool.submit(run, build, s, args.states)) for s in sims]:
            text, rc, seconds = result.result()
            found = LINE.findall(text)
            rows += [(sim, *row) for row in found]
            for row in found:
                print(f"{sim}: {row[0]}: {row[1]} states{row[2]}{row[7]}", flush=True)
            print(f"{sim}: {seconds:.0f} s, exit status {rc}", flush=True)
            if rc:
                wrong.append(f"{sim} failed:\n" + "\n".join(
                    x for x in text.splitlines() if "ERROR" in x or "TOO FEW" in x))
            wrong += [f"{sim}: {name} is not there" for name in COMMANDS.get(sim, [])
                      if name not in [row[0] for row in found]]
    for line in wrong:
        print(line)
    total = sum(int(row[2]) for row in rows)
    print(f"{len(rows)} commands, {total} states, {len(wrong)} wrong")
    if args.write and not wrong and not args.sim:
        put_into(args.write, table(rows, args.states))
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
