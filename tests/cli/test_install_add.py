# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install --add: a disk that joined the mirror later gets what the others have; they are not written to."""

import pathlib

import pytest

from areas import area_of, config_of, pair
from disks import (digest, esp_put, esp_tree, gpt_disk, mbr_disk, put, run, write_sparse)
from machine import machine

FALLBACK = "EFI/BOOT/BOOTX64.EFI"


def esp_pair(**kw):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True, **kw)
        esp_put(x, FALLBACK, b"MZ before" * 100)


def config(text="timeout = 3\n"):
    pathlib.Path("conf").write_text(text)
    return "--config", "conf"


def test_bios(box):
    pair()
    assert run("install", "--yes", *config(), "a").returncode == 0
    before = digest("a")
    r = run("install", "--yes", "--add", "a", "b")
    assert r.returncode == 0, r.stderr
    assert "has mirrorboot, and is not written to" in r.stdout and "a: nothing was written" in r.stdout
    assert digest("a") == before and config_of("b") == "timeout = 3\n"
    assert run("verify", "a", "b").returncode == 0
    r = run("install", "--yes", "--add", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout and digest("a") == before


def test_uefi(box):
    esp_pair()
    assert run("install", "--yes", "--uefi", *config(), "a").returncode == 0
    before = digest("a")
    r = run("install", "--yes", "--add", "b", "a")
    assert r.returncode == 0, r.stderr
    assert digest("a") == before
    tree = esp_tree("b")
    assert tree["EFI/mirrorboot/mirrorboot.conf"] == b"timeout = 3\n"
    assert tree["EFI/BOOT/BOOTX64.REPLACED.EFI"] == b"MZ before" * 100
    assert "boot code" not in r.stdout, "the pattern has no BIOS boot"
    assert run("verify", "a", "b").returncode == 0


def test_both_kinds_and_one_of_them_there(box):
    """Its ESP is a clone already: what is missing is the boot area."""
    esp_pair(bios_boot=True)
    assert run("install", "--yes", "--bios", "--uefi", "a").returncode == 0
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    before, tree = digest("a"), esp_tree("b")
    r = run("install", "--yes", "--add", "a", "b")
    assert r.returncode == 0, r.stderr
    assert digest("a") == before and esp_tree("b") == tree
    area_of("b")
    assert run("verify", "a", "b").returncode == 0


def test_manifest_is_not_newer_than_the_others(box):
    """What changed on the pattern's ESP since is not the new one's: boot must not prefer that one."""
    esp_pair()
    assert run("install", "--yes", "--uefi", "a").returncode == 0
    esp_put("a", "EFI/debian/grubx64.efi", b"MZ grub")
    before = digest("a")
    assert run("install", "--yes", "--add", "a", "b").returncode == 0
    assert digest("a") == before

    def generation(x):
        lines = esp_tree(x)["EFI/mirrorboot/manifest"].decode().splitlines()
        return [line for line in lines if line.startswith(("set ", "generation "))]

    assert generation("a") == generation("b")


def test_third_leg(box):
    """All of this machine's disks: the pattern and those of the same mirror."""
    pair()
    write_sparse("c", bytes(512), 0, 8 << 20)
    assert run("install", "--yes", *config(), "a").returncode == 0
    with machine("a", "b", "c") as (do, (a, b, _)):
        before = digest(a)
        r = do("install", "--yes", "--add")
        assert r.returncode == 0 and f"{b}: installed and verified" in r.stdout, r.stderr
        assert digest(a) == before
        assert do("verify").returncode == 0
    assert config_of("b") == "timeout = 3\n"


@pytest.mark.parametrize("named", [True, False])
def test_none_has_it(box, named):
    before = pair()
    with machine("a", "b") as (do, disks):
        r = do("install", "--yes", "--add", *(disks if named else ()))
    assert r.returncode == 3 and r.stderr.splitlines() == [
        'mirrorboot: no disk has mirrorboot yet: run "mirrorboot install" without --add',
        "mirrorboot: nothing was written"]
    assert [digest(x) for x in "ab"] == before


@pytest.mark.parametrize("uefi", [False, True])
def test_configurations_differ(box, uefi):
    if uefi:
        esp_pair()
    else:
        pair()
    for x, n in ("a", 3), ("b", 4):
        assert run("install", "--yes", *config(f"timeout = {n}\n"), x).returncode == 0
    before = digest("a"), digest("b")
    r = run("install", "--yes", "--add", "a", "b")
    assert r.returncode == 3 and "the configurations of a and b differ" in r.stderr
    assert (digest("a"), digest("b")) == before


def test_new_disk(box):
    """Not partitioned, no member: the line says what comes first."""
    pair()
    assert run("install", "--yes", "a").returncode == 0
    write_sparse("new", bytes(1), 0, 64 << 20)
    before = digest("a"), digest("new")
    r = run("install", "--yes", "--add", "a", "new")
    assert r.returncode == 3 and (digest("a"), digest("new")) == before
    line, = r.stderr.splitlines()
    assert line.startswith("mirrorboot: new: is not a member of the mirror yet: ")
    assert "sgdisk --replicate=new a" in line and "mdadm --add" in line and "nothing was written" in line


def test_a_leg_is_missing(box):
    pair()
    assert run("install", "--yes", "a").returncode == 0
    with machine("a") as (do, _):
        r = do("install", "--yes", "--add")
    assert r.returncode == 0 and "nothing was written" in r.stdout
    assert "1 of the 2 disks of the mirror" in r.stderr and "mdadm --add" in r.stderr


def test_no_esp(box):
    esp_pair()
    gpt_disk("c", "md1.2-insync-b")
    assert run("install", "--yes", "--uefi", "a").returncode == 0
    before = digest("a"), digest("c")
    r = run("install", "--yes", "--add", "a", "c")
    assert r.returncode == 3 and 'make one ("mirrorboot esp clone --create a c")' in r.stderr
    assert (digest("a"), digest("c")) == before


def test_another_mirror(box):
    pair()
    mbr_disk("c", "md1.0-insync-b")
    assert run("install", "--yes", "a").returncode == 0
    before = digest("c")
    r = run("install", "--yes", "--add", "a", "c")
    assert r.returncode == 3 and "not all members of one mirror" in r.stderr and digest("c") == before


def test_damaged_config_is_no_pattern(box):
    pair()
    assert run("install", "--yes", "a").returncode == 0
    put("a", area_of("a")[0] + 2, b"x")
    r = run("install", "--yes", "--add", "a", "b")
    assert r.returncode == 3 and "can't be read" in r.stderr


@pytest.mark.parametrize("option", [["--bios"], ["--uefi"], ["--config", "conf"]])
def test_goes_without(box, option):
    pair()
    config()
    r = run("install", "--yes", "--add", *option, "a", "b")
    assert r.returncode == 2 and "--add does as on the disks that have mirrorboot" in r.stderr
