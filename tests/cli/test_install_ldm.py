# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""BIOS install on dynamic disks, and which stage2 goes where: all formats, or one family's."""

import struct
import sys
import zlib

import pytest

from areas import digests, pair
from disks import BUILD, TOP, fixture, put, run, sectors, write_sparse

sys.path.insert(0, str(TOP / "images"))

import extlinux  # noqa: E402
import ldmdisk  # noqa: E402

DISK, SIZE = 131072, 4096
AREA = 7  # sectors of the boot area in front of stage2


def needed(name):
    return AREA + -(-len((BUILD / name).read_bytes()) // 512)


ALL, MD, LDM, SMALL = (needed(f"stage2{x}.bin") for x in ("", "-md", "-ldm", "-small"))


def ldm_pair(first_lba=2048, start=None, entries=None, md_lba=None):
    """Disks a and b with a mirrored volume; md_lba: and a member of an md mirror there."""
    start = start or first_lba
    group = ldmdisk.Group([ldmdisk.Disk(n, DISK, first_lba=first_lba, entries=entries)
                           for n in (0, 1)],
                          [ldmdisk.mirror("Volume1", SIZE, [(0, start), (1, start)])])
    for n, x in enumerate("ab"):
        ldmdisk.write(x, group, n, {"Volume1": b"data" * 128 * SIZE}, extlinux.mbr_code())
        if md_lba:
            data = fixture(f"md1.0-insync-{x}")
            write_sparse(x, data, md_lba * 512)
            put(x, 0, sectors(x, 0)[:462] + struct.pack(
                "<B3xB3xII", 0, 0xFD, md_lba, len(data) // 512) + sectors(x, 0)[478:])
    return digests()


def stage2_of(path):
    """(first LBA of the area, stage2's file), as LBA 0 leads to it."""
    magic, lba, n, _, crc = struct.unpack_from("<IQHHI", sectors(path, 0), 420)
    data = sectors(path, lba, n)
    assert magic == 0x3242524D and zlib.crc32(data) == crc
    names = [name for name in ("stage2.bin", "stage2-md.bin", "stage2-ldm.bin", "stage2-small.bin")
             if (BUILD / name).read_bytes().ljust(n * 512, b"\0") == data]
    assert len(names) == 1, "none of this build's"
    return lba - AREA, names[0]


def install(*options):
    return run("install", "--yes", *options, "a", "b")


def check_gone(before):
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_all_formats_where_there_is_room(box):
    before = ldm_pair()
    r = install()
    assert r.returncode == 0 and "stage2 for" not in r.stdout, r.stdout + r.stderr
    assert stage2_of("a") == (2048 - ALL, "stage2.bin") == stage2_of("b")
    r = run("verify", "a", "b")
    assert r.returncode == 0 and "a: as installed (BIOS)\n" in r.stdout
    assert "Everything is installed already" in install().stdout
    check_gone(before)


@pytest.mark.parametrize("kind, file, what, room", [
    ("md", "stage2-md.bin", "md only", MD), ("ldm", "stage2-ldm.bin", "LDM only", LDM),
    ("md", "stage2-small.bin", "md only, without the leg menu", SMALL)])
def test_smaller_where_there_is_less(box, kind, file, what, room):
    first = room + (7 if kind == "ldm" else 1)  # PRIVHEAD at LBA 6
    before = ldm_pair(first) if kind == "ldm" else pair(start=first)
    r = install()
    assert r.returncode == 0, r.stderr
    assert f"stage2 for {what}" in r.stdout and f"needs {ALL} sectors" in r.stdout
    assert ("which writes nothing" in r.stdout) == (file != "stage2-md.bin")
    assert stage2_of("a") == (first - room, file)
    r = run("verify", "a", "b")
    assert r.returncode == 0 and f"a: as installed (BIOS: stage2 for {what})" in r.stdout
    assert "Everything is installed already" in install().stdout
    check_gone(before)


def test_not_even_for_the_smaller(box):
    before = ldm_pair(63)
    r = install()
    assert r.returncode == 3 and digests() == before
    line = r.stderr.splitlines()[0]
    assert f"{ALL} free sectors in a row are needed ({LDM} for a stage2 for LDM only)" in line
    assert "56 were found" in line and "both" not in line


@pytest.mark.skipif(SMALL > 62, reason=f"SKIPPED disks whose partitions begin at LBA 63: with this "
                    f"compiler a boot area takes {SMALL} sectors")
def test_partitions_at_lba_63(box):
    """What fdisk and Windows made for twenty years: 62 sectors, with no other loader in them."""
    before = pair(start=63)
    r = install()
    assert r.returncode == 0, r.stderr
    assert "stage2 for md only, without the leg menu, which writes nothing" in r.stdout
    assert stage2_of("a") == (63 - SMALL, "stage2-small.bin") == stage2_of("b")
    assert run("verify", "a", "b").returncode == 0
    check_gone(before)


def test_both_families_need_the_large_one(box):
    before = ldm_pair(ALL + 6, md_lba=20000)
    r = install()
    assert r.returncode == 3 and digests() == before
    line = r.stderr.splitlines()[0]
    assert f"{ALL} free sectors in a row are needed before" in line, line
    assert f"{ALL - 1} were found; smaller ones know either md or LDM" in line, line
    before = ldm_pair(ALL + 7, md_lba=20000)
    assert install().returncode == 0 and stage2_of("a") == (7, "stage2.bin")
    check_gone(before)


def test_another_family_came_later(box):
    ldm_pair(LDM + 7, md_lba=None)
    assert install().returncode == 0
    for x in "ab":
        data = fixture(f"md1.0-insync-{x}")
        write_sparse(x, data, 20000 * 512)
        put(x, 0, sectors(x, 0)[:462] + struct.pack("<B3xB3xII", 0, 0xFD, 20000, len(data) // 512)
            + sectors(x, 0)[478:])
    r = run("verify", "a", "b")
    assert r.returncode == 1, r.stdout
    assert "stage2 is the one for LDM only, and there are others here" in r.stdout


def test_volumes_that_the_table_does_not_have(box):
    """The database's region begins before the first entry: what is there is not free."""
    before = ldm_pair(first_lba=63, start=4096, entries=[(4096, SIZE, True)])
    r = install()
    assert r.returncode == 3 and digests() == before
    assert "56 were found" in r.stderr


def test_sector_of_a_damaged_privhead(box):
    """It is LDM's, zeros or not."""
    ldm_pair(ALL + 4)
    for x in "ab":
        put(x, ldmdisk.MBR_HEAD_LBA, bytes(512))
    before = digests()
    assert install().returncode == 0
    lba, file = stage2_of("a")
    assert lba > ldmdisk.MBR_HEAD_LBA and file == "stage2-ldm.bin"
    check_gone(before)


def test_upgrade_to_a_larger_one(box):
    """A gap that has grown: the one for all formats, and the old area is gone."""
    ldm_pair(LDM + 7)
    assert install().returncode == 0
    lba, _ = stage2_of("a")
    area = sectors("a", lba, LDM), sectors("a", 0)[:440]
    ldm_pair()
    for x in "ab":
        put(x, lba, area[0])
        put(x, 0, area[1] + sectors(x, 0)[440:])
    r = install()
    assert r.returncode == 0, r.stderr
    assert stage2_of("a")[1] == "stage2.bin"
    assert sectors("a", lba, LDM) == bytes(LDM * 512)


def test_upgrade_from_the_older_address(box):
    """LBA 0 of before stage2 moved: known as ours, replaced, and taken away."""
    before = ldm_pair()
    assert install().returncode == 0
    for x in "ab":
        lba0 = bytearray(sectors(x, 0))
        lba0[420:424] = b"MRBT"
        put(x, 0, bytes(lba0))
    old = digests()
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "LBA 0" in r.stdout, r.stdout
    assert install().returncode == 0 and digests() != old
    assert run("verify", "a", "b").returncode == 0
    for x in "ab":
        put(x, 0, sectors(x, 0)[:420] + b"MRBT" + sectors(x, 0)[424:])
    check_gone(before)
