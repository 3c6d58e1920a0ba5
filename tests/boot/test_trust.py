# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""trust =: a disk that claims to be newer is shown and not booted; without the key it is booted.

The pair "stale" serves as the attack: leg a (generation 1) is the one that is trusted, leg b says
of itself that it is newer and that a has failed, as a disk that was made to be booted would.
"""

import os
import time

import pytest

import cli
import diskimage
import espmanifest
import fatread
import grub
import mdmember
import qemu
import scenario
import screen

FIRMWARE = {"bios": "mbr", "uefi": "gpt"}
WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
STOPPED = "Stopped."
ASKS = "install --trust"
CONFIG = "/EFI/mirrorboot/mirrorboot.conf"


def device_uuid(fixture):
    """As mdadm has it: of the superblock of version 1.2, at 4096."""
    member = mdmember.fixture(fixture)
    return ":".join(member[4096 + 168 + i:4096 + 172 + i].hex() for i in range(0, 16, 4))


def pinned(shelf, firmware, *fixtures, first=""):
    disks = shelf.copy(shelf.bare("stale", FIRMWARE[firmware]))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text(first + "".join(f"trust = {device_uuid(f)}\n" for f in fixtures))
    cli.install(*disks.paths, options=("--config", config))
    return disks


def leg_a():
    return scenario.PAIRS["stale"].a


def boot(disks, firmware, attached=(0, 1), until=(grub.DONE, STOPPED), **kw):
    return qemu.boot(disks.drives(attached), firmware, until=until,
                     timeout_s=kw.pop("timeout_s", 150), **kw)


def is_refused(got):
    """Leg a is read; b is there, last, and not trusted; a person is told what to do."""
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
    seen = screen.parse(got.serial)
    assert seen.state == "degraded", got.serial
    last = seen.legs[max(seen.legs)]
    assert last.verdict == "untrusted" and last.index != seen.chosen, got.serial
    assert ASKS in screen.text(got.serial), got.serial


@pytest.mark.parametrize("firmware", ["bios", pytest.param("uefi", marks=pytest.mark.skipif(
    not WHOLE, reason="MIRRORBOOT_WHOLE=1: test_esp_of_a_disk_that_is_not_trusted has it, too"))])
def test_newer_disk(shelf, firmware):
    """Nothing is written to it, either: no boot record."""
    disks = pinned(shelf, firmware, leg_a())
    before = [p.read_bytes() for p in disks.paths]
    is_refused(boot(disks, firmware, writable=True))
    after = [p.read_bytes() for p in disks.paths]
    assert after[1] == before[1]
    assert (after[0] != before[0]) == (firmware == "bios")


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: a boot more")
def test_what_its_boot_record_says_does_not_count(shelf):
    """It was booted alone, and knows of a generation that the leg that is trusted has not."""
    disks = shelf.copy(shelf.ready("stale"))
    got = boot(disks, "bios", attached=(1,), writable=True)
    assert grub.what_it_read(got.serial)[0] == "2", got.serial
    for trusted, waits in ((True, False), (False, True)):
        config = disks.paths[0].parent / "mirrorboot.conf"
        config.write_text(f"trust = {device_uuid(leg_a())}\n" if trusted else "")
        cli.install(*disks.paths, options=("--config", config, *(() if trusted else ("--no-trust",))))
        with_b = disks if trusted else cut_off(disks)
        got = boot(with_b, "bios")
        assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
        assert ("was seen before" in screen.text(got.serial)) == waits, got.serial


def cut_off(disks):
    """The second disk with its record, and without its leg."""
    with open(disks.paths[1], "r+b") as f:
        f.seek((disks.member_lba[1] + 8) * 512)
        f.write(bytes(4096))
    return disks


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: the same boot as test_bios and test_uefi have")
@pytest.mark.parametrize("firmware", FIRMWARE)
def test_without_it_the_newer_disk_is_booted(shelf, firmware):
    """The known risk, and what makes the test above one."""
    got = boot(pinned(shelf, firmware), firmware)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_only_that_disk_is_left(shelf):
    """Then nothing is booted, and no key changes that: it is what the owner has asked for."""
    got = boot(pinned(shelf, "bios", leg_a()), "bios", attached=(1,), until=(STOPPED, "GRUB: started"))
    assert STOPPED in got.serial and "GRUB: started" not in got.serial, got.serial
    said = screen.text(got.serial)
    assert "untrusted" in said and "--no-trust" in said, got.serial


def press(*keys):
    def do(machine):
        for key in keys:
            machine.ask("send-key", keys=[{"type": "qcode", "data": key}])
            time.sleep(1)
    return do


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: unit tests have the menu's answer")
@pytest.mark.parametrize("firmware", FIRMWARE)
def test_a_person_does_not_get_it_either(shelf, firmware):
    disks = pinned(shelf, firmware, leg_a(), first="timeout = 200\n")
    got = boot(disks, firmware, marks={"Going on in 200 s": press("m"),
                                       "Type its number:": press("2", "ret")})
    assert "can't be booted from: not one of the disks trusted" in got.serial.replace("\r\n", ""), got.serial
    assert "c: clone this" not in got.serial, "the menu has nothing else to clone to"
    is_refused(got)


def newer_esp(disks, config):
    """The second disk's ESP: of the same set, of a higher generation, and with this config."""
    facts = diskimage.get_from_esp(disks.paths[0], espmanifest.PATH).decode().split("\n")
    diskimage.put_on_esp(disks.paths[1], CONFIG, config)
    espmanifest.write(disks.paths[1], diskimage.FIRST_LBA * 512, generation=99,
                      set_guid=facts[1].split()[1])
    return disks


def evil_esp(disks):
    return newer_esp(disks, b"# all are trusted\n")


def test_esp_of_a_disk_that_is_not_trusted(shelf):
    got = boot(evil_esp(pinned(shelf, "uefi", leg_a())), "uefi")
    said = screen.text(got.serial)
    assert "left out, on disks of which nothing is trusted: 1." in said, got.serial
    assert "configuration is that of" not in said and "is taken" not in said, got.serial
    is_refused(got)


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: that the test above is one")
def test_without_it_the_newer_esp_counts(shelf):
    got = boot(evil_esp(pinned(shelf, "uefi")), "uefi")
    assert "configuration is that of disk 1" in screen.text(got.serial), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: unit tests have the rule")
def test_newer_list_on_a_disk_that_is_trusted(shelf):
    """The firmware starts the disk whose list is older: the newer one counts, if it may."""
    disks = pinned(shelf, "uefi", leg_a(), scenario.PAIRS["stale"].b)
    newer_esp(disks, b"trust = %s\n" % device_uuid(scenario.PAIRS["stale"].b).encode())
    got = boot(disks, "uefi")
    assert "configuration is that of disk 1" in screen.text(got.serial), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    seen = screen.parse(got.serial)
    assert [leg.verdict for leg in seen.legs.values()].count("untrusted") == 1, got.serial


@pytest.mark.skipif(not WHOLE, reason="MIRRORBOOT_WHOLE=1: a boot more")
def test_a_config_that_has_damage_still_names_them(shelf):
    """Its hash is wrong, and no other copy is to be had: that must not let the stranger in."""
    disks = pinned(shelf, "uefi", leg_a(), first="# the list\n")
    fatread.Fat(disks.paths[0], diskimage.FIRST_LBA * 512).flip(CONFIG, 3)
    got = boot(disks, "uefi")
    assert "mirrorboot.conf on disk 0 is damaged or missing" in got.serial, got.serial
    is_refused(got)
