# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""One sector of the chosen leg can't be read, in the middle of a load: a boot a sector.

Both legs are in sync, and leg 0 is chosen. GRUB knows nothing of md here: with its md
modules it would go on from the other leg on its own, whatever we did. The files' SHA-256
says that what came from the two legs is the file, bit for bit; QEMU's count of failed
reads says that the sector was met, and that nobody kept asking for it. `make test` takes a
few sectors, `make test-whole` (MIRRORBOOT_WHOLE=1) 200 of them.
"""

import dataclasses
import os

import pytest

import badsectors
import cli
import filesystem
import grub
import linux
import loaders
import qemu

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
GRUB_SECTORS = 200 if WHOLE else 12
LINUX_SECTORS = 200 if WHOLE else 4
TIMEOUT_S = 300

TRIES = 2  # a leg is left after at most one retry

GRUB = loaders.Loader("GRUB", "", "gap", "in-sync", config="volumes = yes\n", root="hd1")
LINUX = dataclasses.replace(GRUB, name="GRUB starts Linux", starts="Linux")


def prepare(loader, paths, count, folder):
    """(Disks, LBAs on disk 0 of sectors of these files)"""
    try:
        workshop = loaders.Workshop(cli.build_folder() / "oracle")
    except linux.Unavailable as why:
        pytest.skip(f"NO KERNEL: Linux could not be downloaded ({why}); nothing was loaded from a "
                    "disk with a bad sector")
    disks = workshop.make(loader, folder / "disks")
    config = folder / "mirrorboot.conf"
    config.write_text(loader.config)
    cli.install(*disks.paths, options=("--config", config))
    image = workshop.contents(loader, disks.size_s512, 2)
    return disks, badsectors.choose(image, paths, count, disks.member_lba[0] + disks.data_s512)


@pytest.fixture(scope="module")
def grub_disks(tmp_path_factory):
    return prepare(GRUB, ["/payload"], GRUB_SECTORS, tmp_path_factory.mktemp("grub"))


@pytest.fixture(scope="module")
def linux_disks(tmp_path_factory):
    return prepare(LINUX, ["/vmlinuz", "/initrd"], LINUX_SECTORS, tmp_path_factory.mktemp("linux"))


def boot_with_bad(disks, lba, controller, done):
    """The serial line; leg 0's disk fails at this sector, and has to have been asked for it."""
    failed = []
    drives = disks.drives()
    drives[0].bad = (lba,)
    got = qemu.boot(drives, "bios", controller, until=done, timeout_s=TIMEOUT_S,
                    at_end=lambda monitor: failed.extend(f for _, f in monitor.reads()))
    assert got.found, got.serial
    assert failed[0] >= 1, f"nobody read the bad sector {lba}: nothing was proved"
    assert failed == [min(failed[0], TRIES), 0], failed
    return got.serial


def controller_of(n):
    return qemu.CONTROLLERS[n % len(qemu.CONTROLLERS)]


@pytest.mark.parametrize("n", range(GRUB_SECTORS))
def test_grub(grub_disks, n):
    disks, lbas = grub_disks
    serial = boot_with_bad(disks, lbas[n], controller_of(n), grub.DONE)
    assert "GRUB: root is (hd1)" in serial, serial
    assert grub.what_it_read(serial) == ("2", "ok"), serial


@pytest.mark.parametrize("n", range(LINUX_SECTORS))
def test_linux(linux_disks, n):
    """The kernel checks itself when it unpacks, the initramfs brings a payload to hash."""
    disks, lbas = linux_disks
    serial = boot_with_bad(disks, lbas[n], controller_of(n), loaders.LINUX_DONE)
    assert loaders.what_linux_got(serial) == ("2", "generation 2", "ok"), serial


def test_sectors_are_chosen_well(grub_disks):
    """Different ones, the same every time, inside the file, from all over it."""
    disks, lbas = grub_disks
    image = filesystem.make(disks.size_s512, 2)
    data_lba = disks.member_lba[0] + disks.data_s512
    every = {data_lba + s for s in badsectors.sectors_of(image, ["/payload"])}
    assert len(every) == filesystem.PAYLOAD_BYTES // 512
    assert len(set(lbas)) == GRUB_SECTORS and every.issuperset(lbas)
    more = badsectors.choose(image, ["/payload"], 200, data_lba)
    assert more[:GRUB_SECTORS] == lbas
    assert max(more) - min(more) == len(every) - 1
