# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp clone: what is cloned to where, seen from outside, with fsck.fat and mtools."""

import os
import pathlib
import re
import uuid

import pytest

from disks import esp_put, run, tool
from espdisks import (CONF, FILES, GRUB, MIB, OTHERS, clone, disk, fat, fsck, gptdisk, is_clone,
                      manifest, state, tree)


# ---- what is cloned to where ----

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
SHAPES = [  # (source, target): MiB, FAT, sector, cluster
    pytest.param((34, 16, 512, None), (34, 16, 512, None), id="equal"),
    pytest.param((34, 16, 512, None), (64, 32, 512, 512), id="larger-FAT32"),
    pytest.param((40, 32, 512, 512), (8, 12, 512, 4096), id="smaller-FAT12"),
    pytest.param((34, 16, 512, None), (34, 16, 4096, None), id="4Kn"),
    pytest.param((34, 16, 4096, None), (40, 32, 512, 512), id="from-4Kn-to-FAT32"),
]
if WHOLE:
    SHAPES += [
        pytest.param((300, 32, 4096, None), (34, 16, 512, None), id="4Kn-FAT32"),
        pytest.param((34, 16, 512, None), (1024, 32, 512, None), id="GiB"),
        pytest.param((34, 16, 512, None), (300, 32, 4096, None), id="to-4Kn-FAT32"),
    ]


@pytest.mark.parametrize("source, target", SHAPES)
@pytest.mark.parametrize("others", [{}, OTHERS], ids=["to-empty", "to-others"])
def test_shapes(box, source, target, others):
    disk("a", FILES, *source[:3], cluster=source[3])
    disk("b", others, *target[:3], cluster=target[3])
    serial = open("b", "rb").read(MIB + 512)[MIB:]
    files = tree("a")
    r = clone("a", "b")
    assert "b: cloned and verified (generation 1)" in r.stdout
    assert tree("a") == files
    m = is_clone("a", "b", 1, target[0])
    assert manifest("a")["set"] == m["set"] and manifest("a")["generation"] == 1
    fsck("a", mib=source[0])
    # Serial number, label and layout stay the target's.
    assert open("b", "rb").read(MIB + 512)[MIB:] == serial
    before = state("a", "b")
    r = clone("a", "b")
    assert "nothing was written" in r.stdout and state("a", "b") == before
    assert run("esp", "diff", "a", "b").returncode == 0
    assert run("esp", "verify", "a", "b").returncode == 0
    assert run("esp", "status", "a", "b").returncode == 0


def test_changes_are_followed(box):
    disk("a", FILES)
    disk("b", {})
    clone("a", "b")
    esp_put("a", GRUB, b"MZ the next grub" * 3000)
    esp_put("a", "EFI/new/new.efi", b"MZ new")
    tool("mdel", "-i", "a@@1M", "::/" + CONF)
    r = clone("a", "b")
    assert re.search(r"changed +\\EFI\\debian\\grubx64.efi", r.stdout)
    assert re.search(r"new +\\EFI\\new\\new.efi", r.stdout)
    assert re.search(r"deleted +\\loader\\loader.conf", r.stdout)
    is_clone("a", "b", 2)
    assert CONF not in tree("b") and manifest("a")["generation"] == 2


def test_times_and_attributes(box):
    disk("a", FILES)
    disk("b", FILES)
    tool("mattrib", "-i", "a@@1M", "+h", "+r", "::/empty")
    clone("a", "b")
    shown = [tool("mdir", "-/", "-a", "-i", x + "@@1M", "::/EFI/debian").decode() for x in "ab"]
    assert shown[0].split("bytes free")[0].split("Directory", 1)[1] \
        .replace("manifest", "") [:400] == \
        shown[1].split("bytes free")[0].split("Directory", 1)[1].replace("manifest", "")[:400]
    assert " HR " in re.sub(" +", " ", tool("mattrib", "-i", "b@@1M", "::/empty").decode())


def test_many_targets(box):
    disk("a", FILES)
    for x in "bcd":
        disk(x, OTHERS if x == "c" else {})
    r = clone("a", "b", "c", "d")
    assert r.stdout.count("cloned and verified") == 3
    assert len({is_clone("a", x, 1)["set"] for x in "bcd"}) == 1
    before = state(*"abd")
    esp_put("c", CONF, b"changed here alone\n")
    r = clone("a", "b", "c", "d")
    assert r.stdout.count("in step already; nothing was written") == 2
    assert state(*"abd") == before
    is_clone("a", "c", 1)


def test_many_files(box):
    """Folders that take more than one cluster, and names that differ in their tails."""
    files = {"EFI/many/file with a name %04d.efi" % i: b"MZ %d" % i for i in range(300)}
    disk("a", files)
    disk("b", {})
    clone("a", "b")
    is_clone("a", "b")
    for i in range(0, 300, 7):
        tool("mdel", "-i", "a@@1M", "::/EFI/many/file with a name %04d.efi" % i)
    clone("a", "b")
    is_clone("a", "b")


def test_images_of_an_esp_alone(box):
    pathlib.Path("a").write_bytes(fat(8 * MIB, 12, 512, FILES))
    pathlib.Path("b").write_bytes(fat(40 * MIB, 32, 512, OTHERS, 512))
    disk("c", {})
    clone("a", "b", "c")
    assert tree("b", 0) == tree("a", 0) == tree("c")
    fsck("b", 0, 40)
    assert manifest("b", 0)["source"] == str(uuid.UUID(int=0))


def test_partitions_of_one_disk(box):
    disk("a", FILES, esps=2, mib=20)
    second = MIB + 20 * MIB
    esp_put("a", GRUB, b"MZ only here", second)
    r = run("esp", "clone", "--yes", "a", "a")
    assert r.returncode == 3 and "it has 2 EFI system partitions: say which one" in r.stderr
    for other in ("a:1", "a:" + gptdisk.guid_of(ord("a"), 1)):
        r = run("esp", "clone", "--yes", "a:1", other)
        assert r.returncode == 3 and "is the same EFI system partition as a:1" in r.stderr
    clone("a:2", "a:" + gptdisk.guid_of(ord("a"), 1).upper())
    assert tree("a") == tree("a", second) and tree("a")[GRUB] == b"MZ only here"
    for wrong in ("a:7", "a:" + gptdisk.guid_of(1, 1)):
        r = run("esp", "status", wrong)
        assert r.returncode == 3 and "there is no such partition" in r.stderr
    r = run("esp", "status", "PARTUUID=" + gptdisk.guid_of(77, 77))
    assert r.returncode == 3 and "no partition of this machine has this GUID" in r.stderr


# ---- policies ----

OWN = {"loader/random-seed": b"seed of ", "System Volume Information/x": b"volume of ",
       "EFI/UpdateCapsule/fw.cap": b"capsule of ", "EFI/debian/fw/fwupd.cap": b"fwupd of "}


def test_what_is_each_esps_own(box):
    for x in "ab":
        disk(x, dict(FILES if x == "a" else {}, **{n: d + x.encode() for n, d in OWN.items()}))
    disk("c", {})
    clone("a", "b", "c")
    for name, data in OWN.items():
        assert tree("b")[name] == data + b"b" and name not in tree("c")
    r = run("esp", "diff", "a", "b", "c")
    assert r.returncode == 0, r.stdout
    # Asked for, all of them are cloned, but for the seed.
    clone("--include", "EFI\\UpdateCapsule", "--include", "/loader/random-seed",
          "--include", "EFI/*/fw", "a", "b", "c")
    for x in "bc":
        assert tree(x)["EFI/UpdateCapsule/fw.cap"] == b"capsule of a"
        assert tree(x)["EFI/debian/fw/fwupd.cap"] == b"fwupd of a"
    assert tree("b")["loader/random-seed"] == b"seed of b"
    assert "loader/random-seed" not in tree("c")


def test_what_loaders_write_in_place(box):
    disk("a", {"EFI/debian/grubenv": b"a" * 1024})
    disk("b", {})
    clone("a", "b")
    assert tree("b")["EFI/debian/grubenv"] == b"a" * 1024
    esp_put("a", "EFI/debian/grubenv", b"A" * 1024)
    before = state("b")
    clone("a", "b")
    assert state("b") == before
    clone("--include", "grubenv", "a", "b")
    assert tree("b")["EFI/debian/grubenv"] == b"A" * 1024


def test_exclude(box):
    disk("a", dict(FILES, **{"EFI/Microsoft/Boot/BCD": b"bcd of a", "x.bak": b"1",
                             "EFI/deep/y.BAK": b"2"}))
    disk("b", {"EFI/Microsoft/Boot/BCD": b"bcd of b", "EFI/Microsoft/own": b"b"})
    rules = ["--exclude", "\\EFI\\microsoft", "--exclude", "*.bak"]
    clone(*rules, "a", "b")
    assert tree("b")["EFI/Microsoft/Boot/BCD"] == b"bcd of b" and "EFI/Microsoft/own" in tree("b")
    assert "x.bak" not in tree("b") and "EFI/deep/y.BAK" not in tree("b")
    assert run("esp", "diff", *rules, "a", "b").returncode == 0
    r = run("esp", "diff", "a", "b")
    assert r.returncode == 1 and re.search(r"differs +\\EFI\\Microsoft\\Boot\\BCD", r.stdout)
    # The last rule that fits counts.
    clone(*rules, "--include", "EFI/Microsoft", "a", "b")
    assert tree("b")["EFI/Microsoft/Boot/BCD"] == b"bcd of a"
    r = run("esp", "clone", "--yes", "--exclude", "", "a", "b")
    assert r.returncode == 2 and "--exclude takes the path" in r.stderr


def test_keep_extra(box):
    disk("a", FILES)
    disk("b", OTHERS)
    clone("--keep-extra", "a", "b")
    assert tree("b")["EFI/old/gone.efi"] == OTHERS["EFI/old/gone.efi"]
    assert tree("b")[GRUB] == FILES[GRUB]
    assert "EFI/old/gone.efi" in manifest("b")["files"]


def test_boot_counters(box):
    """Which tries were made is each ESP's own; that an entry is good is not."""
    disk("a", {"loader/entries/x+3.conf": b"x", "EFI/Linux/y+1-2.efi": b"MZ y",
               "loader/entries/z.conf": b"z"})
    disk("b", {"loader/entries/x+2-1.conf": b"x", "EFI/Linux/y.efi": b"MZ y",
               "loader/entries/z+1-2.conf": b"z"})
    disk("c", {"loader/entries/x+2-1.conf": b"old x"})
    clone("a", "b", "c")
    assert {n for n, d in tree("b").items() if d is not None} == {
        "loader/entries/x+2-1.conf", "EFI/Linux/y.efi", "loader/entries/z.conf"}
    assert {n for n, d in tree("c").items() if d is not None} == {
        "loader/entries/x+3.conf", "EFI/Linux/y+1-2.efi", "loader/entries/z.conf"}
    assert run("esp", "diff", "a", "b", "c").returncode == 0
    clone("--include", "/loader/entries", "a", "b")
    assert "loader/entries/x+3.conf" in tree("b")
    assert "loader/entries/x+2-1.conf" not in tree("b")


# ---- the source ----

def test_source_is_left_alone_when_asked(box):
    disk("a", FILES)
    disk("b", {})
    before = state("a")
    clone("--leave-source", "a", "b")
    assert state("a") == before
    before = state("a", "b")
    clone("--leave-source", "a", "b")
    assert state("a", "b") == before
    esp_put("a", CONF, b"timeout 9\n")
    clone("--leave-source", "a", "b")
    assert manifest("b")["generation"] == 2


def test_read_only_source(box):
    if os.geteuid() == 0:
        pytest.skip("root can write every file")
    disk("a", FILES)
    disk("b", {})
    os.chmod("a", 0o444)
    r = clone("a", "b")
    assert "a: its manifest is not up to date, and is not written here" in r.stderr


def test_list_of_every_way_to_name_one(box):
    disk("a", FILES)
    disk("two", FILES, mib=8, bits=12, cluster=4096, esps=2)
    with open("a", "rb") as f:
        f.seek(MIB)
        pathlib.Path("image").write_bytes(f.read(34 * MIB))
    want = run("esp", "list", "a").stdout.splitlines()
    assert want[0] == "a: partition 1, FAT16" and len(want) == 1 + len(FILES)
    assert run("esp", "list", "image").stdout.splitlines() == ["image: FAT16", *want[1:]]
    guid = gptdisk.guid_of(ord("t"), 2)
    for name in "two:2", f"two:{guid}":
        got = run("esp", "list", name).stdout.splitlines()
        assert got[0] == f"{name}: partition 2, FAT12" and len(got) == len(want)
    r = run("esp", "list", "two", "a")
    assert r.returncode == 3 and "say which one" in r.stderr and "a: partition 1" in r.stdout
