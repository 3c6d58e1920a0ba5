#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Changes common/ in one place at a time and looks whether a test notices. docs/mutation.md

    mutate.py --build DIR [--files gpt,md1] [--sample N] [--again] [--only unit,sim]
"""

import argparse
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from build import FLAGS, Builder
from report import Report
from run import Killers, Servers, measure
from same import Compiler

ROOT = Path(__file__).resolve().parents[2]
# How much of a test's own time is too much for what it may find.
MOST_US = {"unit": 15_000_000, "sanitized": 1_000_000, "sim": 1_500_000, "fuzz-smoke": 3_000_000}


def say(text):
    print(text, flush=True)


def chosen(mutants, args, before):
    if args.files:
        names = args.files.replace(" ", ",").split(",")
        mutants = [m for m in mutants if any(Path(m.path).stem == Path(n).stem for n in names)]
    if args.again:
        mutants = [m for m in mutants if before.get(m.key, "lived") in ("lived", "unreached")]
    if args.sample:
        mutants = sorted(random.Random(args.seed).sample(mutants, min(args.sample, len(mutants))),
                         key=lambda m: m.number)
    return mutants


def merge(path, news):
    """Into what was kept, by this run and by others."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept.update(news)
    path.write_text(json.dumps(kept, indent=0))
    return kept


def stage(name, programs, mutants, folder, jobs, keep):
    """What became of each: {key: how}"""
    start = time.time()
    servers = Servers(folder)
    out, done = {}, 0
    try:
        with ThreadPoolExecutor(jobs) as pool, (folder / f"{name}.live").open("w") as live:
            list(pool.map(lambda p: measure(p, servers), programs))
            tests = sum(len(p.tests) for p in programs)
            say(f"{name}: {len(programs)} programs, {tests} tests, "
                f"measured in {time.time() - start:.0f} s")
            for p in programs:
                p.tests = {t: found for t, found in p.tests.items() if found[0] <= MOST_US[name]}
                if p.broken:
                    say(f"{p.name} FAILS WITHOUT A MUTANT, test {p.broken}: left out")
            killers = Killers(programs, servers)
            for m, how in zip(mutants, pool.map(killers.run, mutants)):
                out[m.key] = how or "lived"
                done += 1
                if done % 250 == 0:
                    keep(out)
                if not how or how == "unreached":
                    live.write(f"{m.path}:{m.line}: {m.key.split(' ', 1)[1]}\n")
                    live.flush()
                if done % 1000 == 0:
                    say(f"  {done} of {len(mutants)} mutants, {time.time() - start:.0f} s")
    finally:
        servers.close()
    killed = sum(how not in ("lived", "unreached") for how in out.values())
    say(f"{name}: {killed} of {len(mutants)} mutants killed, {time.time() - start:.0f} s")
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--files", default="", help="of common/, by name, with commas")
    parser.add_argument("--sample", type=int, default=0, help="that many mutants, drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="only those that lived last time")
    parser.add_argument("--only", default="unit,sanitized,sim,fuzz-smoke,same")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--least", type=float, default=90.0, help="the share that must be killed")
    args = parser.parse_args()

    start = time.time()
    builder = Builder(ROOT, args.build.resolve(), args.jobs)
    everything = builder.mutate()
    say(f"{len(everything)} mutants found in {time.time() - start:.0f} s")
    results = builder.folder / "results.json"
    before = json.loads(results.read_text()) if results.exists() else {}
    mutants = chosen(everything, args, before)
    kinds = args.only.split(",")
    became, broken = {}, False
    left = mutants
    for name, build in (("unit", builder.unit), ("sanitized", builder.sanitized),
                        ("sim", builder.sims),
                        ("fuzz-smoke", builder.smoke)):
        if name not in kinds or not left:
            continue
        at = time.time()
        programs = build()
        say(f"{name}: built in {time.time() - at:.0f} s")
        found = stage(name, programs, left, builder.folder, args.jobs,
                      lambda out: merge(results, out))
        broken = broken or any(p.broken for p in programs)
        for key, how in found.items():
            if not (how == "unreached" and became.get(key) == "lived"):
                became[key] = how
        left = [m for m in left if became[m.key] in ("lived", "unreached")]

    if left and "same" in kinds:
        at = time.time()
        compiler = Compiler(ROOT, FLAGS)
        with ThreadPoolExecutor(args.jobs) as pool:
            for m, same in zip(left, pool.map(compiler.is_same, left)):
                if same:
                    became[m.key] = "same code"
        say(f"{sum(how == 'same code' for how in became.values())} of {len(left)} that lived are "
            f"the same code to the compiler, {time.time() - at:.0f} s")

    known = {m.key for m in everything}
    kept = {k: v for k, v in merge(results, became).items() if k in known}
    shown = everything if args.again and not args.files and not args.sample else mutants
    report = Report(ROOT / "tests/mutate/equivalent.txt", shown, kept)
    report.write(builder.folder / "survivors.txt")
    say(report.table())
    say(f"{time.time() - start:.0f} s; those that lived: {builder.folder / 'survivors.txt'}")
    status = report.verdict(args.least, whole=shown is everything)
    sys.exit(1 if broken else status)


if __name__ == "__main__":
    main()
