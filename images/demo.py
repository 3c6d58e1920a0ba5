#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The main job, shown: `make demo`.

Two disks with a md 1.2 mirror for /boot and real GRUB, in six states, on BIOS and on
UEFI. Each row tells which leg mirrorboot chose and why, what GRUB read through it,
and what GRUB reads on the same disks without it. Every answer is compared with the
one that follows from how the disks were made (scenario.py); a wrong one makes the
exit status 1. Two machines run at a time.
"""

import argparse
import shutil
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import cli
import grub
import qemu
import scenario
import screen

WIDTHS = (6, 19, 54, 19, 14, 6)
HEADS = ("", "case", "leg chosen (*), and why: the boot screen and", "GRUB reads", "GRUB alone,",
         "")
HEADS2 = ("", "", "`mirrorboot status --json` say the same", "through mirrorboot", "same disks", "")


@dataclass(frozen=True)
class Case:
    name: str
    pair: str
    attached: tuple = (0, 1)
    bad_leg: int = None  # this disk fails a read in the middle of /payload


CASES = (
    Case("both disks", "in-sync"),
    Case("disk 0 detached", "in-sync", attached=(1,)),
    Case("disk 1 detached", "in-sync", attached=(0,)),
    Case("leg 0 stale", "stale"),
    Case("leg 0 half rebuilt", "rebuilding"),
    Case("leg 0 unreadable in mid-file", "in-sync", bad_leg=0),
)
FIRMWARE = {"bios": "mbr", "uefi": "gpt"}


@dataclass
class Row:
    firmware: str
    case: Case
    chosen: list = field(default_factory=list)  # lines
    through: tuple = None  # (generation, payload)
    alone: tuple = None
    wrong: list = field(default_factory=list)


def expected_legs(case):
    """The disks whose leg may be chosen: in sync by the scenario, and attached."""
    pair = scenario.PAIRS[case.pair]
    verdicts = (pair.verdict_a, pair.verdict_b)
    return [n for n in case.attached if verdicts[n] == "in-sync"]


def expected_generation(case):
    pair = scenario.PAIRS[case.pair]
    return str((pair.gen_a, pair.gen_b)[expected_legs(case)[0]])


def expected_verdicts(case):
    """Verdicts by disk; a disk that is detached is a missing leg."""
    pair = scenario.PAIRS[case.pair]
    return sorted(v if n in case.attached else "missing"
                  for n, v in enumerate((pair.verdict_a, pair.verdict_b)))


def judge_status(row, said, attached_paths):
    """Check `status --json` against the scenario; returns the chosen leg's mirror."""
    case = row.case
    if len(said["mirrors"]) != 1:
        row.wrong.append(f"status finds {len(said['mirrors'])} mirrors, not 1")
        return None
    mirror = said["mirrors"][0]
    chosen = cli.chosen_leg(mirror)
    right = [str(attached_paths[n]) for n in expected_legs(case)]
    if not chosen or chosen["disk"] not in right:
        row.wrong.append(f"status chooses {chosen and chosen['disk']}, not one of {right}")
    verdicts = sorted(leg["verdict"] for leg in mirror["legs"])
    if verdicts != expected_verdicts(case):
        row.wrong.append(f"verdicts {verdicts}, not {expected_verdicts(case)}")
    return mirror


def judge_screen(row, mirror, serial, case):
    """The boot screen has to say what status says: leg, verdicts, reasons."""
    seen = screen.parse(serial)
    if not seen:
        row.wrong.append("no screen of mirrorboot on the serial line")
        return
    for what, here, there in screen.differences(seen, mirror):
        row.wrong.append(f"screen says {what} {here!r}, status says {there!r}")


def why(mirror, paths):
    """A line a leg, as on the boot screen; disks by their number in the demo."""
    name = {str(p): f"disk {n}" for n, p in enumerate(paths)}
    return [f"{'*' if leg['index'] == mirror['chosen'] else ' '} leg {leg['index']}, "
            f"{name.get(leg['disk'], 'no disk')}: {leg['verdict']}: {leg['reason']}"
            for leg in mirror["legs"]]


def run_case(firmware, case, bare, ready, pictures):
    """bare, ready: scenario.Disks before and after `mirrorboot install`."""
    row = Row(firmware, case)
    failed = {}

    def note_failed(which):
        def note(monitor):
            failed[which] = sum(f for _, f in monitor.reads())
        return note

    got = qemu.boot(bare.drives(case.attached, case.bad_leg), firmware, until=grub.DONE,
                    marks={grub.DONE: note_failed("alone")})
    row.alone = grub.what_it_read(got.serial)
    if case.bad_leg is not None and not failed.get("alone"):
        row.wrong.append("the bad sector was not met: the case proves nothing")

    marks = {grub.DONE: note_failed("through")}
    if case.name == "leg 0 stale":
        marks[screen.LAST_LINE] = lambda m: m.screen(pictures / f"screen-{firmware}.png")
    got = qemu.boot(ready.drives(case.attached, case.bad_leg), firmware, until=grub.DONE,
                    marks=marks, keep=pictures / f"{firmware}-{case.name.replace(' ', '-')}.log")
    row.through = grub.what_it_read(got.serial)
    if row.through != (expected_generation(case), "ok"):
        row.wrong.append(f"read {row.through} through mirrorboot")
    if case.bad_leg is not None and not failed.get("through"):
        row.wrong.append("mirrorboot never met the bad sector: no failover was shown")

    attached = [ready.paths[n] for n in case.attached]
    mirror = judge_status(row, cli.status(*attached), ready.paths)
    if mirror:
        row.chosen = why(mirror, ready.paths)
        if case.bad_leg is not None and failed.get("through"):
            row.chosen.append(f"  a read of disk {case.bad_leg} failed: went on from leg 1")
        judge_screen(row, mirror, got.serial, case)
    return row


def text_of(read):
    if not read:
        return ["nothing at all"]
    generation, payload = read
    told = f"generation {generation}" if generation.isdigit() else generation
    return [told, f"payload {payload}"]


def print_row(cells):
    columns = [[piece for line in ([c] if isinstance(c, str) else c)
                for piece in textwrap.wrap(line, w - 1, subsequent_indent=indent) or [""]]
               for c, w, indent in zip(cells, WIDTHS, ("", "", " " * 4, "", "", ""))]
    for i in range(max(map(len, columns))):
        line = "".join((c[i] if i < len(c) else "").ljust(w) for c, w in zip(columns, WIDTHS))
        print(line.rstrip())


def print_rule():
    print("-" * (sum(WIDTHS) - 2))


def print_case(row):
    print_row((row.firmware.upper(), row.case.name, row.chosen or ["?"], text_of(row.through),
               text_of(row.alone), "WRONG" if row.wrong else "right"))
    for wrong in row.wrong:
        print(textwrap.fill(wrong, sum(WIDTHS) - 4, initial_indent="     ! ",
                            subsequent_indent="       "))
    print_rule()
    sys.stdout.flush()


def prepare(pair, table, folder):
    """The disks of a pair, without and with mirrorboot."""
    bare = scenario.make(pair, folder / "bare", table)
    ready = scenario.copy(bare, folder / "ready")
    cli.install(*ready.paths)
    return bare, ready


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--build", default="build", help="where make built (O=)")
    build = Path(args.parse_args().build).resolve()
    cli.use_build(build)
    pictures = build / "demo"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    started = time.monotonic()

    print("Two disks, a md 1.2 mirror for /boot on them, real GRUB as next loader. Generation 2 is"
          " the newest.\n")
    rows = []
    with tempfile.TemporaryDirectory(prefix="mirrorboot-demo-") as tmp, \
            ThreadPoolExecutor(2) as pool:
        disks = {(pair, table): pool.submit(prepare, pair, table, Path(tmp) / f"{table}-{pair}")
                 for table in FIRMWARE.values() for pair in dict.fromkeys(c.pair for c in CASES)}
        jobs = [pool.submit(lambda f=f, t=t, c=c: run_case(f, c, *disks[c.pair, t].result(),
                                                           pictures))
                for f, t in FIRMWARE.items() for c in CASES]
        print_row(HEADS)
        print_row(HEADS2)
        print_rule()
        for job in jobs:
            rows.append(job.result())
            print_case(rows[-1])

    for firmware in FIRMWARE:
        picture = pictures / f"screen-{firmware}.png"
        if picture.exists():
            print(f"{firmware.upper()} screen of \"leg 0 stale\": {picture}")
        else:
            rows[0].wrong.append("no picture")
            print(f"no picture of the {firmware.upper()} screen")
    bad = sum(bool(row.wrong) for row in rows)
    print(f"{len(rows) - bad} of {len(rows)} cases right, {time.monotonic() - started:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
