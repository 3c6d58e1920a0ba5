#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Line coverage of common/, of all that ran in a build with --coverage.

usage: coverage.py --build DIR [--least PERCENT] [--lines]

A line counts when any program ran it. Prints a row a file, and in --lines those that none ran; exit status 1 when the
total is below --least. A file of common/ that no program has in it counts with no line run.
"""
import argparse
import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]


def gcov(notes):
    """What gcov says of some .gcno files: {file: {line: times}}."""
    out = subprocess.run(["gcov", "--json-format", "--stdout", *map(str, notes)], stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=True, cwd=TOP)
    lines = {}
    for text in out.stdout.splitlines():
        for f in json.loads(text)["files"]:
            if f["file"].startswith("common/"):
                of = lines.setdefault(f["file"], {})
                for line in f["lines"]:
                    of[line["line_number"]] = of.get(line["line_number"], 0) + line["count"]
    return lines


def spans(numbers):
    """[3, 4, 5, 9] -> "3-5 9"."""
    out = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(f"{a}-{b}" if a < b else str(a) for a, b in out)


def main():
    p = argparse.ArgumentParser(description="Line coverage of common/.")
    p.add_argument("--build", required=True)
    p.add_argument("--least", type=float, default=0)
    p.add_argument("--lines", action="store_true")
    args = p.parse_args()
    build = pathlib.Path(args.build).resolve()
    notes = sorted(build.rglob("*.gcno"))
    if not notes or not any(build.rglob("*.gcda")):
        sys.exit(f"coverage.py: nothing in {build} was built with --coverage and run")

    total = {}
    for at in range(0, len(notes), 50):
        for name, lines in gcov(notes[at:at + 50]).items():
            for line, times in lines.items():
                total.setdefault(name, {})[line] = total.get(name, {}).get(line, 0) + times
    built = {n.stem for n in notes}  # a file of nothing but tables has no line that runs
    missing = [f"common/{c.name}" for c in sorted((TOP / "common").glob("*.c"))
               if f"common/{c.name}" not in total and c.stem not in built]
    if missing:
        sys.exit(f"coverage.py: no program of this build has {', '.join(missing)} in it")

    all_, ran = 0, 0
    print("| file | lines | run | % |\n| --- | --- | --- | --- |")
    for name in sorted(total):
        lines = total[name]
        done = sum(1 for n in lines.values() if n)
        all_, ran = all_ + len(lines), ran + done
        print(f"| {name} | {len(lines)} | {done} | {100 * done / len(lines):.1f} |")
        if args.lines and done < len(lines):
            print("    not run:", spans(line for line, n in lines.items() if not n))
    percent = 100 * ran / all_
    print(f"| all of common/ | {all_} | {ran} | {percent:.1f} |")
    if percent < args.least:
        sys.exit(f"coverage.py: {percent:.2f} % of the lines of common/ were run; {args.least} % are asked for")


if __name__ == "__main__":
    main()
