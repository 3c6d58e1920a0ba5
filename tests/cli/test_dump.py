# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""dump: the volume's bytes, from the right leg, and never onto an input."""

import os
import pathlib

import pytest

from disks import digest, fixture, mbr_disk, member, run, write_sparse

UUID = "069ca763:0b122c1f:b84bace6:d9f31807"
DATA = 2048 * 512  # a 1.2 fixture's data_offset


def volume(name, start=DATA, size=94 << 19):
    return fixture(name)[start:start + size]


@pytest.mark.parametrize("case", [
    ("md1.2-legA-failed", "b", b"GEN2-after-vda-failed"),
    ("md1.2-insync", "a", b"GEN1-both-legs"),
    ("md1.2-splitbrain", "a", b"SPLIT-A3"),
    ("md1.2-recovering", "b", b""),
    ("md1.2-gpt-inside", "a", b"GPT-IN-MD"),
], ids=lambda c: c[0])
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_contents(box, case, order):
    kind, leg, marker = case
    for x in "ab":
        member(x, "%s-%s" % (kind, x))
    r = run("dump", "--mirror", "boot", "-o", "out", *order)
    out = pathlib.Path("out").read_bytes()
    assert r.returncode == 0, r.stderr
    assert len(out) == 94 << 19 and marker in out
    assert out == volume("%s-%s" % (kind, leg))
    assert " on %s: " % leg in r.stderr
    assert sorted(os.listdir()) == ["a", "b", "out"]


@pytest.mark.parametrize("name", [UUID, UUID.upper(), "t:boot", "boot",
                                  "069ca763-0b12-2c1f-b84b-ace6d9f31807"])
def test_names(box, name):
    member("a", "md1.2-insync-a")
    assert run("dump", "-m", name, "-o", "out", "a").returncode == 0


def test_0_90_and_1_0_start_at_the_first_sector(box):
    for kind in ("md1.0", "md0.90"):
        mbr_disk(kind, kind + "-insync-a")
        r = run("dump", "-m", "boot" if kind == "md1.0" else "md0", "-o", "out", kind)
        assert r.returncode == 0, r.stderr
        out = pathlib.Path("out").read_bytes()
        assert out == fixture(kind + "-insync-a")[:len(out)] and b"GEN1-both-legs" in out


def test_bad_range_comes_from_another_leg(box):
    """Sector 40000 of a is bad, says its log: what is there must not come out."""
    for x in "abc":
        member(x, "md1.2-3way-badblock-wm-ff-" + x)
    before = pathlib.Path("a").read_bytes()
    r = run("dump", "-m", "boot", "-o", "good", "a", "b", "c")
    assert r.returncode == 0, r.stderr
    good = pathlib.Path("good").read_bytes()
    # The log counts from the member's start or from the data's: spoil the data's sector 40000-2048 on.
    for sector in range(40000, 40008):
        with open("a", "r+b") as f:
            f.seek(sector * 512)
            f.write(b"BAD!" * 128)
    assert pathlib.Path("a").read_bytes() != before
    assert run("dump", "-m", "boot", "-o", "out", "a", "b", "c").returncode == 0
    assert pathlib.Path("out").read_bytes() == good


def test_range_that_no_leg_has(box):
    """Only the bad leg is there: no half volume is left behind."""
    member("a", "md1.2-3way-badblock-wm-ff-a")
    r = run("dump", "-m", "boot", "-o", "out", "a")
    assert r.returncode == 3 and "no leg could be read" in r.stderr
    assert os.listdir() == ["a"]


@pytest.mark.parametrize("how", ["same", "symlink", "hard link"])
def test_never_onto_an_input(box, how):
    member("a", "md1.2-insync-a")
    before = digest("a")
    out = "a" if how == "same" else "l"
    if how == "symlink":
        os.symlink("a", "l")
    elif how == "hard link":
        os.link("a", "l")
    r = run("dump", "-m", "boot", "-o", out, "a")
    assert r.returncode == 3 and "is the input disk a" in r.stderr and digest("a") == before
    assert digest(out) == before


def test_older_output_stays_when_it_fails(box):
    member("a", "md1.2-3way-badblock-wm-ff-a")
    pathlib.Path("out").write_text("older")
    assert run("dump", "-m", "boot", "-o", "out", "a").returncode == 3
    assert pathlib.Path("out").read_text() == "older" and sorted(os.listdir()) == ["a", "out"]


@pytest.mark.parametrize("out", ["/dev/full", "no/such/folder", "."])
def test_bad_output(box, out):
    member("a", "md1.2-insync-a")
    r = run("dump", "-m", "boot", "-o", out, "a")
    assert r.returncode == 3 and "mirrorboot: " + out in r.stderr and os.listdir() == ["a"]


def test_unknown_name_lists_what_there_is(box):
    member("a", "md1.2-insync-a")
    r = run("dump", "-m", "root", "-o", "out", "a")
    assert r.returncode == 3 and UUID in r.stderr and os.listdir() == ["a"]


def test_name_that_two_mirrors_have(box):
    member("a", "md1.2-insync-a")
    member("b", "md1.0-insync-a")
    r = run("dump", "-m", "boot", "-o", "out", "a", "b")
    assert r.returncode == 3 and "more than one" in r.stderr
    assert run("dump", "-m", UUID, "-o", "out", "a", "b").returncode == 0


def test_stdout(box):
    import subprocess
    from disks import TOOL
    member("a", "md1.2-insync-a")
    r = subprocess.run([str(TOOL), "dump", "-m", "boot", "-o", "-", "a"], capture_output=True)
    assert r.returncode == 0 and r.stdout == volume("md1.2-insync-a")
    with open("/dev/full", "wb") as full:
        r = subprocess.run([str(TOOL), "dump", "-m", "boot", "-o", "-", "a"], stdout=full,
                           stderr=subprocess.PIPE)
    assert r.returncode == 3


def test_zeroes_are_holes(box):
    member("a", "md1.2-insync-a")
    run("dump", "-m", "boot", "-o", "out", "a")
    assert os.stat("out").st_blocks * 512 < os.path.getsize("out")


def test_4kn(box):
    data = fixture("md1.2-insync-a")
    write_sparse("a", data)
    r = run("dump", "--sector-size", "4096", "-m", "boot", "-o", "out", "a")
    assert r.returncode == 0 and pathlib.Path("out").read_bytes() == volume("md1.2-insync-a")
