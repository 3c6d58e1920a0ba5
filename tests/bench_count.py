# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Counting a guest's instructions: the plugin bench_count.c, and what it wrote."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent
WAIT_US = 200


class Unavailable(Exception):
    """This QEMU can't count, or a package is not there."""


@dataclass(frozen=True)
class Counts:
    instructions: int
    resident: int = 0  # of them, in the resident part
    requests: int = 0  # calls that reached the BIOS's INT 13h

    def __sub__(self, other):
        return Counts(self.instructions - other.instructions, self.resident - other.resident,
                      self.requests - other.requests)

    def __lt__(self, other):
        return self.instructions < other.instructions


def build(folder):
    out = Path(folder) / "bench_count.so"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-o", str(out),
                    str(TESTS / "bench_count.c")], check=True)
    return out


def options(counter, out, marks, ranges=(), profile=None, wait_us=WAIT_US, late=False):
    """QEMU's options for it."""
    words = [str(counter), f"out={out}", f"wait_us={wait_us}", *(f"mark={m}" for m in marks),
             *(f"range={lo}-{hi}" for lo, hi in ranges)]
    if profile:
        words.append(f"profile={profile}")
    if late:
        words.append("late=1")
    return ["-plugin", ",".join(words)]


def read(out):
    """[(address, Counts)] in the order in which they came."""
    return [(int(a, 16), Counts(*map(int, counts))) for a, *counts in
            (line.split() for line in Path(out).read_text().splitlines())]


def read_profile(path):
    return {int(address, 16): int(times) for address, times in
            (line.split() for line in Path(path).read_text().splitlines())}
