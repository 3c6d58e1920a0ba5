# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""One sector of the chosen leg can't be read, in the middle of a load, under UEFI.

As test_bad_sectors.py does it for BIOS: both legs are in sync, leg 0 is chosen, GRUB knows
nothing of md and reads the mirror's volume. The SHA-256 says that what came is the file, bit
for bit; QEMU's count says that the sector was met, and that nobody kept asking for it. Not on
AHCI: there OVMF 2022.11 reports success for a failed read. `make test` takes a few sectors,
`make test-whole` (MIRRORBOOT_WHOLE=1) 200 of them.
"""

import os

import pytest

import badsectors
import cli
import filesystem
import gptdisk
import grub
import linux
import loaders
import mdmember
import qemu
import scenario
import screen
import uefiloaders

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
GRUB_SECTORS = 200 if WHOLE else 4
LINUX_SECTORS = 200 if WHOLE else 2
CONTROLLERS = ("virtio-blk", "nvme")
TIMEOUT_S = 400
TRIES = 2  # a leg is left after at most one retry

ROW = uefiloaders.Row("GRUB starts Linux", "in-sync", "esp", "grub", "mirror", md_aware=False)


def choose(disks, image, paths, count):
    return badsectors.choose(image, paths, count, disks.member_lba[0] + disks.data_s512)


@pytest.fixture(scope="module")
def grub_disks(tmp_path_factory):
    """(Disks whose GRUB reads /payload, sectors of that file on disk 0)"""
    folder = tmp_path_factory.mktemp("grub")
    pair = scenario.PAIRS["in-sync"]
    modules = [m for m in grub.MODULES if m not in loaders.MD_MODULES]
    files = {uefiloaders.REPLACED: grub.mkimage("x86_64-efi", modules, grub.script(uefi=True)),
             uefiloaders.FALLBACK: (cli.build_folder() / "mirrorboot.efi").read_bytes()}
    paths, parts = [], []
    for n, fixture in enumerate((pair.a, pair.b)):
        sb = mdmember.Superblock(mdmember.fixture(fixture))
        image = filesystem.make(sb.size_s512, 2)
        paths.append(folder / f"{'ab'[n]}.img")
        parts.append(gptdisk.write(paths[n], [
            (gptdisk.ESP, gptdisk.fat(16 << 20, files)),
            (gptdisk.RAID, mdmember.compose(fixture, image))], n))
    disks = scenario.Disks(pair, paths, [p[1].start_bytes // 512 for p in parts], sb.data_s512,
                           sb.size_s512)
    return disks, choose(disks, image, ["/payload"], GRUB_SECTORS)


@pytest.fixture(scope="module")
def linux_disks(tmp_path_factory):
    """(Disks whose GRUB starts Linux, sectors of kernel and initramfs on disk 0)"""
    try:
        workshop = uefiloaders.Workshop(cli.build_folder() / "oracle")
    except linux.Unavailable as why:
        pytest.skip(f"NO KERNEL: Linux could not be downloaded ({why}); nothing was loaded from a "
                    "disk with a bad sector")
    disks = workshop.make(ROW, tmp_path_factory.mktemp("linux") / "disks")
    image = workshop.contents(ROW, disks.size_s512, 2, 512)
    return disks, choose(disks, image, ["/vmlinuz", "/initrd"], LINUX_SECTORS)


def boot_with_bad(disks, lba, controller, done):
    """The serial line; leg 0's disk fails at this sector, and has to have been asked for it."""
    failed = []
    drives = disks.drives()
    drives[0].bad = (lba,)
    got = qemu.boot(drives, "uefi", controller, until=done, timeout_s=TIMEOUT_S, memory_mib=512,
                    marks={done: lambda monitor: failed.extend(f for _, f in monitor.reads())})
    assert got.found and screen.parse(got.serial).chosen == 0, got.serial
    assert failed[0] >= 1, f"nobody read the bad sector {lba}: nothing was proved"
    assert failed == [min(failed[0], TRIES), 0], failed
    return got.serial


def check_grub(serial):
    root = serial.split("GRUB: root is (", 1)[1].split(")")[0]
    assert root == "hd0", serial  # the volume; a disk's partition is hdN,gpt2
    assert grub.what_it_read(serial) == ("2", "ok"), serial


@pytest.mark.parametrize("n", range(GRUB_SECTORS))
def test_grub(grub_disks, n):
    disks, lbas = grub_disks
    check_grub(boot_with_bad(disks, lbas[n], CONTROLLERS[n % 2], grub.DONE))


@pytest.mark.parametrize("n", range(LINUX_SECTORS))
def test_linux(linux_disks, n):
    """The kernel checks itself when it unpacks, the initramfs brings a payload to hash."""
    disks, lbas = linux_disks
    # before Linux itself looks at the mirror
    serial = boot_with_bad(disks, lbas[n], CONTROLLERS[n % 2], "LINUX: partitions")
    check_grub(serial)
    assert loaders.what_linux_got(serial) == ("2", "generation 2", "ok"), serial
