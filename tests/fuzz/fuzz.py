#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Drive the fuzz targets: over the seeds, for some time with libFuzzer, or to make what was found smaller.

usage: fuzz.py smoke  --programs DIR [--mutations N] [TARGET...]
       fuzz.py run    --programs DIR --corpus DIR --ledger FILE --time S [--rounds N] [TARGET...]
       fuzz.py merge  --programs DIR --corpus DIR [TARGET...]
       fuzz.py ledger --ledger FILE
       fuzz.py classes

A target is a program fuzz_NAME; its seeds are tests/fuzz/seeds/NAME (and others', see ALSO), what `merge` kept of
the grown corpora is tests/fuzz/corpus/NAME. Each run of each target adds a line to the ledger.
"""
import argparse
import concurrent.futures
import datetime
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SEEDS, KEPT = HERE / "seeds", HERE / "corpus"
# Seeds of other targets that have the same form.
ALSO = {"fatclone": ["fat"]}
# Bytes that an input may have. What is larger than this tells a target nothing.
LONGEST = {"int13": 2048, "vdisk": 512, "judge": 128, "menu": 256, "esp": 64, "nvplan": 128, "nvwrite": 1024,
           "format": 16, "words": 4096, "config": 4096, "bootentry": 2048, "record": 4096}
# Mutations of each seed in `smoke`: more where a run costs little.
MUTATIONS = {"fat": 40, "fatclone": 25, "format": 15, "int13": 40, "nvwrite": 60, "survey": 100, "vdisk": 150,
    "menu": 60}
USUAL = 200
CLASSES, TEXT = HERE / "classes.tsv", HERE.parents[1] / "docs" / "fuzzing.md"
KEPT_BYTES = 40 * 1024  # of each target, in git
HEAD = "date\ttarget\tcpu_s\twall_s\texecs\tcrashes\tedges\tfeatures\tcorpus\n"


def folders(name):
    """Where inputs of a target are: its seeds, those of others, and what was kept."""
    all_ = [SEEDS / n for n in (name, *ALSO.get(name, ()))] + [KEPT / name]
    return [str(f) for f in all_ if f.is_dir() and any(f.iterdir())]


def programs(args):
    found = sorted(p for p in pathlib.Path(args.programs).glob("fuzz_*") if os.access(p, os.X_OK) and not p.suffix)
    wanted = {"fuzz_" + t.removeprefix("fuzz_") for t in args.target}
    if wanted - {p.name for p in found}:
        sys.exit(f"fuzz.py: no program {', '.join(sorted(wanted - {p.name for p in found}))} in {args.programs}")
    return [(p.name.removeprefix("fuzz_"), p) for p in found if not wanted or p.name in wanted]


def classes(args=None):
    """The rows of classes.tsv as docs/fuzzing.md has them."""
    rows = [line.split("\t") for line in CLASSES.read_text().splitlines()]
    out = [f"| {parser} | {kind} | `{name}` | {said.replace('|', ' ')} |" for kind, parser, name, said in rows]
    if args:
        print("\n".join(out))
    return rows, out


def check_classes(targets):
    """Does each hand-made seed still come to what it was made for, and is it in the documentation?"""
    rows, lines = classes()
    text, wrong = TEXT.read_text(), []
    for (_, _, name, said), line in zip(rows, lines):
        target = name.split("/")[0]
        if target not in targets:
            continue
        done = subprocess.run([targets[target], "-s", SEEDS / name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=120)
        now = done.stdout.rstrip("\n").split("\t")[-1].strip()
        if done.returncode or now != said:
            wrong.append(f"{name}: it says \"{now}\", and said \"{said}\"")
        if line not in text:
            wrong.append(f"{name}: docs/fuzzing.md has no such row ({HERE.name}/fuzz.py classes prints them)")
    return wrong


def smoke(args):
    """All seeds and the same mutations of them, in any order of targets; whatever fails is shown whole."""
    def one(target):
        name, program = target
        at = folders(name)
        if not at:
            return name, 1, f"{name}: no seeds in {SEEDS / name}\n"
        times = MUTATIONS.get(name, USUAL) if args.mutations is None else args.mutations
        out = ""
        for mutations, where in ((times, [a for a in at if not a.startswith(str(KEPT))]),
                                 (0, [a for a in at if a.startswith(str(KEPT))])):
            if not where:
                continue
            done = subprocess.run([program, "-m", str(mutations), *where], stdout=subprocess.PIPE, text=True,
                                  stderr=subprocess.STDOUT, errors="replace", timeout=1200)
            out += done.stdout
            if done.returncode:
                break
        return name, done.returncode, out

    failed, targets = [], programs(args)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, status, text in pool.map(one, targets):
            sys.stdout.write(text)
            if status:
                failed.append(f"{name} ({status})")
    wrong = check_classes(dict(targets))
    held = sum(1 for _, _, name, _ in classes()[0] if name.split("/")[0] in dict(targets))
    print("\n".join(wrong) or f"{held} seeds of known classes of faults: each is stopped where it should be")
    return f"failed: {', '.join([*failed, *(['seeds'] if wrong else [])])}" if failed or wrong else None


def libfuzzer(program, *words, log):
    """(CPU seconds, wall seconds, exit status) of one run, its output in the log."""
    before, at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with open(log, "wb") as out:
        status = subprocess.run([program, *words], stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.monotonic() - at, status


def limits(name):
    """A hang and a leak are crashes as well."""
    return ["-timeout=20", "-rss_limit_mb=2048", f"-max_len={LONGEST.get(name, 65536)}", "-print_final_stats=1"]


def run(args):
    corpora, ledger = pathlib.Path(args.corpus), pathlib.Path(args.ledger)
    ledger.parent.mkdir(parents=True, exist_ok=True)
    if not ledger.exists():
        ledger.write_text(HEAD)
    failed = set()
    for _ in range(args.rounds):
        for name, program in programs(args):
            corpus = corpora / name
            corpus.mkdir(parents=True, exist_ok=True)
            log = corpora / (name + ".log")
            cpu, wall, status = libfuzzer(program, f"-max_total_time={args.time}", *limits(name),
                                          f"-artifact_prefix={corpora}/{name}-", corpus, *folders(name), log=log)
            text = log.read_text(errors="replace")
            seen = re.findall(r"cov: (\d+) ft: (\d+)", text) or [(0, 0)]
            execs = re.search(r"number_of_executed_units: (\d+)", text)
            line = (datetime.datetime.now().strftime("%Y-%m-%d %H:%M"), name, f"{cpu:.0f}", f"{wall:.0f}",
                    execs.group(1) if execs else "0", str(int(status != 0)), *map(str, seen[-1]),
                    str(len(list(corpus.iterdir()))))
            with ledger.open("a") as f:
                f.write("\t".join(line) + "\n")
            print("  FUZZ   %-12s %s s of CPU, %s runs, %s edges, %s inputs" %
                  (name, line[2], line[4], line[6], line[8]), flush=True)
            if status:
                sys.stdout.write("".join(text.splitlines(True)[-60:]))
                failed.add(name)
    return f"failed: {', '.join(sorted(failed))}; the inputs are {corpora}/TARGET-*" if failed else None


def merge(args):
    """Keep the smallest inputs that together reach what all of the corpus reaches and the seeds don't."""
    for name, program in programs(args):
        corpus = pathlib.Path(args.corpus) / name
        if not corpus.is_dir():
            continue
        with tempfile.TemporaryDirectory() as tmp:
            new = pathlib.Path(tmp, "new")
            new.mkdir()
            seeds = [f for f in folders(name) if not f.startswith(str(KEPT))]
            for f in seeds:  # first, so that only what they lack is added
                for s in pathlib.Path(f).iterdir():
                    shutil.copy(s, new / ("seed-" + s.name))
            log = pathlib.Path(args.corpus) / (name + ".merge.log")
            _, _, status = libfuzzer(program, "-merge=1", *limits(name), new, corpus, *folders(name)[len(seeds):],
                                     log=log)
            if status:
                return f"{name}: merging failed, see {log}"
            added = [f for f in new.iterdir() if not f.name.startswith("seed-")]
            kept = KEPT / name
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(parents=True)
            used = 0
            for f in sorted(added, key=lambda f: (f.stat().st_size, f.name)):
                if used + f.stat().st_size > KEPT_BYTES:
                    break
                used += f.stat().st_size
                shutil.copy(f, kept / f.name[:16])
            print("  MERGE  %-12s %d inputs, %d bytes, of %d that add to the seeds" %
                  (name, len(list(kept.iterdir())), used, len(added)), flush=True)
    return None


def totals(args):
    sums = {}
    for line in pathlib.Path(args.ledger).read_text().splitlines()[1:]:
        _, name, cpu, _, execs, crashes, edges, _, corpus = line.split("\t")
        s = sums.setdefault(name, [0, 0, 0, 0, 0])
        for i, n in enumerate((cpu, execs, crashes)):
            s[i] += int(n)
        s[3], s[4] = max(s[3], int(edges)), int(corpus)
    print("| target | CPU minutes | runs | crashes | edges | inputs |\n| --- | --- | --- | --- | --- | --- |")
    for name, (cpu, execs, crashes, edges, corpus) in sorted(sums.items()):
        print(f"| {name} | {cpu / 60:.1f} | {execs} | {crashes} | {edges} | {corpus} |")
    print(f"| all | {sum(s[0] for s in sums.values()) / 60:.1f} | {sum(s[1] for s in sums.values())} | "
          f"{sum(s[2] for s in sums.values())} | | |")


def main():
    p = argparse.ArgumentParser(description="Drive the fuzz targets.")
    p.add_argument("what", choices=("smoke", "run", "merge", "ledger", "classes"))
    p.add_argument("target", nargs="*")
    p.add_argument("--programs")
    p.add_argument("--corpus")
    p.add_argument("--ledger")
    p.add_argument("--time", type=int, default=60)
    p.add_argument("--mutations", type=int)
    p.add_argument("--rounds", type=int, default=1)
    args = p.parse_intermixed_args()
    fault = {"smoke": smoke, "run": run, "merge": merge, "ledger": totals, "classes": classes}[args.what](args)
    if isinstance(fault, str):
        sys.exit("fuzz.py: " + fault)


if __name__ == "__main__":
    main()
