# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Secure Boot on, in OVMF with enrolled keys: what is signed runs, what is not stops the boot.

The loaders are tests/efi/witness.c: each says on serial which one it is.
"""

import re

import pytest

import cli
import efipackages
import grub
import linux
import qemu
import secureboot
from secureboot import CONFIG, FALLBACK, application, sign, witness

GOOD, BAD = "/EFI/next/good.efi", "/EFI/next/bad.efi"
SHIM, SECOND = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/grubx64.efi"
DISTRIBUTED = "/EFI/debian/grubx64.efi"
SHIM_SAYS = "Verification failed"
REFUSED = "The firmware does not trust"
# What OVMF says when nothing is left to start, and what a loader of ours ends with.
NOTHING_LEFT = "No bootable option or device was found"
DONE = "WITNESS: done"


def next_of(*paths, more=""):
    return f"next = {', '.join(p.replace('/', chr(92)) for p in paths)}\n{more}".encode()


def tampered(image):
    """A signed image with one byte of its code changed."""
    image = bytearray(image)
    at = image.index(secureboot.LABEL)
    image[at] ^= 0x20
    return bytes(image)


def boot(tmp_path, esp_files, volume_files=None, attached=(0, 1), until=(DONE, NOTHING_LEFT)):
    disks = secureboot.disks(tmp_path / "disks", esp_files, volume_files)
    return qemu.boot(disks.drives(attached), "uefi-secure", until=until, timeout_s=180)


def who_ran(serial):
    return re.findall(r"^WITNESS: label (\S+)", serial, re.M)


def is_secure(serial):
    return "WITNESS: SecureBoot 1\n" in serial


def test_signed_chain_from_the_esp(tmp_path):
    got = boot(tmp_path, {FALLBACK: sign(application()), CONFIG: next_of(GOOD),
                          GOOD: sign(witness("esp"))})
    assert who_ran(got.serial) == ["esp"] and is_secure(got.serial), got.serial
    assert "mirrorboot " in got.serial


def test_signed_chain_from_the_virtual_disk(tmp_path):
    """The loader is in the mirror only, another in the stale leg: signed, and not wanted."""
    got = boot(tmp_path, {FALLBACK: sign(application()),
                          CONFIG: next_of(GOOD, more="boot-disk = volume\n")},
               lambda generation: {GOOD: sign(witness(f"generation-{generation}"))})
    assert who_ran(got.serial) == ["generation-2"] and is_secure(got.serial), got.serial


@pytest.mark.parametrize("bad", ["unsigned", "tampered"])
def test_loader_that_is_not_trusted_ends_the_boot(tmp_path, bad):
    """A good one is next in line, is the fallback of before, and must not be started."""
    refused = {"unsigned": witness("bad"), "tampered": tampered(sign(witness("bad")))}[bad]
    got = boot(tmp_path, {FALLBACK: sign(application()), CONFIG: next_of(BAD, GOOD),
                          GOOD: sign(witness("good")), BAD: refused,
                          "/EFI/BOOT/BOOTX64.REPLACED.EFI": sign(witness("replaced")),
                          "/EFI/debian/grubx64.efi": sign(witness("known"))})
    assert REFUSED in got.serial and "no other loader is tried" in got.serial, got.serial
    assert who_ran(got.serial) == [], got.serial
    assert NOTHING_LEFT in got.serial, got.serial


def test_loader_on_the_virtual_disk_that_is_not_trusted(tmp_path):
    """Neither another of the virtual disk, nor one of the ESPs."""
    got = boot(tmp_path, {FALLBACK: sign(application()), GOOD: sign(witness("esp")),
                          CONFIG: next_of(BAD, GOOD, more="boot-disk = volume\n")},
               lambda generation: {BAD: witness("bad"), GOOD: sign(witness("volume"))})
    assert REFUSED in got.serial, got.serial
    assert who_ran(got.serial) == [] and NOTHING_LEFT in got.serial, got.serial


def test_unsigned_mirrorboot_is_not_started(tmp_path):
    got = boot(tmp_path, {FALLBACK: application(), GOOD: sign(witness("good")),
                          CONFIG: next_of(GOOD)})
    assert NOTHING_LEFT in got.serial and "mirrorboot 0" not in got.serial, got.serial
    assert who_ran(got.serial) == []


@pytest.fixture(scope="module")
def programs():
    """The distribution's shim, with a further signature that this firmware trusts, and its GRUB."""
    try:
        found = efipackages.prepare(cli.build_folder() / "oracle")
    except linux.Unavailable as e:
        pytest.skip(f"SHIM NOT TESTED: {e}")
    return {"shim": sign(found["shim"]), "grub": found["grub"]}


def test_shim_starts_mirrorboot_starts_grub(tmp_path, programs):
    """GRUB is signed by the distribution only: it is shim that trusts it, the firmware does not.

    shim starts no second stage without SBAT, so ours is good enough for it.
    """
    config = 'terminal_output console\necho "GRUB: started"\necho "GRUB: done"\n'.encode()
    got = boot(tmp_path, {SHIM: programs["shim"], SECOND: sign(application()),
                          CONFIG: next_of(DISTRIBUTED), DISTRIBUTED: programs["grub"],
                          **{f"/EFI/{name}/grub.cfg": config for name in ("debian", "ubuntu")}},
               until=(grub.DONE, NOTHING_LEFT, "grub> "))
    assert "mirrorboot 0" in got.serial and grub.DONE in got.serial, got.serial


def test_firmware_refuses_that_grub_without_shim(tmp_path, programs):
    got = boot(tmp_path, {FALLBACK: sign(application()), DISTRIBUTED: programs["grub"],
                          CONFIG: next_of(DISTRIBUTED)}, until=(grub.DONE, NOTHING_LEFT, "grub> "))
    assert REFUSED in got.serial and NOTHING_LEFT in got.serial, got.serial


def test_shim_refuses_what_is_not_signed_behind_mirrorboot(tmp_path, programs):
    got = boot(tmp_path, {SHIM: programs["shim"], SECOND: sign(application()),
                          CONFIG: next_of(BAD, GOOD), GOOD: sign(witness("good")),
                          BAD: witness("bad")}, until=(DONE, NOTHING_LEFT, "is tried"))
    assert REFUSED in got.serial and who_ran(got.serial) == [], got.serial


def test_shim_refuses_mirrorboot_without_sbat(tmp_path, programs):
    """What the section is for: the same build without it does not start."""
    got = boot(tmp_path, {SHIM: programs["shim"], CONFIG: next_of(GOOD), GOOD: sign(witness("good")),
                          SECOND: sign(secureboot.without_section(application(), ".sbat"))},
               until=(DONE, NOTHING_LEFT, SHIM_SAYS))
    assert SHIM_SAYS in got.serial, got.serial
    assert "mirrorboot 0" not in got.serial and who_ran(got.serial) == [], got.serial
