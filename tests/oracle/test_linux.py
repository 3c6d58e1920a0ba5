# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The oracle is the operating system: the leg that Linux would take is the leg we take.

One boot of a Linux guest assembles every set of members with real mdadm and tells
which it took, and all the bytes that the array gives. The tool must agree on the same
bytes, in whatever order the disks are named.
"""

import itertools
from dataclasses import dataclass

import pytest

import cli
import guest
import mdmember
import scenario

PAIRED = ["md1.2-insync", "md1.2-legA-failed", "md1.2-splitbrain", "md1.2-unclean",
          "md1.2-recovering", "md1.2-gpt-inside", "md1.0-insync", "md1.0-legA-failed",
          "md0.90-insync", "md0.90-legA-failed"]
THREE = [f"md1.2-3way-badblock-wm-ff-{x}" for x in "abc"]

# name -> fixtures, in the order that mdadm gets them
CASES = {name: [name + "-a", name + "-b"] for name in PAIRED}
CASES |= {
    "recovering-freshdisk": ["md1.2-recovering-freshdisk-a", "md1.2-recovering-b"],
    "replaced": ["md1.2-replaced-b", "md1.2-replaced-c"],
    "replaced-and-old-back": ["md1.2-legA-failed-a", "md1.2-replaced-b", "md1.2-replaced-c"],
    "3way": THREE,
    "3way-without-a": THREE[1:],
    "insync-b-alone": ["md1.2-insync-b"],
    "stale-a-alone": ["md1.2-legA-failed-a"],
    "fresh-b-alone": ["md1.2-legA-failed-b"],
    "rebuilding-a-alone": ["md1.2-recovering-a"],
    "splitbrain-b-alone": ["md1.2-splitbrain-b"],
}
# The pairs that the demo and the boot tests are made of: Linux must see in them what
# images/scenario.py claims, or those tests prove nothing.
COMPOSED = {"made-" + name: pair for name, pair in scenario.PAIRS.items()}


@dataclass
class Oracle:
    linux: dict
    files: dict  # key -> image file, a whole-disk member


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    folder = cli.build_folder() / "oracle"
    members = {n: mdmember.fixture(n) for n in sorted({m for c in CASES.values() for m in c})}
    cases = dict(CASES)
    for name, pair in COMPOSED.items():
        members[name + "-a"] = scenario.member(pair.a, pair.gen_a)
        members[name + "-b"] = scenario.member(pair.b, pair.gen_b)
        cases[name] = [name + "-a", name + "-b"]
    try:
        answers, serial = guest.ask(folder, members, cases, mdmember.write_sparse)
    except guest.Unavailable as why:
        pytest.skip(f"NO ORACLE: no guest with Linux and mdadm could be had ({why}); "
                    "nothing here was compared with the operating system")
    (folder / "serial.log").write_text(serial)
    files = {}
    out = tmp_path_factory.mktemp("members")
    for key, data in members.items():
        files[key] = out / (key + ".img")
        with open(files[key], "wb") as f:
            f.truncate(len(data))
            mdmember.write_sparse(f, 0, data)
    return Oracle(answers, files)


def members_of(name):
    return [name + "-a", name + "-b"] if name in COMPOSED else CASES[name]


def by_member(oracle, keys, mirror):
    """The tool's legs by fixture; missing legs have no disk and are left out."""
    key_of = {str(oracle.files[k]): k for k in keys}
    return {key_of[leg["disk"]]: leg for leg in mirror["legs"] if leg["disk"]}


def orders(keys):
    return list(itertools.permutations(keys)) if len(keys) < 3 else [keys, keys[::-1]]


@pytest.mark.parametrize("name", [*CASES, *COMPOSED])
def test_same_legs_as_linux(oracle, name):
    linux, keys = oracle.linux[name], members_of(name)
    in_sync = {k for k, (_, state) in linux.legs.items() if "in_sync" in state.split(",")}

    for order in orders(keys):
        said = cli.status(*(oracle.files[k] for k in order))
        assert len(said["mirrors"]) == 1, said
        mirror = said["mirrors"][0]
        legs = by_member(oracle, keys, mirror)
        assert set(legs) == set(keys)
        ours = {k for k, leg in legs.items() if leg["verdict"] == "in-sync"}
        chosen = cli.chosen_leg(mirror)

        assert ours == in_sync, (linux.log, mirror)
        if linux.started:
            assert chosen and chosen["disk"] in {str(oracle.files[k]) for k in in_sync}, mirror
        else:
            assert chosen is None and mirror["state"] == "unusable", (linux.log, mirror)


@pytest.mark.parametrize("name", [*CASES, *COMPOSED])
def test_dump_is_what_linux_reads(oracle, name, tmp_path):
    linux, keys = oracle.linux[name], members_of(name)
    out = tmp_path / "dump"
    disks = [oracle.files[k] for k in keys]
    uuid = cli.status(*disks)["mirrors"][0]["uuid"]

    if not linux.started:
        done = cli.run("dump", "--mirror", uuid, "-o", out, *disks, check=False)
        assert done.returncode == 3, done
        return
    for n, order in enumerate(orders(disks)):
        out = tmp_path / f"dump{n}"
        done = cli.run("dump", "--mirror", uuid, "-o", out, *order, check=False)
        assert done.returncode in (0, 1), done
        data = out.read_bytes()
        assert len(data) == len(linux.data)
        if data != linux.data:
            at = next(i for i, (x, y) in enumerate(zip(data, linux.data)) if x != y)
            pytest.fail(f"the dump differs from /dev/md0 from byte {at} on")


@pytest.mark.parametrize("name", list(COMPOSED))
def test_the_scenarios_are_what_they_claim(oracle, name):
    """No word of our tool here: scenario.py's expectations against Linux alone."""
    linux, pair = oracle.linux[name], COMPOSED[name]
    keys = members_of(name)
    assert linux.started, linux.log
    generation = (pair.gen_a, pair.gen_b)[pair.chosen]
    assert linux.marker == scenario.filesystem.marker(generation)
    assert linux.payload == scenario.filesystem.payload_sha256(generation)
    in_sync = [n for n in (0, 1) if "in_sync" in linux.legs.get(keys[n], ("", ""))[1].split(",")]
    assert in_sync == [n for n, v in enumerate((pair.verdict_a, pair.verdict_b)) if v == "in-sync"]
    assert pair.chosen in in_sync
