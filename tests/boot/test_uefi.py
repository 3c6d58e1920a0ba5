# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots with OVMF: GPT disks (ESP, BIOS boot, md /boot), GRUB as x86_64-efi application.

GRUB finds its root by `search --fs-uuid`, over all block devices that it sees: the
stale leg must not be among them.
"""

import pytest

import cli
import diskimage
import grub
import qemu
import screen

BOTH, SWAPPED, ONLY_A, ONLY_B = (0, 1), (1, 0), (0,), (1,)
FALLBACK = "/EFI/BOOT/BOOTX64.EFI"


def boot(disks, attached=BOTH, bad_leg=None, controller=None, until=grub.DONE, **kw):
    return qemu.boot(disks.drives(attached, bad_leg), "uefi", controller, until=until,
                     timeout_s=kw.pop("timeout_s", 90), **kw)


@pytest.mark.parametrize("attached", [BOTH, SWAPPED, ONLY_B, ONLY_A])
def test_stale_leg(shelf, attached):
    got = boot(shelf.ready("stale", "gpt"), attached)
    fresh = 1 in attached
    assert grub.what_it_read(got.serial) == ("2" if fresh else "1", "ok"), got.serial
    assert screen.parse(got.serial).state == "degraded"


@pytest.mark.parametrize("pair", ["stale-1.0", "stale-0.90"])
@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_stale_leg_with_the_file_system_in_plain_sight(shelf, pair, attached):
    """1.0 and 0.90: the partition itself looks like ext4, GRUB's search needs no md for it."""
    got = boot(shelf.ready(pair, "gpt"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_grub_alone_reads_the_stale_leg(shelf):
    got = boot(shelf.bare("stale", "gpt"))
    assert grub.what_it_read(got.serial) == ("1", "ok")


@pytest.mark.parametrize("attached", [BOTH, ONLY_A, ONLY_B])
def test_in_sync(shelf, attached):
    got = boot(shelf.ready("in-sync", "gpt"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == ("healthy" if len(attached) == 2 else "degraded")


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_half_rebuilt(shelf, attached):
    got = boot(shelf.ready("rebuilding", "gpt"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


# Not ahci: OVMF 2022.11 reports success for a failed read there, nothing above it can know.
@pytest.mark.parametrize("controller", ["virtio-blk", "nvme"])
def test_unreadable_in_mid_file(shelf, controller):
    failed = []
    got = boot(shelf.ready("in-sync", "gpt"), bad_leg=0, controller=controller,
               marks={grub.DONE: lambda m: failed.append(sum(f for _, f in m.reads()))})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"


def test_split_brain(shelf):
    got = boot(shelf.ready("split-brain", "gpt"))
    assert grub.what_it_read(got.serial) == ("3", "ok"), got.serial
    assert screen.parse(got.serial).state == "split-brain"


def test_unclean(shelf):
    got = boot(shelf.ready("unclean", "gpt"), SWAPPED)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("controller", ["ahci", "nvme"])
def test_controllers(shelf, controller):
    got = boot(shelf.ready("stale", "gpt"), controller=controller)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_application_gone_on_the_first_disk(shelf):
    """The firmware goes on to the second disk's ESP: the application is there, too."""
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    diskimage.del_from_esp(disks.paths[0], FALLBACK)
    got = boot(disks)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == "degraded"


def test_no_mirror_starts_what_was_there(shelf):
    disks = shelf.copy(shelf.ready("stale-1.0", "gpt"))
    for path, start in zip(disks.paths, disks.member_lba):
        with open(path, "r+b") as f:
            f.seek((start + 98304 - 16) * 512)
            f.write(bytes(4096))
    got = boot(disks)
    assert "no mirror" in screen.text(got.serial).lower(), got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


def test_uninstall(shelf):
    bare = shelf.bare("stale", "gpt")
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    original = diskimage.get_from_esp(bare.paths[0], FALLBACK)
    assert diskimage.get_from_esp(disks.paths[0], FALLBACK) != original
    cli.run("uninstall", "--yes", *disks.paths)
    for path in disks.paths:
        assert diskimage.get_from_esp(path, FALLBACK) == original
    got = boot(disks)
    assert screen.parse(got.serial) is None
    assert grub.what_it_read(got.serial) == ("1", "ok")
