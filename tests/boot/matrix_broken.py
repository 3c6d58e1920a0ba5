#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Can the fault matrix fail? Breaks mirrorboot in a copy, a fault at a time, and boots cells.

Writes which cells found it into docs/matrix.md. `make matrix-broken`.
"""

import argparse
import datetime
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "images")]

import cli  # noqa: E402
import matrix  # noqa: E402
import matrix_doc  # noqa: E402
import matrix_run  # noqa: E402

SOURCES = ("Makefile", "common", "stage2", "mbr", "efi", "tools", "linker", "images", "tests")
BIOS = ("bios", "ide")
JUDGES = ("matrix_plans.py", "matrix_types.py", "matrix_disks.py", "matrix_run.py", "matrix_after.py")


@dataclass(frozen=True)
class Wrong:
    """A way to break it. uefi: cells of UEFI that are booted as well as those of BIOS."""
    what: str
    file: str
    old: str
    new: str
    uefi: tuple = ()


WRONG = (
    Wrong("the judge does not look at events", "common/leg.h",
          "return m->events", "return false && m->events"),
    Wrong("a newer leg's map of devices is not looked at: none ran alone", "common/leg.c",
          "return leg_is_regular(newest->role) && !map_has_role(m, newest->role) &&",
          "return false && leg_is_regular(newest->role) && !map_has_role(m, newest->role) &&"),
    Wrong("the checksum of a superblock is not compared", "common/md1.c",
          "if (md1_checksum(sb) != le32_get(h->csum))", "if (false)"),
    Wrong("a member may be shorter than its superblock says", "common/md1.c",
          "if (!range_ok(m->data_start_s512, data_size, room))",
          "if (!range_ok(m->data_start_s512, data_size, room) && false)"),
    Wrong("no failover: a read that fails is an error", "common/vdisk.c",
          "\twhile ((l = read_pass(r, tried, false)) < VDISK_LEGS)\n"
          "\t\ttried |= (uint32_t)1 << l;\n",
          "\tl = read_pass(r, tried, false);\n"),
    Wrong("failover by request, not by sector", "common/vdisk.c",
          "if (l == VDISK_NO_LEG && n > 1)", "if (false)"),
    Wrong("a leg that failed is never asked again", "common/vdisk.c",
          "if (last_resort == VDISK_NO_LEG)", "if (false)"),
    Wrong("a leg that fails a read is not left", "common/vdisk.c",
          "\t\t\tvdisk_latch(r.set, leg);\n", ""),
    Wrong("a failed read is taken for a good one", "common/vdisk.c",
          "if (d->read(d, leg->start_lba + p.pos, p.n, r.buf) != ST_OK) {",
          "if (d->read(d, leg->start_lba + p.pos, p.n, r.buf), false) {"),
    Wrong("a leg being rebuilt is read beyond its limit", "common/extents.c",
          "uint64_t limit = extents_down(b, m->good_s512);",
          "uint64_t limit = extents_down(b, m->data_s512);"),
    Wrong("stale disks are shown as they are", "common/config.c",
          "\tc->hide_stale = true;\n", "\tc->hide_stale = false;\n", (("stale", "virtio-blk"),)),
    Wrong("a write goes to the first leg only", "common/vdisk_write.c",
          "for (*k = 0; *k < m->leg_count; ++*k) {", "for (*k = 0; *k < 1; ++*k) {"),
    Wrong("a write that fails is not noticed", "common/vdisk_write.c",
          "} else if (d->write(d, l->start_lba + p->at.pos, p->at.n, p->buf) != ST_OK) {",
          "} else if (d->write(d, l->start_lba + p->at.pos, p->at.n, p->buf), false) {"),
    Wrong("the others' superblocks are not told of a leg that failed", "common/md1_mark.c",
          "roles[max_dev] = le16_of(ROLE_FAULTY);", "continue;"),
    Wrong("superblocks are not closed after a write", "common/vdisk_write.c",
          "enum step { OPEN, DATA, CLOSE, STEPS };",
          "enum step { OPEN, DATA, STEPS, CLOSE };"),
    Wrong("a disk that can't be read is given up without a word", "common/leg.c",
          "bool silent = d->io_error ||", "bool silent = false ||"),
    Wrong("hashes of files on the EFI system partition are not compared", "common/manifest.c",
          "if (memcmp(f->sha256, sha256, SHA256_BYTES) == 0)", "if (true)",
          (("mid-file", "ahci"),)),
)


class Kept:
    """What was found so far, so that a run that was cut goes on; of these sources only."""

    def __init__(self, path, top):
        self.path = path
        self.found = json.loads(path.read_text()) if path.exists() else {}
        of = hashlib.sha256()
        for name in ("common", "stage2", "mbr", "efi", "tests/boot"):
            for source in sorted((top / name).rglob("*")):
                if source.suffix in (".c", ".h", ".asm") or source.name in JUDGES:
                    of.update(source.read_bytes())
        self.of = of.hexdigest()

    def get(self, wrong):
        of, red = self.found.get(wrong.what, (None, None))
        return {matrix.Cell(*c): said for c, said in red} if of == self.of else None

    def put(self, wrong, red):
        self.found[wrong.what] = (self.of, [((c.fault, c.controller, c.firmware), said)
                                            for c, said in red.items()])
        self.path.write_text(json.dumps(self.found))


def copy_of(folder):
    """A copy of the sources. One that is there is brought up to date: most of its build is good."""
    top = Path(folder) / "source"
    top.mkdir(parents=True, exist_ok=True)
    for of in (p for name in SOURCES for p in [cli.ROOT / name, *(cli.ROOT / name).rglob("*")]):
        to = top / of.relative_to(cli.ROOT)
        if of.is_dir():
            to.mkdir(exist_ok=True)
        elif not to.exists() or to.read_bytes() != of.read_bytes():
            shutil.copy(of, to)  # with the time of now
    return top


def build(top):
    subprocess.run(["make", "-s", "-j2", "O=build", "all", "build/matrix.efi"], cwd=top, check=True,
                   stdout=subprocess.DEVNULL)


def boot(top, cells, shelf, jobs):
    """{cell: [(boot's name, complaint)]} of those that came out wrong."""
    cli.use_build(top / "build")
    with ThreadPoolExecutor(jobs) as pool:
        found = pool.map(lambda cell: (cell, matrix_run.run_cell(cell, shelf)), cells)
        return {cell: [(b.name, c[0]) for b, c, _ in result if c] for cell, result in found
                if any(c for _, c, _ in result)}


def try_one(top, wrong, jobs):
    """What boot() found of mirrorboot broken like this; the copy is then as it was."""
    path = top / wrong.file
    text = path.read_text()
    if text.count(wrong.old) != 1:
        raise SystemExit(f"matrix-broken: {wrong.what}: {wrong.file} is not as it was")
    path.write_text(text.replace(wrong.old, wrong.new))
    try:
        build(top)
        with tempfile.TemporaryDirectory(prefix="mirrorboot-broken-") as shelf:
            return boot(top, cells_of(wrong), Path(shelf), jobs)
    finally:
        path.write_text(text)


def cells_of(wrong):
    chosen = [c for c in matrix.cells() if (c.firmware, c.controller) == BIOS]
    return chosen + [matrix.Cell(fault, controller, "uefi") for fault, controller in wrong.uefi]


def section(rows):
    tried = sum(red is not None for _, red in rows)
    lines = [matrix_doc.FALSELY, "",
             "`make matrix-broken` breaks mirrorboot in a copy of its sources, one thing at a time, and boots "
             "the IDE cells of", "BIOS, and for some a cell of UEFI. "
             f"{datetime.date.today().isoformat()}: {sum(bool(r) for _, r in rows)} of {tried} that were tried are "
             "found.",
             "", "| what is broken | cells that fail |", "| --- | --- |"]
    for wrong, red in rows:
        if red is None:
            lines.append(f"| {wrong.what} | not tried in this run |")
            continue
        names = ", ".join(f"{matrix.BY_KEY[c.fault].title} ({matrix.FIRMWARES[c.firmware]}: "
                          f"{'; '.join(name for name, _ in said)})" for c, said in red.items())
        lines.append(f"| {wrong.what} | {names or '**none**'} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build", help="the copy is in its folder \"broken\"")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of the table, from 0")
    args = parser.parse_args()
    folder = Path(args.build).resolve() / "broken"
    rows, top = [], copy_of(folder)
    kept = Kept(folder / "found.json", top)
    for n in range(len(WRONG)) if args.only is None else args.only:
        wrong = WRONG[n]
        red = kept.get(wrong)
        if red is None:
            red = try_one(top, wrong, args.jobs)
            kept.put(wrong, red)
        rows.append((wrong, red))
        print(f"{n:2} {wrong.what}: {len(red)} cells", flush=True)
        for cell, said in red.items():
            for name, what in said:
                print(f"     {cell.name}, {name}: {what}", flush=True)
        matrix_doc.write_falsely(section([(w, kept.get(w)) for w in WRONG]))
    return 0 if all(red for _, red in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
