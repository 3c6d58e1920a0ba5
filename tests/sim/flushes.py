#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Takes each flush out of common/fat_*.c, one at a time: the simulations must see each is gone.

    flushes.py --build DIR     (`make sim-flush` has built what it needs)

What remains of a flush that is taken out is the writing of what was held back, so that only the
order on the disk is lost. Exit status 1 when one can go without any simulation failing.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIMS = ("sim_fatclone", "sim_fatformat")
NEEDED = ("fat*", "disk", "mem", "manifest*", "sha256", "guid", "text")
# what stands for a flush, and what is left of it
FLUSHES = [(re.compile(r"\bfat_out_flush\(o\)"), "fat_out_sync(o)"),
           (re.compile(r"\b[a-z>-]+->flush\([^()]*\)"), "ST_OK")]


def flushes():
    """(file, number of the line, its text, the text without)"""
    for path in sorted((ROOT / "common").glob("fat_*.c")):
        for n, line in enumerate(path.read_text().splitlines()):
            if line.startswith("enum status"):
                continue
            for pattern, rest in FLUSHES:
                for found in pattern.finditer(line):
                    yield path, n, line, line[:found.start()] + rest + line[found.end():]


def try_without(build, tmp, number, path, n, text):
    """The simulations that failed."""
    folder = Path(tmp) / str(number)
    folder.mkdir()
    lines = path.read_text().splitlines()
    lines[n] = text
    changed = folder / path.name
    changed.write_text("\n".join(lines) + "\n")
    subprocess.run(["gcc", "-std=gnu11", "-O2", f"-I{ROOT}", "-D_GNU_SOURCE",
                    '-DMIRRORBOOT_VERSION="flushes"', "-c", str(changed), "-o",
                    str(changed.with_suffix(".o"))], check=True)
    objects = [changed.with_suffix(".o")]
    for name in NEEDED:
        objects += [o for o in sorted((build / "host/common").glob(name + ".o"))
                    if o.stem != path.stem]
    failed = []
    for sim in SIMS:
        program = folder / sim
        subprocess.run(["gcc", "-o", str(program), str(build / f"host/tests/sim/{sim}.o"),
                        *map(str, sorted((build / "host/tests/sim").glob("crash[df][ia]*.o"))),
                        *map(str, objects), "-lcmocka"], check=True)
        done = subprocess.run([str(program)], capture_output=True, text=True, errors="replace")
        if done.returncode:
            said = re.findall(r"ERROR: (.*)|missed$|without the flush that is.*", done.stdout
                              + done.stderr)
            said = next((s for s in said if s), "a flush more or less than expected")
            failed.append(f"{sim}: {said}")
    return failed


def main():
    args = argparse.ArgumentParser(description="is each flush needed?")
    args.add_argument("--build", default="build", help="where make built (O=)")
    build = Path(args.parse_args().build).resolve()
    survived, todo = 0, list(flushes())
    with tempfile.TemporaryDirectory(prefix="mirrorboot-flushes-") as tmp, \
            ThreadPoolExecutor(2) as pool:
        results = [pool.submit(try_without, build, tmp, i, path, n, text)
                   for i, (path, n, _, text) in enumerate(todo)]
        for (path, n, line, _), result in zip(todo, results):
            failed = result.result()
            survived += not failed
            print(f"{path.relative_to(ROOT)}:{n + 1}: {line.strip()}\n    "
                  + ("\n    ".join(failed) or "NOTHING FAILS WITHOUT IT"), flush=True)
    print(f"{len(todo)} flushes, {survived} that nothing needs")
    return 1 if survived or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
