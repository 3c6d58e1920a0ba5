#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""
Frama-C's Eva over common/: each harness in plan.py, for a 32-bit and a 64-bit machine.

It fails when Eva has an alarm that allowed.txt does not explain, when a line of allowed.txt
explains nothing any more, when Eva warns that it left something out, and when a function that a
harness is for was not reached as far as plan.py says: so that a harness which proves nothing is
seen. docs/proof.md says what it comes to.

usage: prove.py [--build DIR] [--only NAME]... [--machine 32|64] [--jobs N] [--verbose]
       prove.py --self-test    take checks out of copies of the sources: is each one missed?
"""
import argparse
import concurrent.futures
import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, namedtuple

from contracts import ALL as CONTRACTS
from plan import ALWAYS, HARNESSES, SABOTAGE, WEAVE, WP

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MACHINES = {"32": "gcc_x86_32", "64": "gcc_x86_64"}
Alarm = namedtuple("Alarm", "file function kind")
Result = namedtuple("Result", "name machine seconds alarms faults reached unreached logfile")

# Of the warnings of Eva and of the kernel these alone are no reason to distrust a run.
HARMLESS = re.compile(
    r"assertion '|alarm: |function .*: precondition|loop invariant|"
    r"out of bounds|accessing |pointer comparison|pointer arithmetic|"
    r"implicit-conv-void-ptr|Ignoring call via function pointer|"
    r"unknown optimize attribute|Unknown attribute: optimize")


def functions_of(path):
    """Functions that a C file of this project defines: a name at the start of a line, then a brace."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return re.findall(r"^[a-z][^;{}=]*?\b([a-z_0-9]+)\([^;{}]*\)\n\{", text, re.M)


def weave(sources_at, to):
    """
    The sources with plan.WEAVE's hints for Eva and contracts.py's for WP in them: before what they
    are for, on its line, so that line numbers stay. A hint can cost time and never make an alarm go
    away wrongly: "split" is sound, and what is stated must be proven.
    """
    shutil.rmtree(to, ignore_errors=True)
    for folder in ("common", "stage2", "tests/prove"):
        shutil.copytree(os.path.join(sources_at, folder), os.path.join(to, folder))
    for path, before, hint in WEAVE + CONTRACTS:
        path = os.path.join(to, path)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if text.count(before) != 1:
            sys.exit(f"{path}: the place of a hint is there {text.count(before)} times: {before}")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(before, "".join(
                f"/*@ {' '.join(h.split())} */ " for h in hint.split(";;\n")) + before))


def find_provers(build):
    """Why3, through which WP asks the provers, writes down where they are; not into the home."""
    config = os.path.join(os.path.abspath(build), "why3.conf")
    os.environ["WHY3CONFIG"] = config
    if not os.path.exists(config):
        os.makedirs(build, exist_ok=True)
        subprocess.run(["why3", "config", "detect"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)


def frama_c(harness, machine, out, sources_at):
    spec = HARNESSES[harness]
    sources = [os.path.join("tests/prove", f"harness_{spec.get('file', harness)}.c")]
    sources += spec["sources"] + spec.get("with", [])
    table = os.path.join(out, "alarms.csv")
    defines = " ".join("-D" + d for d in spec.get("defines", []))
    command = ["frama-c", "-c11", "-machdep", MACHINES[machine],
               "-cpp-extra-args=-I. -include tests/prove/libc.h " + defines]
    command += sources + ["-main", "prove_main", "-eva"] + ALWAYS + spec.get("options", ["-eva-precision", "1"])
    command += ["-then", "-wp"] + WP
    command += ["-then", "-report-csv", table, "-metrics", "-metrics-eva-cover"]
    if os.path.exists(table):
        os.remove(table)
    log = os.path.join(out, "log")
    # Frama-C takes names of files to be from $PWD, its preprocessor from where it really is.
    with open(log, "w", encoding="utf-8") as f:
        f.write(" ".join(command) + "\n")
        f.flush()
        status = subprocess.run(command, stdout=f, stderr=subprocess.STDOUT, cwd=sources_at,
                                env={**os.environ, "PWD": sources_at}, check=False).returncode
    return status, table, log


def read_alarms(table):
    with open(table, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f, delimiter="\t"):
            if row["directory"].startswith("FRAMAC_SHARE"):
                continue  # what libc requires is said again at each call
            if row["property kind"] == "precondition":
                continue  # as "precondition of" at each call
            if row["status"] in ("Valid", "Considered valid", "Dead", "Valid but dead"):
                continue
            yield (Alarm(row["file"],
                         row["function"], row["property kind"]), row["line"], row["property"],
                   row["status"])


def warnings_in(log):
    """Warnings that are no alarms: a function without a body, recursion, code that was cut."""
    found, take = [], False
    for line in log.splitlines():
        if re.match(r"\[(eva|kernel)\S*\].*[Ww]arning|\[(eva|kernel)\].*(error|aborted)", line):
            found.append(line)
            take = True
        elif take and line.startswith("  "):
            found[-1] += " " + line.strip()
        else:
            take = False
    return [w for w in found if "[eva:alarm]" not in w and not HARMLESS.search(w)]


def reached_in(log):
    """{function: (statements reached, of so many)}; a static one may be there more than once."""
    shares = {}
    for name, got, of in re.findall(r"^  (\w+): (\d+) stmts out of (\d+) \(", log, re.M):
        shares[name] = (int(got), int(of))
    return shares


def coverage_faults(spec, shares, sources_at):
    """Each function of the files that the harness is for, against its floor."""
    faults, unreached = [], []
    floors = spec.get("floors", {})
    for source in spec["sources"]:
        for function in functions_of(os.path.join(sources_at, source)):
            got, of = shares.get(function, (0, 1))
            percent = 100 * got / of
            floor = floors.get(function, 100)
            if percent < floor:
                faults.append(f"{source}: {function}: {percent:.0f} % reached, expected {floor} %")
            if percent < 100:
                unreached.append(f"{function} {percent:.0f} %")
    return faults, unreached


def run(harness, machine, build, sources_at):
    out = os.path.join(build, f"{harness}-{machine}")
    os.makedirs(out, exist_ok=True)
    begun = time.monotonic()
    status, table, logfile = frama_c(harness, machine, os.path.abspath(out), sources_at)
    with open(logfile, encoding="utf-8", errors="replace") as f:
        log = f.read()
    faults = warnings_in(log)
    if status or not os.path.exists(table):
        tail = " ".join(log.split("\n")[-6:])
        faults.append(f"frama-c ended with status {status}: {tail}")
        return Result(harness, machine, time.monotonic() - begun, [], faults, {}, [], logfile)
    shares = reached_in(log)
    coverage, unreached = coverage_faults(HARNESSES[harness], shares, sources_at)
    return Result(harness, machine, time.monotonic() - begun, list(read_alarms(table)),
                  faults + coverage, shares, unreached, logfile)


def read_allowed():
    """A line: FILE:FUNCTION:KIND, a blank, the reason."""
    allowed = {}
    with open(os.path.join(HERE, "allowed.txt"), encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.split("#", 1)[0].strip() if line.startswith("#") else line.strip()
            if not line:
                continue
            what, _, reason = line.partition(" ")
            if what.count(":") != 2 or len(reason.split()) < 4:
                sys.exit(f"allowed.txt:{number}: not FILE:FUNCTION:KIND and a reason")
            allowed[Alarm(*what.split(":"))] = reason.strip()
    return allowed


def jobs_for(args):
    for name in HARNESSES:
        if args.only and name not in args.only:
            continue
        for machine in HARNESSES[name].get("machines", MACHINES):
            if args.machine in (None, machine):
                yield name, machine


def prove(args):
    allowed, seen, failed = read_allowed(), Counter(), 0
    statements = Counter()
    jobs = list(jobs_for(args))
    if not jobs:
        sys.exit("no harness of that name: " + ", ".join(HARNESSES))
    woven = os.path.abspath(os.path.join(args.build, "woven"))
    weave(TOP, woven)
    # Longest first, so that none is waited for alone.
    jobs.sort(key=lambda j: -HARNESSES[j[0]].get("seconds", 10))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for r in pool.map(lambda j: run(*j, args.build, woven), jobs):
            own = set(functions_of_harness(r.name))
            got = sum(r.reached[f][0] for f in own if f in r.reached)
            of = sum(r.reached[f][1] for f in own if f in r.reached)
            statements["got"] += got
            statements["of"] += of
            bad = [a for a in r.alarms if a[0] not in allowed]
            seen.update(a[0] for a in r.alarms)
            print(f"  {r.name:<14} {r.machine}-bit {r.seconds:6.1f} s  {got} of {of} statements  "
                  f"alarms: {len(bad)}" + (f", and {len(r.alarms) - len(bad)} explained"
                                           if len(r.alarms) > len(bad) else ""), flush=True)
            if args.verbose and r.unreached:
                print("      reached in part: " + ", ".join(r.unreached))
            for alarm, line, text, status in bad:
                print(f"    ALARM {alarm.file}:{alarm.function}:{alarm.kind} line {line} "
                      f"({status}): {text}")
            for fault in r.faults:
                print(f"    FAULT {fault}")
            failed += bool(bad or r.faults)
    if not args.only and not args.machine:
        for alarm in allowed:
            if alarm not in seen:
                print(f"  allowed.txt: {':'.join(alarm)} does not happen any more: take it out")
                failed += 1
    print(f"prove: {len(jobs)} runs, {statements['got']} of {statements['of']} statements reached, "
          f"{sum(seen.values())} alarms, {failed} failures")
    return 1 if failed else 0


def functions_of_harness(name):
    for source in HARNESSES[name]["sources"]:
        yield from functions_of(os.path.join(TOP, source))


def self_test(args):
    """With a check taken out, Eva must have an alarm that it has not otherwise."""
    allowed, missed = read_allowed(), 0
    copy = os.path.join(os.path.abspath(args.build), "sabotage")
    for path, old, new, harness in SABOTAGE:
        if args.only and harness not in args.only:
            continue
        weave(TOP, copy)
        with open(os.path.join(copy, path), encoding="utf-8") as f:
            text = f.read()
        if text.count(old) != 1:
            sys.exit(f"{path}: the check to take out is there {text.count(old)} times: {old}")
        with open(os.path.join(copy, path), "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        r = run(harness, "32", os.path.join(args.build, "sabotaged"), copy)
        new_alarms = [a for a in r.alarms if a[0] not in allowed]
        if new_alarms:
            a, line, text, _ = new_alarms[0]
            print(f"  seen    {path}: without \"{old}\": {a.file}:{a.function}:{a.kind} "
                  f"line {line}: {text}", flush=True)
        else:
            print(f"  MISSED  {path}: without \"{old}\" there is no new alarm {r.faults}")
            missed += 1
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", action="append")
    parser.add_argument("--machine", choices=MACHINES)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    args.build = os.path.join(args.build, "prove")
    find_provers(args.build)
    return self_test(args) if args.self_test else prove(args)


if __name__ == "__main__":
    sys.exit(main())
