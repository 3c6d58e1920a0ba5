# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The boot record: what a boot leaves on the disks, and what the next one makes of it.

These machines may write to their disks; GRUB, which runs last, does not.
"""

import struct

import pytest

import cli
import grub
import mdmember
import qemu
import screen

MAGIC = b"MIRRBREC"
PAUSE = "Going on in 5 s"
BEHIND = "was seen before; the newest here is"


def boot(disks, attached=(0, 1), **kw):
    kw.setdefault("marks", {}).setdefault(
        "Going on in", lambda m: m.ask("send-key", keys=[{"type": "qcode", "data": "ret"}]))
    drives = kw.pop("drives", [qemu.Drive(str(disks.paths[n])) for n in attached])
    got = qemu.boot(drives, "bios", until=grub.DONE, timeout_s=120, writable=True, **kw)
    assert got.found, got.serial
    return got


def record_lba(path):
    """Where the record is, as LBA 0 says."""
    magic, stage2 = struct.unpack_from("<4sQ", path.read_bytes()[:512], 420)
    assert magic == b"MRB2"
    return stage2 - 1


def sector(path, lba):
    with open(path, "rb") as f:
        f.seek(lba * 512)
        return f.read(512)


def put(path, lba, data):
    with open(path, "r+b") as f:
        f.seek(lba * 512)
        f.write(data)


def words(data):
    return sum(struct.unpack("<128I", data)) & 0xffffffff


class Record:
    """The bytes, read here and not by the code under test."""

    def __init__(self, data):
        assert data[:8] == MAGIC and words(data) == 0
        (self.version, _, self.sequence, self.failovers, self.failed,
         self.this_disk, self.count) = struct.unpack_from("<5IBB", data, 8)
        assert self.version == 1
        self.mirrors = [self.Mirror(data[32 + 56 * i:88 + 56 * i]) for i in range(self.count)]

    class Mirror:
        def __init__(self, data):
            (self.uuid, self.seen, self.generation, self.sequence, self.format, self.state,
             self.flags, self.leg_count, self.chosen, self.disk) = struct.unpack_from("<16sQQI6B", data)
            self.legs = [tuple(data[44 + 3 * i:47 + 3 * i]) for i in range(4)]


def read(path):
    return Record(sector(path, record_lba(path)))


def contents(disks):
    return [p.read_bytes() for p in disks.paths]


def differing(before, after):
    """The sectors in which two images differ."""
    assert len(before) == len(after)
    step = 1 << 20
    return {(at + i) // 512 for at in range(0, len(before), step)
            if before[at:at + step] != after[at:at + step]
            for i in range(0, min(step, len(before) - at), 512)
            if before[at + i:at + i + 512] != after[at + i:at + i + 512]}


def test_both_disks_get_it_and_nothing_else_changes(shelf):
    disks = shelf.copy(shelf.ready("in-sync"))
    before = contents(disks)
    for number in (1, 2):
        got = boot(disks)
        assert grub.what_it_read(got.serial) == ("2", "ok") and "Warning" not in screen.text(got.serial)
        for i, path in enumerate(disks.paths):
            r = read(path)
            assert (r.sequence, r.this_disk, r.count, r.failovers, r.failed) == (number, i, 1, 0, 0)
            (m,) = r.mirrors
            assert m.seen == m.generation > 0 and (m.state, m.flags, m.chosen, m.disk) == (0, 1, 0, 0)
            assert [leg[0] for leg in m.legs[:2]] == [0, 1]
    for old, new, path in zip(before, contents(disks), disks.paths):
        assert differing(old, new) == {record_lba(path)}
    assert cli.run("verify", *disks.paths).returncode == 0


@pytest.mark.parametrize("pair", ["stale", "stale-1.0", "stale-0.90"])
def test_a_stale_leg_alone_is_recognised(shelf, pair):
    disks = shelf.copy(shelf.ready(pair))
    alone = boot(disks, (0,))  # nothing has been seen: it can't know
    assert BEHIND not in alone.serial and "Going on in" not in alone.serial
    here = read(disks.paths[0]).mirrors[0].seen

    both = boot(disks)
    assert grub.what_it_read(both.serial) == ("2", "ok") and BEHIND not in both.serial
    newest = read(disks.paths[1]).mirrors[0]
    assert newest.seen == newest.generation > here + 1 and newest.disk == 1 and newest.chosen == 1
    assert newest.legs[0][1] == 1, "leg 0 was stale"
    assert read(disks.paths[0]).mirrors[0].seen == newest.seen
    assert [read(p).sequence for p in disks.paths] == [2, 2]

    got = boot(disks, (0,))
    said = " ".join(screen.text(got.serial).split())
    assert f"Generation {newest.seen} of mirror" in said, got.serial
    assert f"{BEHIND} {here}: the disk that has it is missing." in said, got.serial
    assert PAUSE in got.serial and screen.parse(got.serial).state == "degraded"
    # It is said, and nothing else changes: the same leg, the same loader.
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
    assert screen.parse(got.serial).legs[0].verdict == "in-sync"
    again = read(disks.paths[0])
    assert again.sequence == 3 and again.mirrors[0].seen == newest.seen and again.mirrors[0].flags == 3

    # The tool says so, too, and the fresh leg alone is not complained of.
    done = cli.run("status", disks.paths[0])
    assert done.returncode == 1 and BEHIND in done.stdout, done.stdout
    (mirror,) = cli.status(disks.paths[0])["mirrors"]
    assert mirror["behind"] and mirror["seen"] == newest.seen
    got = boot(disks, (1,))
    assert BEHIND not in got.serial and grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_both_again_after_that(shelf):
    """A record of the stale side with a higher number does not make the fresh side look old."""
    disks = shelf.copy(shelf.ready("stale"))
    boot(disks)
    for _ in range(3):
        boot(disks, (0,))
    got = boot(disks)
    assert BEHIND not in got.serial and grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert [read(p).sequence for p in disks.paths] == [5, 5]


def test_writes_no_writes_nothing(shelf):
    disks = shelf.copy(shelf.bare("stale"))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text("writes = no\n")
    cli.install(*disks.paths, options=("--config", config))
    before = contents(disks)
    got = boot(disks)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert contents(disks) == before


def lie(path, change):
    """Change the record and make its sum right again."""
    lba = record_lba(path)
    data = bytearray(sector(path, lba))
    change(data)
    struct.pack_into("<I", data, 12, 0)
    struct.pack_into("<I", data, 12, -words(bytes(data)) & 0xffffffff)
    put(path, lba, bytes(data))


def test_a_corrupt_record_is_ignored_and_replaced(shelf):
    disks = shelf.copy(shelf.ready("in-sync"))
    boot(disks)
    lba = record_lba(disks.paths[0])
    for path in disks.paths:
        data = bytearray(sector(path, lba))
        data[32 + 16 + 7] ^= 0x40  # a generation beyond everything, the sum as it was
        put(path, lba, bytes(data))
    got = boot(disks)
    assert BEHIND not in got.serial and grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert [read(p).sequence for p in disks.paths] == [1, 1]


def test_a_record_that_lies_causes_no_more_than_a_pause(shelf):
    """A generation that no leg has: said once, and the same leg boots. The mirror is whole: forgotten."""
    disks = shelf.copy(shelf.ready("in-sync"))
    boot(disks)
    honest = read(disks.paths[0]).mirrors[0].seen
    lie(disks.paths[1], lambda data: struct.pack_into("<Q", data, 32 + 16, 2**64 - 1))
    got = boot(disks)
    assert BEHIND in got.serial and PAUSE in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok") and screen.parse(got.serial).chosen == 0
    assert [read(p).mirrors[0].seen for p in disks.paths] == [honest, honest]
    got = boot(disks)
    assert BEHIND not in got.serial and screen.parse(got.serial).state == "healthy", got.serial


def test_a_disk_that_can_not_be_written(shelf):
    """One line of warning; the other disk has the record, and the boot goes on."""
    disks = shelf.copy(shelf.ready("in-sync"))
    lba = record_lba(disks.paths[1])
    bad = [qemu.Drive(str(disks.paths[0])), qemu.Drive(str(disks.paths[1]), bad_writes=(lba,))]
    got = boot(disks, drives=bad)
    assert "the boot record of 81h can't be written" in screen.text(got.serial), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert read(disks.paths[0]).sequence == 1
    assert sector(disks.paths[1], lba) == bytes(512)


def test_a_disk_that_failed_reads_is_named(shelf):
    """A sector of a leg's metadata can't be read: not written to, and the other disk's record says so."""
    disks = shelf.copy(shelf.ready("in-sync"))
    bad = [qemu.Drive(str(disks.paths[0])), qemu.Drive(str(disks.paths[1]), (disks.member_lba[1] + 8,))]
    before = contents(disks)[1]
    got = boot(disks, drives=bad)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert read(disks.paths[0]).failed == 2 and contents(disks)[1] == before
    # Both disks read well now; the record remembers.
    assert any("81h" in w and "failed reads" in w for w in cli.status(*disks.paths)["warnings"])


def test_no_boot_area_no_record(shelf):
    """LBA 0 of the second disk was written by somebody else: its old area is not ours to write."""
    disks = shelf.copy(shelf.ready("in-sync"))
    bare = shelf.bare("in-sync")
    lba0 = bare.paths[1].read_bytes()[:512]
    put(disks.paths[1], 0, lba0)
    before = contents(disks)
    boot(disks)
    after = contents(disks)
    assert after[1] == before[1] and differing(before[0], after[0]) == {record_lba(disks.paths[0])}
    # And one whose header was damaged.
    disks = shelf.copy(shelf.ready("in-sync"))
    area = record_lba(disks.paths[1]) - 6
    header = bytearray(sector(disks.paths[1], area))
    header[100] ^= 1
    put(disks.paths[1], area, bytes(header))
    before = contents(disks)
    boot(disks)
    assert contents(disks)[1] == before[1]


def md_sum(sb):
    """The checksum of a 1.x superblock, as md computes it."""
    n = 256 + 2 * struct.unpack_from("<I", sb, 220)[0]
    b = bytearray(sb[:n])
    struct.pack_into("<I", b, 216, 0)
    total = sum(struct.unpack(f"<{n // 4}I", bytes(b[:n // 4 * 4])))
    total += struct.unpack_from("<H", b, n - 2)[0] if n % 4 else 0
    return ((total & 0xffffffff) + (total >> 32)) & 0xffffffff


def test_never_inside_a_mirror(shelf):
    """Whole disks as members, the table and our boot area in their data: the legs must not differ.

    One disk with mirrorboot, twice, and md 1.0 superblocks behind it: what a person has who
    installed through the array.
    """
    disks = shelf.copy(shelf.ready("in-sync"))
    put(disks.paths[1], 0, disks.paths[0].read_bytes())
    lba = record_lba(disks.paths[0])
    for path, name in zip(disks.paths, ("md1.0-insync-a", "md1.0-insync-b")):
        member = mdmember.fixture(name)
        sb = bytearray(member[(len(member) // 512 - 16) * 512:][:4096])
        size = path.stat().st_size // 512
        at = (size - 16) & ~7
        for offset, value in ((80, at - 8), (136, at - 8), (144, at)):
            struct.pack_into("<Q", sb, offset, value)
        struct.pack_into("<I", sb, 216, md_sum(sb))
        put(path, at, bytes(sb))
    before = contents(disks)
    got = boot(disks)
    seen = screen.parse(got.serial)
    assert (seen.state, seen.chosen) == ("healthy", 0) and "part" not in seen.legs[0].where, got.serial
    assert "Starting the boot loader." in got.serial and sector(disks.paths[0], lba) == bytes(512)
    assert contents(disks) == before


def test_installing_again_keeps_it(shelf):
    disks = shelf.copy(shelf.ready("in-sync"))
    boot(disks)
    kept = sector(disks.paths[0], record_lba(disks.paths[0]))
    before = contents(disks)
    cli.install(*disks.paths)
    assert contents(disks) == before
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text("timeout = 1\n")
    cli.install(*disks.paths, options=("--config", config))
    assert sector(disks.paths[0], record_lba(disks.paths[0])) == kept
    cli.run("uninstall", "--yes", *disks.paths)
    assert contents(disks) == contents(shelf.bare("in-sync"))
