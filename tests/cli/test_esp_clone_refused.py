# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""esp clone: what is refused before the first write, and runs that are broken off."""

import hashlib
import mmap
import os
import pathlib
import re
import resource
import signal
import struct
import subprocess

import pytest

from disks import TOOL, answer_after, esp_put, esp_tree, fixture, run, tool
from espdisks import (CONF, FILES, GRUB, MANIFEST, MIB, OTHERS, clone, disk, empty_disk, is_clone,
                      manifest, refused, state, tree)

import mdmember  # in a folder that espdisks names


# ---- what is refused, before the first write ----

def test_full_target(box):
    disk("a", dict(FILES, big=bytes(5 * MIB)))
    disk("b", {}, mib=5, bits=12, cluster=4096)
    refused("a", "b", says="b: ")


def test_no_room_for_the_manifest(box):
    """All files fit, and nothing more."""
    for x in "ab":
        disk(x, {}, mib=8, bits=12, cluster=4096)
    out = tool("mdir", "-i", "a@@1M", "::/").decode()
    free = int(re.search(r"([\d ]+) bytes free", out)[1].replace(" ", ""))
    esp_put("a", "fill", b"x" * (free - 4096))
    r = run("esp", "clone", "--yes", "--leave-source", "a", "b")
    assert r.returncode == 3 and "too little room for the manifest" in r.stderr, r.stderr


@pytest.mark.parametrize("what", ["chain", "crossed", "name"])
def test_damaged_source(box, what):
    disk("a", FILES)
    disk("b", OTHERS)
    with open("a", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        reserved, fats, size16 = (struct.unpack_from(fmt, m, MIB + at)[0] for fmt, at in
                                  (("<H", 14), ("<B", 16), ("<H", 22)))
        entry = m.find(b"GRUBX64 EFI", MIB)
        cluster = struct.unpack_from("<H", m, entry + 26)[0]
        if what == "chain":
            for k in range(fats):  # the chain ends at once
                struct.pack_into("<H", m, MIB + (reserved + k * size16) * 512 + cluster * 2, 0xffff)
        elif what == "crossed":
            other = m.find(b"BOOTX64 EFI", MIB)
            struct.pack_into("<H", m, other + 26, cluster)
        else:
            m[entry] = 0x01
    refused("a", "b", says="a: ")


def test_case_collision(box):
    """Two names of one folder that differ in case only: which one is meant?"""
    disk("a", {"EFI/one.txt": b"1", "EFI/two.txt": b"2"})
    disk("b", {})
    with open("a", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        at = m.find(b"TWO     TXT", MIB)
        m[at:at + 11] = b"ONE     TXT"
    refused("a", "b", says="a: ")


def test_a_file_that_the_manifest_calls_damaged(box):
    disk("a", FILES)
    disk("b", {})
    clone("a", "b")
    with open("a", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        at = m.find(b"MZ grub ", MIB)
        m[at + 4096:at + 4100] = b"flip"
    refused("a", "b", says=r"\EFI\debian\grubx64.efi is damaged")
    r = run("esp", "verify", "a")
    assert r.returncode == 3 and r"a: \EFI\debian\grubx64.efi is damaged" in r.stdout


def test_newer_target(box):
    disk("a", FILES)
    disk("b", {})
    clone("a", "b")
    esp_put("b", GRUB, b"MZ newer")
    clone("b", "a")
    esp_put("a", GRUB, b"MZ newest")
    clone("a", "b")
    assert manifest("a")["generation"] == manifest("b")["generation"] == 3
    disk("c", {})
    clone("a", "c")
    esp_put("a", GRUB, b"MZ once more")
    clone("a", "b")
    r = refused("c", "a", says="a: is newer than c (generation 4, there 3)")
    assert "--force" in r.stderr
    clone("--force", "c", "a")
    is_clone("c", "a", 5)
    assert manifest("c")["generation"] == 5


def test_source_whose_update_was_cut(box):
    disk("a", FILES)
    disk("b", {})
    clone("a", "b")
    body = esp_tree("a")[MANIFEST].split(b"file ")[0].replace(b"complete", b"updating")
    text = body + b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n"
    esp_put("a", MANIFEST, text)
    refused("a", "b", says="a: its last update was cut")
    assert run("esp", "status", "a", "b").returncode == 1
    # From the whole one to the cut one: that mends it.
    clone("b", "a")
    is_clone("b", "a", 1)


def test_targets_that_are_none(box):
    disk("a", FILES)
    for name in "bcd":
        disk(name, {})
    with open("b", "r+b") as f:
        f.seek(MIB)
        f.write(bytes(MIB))
    refused("a", "b", says="there is no FAT file system in it")
    empty_disk("e", 8)
    refused("a", "e", says="it has no EFI system partition")
    with open("c", "r+b") as f:
        f.seek(512)
        f.write(b"EFI PART".ljust(512, b"x"))
        f.seek(-512, 2)
        f.write(b"EFI PART".ljust(512, b"x"))
    refused("a", "c", says="c: its partition table is damaged", paths="abc")
    r = run("esp", "clone", "--yes", "a")
    assert r.returncode == 2 and "at least one target" in r.stderr
    assert run("esp", "clone", "a", "d").returncode == 2  # nobody to ask
    r = run("esp", "clone", "--yes", "a", "nowhere")
    assert r.returncode == 3 and "nowhere: No such file" in r.stderr


def test_a_leg_of_a_mirror_is_no_target(box):
    """md 1.0 has its superblock at the end: such an ESP looks like any other."""
    data = bytearray(fixture("md1.0-insync-a"))
    mib = len(data) // MIB
    disk("a", FILES)
    disk("b", {}, mib=mib, bits=12)
    fs = open("b", "rb").read()[MIB:MIB + 4 * MIB]
    with open("b", "r+b") as f:
        f.seek(MIB)
        f.write(data)
        f.seek(MIB)
        f.write(fs)
    refused("a", "b", says="b: is a member of a mirror")


def test_an_esp_inside_of_a_mirror_of_whole_disks_is_no_target(box):
    """The partition table is the mirror's, too."""
    size = mdmember.Superblock(fixture("md1.0-insync-a")).size_s512 * 512
    disk("a", FILES)
    disk("b", {}, mib=size // MIB - 3, bits=16)
    inside = pathlib.Path("b").read_bytes()[:size].ljust(size, b"\0")
    pathlib.Path("b").write_bytes(mdmember.compose("md1.0-insync-a", inside))
    assert "leg 0" in run("status", "b").stdout
    refused("a", "b", says="b: is a member of a mirror")


# ---- mounts ----

def mounted(box, path, at):
    """An ext4 in the ESP's last sectors, as not every kernel can mount a FAT."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts through a loop device")
    pathlib.Path("fs").write_bytes(bytes(8 * MIB))
    tool("mkfs.ext4", "-q", "fs")
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(pathlib.Path("fs").read_bytes())
    os.mkdir("m")
    r = subprocess.run(["mount", "-r", "-o", "loop,offset=%d,sizelimit=%d" % (at, 8 * MIB), path,
                        "m"], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop mounts do not work here: " + r.stderr.strip())


def test_mounted_target(box):
    disk("a", FILES)
    disk("b", {})
    mounted(box, "b", MIB + 24 * MIB)
    try:
        refused("a", "b", says="b: is mounted on %s/m: unmount it first" % box)
    finally:
        subprocess.run(["umount", "m"], check=True)
    clone("a", "b")


def test_mounted_source(box):
    """It may be mounted: it is synced, and its mark of not being unmounted is no reason."""
    disk("a", FILES)
    disk("b", {})
    mounted(box, "a", MIB + 24 * MIB)
    with open("a", "r+b") as f:
        f.seek(MIB + 0x25)
        f.write(b"\x01")  # FAT16: dirty
    try:
        r = clone("a", "b")
        assert "a: its manifest is not up to date, and is not written here" in r.stderr
        assert tree("b") == tree("a")
        before = state("a", "b")
        clone("a", "b")
        assert state("a", "b") == before
    finally:
        subprocess.run(["umount", "m"], check=True)


def test_dirty_source(box):
    """Linux' mark (BPB) of a file system that was not unmounted."""
    for x in "abc":
        disk(x, FILES if x == "a" else {})

    def dirty():
        with open("a", "r+b") as f:
            f.seek(MIB + 0x25)
            f.write(b"\x01")

    dirty()
    refused("a", "b", says="a: it was not unmounted")
    clone("--force", "a", "b")
    is_clone("a", "b")
    # A manifest by which every file is right says more than that mark.
    dirty()
    clone("a", "c")
    assert tree("c") == tree("a")


# ---- between the plan and the answer ----

def test_a_target_that_changes_while_it_asks(box):
    disk("a", FILES)
    disk("b", {})
    disk("c", {})
    clone("a", "b", "c")
    esp_put("a", CONF, b"timeout 11\n")
    after = []

    def change():
        esp_put("b", "EFI/mine.efi", b"MZ mine")
        after.append(state("b", "c"))

    code, err = answer_after(change, "esp", "clone", "a", "b", "c")
    assert code == 3 and "b: has changed since the plan was made" in err
    assert "c: was left untouched" in err and state("b", "c") == after[0]


@pytest.mark.parametrize("how", ["KILL", "INT"])
def test_broken_off(box, how):
    """Whenever it ends: each file is the old or the new one, and the next run finishes it."""
    old = dict(FILES, big=b"old " * MIB)
    disk("a", dict(old, big=b"new " * MIB, other=b"x" * MIB, **{GRUB: b"MZ next" * 60000}))
    disk("b", old)
    new = tree("a")
    for seconds in (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
        r = subprocess.run(["timeout", "-s", how, str(seconds), str(TOOL), "esp", "clone",
                            "--yes", "a", "b"], capture_output=True, text=True)
        now = tree("b")
        for name, data in new.items():
            assert now.get(name, data) in (data, old.get(name)), name
        assert "loader/loader.conf" in now and GRUB in now
        if "is not finished" in r.stderr:
            assert "b: interrupted" in r.stderr, r.stderr
            assert b"\nstate updating\n" in esp_tree("b")[MANIFEST]
    # Cut while the source's first manifest was written, it looks like one that was not unmounted.
    r = run("esp", "clone", "--yes", "a", "b")
    if r.returncode:
        assert "a: it was not unmounted" in r.stderr and "say --force" in r.stderr, r.stderr
        clone("--force", "a", "b")
    is_clone("a", "b")


@pytest.mark.parametrize("how", ["fails", "dies"])
def test_a_write_that_does_not_come_through(box, how):
    """A limit on how far the tool may write: an error, or the end of it, in the middle of a file."""
    old = dict(FILES, CONF2=b"old")
    disk("a", dict(FILES, CONF2=b"new!", big=b"new " * 2 * MIB, **{GRUB: b"MZ next" * 60000}))
    disk("b", old)
    disk("c", old)
    before = tree("b")
    untouched = state("c")

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 * MIB, 4 * MIB))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN if how == "fails" else signal.SIG_DFL)

    r = run("esp", "clone", "--yes", "--leave-source", "a", "b", "c", preexec_fn=limit)
    assert r.returncode == (3 if how == "fails" else -signal.SIGXFSZ), r.stderr
    if how == "fails":
        assert "b: is not finished: run this again" in r.stderr
        assert "c: was left untouched" in r.stderr
    assert state("c") == untouched
    assert b"\nstate updating\n" in esp_tree("b")[MANIFEST]
    new = tree("a")
    for name, data in tree("b").items():
        assert data in (before.get(name), new.get(name)), name
    r = run("esp", "status", "b")
    assert r.returncode == 1 and "its last update was cut" in r.stdout
    clone("a", "b", "c")
    is_clone("a", "b")
    is_clone("a", "c")
