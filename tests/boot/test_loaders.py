# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Loaders that others wrote, on each controller: the table is tests/boot/loaders.md.

The first disk's leg is stale in every cell. What was read has to be of generation 2 all
the way: the loader's configuration, the kernel's command line, the payload's SHA-256.
`make test` boots each row on one controller, MIRRORBOOT_WHOLE=1 (`make test-whole`) on all.
"""

import os
import re
import shutil
import struct
from pathlib import Path

import pytest

import cli
import grub
import linux
import loaders
import qemu
import screen

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
TIMEOUT_S = 300
TABLE = Path(__file__).with_name("loaders.md")
ROWS = {loader.name + (f" starts {loader.starts}" if loader.starts else ""): loader
        for loader in loaders.LOADERS}


@pytest.fixture(scope="module")
def workshop():
    try:
        return loaders.Workshop(cli.build_folder() / "oracle")
    except linux.Unavailable as why:
        pytest.skip(f"NO KERNEL: Linux and memtest86+ could not be downloaded ({why}); "
                    "no loader was tried on any controller")


def cells():
    for n, name in enumerate(ROWS):
        for k, controller in enumerate(qemu.CONTROLLERS):
            if WHOLE or (n + k) % len(qemu.CONTROLLERS) == 0:
                yield name, controller


@pytest.fixture(scope="module")
def row(request, workshop, tmp_path_factory):
    """(name, Loader, Disks with mirrorboot on them), one row at a time: disks are large."""
    loader = ROWS[request.param]
    folder = tmp_path_factory.mktemp("row")
    disks = workshop.make(loader, folder / "disks")
    config = folder / "mirrorboot.conf"
    config.write_text(loader.config)
    cli.install(*disks.paths, options=("--config", config))
    yield request.param, loader, disks
    shutil.rmtree(folder)


def check_grub(loader, serial):
    assert grub.what_it_read(serial) == ("2", "ok"), serial
    assert f"GRUB: root is ({loader.root}" in serial, serial
    assert "GRUB: grub.cfg of generation 2" in serial, serial


def first_sector(disks, loader):
    """LBA 0 of the drive that is to be 80h: of the fresh leg's disk, or of its data."""
    lba = disks.member_lba[1] + disks.data_s512 if loader.volume else 0
    with open(disks.paths[1], "rb") as f:
        f.seek(lba * 512)
        return f.read(512)


def check_edd(serial, disks, loader):
    """80h is ours, as Linux' real-mode code found it by INT 13h AH=08 41 48 02."""
    disk_s512 = disks.paths[1].stat().st_size // 512
    drives = 2 if loader.volume else 1  # the stale disk is hidden: without us there are two
    size = disks.size_s512 if loader.volume else disk_s512
    assert f"{drives} devices found" in loaders.told(serial, "dmesg"), serial
    edd = dict(re.findall(r"^LINUX: edd 80/(\w+) (.*);$", serial, re.M))
    assert int(edd["sectors"]) == size, serial
    # LBA 0 read by CHS; the stale disk has another signature
    signature = struct.unpack_from("<I", first_sector(disks, loader), 440)[0]
    assert int(edd["mbr_signature"], 16) == signature, serial
    assert int(edd["version"], 16) == 0x30, serial
    assert "Fixed disk access" in edd["extensions"], serial
    assert "Enhanced Disk Drive support" in edd["extensions"], serial
    # AH=08 and AH=48 agree, and stay inside the drive
    cylinders = int(edd["legacy_max_cylinder"]) + 1
    heads = int(edd["legacy_max_head"]) + 1
    track = int(edd["legacy_sectors_per_track"])
    assert (cylinders, heads, track) == tuple(int(edd["default_" + name]) for name in (
        "cylinders", "heads", "sectors_per_track")), serial
    assert size - heads * track < cylinders * heads * track <= size, serial
    assert ("LINUX: edd 81/" in serial) == (drives == 2), serial


@pytest.mark.parametrize("row,controller", cells(), indirect=["row"], scope="module")
def test_loader(row, controller, record_property):
    name, loader, disks = row
    got = qemu.boot(disks.drives(), "bios", controller, until=loader.done, timeout_s=TIMEOUT_S)
    record_property("loaders row", name)
    record_property("loaders controller", controller)
    assert got.found, got.serial
    assert screen.parse(got.serial).chosen == 1, got.serial
    assert ("(mirror " in screen.text(got.serial)) == ("volume" in loader.config), got.serial
    if loader.is_grub:
        check_grub(loader, got.serial)
    else:
        assert "SYSLINUX 6" in got.serial, got.serial
    if loader.starts == "Linux":
        assert loaders.what_linux_got(got.serial) == ("2", "generation 2", "ok"), got.serial
    if loader.starts == "memtest86+":
        assert "Memtest86+ v" in got.serial, got.serial
        assert loader.is_grub or "Loading /memtest.2... ok" in got.serial, got.serial
    if loader.edd:
        check_edd(got.serial, disks, loader)
    elif loader.starts == "Linux":
        assert loaders.told(got.serial, "dmesg") is None, "EDD after all: say so in the table"


def test_the_table_is_this_one():
    """loaders.md has these rows and columns, and no empty cell."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in TABLE.read_text().splitlines() if line.startswith("|")]
    assert lines[0] == ["loader", "EDD probe", *qemu.CONTROLLERS]
    assert [cells[0] for cells in lines[2:]] == list(ROWS)
    for cells in lines[2:]:
        assert all(cells) and len(cells) == len(lines[0]), cells
        assert (cells[1] == "yes") == ROWS[cells[0]].edd, cells
