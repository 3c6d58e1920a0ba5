#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Runs the whole fault matrix, prints the table, writes docs/matrix.md. `make matrix`."""

import argparse
import hashlib
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "images")]

import cli  # noqa: E402
import matrix  # noqa: E402
import matrix_doc  # noqa: E402
import matrix_run  # noqa: E402

LOCK = threading.Lock()


def chosen(cells, words):
    """Cells whose fault, controller and firmware are all named, where any of a kind is named."""
    words = set(words)
    known = {w for c in cells for w in (c.fault, c.controller, c.firmware)}
    if words - known:
        raise SystemExit(f"matrix: {', '.join(sorted(words - known))}: not one of "
                         f"{', '.join(sorted(known))}")
    kinds = ([f.key for f in matrix.FAULTS], list(matrix.CONTROLLERS), list(matrix.FIRMWARES))
    for values, of in zip(kinds, ("fault", "controller", "firmware")):
        named = words & set(values)
        cells = [c for c in cells if not named or getattr(c, of) in named]
    return cells


class State:
    """What came as expected so far, so that a run that was cut goes on where it was.

    A cell is booted again when anything of mirrorboot, of the loaders or of its boots is other.
    """

    def __init__(self, path):
        self.path = path
        self.done = json.loads(path.read_text()) if path.exists() else {}
        self.of = hashlib.sha256()
        for part in (cli.build_folder() / "mirrorboot", cli.build_folder() / "matrix.efi",
                     HERE / "matrix.asm", HERE / "matrix_disks.py"):
            self.of.update(part.read_bytes())

    def _key(self, cell):
        mine = self.of.copy()
        mine.update(repr((cell, matrix.BY_KEY[cell.fault].boots(cell))).encode())
        return mine.hexdigest()

    def get(self, cell):
        if self._key(cell) not in self.done:
            return None
        return [(boot, [], None) for boot in matrix.BY_KEY[cell.fault].boots(cell)]

    def put(self, cell, result, seconds):
        if not any(complaints for _, complaints, _ in result):
            self.done[self._key(cell)] = seconds
            self.path.write_text(json.dumps(self.done))

    def minutes(self, cells, jobs):
        return round(sum(self.done.get(self._key(c), 0) for c in cells) / 60 / jobs)


def run(cells, shelf, jobs, state, keep=None):
    """{cell: result}, each told as soon as it is there."""
    def one(cell):
        result = state.get(cell)
        if result is None:
            started = time.monotonic()
            result = matrix_run.run_cell(cell, shelf, keep)
            with LOCK:
                state.put(cell, result, time.monotonic() - started)
        return cell, result

    results = {}
    with ThreadPoolExecutor(jobs) as pool:
        for cell, result in pool.map(one, cells):
            results[cell] = result
            print(f"{len(results):3} of {len(cells)}  {cell.name:28} "
                  f"{matrix_doc.word(cell, result)}", flush=True)
            for boot, complaints, seen in result:
                for said in complaints:
                    print(f"      {boot.name}: {said}")
                if complaints and seen:
                    print("        " + "\n        ".join(seen.serial.splitlines()[-40:]))
    return results


def show(results):
    """The table, for a terminal."""
    short = {"virtio-blk": "virtio", "nvme-4kn": "4Kn"}
    for w, firmware in matrix.FIRMWARES.items():
        print(f"\n{firmware:36}" + "".join(f"{short.get(c, c):>10}" for c in matrix.CONTROLLERS))
        for fault in matrix.FAULTS:
            words = (matrix_doc.word(cell, results.get(cell)) for cell in
                     (matrix.Cell(fault.key, c, w) for c in matrix.CONTROLLERS))
            print(f"{fault.title:36}" + "".join(f"{word.replace('**', ''):>10}" for word in words))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", help="a folder for what came on the serial line")
    parser.add_argument("--anew", action="store_true",
                        help="also boot again what a run of the same build has booted already")
    parser.add_argument("--section", action="store_true",
                        help="write the section of docs/failures.md, and nothing else")
    parser.add_argument("only", nargs="*", help="faults, controllers, firmwares: only these; "
                        "docs/matrix.md is then left alone")
    args = parser.parse_args()
    cli.use_build(Path(args.build).resolve())
    if args.section:
        return matrix_doc.write_section()
    cells = chosen(matrix.cells(), args.only)
    state = State(cli.build_folder() / "matrix.json")
    if args.anew:
        state.done = {}
    with tempfile.TemporaryDirectory(prefix="mirrorboot-matrix-") as shelf:
        results = run(cells, Path(shelf), args.jobs, state, args.keep)
    minutes = state.minutes(cells, args.jobs)
    show(results)
    bad = [c for c, result in results.items() if any(said for _, said, _ in result)]
    print(f"\n{len(results)} cells, {sum(map(len, results.values()))} boots, {minutes} minutes: "
          f"{len(bad)} not as expected")
    if not args.only:
        matrix_doc.write_page(results, minutes)
        matrix_doc.write_section()
        print(f"written: {matrix_doc.PAGE.relative_to(cli.ROOT)}, and the section of "
              f"{matrix_doc.FAILURES.relative_to(cli.ROOT)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
