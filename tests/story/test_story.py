# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The story of `make story`, with a system of a few megabytes in place of Debian (small.py)."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "images"), str(Path(__file__).resolve().parent)]

import cli  # noqa: E402
import linux  # noqa: E402
import qemu  # noqa: E402
import small  # noqa: E402

OLD = "STORY generation 1 of the system, 1 of grub.cfg"
NEW = "STORY generation 2 of the system, 2 of grub.cfg"


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    build = cli.build_folder()
    try:
        made = small.System(tmp_path_factory.mktemp("story"), build / "oracle", small.package(build))
    except linux.Unavailable as e:
        pytest.skip(f"NO LINUX TO BOOT: {e}; the story of a lost and found disk was not tested")
    serial = made.install()
    assert "STORY-FAILED" not in serial, serial
    assert "mounted on /esp" in serial  # why the first `install` was refused
    return made


def boot(disks, firmware, until=small.END, writable=True):
    got = qemu.boot([qemu.Drive(str(d)) for d in disks], firmware, "virtio-blk", until=until, timeout_s=600,
                    writable=writable, memory_mib=512)
    assert got.found, got.serial
    assert "STORY-FAILED" not in got.serial, got.serial
    return got.serial


@pytest.mark.parametrize("firmware", ("bios", "uefi"))
def test_a_stale_disk_comes_back_first(system, firmware, tmp_path):
    a, b = system.copy(firmware)

    said = boot([b], firmware)  # disk A is dead; on B alone the system is upgraded
    assert "mirrorboot 0" in said and OLD in said

    without = [shutil.copy(d, tmp_path / d.name) for d in (a, b)]
    for disk in without:
        cli.run("uninstall", "--yes", disk)
    said = boot(without, firmware, until="STORY disks 2", writable=False)
    assert "mirrorboot 0" not in said and OLD in said  # what this program is for

    said = boot([a, b], firmware)  # A is back, first in order, then in the mirror again
    assert "mirrorboot 0" in said and NEW in said and OLD not in said

    said = boot([a], firmware, until="STORY disks 1", writable=False)  # B is dead
    assert "mirrorboot 0" in said and NEW in said
