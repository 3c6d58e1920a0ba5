# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots with SeaBIOS: MBR disks, real GRUB in the gap, `mirrorboot install --yes a b`."""

import struct

import pytest

import cli
import filesystem
import grub
import mdmember
import qemu
import scenario
import screen

BOTH, SWAPPED, ONLY_A, ONLY_B = (0, 1), (1, 0), (0,), (1,)
STALE = ["stale", "stale-1.0", "stale-0.90"]


def boot(disks, attached=BOTH, bad_leg=None, controller=None, until=grub.DONE, **kw):
    return qemu.boot(disks.drives(attached, bad_leg), "bios", controller, until=until,
                     timeout_s=kw.pop("timeout_s", 60), **kw)


def poke(path, lba, data):
    with open(path, "r+b") as f:
        f.seek(lba * 512)
        f.write(data)


def peek(path, lba, sectors=1):
    with open(path, "rb") as f:
        f.seek(lba * 512)
        return f.read(sectors * 512)


def stage2_of(path):
    """(LBA, sectors) of stage2, as our boot code has them at its end."""
    magic, lba, sectors = struct.unpack_from("<4sQH", peek(path, 0), 420)
    assert magic == b"MRB2"
    return lba, sectors


def wipe_superblocks(disks):
    for path, start, name in zip(disks.paths, disks.member_lba, (disks.pair.a, disks.pair.b)):
        version = mdmember.Superblock(mdmember.fixture(name)).version
        sb = {"1.2": 8, "1.0": mdmember.MEMBER_S512 - 16,
              "0.90": mdmember.MEMBER_S512 - 128}[version]
        poke(path, start + sb, bytes(4096))


@pytest.mark.parametrize("pair", STALE)
@pytest.mark.parametrize("attached", [BOTH, SWAPPED, ONLY_B, ONLY_A])
def test_stale_leg(shelf, pair, attached):
    got = boot(shelf.ready(pair), attached)
    fresh = 1 in attached
    assert grub.what_it_read(got.serial) == ("2" if fresh else "1", "ok"), got.serial
    seen = screen.parse(got.serial)
    assert seen.state == "degraded", got.serial
    assert "degraded" in screen.text(got.serial).lower()


@pytest.mark.parametrize("pair", STALE)
def test_grub_alone_reads_the_stale_leg(shelf, pair):
    """Without us: if this ever passes with generation 2, the tests above prove nothing."""
    got = boot(shelf.bare(pair))
    assert grub.what_it_read(got.serial) == ("1", "ok")


def test_member_that_ends_the_disk(shelf):
    """md 0.90 in a last partition: the same superblock fits the whole disk, too."""
    got = boot(shelf.ready("stale-0.90", tail_s512=0))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("attached", [BOTH, SWAPPED, ONLY_A, ONLY_B])
def test_in_sync(shelf, attached):
    got = boot(shelf.ready("in-sync"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == ("healthy" if len(attached) == 2 else "degraded")


@pytest.mark.parametrize("attached", [BOTH, SWAPPED, ONLY_B])
def test_half_rebuilt(shelf, attached):
    got = boot(shelf.ready("rebuilding"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_half_rebuilt_alone_is_not_booted(shelf):
    """Linux refuses it (tests/oracle): so do we, with a sentence, and wait for a person."""
    got = boot(shelf.ready("rebuilding"), ONLY_A, until=(screen.WAITS, "GRUB: started"),
               timeout_s=20)
    assert screen.WAITS in got.serial and "GRUB: started" not in got.serial, got.serial
    assert screen.parse(got.serial).state == "unusable"


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
@pytest.mark.parametrize("controller", qemu.CONTROLLERS)
def test_unreadable_in_mid_file(shelf, attached, controller):
    failed = []
    got = boot(shelf.ready("in-sync"), attached, bad_leg=0, controller=controller,
               marks={grub.DONE: lambda m: failed.append(sum(f for _, f in m.reads()))})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    # the chosen leg is the lowest role, a, whatever the disk order: it has to fail first
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"


def test_unreadable_on_both_legs(shelf):
    """An error, not a hang and not zeros: GRUB gets far enough to say that it failed."""
    disks = shelf.ready("in-sync")
    bad = (disks.middle_of_payload(),)
    got = qemu.boot([qemu.Drive(str(p), bad) for p in disks.paths], "bios", until=grub.DONE)
    assert got.found, got.serial
    assert grub.what_it_read(got.serial) == ("2", "BAD")


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_split_brain(shelf, attached):
    """Linux takes a (more events), and so do we; it is said, and b is out of sight."""
    got = boot(shelf.ready("split-brain"), attached)
    assert grub.what_it_read(got.serial) == ("3", "ok"), got.serial
    assert screen.parse(got.serial).state == "split-brain"
    assert "split brain" in screen.text(got.serial).lower()


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_unclean(shelf, attached):
    """A dirty array is read from its lowest role, the source of the resync to come."""
    got = boot(shelf.ready("unclean"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("controller", qemu.CONTROLLERS)
@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_controllers(shelf, controller, attached):
    got = boot(shelf.ready("stale"), attached, controller=controller)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_gpt_with_bios_boot_partition(shelf):
    for attached in (BOTH, SWAPPED):
        got = boot(shelf.ready("stale", "gpt"), attached)
        assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_stage2_corrupt_on_the_first_disk(shelf):
    disks = shelf.copy(shelf.ready("stale"))
    lba, sectors = stage2_of(disks.paths[0])
    at = lba + sectors // 2
    poke(disks.paths[0], at, bytes(b ^ 0xFF for b in peek(disks.paths[0], at)))
    got = boot(disks)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_stage2_unreadable_on_the_first_disk(shelf):
    disks = shelf.ready("stale")
    lba, sectors = stage2_of(disks.paths[0])
    drives = disks.drives()
    drives[0].bad = (lba + sectors // 2,)
    got = qemu.boot(drives, "bios", until=grub.DONE)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_stage2_corrupt_everywhere_says_so(shelf):
    """Nothing starts from a stage2 with a wrong checksum: a letter a disk, and a sentence."""
    disks = shelf.copy(shelf.ready("stale"))
    for path in disks.paths:
        lba, sectors = stage2_of(path)
        poke(path, lba + sectors // 2, b"\xa5" * 512)
    shown = []
    got = boot(disks, until=("mirrorboot", "GRUB: started"), timeout_s=6,
               at_end=lambda m: shown.append(m.vga_text()))
    assert not got.found, got.serial
    assert "0c1c\nmirrorboot: no disk has a good copy" in shown[0], shown[0]


def test_no_mirror_starts_what_was_there(shelf):
    """Superblocks gone (1.0, so that the file system is still to be seen): GRUB starts."""
    disks = shelf.copy(shelf.ready("stale-1.0"))
    wipe_superblocks(disks)
    got = boot(disks)
    assert "no mirror" in screen.text(got.serial).lower(), got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


@pytest.mark.parametrize("pair,table", [("stale", "mbr"), ("stale", "gpt")])
def test_uninstall(shelf, pair, table):
    bare = shelf.bare(pair, table)
    disks = shelf.copy(shelf.ready(pair, table))
    assert peek(disks.paths[0], 0) != peek(bare.paths[0], 0)
    cli.run("uninstall", "--yes", *disks.paths)
    for old, new in zip(bare.paths, disks.paths):
        assert peek(old, 0) == peek(new, 0)
    got = boot(disks)
    assert screen.parse(got.serial) is None
    assert grub.what_it_read(got.serial) == ("1", "ok")


def test_install_leaves_the_rest_alone(shelf):
    """Table, disk signature, core.img and every byte of the members."""
    bare, ready = shelf.bare("stale"), shelf.ready("stale")
    for old, new, start in zip(bare.paths, ready.paths, bare.member_lba):
        assert peek(old, 0)[440:] == peek(new, 0)[440:]
        core = len(grub.core_img()) // 512 + 1
        assert peek(old, 1, core) == peek(new, 1, core)
        assert peek(old, start, mdmember.MEMBER_S512) == peek(new, start, mdmember.MEMBER_S512)


def test_boots_write_nothing_but_the_record(shelf):
    """A machine that may write to its disks leaves them as they were, but for one sector of ours."""
    disks = shelf.copy(shelf.ready("stale"))
    before = [p.read_bytes() for p in disks.paths]
    got = boot(disks, writable=True)
    assert grub.what_it_read(got.serial) == ("2", "ok")
    for path, old in zip(disks.paths, before):
        record = (stage2_of(path)[0] - 1) * 512
        new = path.read_bytes()
        assert new[:record] == old[:record] and new[record + 512:] == old[record + 512:]


def test_the_hashes_differ():
    """The generations' payloads are told apart by what_it_read()."""
    assert filesystem.payload_sha256(1) != filesystem.payload_sha256(2)
    assert scenario.PAIRS["stale"].gen_a == 1
