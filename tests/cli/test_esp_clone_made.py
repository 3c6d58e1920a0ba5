# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp clone: partitions and file systems that it makes, devices; esp diff, status, verify."""

import json
import os
import pathlib
import re
import struct
import subprocess
import uuid

import pytest

from disks import esp_put, run, tool, write_sparse
from espdisks import (FILES, GRUB, MIB, OTHERS, clone, disk, empty_disk, fat, fsck, gptdisk,
                      is_clone, manifest, refused, state, tree)


# ---- targets that are made ----

@pytest.mark.parametrize("sector", [512, 4096])
def test_create(box, sector):
    disk("a", FILES)
    empty_disk("b", 48, sector)
    r = refused("a", "b", says="say --create")
    r = clone("--create", "a", "b")
    assert "an EFI system partition of 34.0 MiB is made at LBA %d" % (MIB // sector) in r.stdout
    assert tree("b") == tree("a")
    fsck("b")
    with open("b", "rb") as f:
        f.seek(2 * sector)
        entry = f.read(128)
    kind, guid, first, last = struct.unpack("<16s16sQQ", entry[:48])
    assert uuid.UUID(bytes_le=kind) == uuid.UUID(gptdisk.ESP)
    assert manifest("b")["source"] == str(uuid.UUID(bytes_le=guid))
    assert (first, last) == (MIB // sector, 35 * MIB // sector - 1)
    if sector == 512:
        assert "No problems found" in tool("sgdisk", "-v", "b").decode()
    before = state("b")
    clone("--create", "a", "b")
    assert state("b") == before


def test_create_beside_others(box):
    """Other partitions stay as they are, and the first free space that is large enough is used."""
    disk("a", FILES)
    empty_disk("b", 64)
    tool("sgdisk", "-n", "1:2048:+4M", "-n", "3:30M:+4M", "-t", "3:8300", "b")
    r = refused("--create", "--size", "40M", "a", "b", says="no free space of 40 MiB")
    assert "--size" in r.stderr
    clone("--create", "--size", "20M", "a", "b")
    out = tool("sgdisk", "-p", "b").decode()
    assert re.search(r"^ +2 +10240 .*EF00", out, re.M) and len(re.findall(r"^ +\d ", out, re.M)) == 3
    assert tree("b", 10240 * 512) == tree("a")
    r = run("esp", "clone", "--yes", "--create", "--size", "x", "a", "b")
    assert r.returncode == 2 and "--size" in r.stderr


def test_create_that_is_too_small(box):
    disk("a", dict(FILES, big=bytes(5 * MIB)))
    empty_disk("b", 48)
    refused("--create", "--size", "4M", "a", "b", says="b: ")


def test_no_gpt_to_create_in(box):
    disk("a", FILES)
    pathlib.Path("b").write_bytes(bytes(40 * MIB))
    refused("--create", "a", "b", says="b: has no partition table")
    tool("sfdisk", "-q", "b", input=b"label: dos\n2048,4096,83\n")
    refused("--create", "a", "b", says="b: it has no EFI system partition")


def test_format(box):
    disk("a", FILES)
    disk("b", OTHERS)
    with open("b", "r+b") as f:
        f.seek(MIB)
        f.write(bytes(MIB))
    r = clone("--format", "a", "b")
    assert "To b: is formatted, a new FAT" in r.stdout
    is_clone("a", "b", 1)
    disk("c", {})
    pathlib.Path("ext").write_bytes(bytes(34 * MIB))
    tool("mkfs.ext4", "-q", "ext")
    write_sparse("c", b"\0" * 4096, MIB)
    with open("c", "r+b") as f:
        f.seek(MIB)
        f.write(pathlib.Path("ext").read_bytes())
    refused("--create", "a", "c", says="but ext4: say --format", paths="ac")


# ---- drift ----

def test_drift(box):
    disk("a", FILES)
    disk("b", {})
    r = run("esp", "status", "a", "b")
    assert r.returncode == 1 and "has no manifest" in r.stdout
    assert run("esp", "diff", "a", "b").returncode == 1
    clone("a", "b")
    r = run("esp", "status", "a", "b")
    assert r.returncode == 0 and "All are in step." in r.stdout
    esp_put("a", GRUB, b"MZ updated on one disk")
    r = run("esp", "status", "a", "b")
    assert r.returncode == 1
    assert r"a: \EFI\debian\grubx64.efi has changed since the manifest was written" in r.stdout
    assert "b: it has 1 file that is another on a" in r.stdout
    r = run("esp", "verify", "a", "b")
    assert r.returncode == 1 and "b: as its manifest says" in r.stdout
    r = run("esp", "diff", "a", "b")
    assert r.returncode == 1 and re.search(r"differs +\\EFI\\debian\\grubx64.efi", r.stdout)
    disk("c", {})
    clone("a", "c")
    r = run("esp", "status", "b", "a")
    assert r.returncode == 1 and "b: it is older than a (generation 1, there 2)" in r.stdout
    clone("a", "b")
    assert run("esp", "status", "a", "b", "c").returncode == 0
    r = run("esp", "diff", "a")
    assert r.returncode == 2 and "at least two" in r.stderr


def test_json(box):
    disk("a", FILES)
    disk("b", OTHERS)
    assert run("esp", "clone", "--json", "a", "b").returncode == 2
    r = run("esp", "diff", "--json", "a", "b")
    assert r.returncode == 1
    o = json.loads(r.stdout)
    assert o["source"]["path"] == "a" and o["source"]["fat"] == 16
    assert o["source"]["guid"] == gptdisk.guid_of(ord("a"), 1)
    t = o["targets"][0]
    assert t["in_step"] is False and t["partition"] == 1 and t["manifest"] == {"state": "none"}
    what = {d["path"]: d["what"] for d in t["differences"] if not d["folder"]}
    assert what["\\EFI\\debian\\grubx64.efi"] == "differs"
    assert what["\\loader\\loader.conf"] == "missing"
    r = run("esp", "clone", "--yes", "--json", "a", "b")
    assert r.returncode == 0, r.stderr
    o = json.loads(r.stdout)
    assert o["generation"] == 1 and o["targets"][0]["result"] == "cloned"
    assert o["targets"][0]["manifest"]["current"] is True
    assert o["targets"][0]["write_bytes"] >= len(FILES[GRUB])
    o = json.loads(run("esp", "clone", "--yes", "--json", "a", "b").stdout)
    assert o["targets"][0]["result"] == "in-step" and o["targets"][0]["planned"] == []
    o = json.loads(run("esp", "status", "--json", "a", "b").stdout)
    assert o["in_step"] is True and [e["newest"] for e in o["esps"]] == [True, False]
    assert all(e["drift"] == [] and e["manifest"]["state"] == "complete" for e in o["esps"])
    o = json.loads(run("esp", "verify", "--json", "a").stdout)
    assert o["esps"][0]["in_step"] is True and o["esps"][0]["files"] == len(FILES)
    esp_put("b", "extra", b"x")
    r = run("esp", "verify", "--json", "b")
    o = json.loads(r.stdout)
    assert r.returncode == 1 and o["esps"][0]["drift"] == ["\\extra is not listed in the manifest"]


# ---- devices ----

def test_partition_devices(box):
    """/dev/loopNp1 is found in the table of its disk."""
    if os.geteuid() != 0:
        pytest.skip("needs root: sets up loop devices")
    disk("a", FILES)
    disk("b", {})
    loops = []
    try:
        for x in "ab":
            r = subprocess.run(["losetup", "--show", "-f", x], capture_output=True, text=True)
            if r.returncode:
                pytest.skip("loop devices do not work here: " + r.stderr.strip())
            loops.append(r.stdout.strip())
            subprocess.run(["partx", "-a", loops[-1]], capture_output=True)
        if not os.path.exists(loops[0] + "p1"):
            clone(*loops)  # disks, at least
            assert tree("b") == tree("a")
            pytest.skip("no devices of partitions here")
        clone(loops[0] + "p1", loops[1] + "p1")
        assert tree("b") == tree("a")
        before = state("a", "b")
        assert "nothing was written" in clone(loops[0], loops[1] + "p1").stdout
        assert state("a", "b") == before
        esp_put(loops[0], GRUB, b"MZ by way of the disk")
        clone(loops[0] + "p1", loops[1] + "p1")
        assert tree("b")[GRUB] == b"MZ by way of the disk"
        guids = ["PARTUUID=" + gptdisk.guid_of(ord(x), 1).upper() for x in "ab"]
        assert "nothing was written" in clone(*guids).stdout
        # Somebody holds it, although it is not mounted.
        holder = os.open(loops[1] + "p1", os.O_RDONLY | os.O_EXCL)
        try:
            r = run("esp", "clone", "--yes", "a", loops[1])
            assert r.returncode == 3 and "is in use" in r.stderr
        finally:
            os.close(holder)
        r = run("esp", "clone", "--yes", "b", loops[1])
        assert r.returncode == 3 and "is the same EFI system partition as b" in r.stderr
    finally:
        for loop in loops:
            subprocess.run(["partx", "-d", loop], capture_output=True)
            subprocess.run(["losetup", "-d", loop], check=True)
