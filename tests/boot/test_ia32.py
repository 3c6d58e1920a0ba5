# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""32-bit UEFI (OVMF32): the tool replaces a BOOTIA32.EFI, GRUB's i386-efi build follows."""

import pytest

import cli
import diskimage
import grub
import qemu
import screen

FALLBACK = "/EFI/BOOT/BOOTIA32.EFI"
BOTH, SWAPPED = (0, 1), (1, 0)


@pytest.fixture(scope="module")
def grub_ia32():
    return grub.mkimage("i386-efi", grub.MODULES, grub.script(uefi=True))


@pytest.fixture(scope="module")
def disks(shelf, grub_ia32):
    """By pair, installed."""
    if (cli.build_folder() / "mirrorbootia32.efi").stat().st_size == 0:
        pytest.skip("32-BIT UEFI NOT TESTED: this machine's gnu-efi can't make mirrorbootia32.efi")
    made = {}

    def of(pair):
        if pair not in made:
            made[pair] = shelf.copy(shelf.bare(pair, "gpt"))
            for path in made[pair].paths:
                diskimage.put_on_esp(path, FALLBACK, grub_ia32)
            cli.install(*made[pair].paths)
        return made[pair]
    return of


def boot(disks, attached=BOTH, **kw):
    return qemu.boot(disks.drives(attached, kw.pop("bad_leg", None)), "uefi-ia32", until=grub.DONE,
                     timeout_s=180, **kw)


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
def test_stale_leg(disks, attached):
    got = boot(disks("stale"), attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == "degraded"


def test_grub_alone_reads_the_stale_leg(shelf, grub_ia32):
    bare = shelf.copy(shelf.bare("stale", "gpt"))
    for path in bare.paths:
        diskimage.put_on_esp(path, FALLBACK, grub_ia32)
    got = boot(bare)
    assert screen.parse(got.serial) is None
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


def test_unreadable_in_mid_file(disks):
    """A read of 64-bit offsets that fails over, by 32-bit code."""
    failed = []
    got = boot(disks("in-sync"), bad_leg=0,
               marks={grub.DONE: lambda m: failed.append(sum(f for _, f in m.reads()))})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"
