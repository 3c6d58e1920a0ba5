# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What the configuration changes, on both firmwares, and disks that do not answer."""

import pytest

import cli
import grub
import qemu
import screen

FIRMWARE = {"bios": "mbr", "uefi": "gpt"}


def configured(shelf, pair, firmware, text):
    """A copy of the disks with mirrorboot and this configuration on them."""
    disks = shelf.copy(shelf.bare(pair, FIRMWARE[firmware]))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text(text)
    cli.install(*disks.paths, options=("--config", config))
    return disks


def boot(drives, firmware, until=grub.DONE, **kw):
    return qemu.boot(drives, firmware, until=until, timeout_s=kw.pop("timeout_s", 90), **kw)


def press(key):
    return lambda machine: machine.ask("send-key", keys=[{"type": "qcode", "data": key}])


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_split_brain_ask(shelf, firmware):
    """Leg 1 lost the split brain; a person wants it, says so on the keyboard, and gets it."""
    disks = configured(shelf, "split-brain", firmware, "split-brain = ask\n")
    got = boot(disks.drives(), firmware, marks={"Type its number:": press("1")})
    assert got.marks == ["Type its number:"], got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_split_brain_halt(shelf, firmware):
    disks = configured(shelf, "split-brain", firmware, "split-brain = halt\n")
    got = boot(disks.drives(), firmware, until=("split-brain = halt)", "GRUB: started"))
    assert got.found and "GRUB: started" not in got.serial, got.serial


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_timeout_waits_for_a_key(shelf, firmware):
    """Degraded: the screen stays for the time that was asked for, or until a key."""
    disks = configured(shelf, "stale", firmware, "timeout = 200  # seconds\n")
    got = boot(disks.drives(), firmware, marks={"Going on in 200 s": press("ret")})
    assert got.marks and grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_named_mirror_absent(shelf, firmware):
    disks = configured(shelf, "stale", firmware, "mirror = elsewhere\n")
    got = boot(disks.drives(), firmware)
    assert "that the configuration names was not found" in screen.text(got.serial), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("volumes", ["yes", "no"])
def test_uefi_volumes(shelf, volumes):
    """The mirror's volume is a disk of its own, and the first: GRUB needs no md to find it."""
    disks = configured(shelf, "stale", "uefi", f"volumes = {volumes}\n")
    got = boot(disks.drives(), "uefi")
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert ("GRUB: root is (hd0)" in got.serial) == (volumes == "yes"), got.serial


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_hide_stale_no_shows_it(shelf, firmware):
    """What hiding is for: without it, GRUB's own md finds the stale leg again."""
    disks = configured(shelf, "stale", firmware, "hide-stale = no\nvolumes = no\n")
    got = boot(disks.drives(), firmware)
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
    shown = configured(shelf, "stale", firmware, "hide-stale = yes\nvolumes = no\n")
    got = boot(shown.drives(), firmware)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_partition_table_of_the_fresh_disk_unreadable(shelf):
    """LBA 0 of the disk with the newest leg gives errors: its member is where its partner's is."""
    disks = shelf.ready("stale")
    drives = [qemu.Drive(str(disks.paths[0])), qemu.Drive(str(disks.paths[1]), (0,))]
    got = boot(drives, "bios")
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_superblock_of_the_fresh_disk_unreadable(shelf):
    """It can't be known which leg is newer: booted, after a pause, and said."""
    disks = shelf.ready("stale")
    sb = disks.member_lba[1] + 8
    drives = [qemu.Drive(str(disks.paths[0])), qemu.Drive(str(disks.paths[1]), (sb,))]
    got = boot(drives, "bios", marks={"Going on in": press("ret")})
    text = screen.text(got.serial)
    assert "degraded" in text and "unreadable" in text and "can't be read" in text, got.serial
    assert got.marks and got.found, got.serial
