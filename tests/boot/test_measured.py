# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Measured boot: which PCRs a failover changes, and which a change of the config.

docs/secure-boot.md tells people what to seal to; this is where it has that from. Each
boot has a fresh TPM, OVMF, boot entries for both disks, and tests/efi/witness.c as the
next loader. What firmware measures by itself differs between firmwares, so of PCRs 1 and
4 only the part that is ours is asked for.
"""

import hashlib
import os
import struct

import pytest

import nvram
import qemu
import secureboot
import tpm
from secureboot import CONFIG, FALLBACK, application, witness

NEXT, REPLACED = "/EFI/next/witness.efi", "/EFI/BOOT/BOOTX64.REPLACED.EFI"
TEXT = b"next = \\EFI\\next\\witness.efi\n"
DONE = "WITNESS: done"
EV_EVENT_TAG, EV_APPLICATION = 6, 0x80000003
TAG = 0x6D62E3C5  # efi/measure.h
DESCRIPTION = "mirrorboot.conf\0".encode("utf-16-le")
BOTH, SWAPPED, ONLY_A, ONLY_B = (0, 1), (1, 0), (0,), (1,)
REFUSED = "Warning: the TPM did not take the measurement of mirrorboot.conf."
WHOLE = pytest.mark.skipif(not os.environ.get("MIRRORBOOT_WHOLE"),
                           reason="left out to save time: make test-whole runs it")


def files(config):
    """The same loader as configured and as the one that mirrorboot replaced."""
    return {FALLBACK: application(), NEXT: witness("next"), REPLACED: witness("next"),
            **({CONFIG: config} if config is not None else {})}


class Lab:
    """Disks by what is on them, and boots of them, each done once."""

    def __init__(self, folder):
        self.folder, self.made, self.booted = folder, {}, {}

    def disks(self, pair, config):
        key = pair, config
        if key not in self.made:
            self.made[key] = secureboot.disks(self.folder / f"disks{len(self.made)}",
                                              files(config), pair=pair)
        return self.made[key]

    def boot(self, pair="in-sync", config=TEXT, attached=BOTH):
        key = pair, config, attached
        if key not in self.booted:
            disks = self.disks(pair, config)
            entries = [nvram.entry(f"mirrorboot {n}", esp, FALLBACK)
                       for n, esp in enumerate(disks.esps)]
            nvram.write(self.folder / "variables", nvram.entries(*entries))
            with tpm.attached() as args:
                got = qemu.boot(disks.drives(attached), "uefi", until=DONE, timeout_s=240,
                                extra=args, variables=self.folder / "variables")
            assert got.found, got.serial
            self.booted[key] = tpm.Measured(got.serial)
        return self.booted[key]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(tmp_path_factory.mktemp("measured"))


def ours(measured):
    return [e for e in measured.events if e[3][:4] == struct.pack("<I", TAG)]


def applications(measured):
    """Digests of what was started, in order: PCR 4 without what firmware adds."""
    return [digest for pcr, kind, digest, _ in measured.events
            if (pcr, kind) == (4, EV_APPLICATION)]


def test_config_is_an_event_of_pcr_5(lab):
    got = lab.boot()
    assert len(got.pcr) == 24, got.serial
    event, = ours(got)
    assert event == (5, EV_EVENT_TAG, hashlib.sha256(TEXT).digest(),
                     struct.pack("<II", TAG, len(DESCRIPTION)) + DESCRIPTION)
    assert got.replayed(5) == got.pcr[5], "the log does not tell how PCR 5 came about"
    assert got.replayed(4) == got.pcr[4]
    assert len(applications(got)) == 2


def test_another_config_changes_pcr_5_alone(lab):
    got = lab.boot(config=TEXT + b"# a comment\n")
    assert got.changed_from(lab.boot()) == {5}
    assert [e[2] for e in ours(got)] == [hashlib.sha256(TEXT + b"# a comment\n").digest()]


def test_no_config_no_event(lab):
    got = lab.boot(config=None)
    assert ours(got) == [] and got.changed_from(lab.boot()) == {5}
    assert got.replayed(5) == got.pcr[5]


def test_a_stale_leg_changes_nothing(lab):
    """The other leg is read: nobody who sealed anything may notice."""
    got = lab.boot("stale")
    assert "leg 1 on disk 1" in got.serial and "degraded" in got.serial
    assert got.changed_from(lab.boot()) == set()
    assert ours(got) == ours(lab.boot())


def test_second_disk_detached(lab):
    """The firmware's list of disks, which may be in PCR 1."""
    got = lab.boot(attached=ONLY_A)
    assert got.changed_from(lab.boot()) <= {1}
    assert ours(got) == ours(lab.boot())


def test_first_disk_detached(lab):
    """The GPT that is measured is another one, and the attempt on the first entry may be."""
    got = lab.boot(attached=ONLY_B)
    changed = got.changed_from(lab.boot())
    assert 5 in changed and changed <= {1, 4, 5}
    assert ours(got) == ours(lab.boot())
    assert applications(got) == applications(lab.boot())


@WHOLE
@pytest.mark.parametrize("pair", ["in-sync", "stale"])
@pytest.mark.parametrize("attached", [SWAPPED, ONLY_B, ONLY_A])
def test_what_is_ours_is_the_same_whatever_is_attached(lab, pair, attached):
    got = lab.boot(pair, attached=attached)
    assert got.changed_from(lab.boot()) <= {1, 4, 5}
    assert ours(got) == ours(lab.boot()) and applications(got) == applications(lab.boot())


@pytest.mark.parametrize("present", [True, False], ids=["fails", "absent"])
def test_tpm_that_does_not_take_it_is_no_reason_to_stop(tmp_path, present):
    """tests/efi/badtpm.c: a TCG2 protocol of which every measurement fails, or without a TPM."""
    disks = secureboot.disks(tmp_path / "disks", {
        FALLBACK: application("badtpm.efi"), "/EFI/next/mirrorboot.efi": application(),
        "/EFI/next/absent": b"" if present else b"no TPM", CONFIG: TEXT, NEXT: witness("next")})
    got = qemu.boot(disks.drives(), "uefi", until=DONE, timeout_s=180)
    assert got.found and "BADTPM: here" in got.serial, got.serial
    assert (REFUSED in got.serial.replace("\n", " ")) == present, got.serial
