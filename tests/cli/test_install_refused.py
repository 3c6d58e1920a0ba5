# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install refused, for BIOS and for UEFI: one clear line says why, and nothing is written."""

import os
import pathlib
import subprocess

import pytest

from disks import digest, esp_put, gpt_disk, mbr_disk, put, run, tool, write_sparse

FIRMWARE = "bios", "uefi"
ESP_LBA, ESP_S512 = 2048, 65536
INSIDE_LBA = ESP_LBA + (24 << 11)  # in the ESP, behind all that mkfs.vfat writes


def fine(firmware):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True, bios_boot=True)
        esp_put(x, "EFI/BOOT/BOOTX64.EFI", b"MZ")


def no_room(firmware):
    if firmware == "bios":
        for x in "ab":
            mbr_disk(x, "md1.2-insync-" + x, start=40)
        return
    fine(firmware)
    for x in "ab":
        esp_put(x, "large", b"x" * (ESP_S512 * 512 - (1 << 20) + (700 << 10)))


def no_mirror(firmware):
    for x in "ab":
        write_sparse(x, bytes(512), 0, 40 << 20)
        tool("sgdisk", "-n", "1:2048:+32M", "-t", "1:EF00", x)


def different_mirrors(firmware):
    gpt_disk("a", "md1.2-insync-a", esp=True, bios_boot=True)
    gpt_disk("b", "md1.0-insync-b", esp=True, bios_boot=True)


def too_small(firmware):
    for x in "ab":
        write_sparse(x, bytes(512), 0, 4096)


CASES = {
    "no room": (no_room, {"bios": "no room for the boot area: ", "uefi": "too little room: "}),
    "not a mirror": (no_mirror, "no mirror found on it"),
    "different mirrors": (different_mirrors, "the disks are not all members of one mirror"),
    "too small": (too_small, "too small to hold a mirror"),
}


def refused(words, firmware, disks=("a", "b"), lines=2, **how):
    """Each disk's line at most once; the first says why."""
    before = [digest(x) for x in "ab"]
    r = run("install", "--yes", "--" + firmware, *disks, **how)
    said = r.stderr.splitlines()
    assert r.returncode == 3 and not r.stdout, r.stdout
    assert words in said[0], r.stderr
    assert all(line.startswith("mirrorboot: ") for line in said) and len(said) == len(set(said))
    assert len(said) <= lines + 1
    assert [digest(x) for x in "ab"] == before
    return r


@pytest.mark.parametrize("firmware", FIRMWARE)
@pytest.mark.parametrize("case", CASES)
def test_refused(box, case, firmware):
    make, words = CASES[case]
    make(firmware)
    r = refused(words if isinstance(words, str) else words[firmware], firmware)
    if case != "too small":
        assert "nothing was written" in r.stderr


def loop(path, *options):
    r = subprocess.run(["losetup", "--show", "-f", *options, path], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("SKIPPED: loop devices do not work here: " + r.stderr.strip())
    return r.stdout.strip()


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: needs root, for loop devices")


@needs_root
@pytest.mark.parametrize("firmware", FIRMWARE)
def test_read_only(box, firmware):
    fine(firmware)
    device = loop("a", "-r")
    try:
        r = refused("", firmware, (device, "b"), lines=1)
        assert r.stderr == (f'mirrorboot: {device}: is read-only (see "blockdev --getro"); '
                            "nothing was written\n")
    finally:
        tool("losetup", "-d", device)


@needs_root
@pytest.mark.parametrize("where", ["in the ESP", "elsewhere"])
@pytest.mark.parametrize("firmware", FIRMWARE)
def test_mounted(box, firmware, where):
    """The ESP, for UEFI. For BIOS nothing in a partition is written but a BIOS boot partition: what is
    mounted, and arrays that run, are in nobody's way. (An ext4 stands for the FAT: not every kernel
    can mount that one.)
    """
    fine(firmware)
    data = tool("stat", "-c", "%s", "a")
    at = INSIDE_LBA if where == "in the ESP" else int(data) // 512 - 2048
    if where == "elsewhere":
        for x in "ab":
            os.truncate(x, int(data) + (9 << 20))
            tool("sgdisk", "-e", x)
        at = int(data) // 512
    pathlib.Path("fs").write_bytes(bytes(4 << 20))
    tool("mkfs.ext4", "-q", "fs")
    put("a", at, pathlib.Path("fs").read_bytes())
    os.mkdir("m")
    r = subprocess.run(["mount", "-r", "-o", f"loop,offset={at * 512},sizelimit={4 << 20}", "a", "m"],
                       capture_output=True, text=True)
    if r.returncode:
        pytest.skip("SKIPPED: loop mounts do not work here: " + r.stderr.strip())
    try:
        if firmware == "uefi" and where == "in the ESP":
            r = refused("its EFI system partition 1 is mounted", firmware)
            assert r.stderr.splitlines()[0].endswith(
                f'run "umount {box}/m", then this again, then "mount {box}/m"')
        else:
            r = run("install", "--yes", "--" + firmware, "a", "b")
            assert r.returncode == 0, r.stderr
    finally:
        subprocess.run(["umount", "m"], check=True)
    assert run("install", "--yes", "--" + firmware, "a", "b").returncode == 0
