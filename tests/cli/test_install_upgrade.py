# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install over an older mirrorboot: replaced, with its config and what it had saved.

Cut at each write: tests/sim/sim_install*.c, and tests/boot/test_install_cut.py boots what is left.
"""

import pathlib
import sys

import pytest

import onwrite
from areas import area_of, config_of, digests, pair
from disks import BUILD, TOP, esp_put, esp_tree, gpt_disk, grub_in_gap, mbr_disk, put, run, sectors, tool

sys.path.insert(0, str(TOP / "images"))

import older  # noqa: E402

GAP_END = 2048
TIGHT = 2 + 7 + -(-len((BUILD / "stage2.bin").read_bytes()) // 512) + 8


def conf(text="timeout = 3\n"):
    pathlib.Path("conf").write_text(text)
    return "--config", "conf"


def grub(x):
    mbr_disk(x, "md1.2-insync-" + x)
    grub_in_gap(x)


def test_lba0_was_wiped(box):
    """There is nothing to keep, so what we had kept is what goes on being kept."""
    for x in "ab":
        grub(x)
    before, lba0 = digests(), sectors("a", 0)
    assert run("install", "--yes", *conf(), "a", "b").returncode == 0
    put("a", 0, bytes(440) + sectors("a", 0)[440:])
    assert "a: LBA 0 is not our boot code any more: it was wiped" in run("verify", "a", "b").stdout
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "LBA 0 was wiped: the boot code that an older" in r.stdout
    assert sectors("a", area_of("a")[0] + 1) == lba0
    assert run("verify", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


PLACES = {"at the end of the gap": {}, "elsewhere in the gap": {"end": 1000}, "larger": {"more": 10}}


@pytest.mark.parametrize("place", PLACES)
def test_bios(box, place):
    for x in "ab":
        grub(x)
    before, lba0 = digests(), sectors("a", 0)
    assert run("install", "--yes", *conf(), "a", "b").returncode == 0
    old = [older.make(x, **PLACES[place]) for x in "ab"]
    r = run("verify", "a", "b")
    assert r.returncode == 1 and r.stdout.count("stage2 is not this version's") == 2
    assert "install --bios a b" in r.stdout
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert "the old one stays in use until it is written" in r.stdout
    for x, (start, total) in zip("ab", old):
        assert config_of(x) == "timeout = 3\n"
        new, size = area_of(x)
        assert sectors(x, new + 1) == lba0  # what was there before the first install, not ours
        for lba in set(range(start, start + total)) - set(range(new, new + size)):
            assert not any(sectors(x, lba)), "something of the old one is left"
    assert run("verify", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_bios_in_place(box):
    before = pair(start=TIGHT)
    assert run("install", "--yes", *conf(), "a", "b").returncode == 0
    for x in "ab":
        older.make(x)
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "put back until" in r.stdout, r.stderr
    assert config_of("a") == config_of("b") == "timeout = 3\n"
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_one_disk_is_newer_than_the_other(box):
    """Cut between the disks: the first is this version's already, and stays as it is."""
    pair()
    assert run("install", "--yes", *conf(), "a", "b").returncode == 0
    older.make("b")
    before = digests()
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and digests()[0] == before[0]
    assert run("verify", "a", "b").returncode == 0 and config_of("b") == "timeout = 3\n"


def esp_pair():
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
        esp_put(x, "EFI/BOOT/BOOTX64.EFI", b"MZ before" * 999)
    before = [esp_tree(x) for x in "ab"]
    pathlib.Path("older.efi").write_bytes(older.application((BUILD / "mirrorboot.efi").read_bytes()))
    assert run("install", "--yes", *conf(), "--efi-file", "older.efi", "a", "b").returncode == 0
    return before


def test_uefi(box):
    before = esp_pair()
    r = run("verify", "a", "b")
    assert r.returncode == 1 and r.stdout.count("BOOTX64.EFI is not this version's") == 2
    assert run("install", "--yes", "a", "b").returncode == 0
    app = (BUILD / "mirrorboot.efi").read_bytes()
    for x in "ab":
        tree = esp_tree(x)
        assert tree["EFI/BOOT/BOOTX64.EFI"] == tree["EFI/mirrorboot/mirrorboot.efi"] == app
        assert tree["EFI/BOOT/BOOTX64.REPLACED.EFI"] == b"MZ before" * 999
        assert tree["EFI/mirrorboot/mirrorboot.conf"] == b"timeout = 3\n"
    assert run("verify", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert [esp_tree(x) for x in "ab"] == before


def test_uninstall_finishes_what_was_cut(box):
    """Uninstall, cut at its last writes: files of ours alone are left, and the next run takes them."""
    before = esp_pair()
    tool("cp", "--sparse=always", "a", "installed")
    run("uninstall", "--yes", "a", env=onwrite.env())
    writes = onwrite.count()
    for n in range(writes // 2, writes, 6):
        tool("cp", "--sparse=always", "installed", "a")
        assert run("uninstall", "--yes", "a", env=onwrite.env(n)).returncode == 1
        run("uninstall", "--yes", "a")
        left = {k: v for k, v in esp_tree("a").items() if v is not None or "mirrorboot" in k}
        assert left == {k: v for k, v in before[0].items() if v is not None}, n
