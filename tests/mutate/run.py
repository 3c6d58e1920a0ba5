# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Test programs with all mutants in them, kept ready: each order is a fork, not a start."""

import os
import pickle
import re
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

# Before a mutant counts as one that never ends; the sanitizers start slowly.
ROOM_MS = {"unit": 60, "sim": 200, "sanitized": 300, "fuzz-smoke": 1000}
TIMES = 6
FOREIGN_US = 100_000  # a test of another file that takes longer is not asked


@dataclass(eq=False)
class Program:
    name: str
    path: Path
    args: list
    kind: str  # unit, sim, fuzz-smoke
    tests: dict = field(default_factory=dict)  # number -> (microseconds, the mutants reached)
    whole: bool = False  # its tests need each other
    broken: str = ""  # tests that fail without a mutant


class Server:
    """One running program."""

    def __init__(self, program, folder, tag):
        order_r, self.order_w = os.pipe()
        self.answer_r, answer_w = os.pipe()
        self.reached = folder / f"reached-{program.name}-{tag}"
        env = {k: v for k, v in os.environ.items() if not k.startswith("CMOCKA")}
        env.update(MUTANT_ORDERS=str(order_r), MUTANT_ANSWERS=str(answer_w),
                   MUTANT_REACHED=str(self.reached), ASAN_OPTIONS="detect_leaks=0")
        self.process = subprocess.Popen([program.path, *program.args], env=env,
                                        pass_fds=(order_r, answer_w), stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        os.close(order_r)
        os.close(answer_w)
        self.answers = os.fdopen(self.answer_r)

    def order(self, mutant, limit_ms, tests="*"):
        """(whether it passed, microseconds, how many tests or which failed, wait status)"""
        os.write(self.order_w, f"{mutant} {limit_ms} {tests}\n".encode())
        answer = self.answers.readline().split()
        if len(answer) != 3:
            raise RuntimeError(f"{self.process.args[0]} ended")
        return answer[0] == "0", int(answer[1]), int(answer[2]), int(answer[0])

    def close(self):
        os.close(self.order_w)
        self.answers.close()
        self.process.wait()


class Servers:
    """One of each program for each thread."""

    def __init__(self, folder):
        self.folder, self.local, self.all = folder, threading.local(), []
        self.lock = threading.Lock()

    def get(self, program):
        mine = self.local.__dict__.setdefault("servers", {})
        if program.name not in mine:
            mine[program.name] = Server(program, self.folder, threading.get_ident())
            with self.lock:
                self.all.append(mine[program.name])
        return mine[program.name]

    def close(self):
        for server in self.all:
            server.close()


def measure(program, servers):
    """Which mutants each of its tests reaches, and how long it takes without any."""
    kept = servers.folder / f"{program.kind}-{program.name}.measured"
    made = program.path.stat().st_mtime_ns
    if kept.exists():
        with kept.open("rb") as f:
            when, program.tests, program.whole = pickle.load(f)
        if when == made:
            return
        program.tests, program.whole = {}, False
    server = servers.get(program)

    def take(test):
        ok, us, _, _ = server.order(0, 600000, "*" if test == "*" else f"{test}:600000")
        if ok:
            reached = re.finditer(b"\1", server.reached.read_bytes())
            program.tests[test] = us, frozenset(m.start() for m in reached)
        return ok

    count = server.order(0, 600000, "none")[2] if program.kind != "fuzz-smoke" else 0
    failed = [test for test in range(count) if not take(test)]
    if count == 0 or failed:
        alone, program.tests = program.tests, {}
        program.whole = take("*")
        if not program.whole:
            program.tests = alone
            program.broken = ", ".join(map(str, failed)) or "all"
            return  # not kept: to be mended
    server.reached.unlink(missing_ok=True)
    with kept.open("wb") as f:
        pickle.dump((made, program.tests, program.whole), f)


class Killers:
    """The tests that can notice each mutant, the likeliest first."""

    def __init__(self, programs, servers):
        self.servers = servers
        self.of = {}
        self.kills = Counter()
        for p in programs:
            for test, (us, mutants) in p.tests.items():
                for n in mutants:
                    self.of.setdefault(n, []).append((p, test, us))

    def rank(self, mutant, own):
        def weight(entry):
            program, test, us = entry
            kills = self.kills[mutant.path, mutant.function, program.name, test]
            return (-kills, not program.name.startswith(own), us)
        family = "test_" + re.split("[._]", Path(mutant.path).name)[0]
        return sorted((e for e in self.of.get(mutant.number, ())
                       if e[2] <= FOREIGN_US or e[0].kind != "unit" or
                       e[0].name.startswith(family)), key=weight)

    def run(self, mutant):
        """What killed it, or None; "unreached" when no test comes by."""
        own = "test_" + Path(mutant.path).stem
        order = self.rank(mutant, own)
        if mutant.number not in self.of:
            return "unreached"
        while order:
            program, test, us = order[0]
            # One that has killed beside this one by itself, else those of a program at once.
            group = [order[0]]
            if self.kills[mutant.path, mutant.function, program.name, test] == 0:
                group = [e for e in order if e[0] is program][:200]
            order = [e for e in order if e not in group]
            limits = {e[1]: ROOM_MS[program.kind] + e[2] * TIMES // 1000 for e in group}
            tests = "*" if program.whole else ",".join(f"{t}:{ms}" for t, ms in limits.items())
            ok, _, at, status = self.servers.get(program).order(
                mutant.number, sum(limits.values()), tests)
            if not ok:
                killer = "*" if program.whole else at
                self.kills[mutant.path, mutant.function, program.name, killer] += 1
                signal = status & 0x7f
                how = "failed" if not signal else f"signal {signal}"
                if signal in (14, 26, 27):
                    how = "time"
                return f"{program.name} {killer} {how}"
        return None
