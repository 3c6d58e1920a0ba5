# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""UEFI loaders that others wrote, on each controller: the table is tests/boot/loaders-uefi.md.

The first disk's leg is stale. What is read from the mirror has to be of generation 2 all the
way: the loader's configuration, the kernel's command line, the initramfs and the payload in
it; and the Linux that is started has to find generation 2 on the mirror. `make test` boots
each row on one controller, with one choice of disks; MIRRORBOOT_WHOLE=1 boots all rows
on all controllers, either disk first, either disk alone.
"""

import os
import shutil
from pathlib import Path

import pytest

import cli
import grub
import linux
import loaders
import qemu
import screen
import uefiloaders
from uefiloaders import ROWS

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
TIMEOUT_S = 400
TABLE = Path(__file__).with_name("loaders-uefi.md")
ATTACHED = {"stale first": (0, 1), "fresh first": (1, 0), "stale gone": (1,), "fresh gone": (0,)}
SAMPLE = ("stale first", "fresh first", "stale first", "stale gone")


def cells():
    """(row, controller, which disks) that this run boots."""
    controllers = qemu.UEFI_CONTROLLERS
    for n, name in enumerate(ROWS):
        if WHOLE:
            yield from ((name, c, attached) for c in controllers for attached in ATTACHED)
        else:
            k = n + n // len(controllers)  # a controller does not always meet the same disks
            yield name, controllers[n % len(controllers)], SAMPLE[k % len(SAMPLE)]


@pytest.fixture(scope="module")
def workshop():
    try:
        return uefiloaders.Workshop(cli.build_folder() / "oracle")
    except linux.Unavailable as why:
        pytest.skip(f"NO LOADERS: Linux, systemd-boot, shim could not be downloaded ({why}); "
                    "no loader was tried on any controller")


@pytest.fixture(scope="module")
def disks_of(workshop, tmp_path_factory):
    """The disks of a row; those of the row before are gone: disks are large."""
    made, folder = {}, tmp_path_factory.mktemp("rows")

    def get(name, sector):
        if made and next(iter(made))[0] != name:
            made.clear()
            shutil.rmtree(folder)
        if (name, sector) not in made:
            made[name, sector] = workshop.make(ROWS[name], folder / str(sector), sector)
        return made[name, sector]
    return get


def check_loader(row, generation, serial):
    """The loader itself ran, under us, and read what is of this generation."""
    assert "Starting \\EFI\\" in serial, serial
    if row.loader in ("grub", "shim"):
        assert f"GRUB: grub.cfg of generation {generation}" in serial, serial
    if row.loader == "grub":
        assert grub.what_it_read(serial) == (generation, "ok"), serial
        root = serial.split("GRUB: root is (", 1)[1].split(")")[0]
        # the mirror's volume comes before all disks, and those before what GRUB makes of md
        assert root.startswith("md/" if "volumes = no" in row.config else "hd"), serial


@pytest.mark.parametrize("name,controller,attached", list(cells()))
def test_loader(disks_of, name, controller, attached, record_property):
    row = ROWS[name]
    disks = disks_of(name, 4096 if controller.endswith("4kn") else 512)
    got = qemu.boot(disks.drives(ATTACHED[attached]), "uefi", controller, until=uefiloaders.DONE,
                    timeout_s=TIMEOUT_S, memory_mib=512, variables=disks.variables)
    record_property("loaders firmware", "UEFI")
    record_property("loaders row", name)
    record_property("loaders controller", controller)
    assert got.found, got.serial
    newest = "1" if attached == "fresh gone" else "2"
    seen = screen.parse(got.serial)
    assert seen.state == "degraded" and seen.chosen == int(newest) - 1, got.serial
    check_loader(row, newest, got.serial)
    came = newest if row.from_mirror else "2"  # each disk's ESP has the same
    told = came if row.loader != "stub" else "2"  # the command line is in a boot entry
    assert loaders.what_linux_got(got.serial) == (told, f"generation {came}", "ok"), got.serial
    if row.lives == "esp":  # else it holds no file system that Linux is to look into
        assert loaders.told(got.serial, "mirror") == f"generation {newest}", got.serial
    assert loaders.told(got.serial, "legs") == str(int(newest) - 1), got.serial


def test_the_table_is_this_one():
    """loaders-uefi.md has these rows and columns, and no cell without a word."""
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")]
             for line in TABLE.read_text().splitlines() if line.startswith("|")]
    assert lines[0] == ["loader", "kernel from", *qemu.UEFI_CONTROLLERS]
    assert [line[0] for line in lines[2:]] == list(ROWS)
    for line in lines[2:]:
        assert len(line) == len(lines[0]), line
        assert line[1] == ("the mirror" if ROWS[line[0]].from_mirror else "its ESP"), line
        assert all(cell == "passed" for cell in line[2:]), line
