# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Any writes, cut anywhere, boot after boot: the code of common/ on the host, Linux as judge.

Each state comes from up to three boots of random writes; in each the power may go
within any request, a leg may fail its writes from some request on, or be missing from
the second boot on. MIRRORBOOT_WHOLE=1 tries ten times as many.
"""

import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli
import crash
import guest
import mdedit
import mdguest
import mdmember
from test_writes import agrees, one_answer
from writescene import ARRAYS

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
STATES = 300 if WHOLE else 30
NAMES = ["1.2-bitmap", "1.2-fine-bitmap", "1.2", "1.0-bitmap", "1.0", "1.1-bitmap", "3-legs"]
HERE = Path(__file__).resolve().parent


@dataclass
class Any:
    """A state, how it came about, and what it must hold: lba -> data, or None if unknown."""
    members: list
    story: list
    lba: int = 0
    data: bytes = b""


def data_of(seed, sectors):
    """As writer.c makes it."""
    out = bytearray()
    for _ in range(sectors * 512):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(seed >> 24)
    return bytes(out)


def program(rng, size_s512, legs):
    """Commands of one boot. The writes crowd in a few chunks, so that they meet."""
    lines = []
    if rng.random() < 0.25:
        lines.append(f"fail {rng.randrange(legs)} {rng.randrange(20)}")
    for _ in range(rng.randrange(1, 4)):
        sectors = rng.choice((2, 2, 3, 8, 20))
        lba = rng.choice((0, 40, size_s512 // 2, size_s512 - 64)) + rng.randrange(40)
        lines.append(f"write {lba} {sectors} {rng.randrange(1 << 30)}")
    return lines


def run_writer(writer, folder, members, lines):
    """(requests, {number of requests so far: command that was done by then, with its status})."""
    paths = []
    for n, member in enumerate(members):
        paths.append(folder / f"m{n}")
        paths[-1].write_bytes(member)
    done = subprocess.run([str(writer), *map(str, paths)], input="\n".join(lines) + "\n",
                          text=True, capture_output=True)
    assert done.returncode == 0, (done.stderr, lines)
    puts, ends = [], []
    for line in done.stdout.splitlines():
        word = line.split()
        if word[0] == "put":
            puts.append(mdedit.Write(int(word[1]), int(word[2]), bytes.fromhex(word[3])))
        else:
            ends.append((len(puts), int(word[1])))
    return puts, ends


def make(rng, writer, folder, members, name):
    state = Any(list(members), [name])
    legs = len(members)
    absent = None
    for boot in range(rng.randrange(1, 4)):
        if boot and absent is None and rng.random() < 0.3:
            absent = rng.randrange(legs)
        here = [n for n in range(legs) if n != absent]
        lines = program(rng, mdmember.Superblock(members[0]).size_s512, len(here))
        puts, ends = run_writer(writer, folder, [state.members[n] for n in here], lines)
        puts = [mdedit.Write(here[p.leg], p.sector, p.data) for p in puts]
        cut = len(puts) if rng.random() < 0.4 or not puts else rng.randrange(len(puts))
        state.members = crash.apply(state.members, puts[:cut])
        if cut < len(puts):
            sectors = crash.sectors_of(puts[cut])
            some = [s for s in sectors if rng.random() < 0.5]
            state.members = crash.apply(state.members, some)
        state.story.append((f"without {absent}", lines, ends, f"cut {cut} of {len(puts)}"))
        state.data = b""
        if cut == len(puts) and ends[-1][1] == 0:
            lba, sectors, seed = map(int, lines[-1].split()[1:])
            state.lba, state.data = lba, data_of(seed, sectors)[:1024]
    return state


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = cli.build_folder() / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    tmp = tmp_path_factory.mktemp("any")
    writer = tmp / "writer"
    subprocess.run(["cc", "-std=gnu11", "-O1", "-D_GNU_SOURCE", "-I", str(cli.ROOT), "-o",
                    str(writer), str(HERE / "writer.c"), *cli.common_sources()], check=True)
    try:
        arrays = mdguest.make(folder, ARRAYS)
    except guest.Unavailable as why:
        pytest.skip(f"NO ORACLE: no guest with Linux and mdadm could be had ({why}); "
                    "no write was judged by the operating system")
    rng = random.Random(os.environ.get("MIRRORBOOT_SEED", "writes"))
    states = {}
    for n in range(STATES):
        name = NAMES[n % len(NAMES)]
        states[f"{name}/{n}"] = make(rng, writer, tmp, arrays[name], name)
    verdicts = mdguest.judge(folder, {k: (s.lba, s.members) for k, s in states.items()})
    return states, verdicts


@pytest.mark.parametrize("name", NAMES)
def test_legs_never_differ(judged, name):
    states, verdicts = judged
    mine = [k for k in states if k.startswith(name + "/")]
    assert mine
    bad = [(k, verdicts[k], states[k].story) for k in mine
           if not agrees(verdicts[k]) or not one_answer(verdicts[k])]
    assert not bad, f"{len(bad)} of {len(mine)} states: {bad[:3]}"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read(judged, name):
    states, verdicts = judged
    mine = [k for k in states if k.startswith(name + "/") and states[k].data]
    bad = [(k, states[k].story) for k in mine if verdicts[k].env[0] != states[k].data]
    assert not bad, f"{len(bad)} of {len(mine)} states: {bad[:3]}"
