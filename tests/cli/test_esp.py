# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install, verify, uninstall of the UEFI part: files on each disk's ESP."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import onwrite
from disks import (BUILD, digest, esp_put, esp_tree, gpt_disk, mbr_disk, put, run, sectors, tool)

APP = "EFI/mirrorboot/mirrorboot.efi"
CONF = "EFI/mirrorboot/mirrorboot.conf"
FALLBACK = "EFI/BOOT/BOOTX64.EFI"
REPLACED = "EFI/BOOT/BOOTX64.REPLACED.EFI"


def ours():
    return (BUILD / "mirrorboot.efi").read_bytes()


def pair(loader=b"MZ a loader" * 1000, **kw):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True, **kw)
        if loader:
            esp_put(x, FALLBACK, loader)
            esp_put(x, "EFI/BOOT/grubx64.efi", b"its sibling")
    return trees()


def trees():
    return [esp_tree(x) for x in "ab"]


def test_round_trip(box):
    before = pair()
    lba0 = [open(x, "rb").read(512 * 2048) for x in "ab"]
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "BIOS" not in r.stdout, r.stderr
    for tree, old in zip(trees(), before):
        assert tree[APP] == ours() and tree[FALLBACK] == ours()
        assert tree[REPLACED] == old[FALLBACK] and CONF not in tree
    assert run("verify", "a", "b").returncode == 0
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before
    assert [open(x, "rb").read(512 * 2048) for x in "ab"] == lba0
    for x in "ab":
        tool("fsck.vfat", "-n", write_part(x))


def write_part(path):
    """The ESP as a file of its own, for fsck.vfat."""
    with open(path, "rb") as f:
        f.seek(2048 * 512)
        pathlib.Path(path + ".esp").write_bytes(f.read(32 << 20))
    return path + ".esp"


@pytest.mark.parametrize("folders", [[], ["EFI"], ["EFI", "EFI/BOOT"]])
def test_esp_without_a_loader(box, folders):
    before = pair(loader=None)
    for folder in folders:
        for x in "ab":
            tool("mmd", "-i", x + "@@1048576", "::/" + folder)
    before = trees()
    assert run("install", "--yes", "a", "b").returncode == 0
    assert all(t[FALLBACK] == ours() and REPLACED not in t for t in trees())
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_lower_case_names_stay(box):
    pair(loader=None)
    for x in "ab":
        esp_put(x, "efi/boot/bootx64.efi", b"lower" * 999)
    before = trees()
    assert "efi/boot/bootx64.efi" in before[0]
    assert run("install", "--yes", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_never_keeps_our_own_as_replaced(box):
    before = pair()
    run("install", "--yes", "a", "b")
    other_build = ours()[:-1] + bytes([ours()[-1] ^ 1])  # as an older version: ours by its SBAT
    for x in "ab":
        esp_put(x, FALLBACK, other_build)
        esp_put(x, APP, other_build)
    r = run("verify", "a", "b")
    assert r.returncode == 1 and r.stdout.count("not this version's") == 4
    assert run("install", "--yes", "a", "b").returncode == 0
    assert all(t[FALLBACK] == ours() and t[REPLACED] == before[0][FALLBACK] for t in trees())
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_cut_while_the_fallback_was_written(box):
    before = pair()
    run("install", "--yes", "a", "b")
    esp_put("a", FALLBACK, ours()[:20000])
    assert run("verify", "a", "b").returncode == 1
    assert run("install", "--yes", "a", "b").returncode == 0
    assert all(t[FALLBACK] == ours() and t[REPLACED] == before[0][FALLBACK] for t in trees())


def test_system_installed_another_loader_since(box):
    pair()
    run("install", "--yes", "a", "b")
    esp_put("a", FALLBACK, b"MZ newer loader")
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "BOOTX64.EFI is not ours" in r.stdout
    assert run("install", "--yes", "a", "b").returncode == 0
    assert esp_tree("a")[REPLACED] == b"MZ newer loader"
    esp_put("b", FALLBACK, b"MZ stays")
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert esp_tree("a")[FALLBACK] == b"MZ newer loader"
    assert esp_tree("b")[FALLBACK] == b"MZ stays" and REPLACED not in esp_tree("b")


def test_config(box):
    before = pair()
    pathlib.Path("c").write_text("timeout = 9\n")
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert all(t[CONF] == b"timeout = 9\n" for t in trees())
    assert run("verify", "a", "b").returncode == 0
    esp_put("a", CONF, b"timeout = 9\nfrobnicate = 1\n")
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "mirrorboot.conf, line 2: unknown key" in r.stdout
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def fill(path):
    listed = tool("mdir", "-i", path + "@@1048576", "::/")
    free = re.search(r"([\d ]+) bytes free", listed.decode())[1]
    esp_put(path, "fill", bytes(int(free.replace(" ", "")) - 65536))


def test_no_room(box):
    pair()
    fill("b")
    before = digest("a"), digest("b")
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "mirrorboot: b: " in r.stderr and "too little room" in r.stderr
    assert "nothing was written" in r.stderr and (digest("a"), digest("b")) == before


def test_damaged(box):
    """A file system that is not whole is not written to, on no disk."""
    pair()
    esp_put("b", "x", bytes(2 << 20))
    fat = 2048 + int.from_bytes(sectors("b", 2048)[14:16], "little")
    put("b", fat + 2, bytes(512))  # some of it lies in clusters that are free
    before = digest("a"), digest("b")
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "its EFI system partition is not written to: " in r.stderr, r.stderr
    assert "nothing was written" in r.stderr and (digest("a"), digest("b")) == before


def test_no_fat(box):
    pair()
    put("b", 2048, bytes(512 * 64))
    before = digest("a"), digest("b")
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "no FAT file system" in r.stderr
    assert (digest("a"), digest("b")) == before


def test_no_other_program_is_needed(box):
    before = pair()
    r = run("install", "--yes", "a", "b", env=dict(os.environ, PATH="/nowhere"))
    assert r.returncode == 0, r.stderr
    assert all(t[FALLBACK] == ours() and t[REPLACED] == before[0][FALLBACK] for t in trees())


def test_the_fallback_is_never_half(box):
    """Cut before each write: the disk has the old loader or ours, whole, and a rerun finishes."""
    before = pair()
    shutil.copy("a", "a.before")
    assert run("install", "--yes", "a", env=onwrite.env()).returncode == 0
    writes, seen = onwrite.count(), []
    assert writes > 30
    for n in range(1, writes + 1, 3):
        shutil.copy("a.before", "a")
        assert run("install", "--yes", "a", env=onwrite.env(n)).returncode == 1
        got = esp_tree("a")[FALLBACK]
        assert got in (before[0][FALLBACK], ours())
        seen.append(got == ours())
        if got == ours():
            assert esp_tree("a")[REPLACED] == before[0][FALLBACK]
        assert run("install", "--yes", "a").returncode == 0
        assert run("verify", "a").returncode == 0
        tool("fsck.vfat", "-n", write_part("a"))
    assert seen == sorted(seen) and set(seen) == {False, True}


def test_uninstall_where_there_is_no_room(box):
    """Both loaders are there for a moment. Nothing is lost where that can't be."""
    before = pair(loader=b"MZ large" * 100000)
    run("install", "--yes", "a", "b")
    fill("b")
    now = digest("a"), digest("b")
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 3 and "mirrorboot: b: " in r.stderr and "too little room" in r.stderr
    assert "nothing was written" in r.stderr and (digest("a"), digest("b")) == now
    tool("mdel", "-i", "b@@1048576", "::/fill")
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_no_esp(box):
    mbr_disk("a", "md1.2-insync-a")
    before = digest("a")
    r = run("install", "--uefi", "--yes", "a")
    assert r.returncode == 3 and "EFI system partition" in r.stderr and digest("a") == before


def test_one_disk_without_esp_is_warned_of(box):
    gpt_disk("a", "md1.2-insync-a", esp=True)
    gpt_disk("b", "md1.2-insync-b")
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "warning: no EFI system partition" in r.stdout
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "b: it has no EFI system partition" in r.stdout
    assert run("uninstall", "--yes", "a", "b").returncode == 0


def test_both_firmwares(box):
    before = pair(bios_boot=True)
    whole = [open(x, "rb").read(512 * 2048) for x in "ab"]
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "BIOS:" in r.stdout and "UEFI:" in r.stdout
    r = run("verify", "a", "b")
    assert r.returncode == 0 and r.stdout.count("(BIOS, UEFI)") == 2
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before and [open(x, "rb").read(512 * 2048) for x in "ab"] == whole


def test_only_one_firmware_when_asked(box):
    pair(bios_boot=True)
    r = run("install", "--uefi", "--yes", "a", "b")
    assert r.returncode == 0 and "BIOS:" not in r.stdout
    assert "(UEFI)" in run("verify", "a", "b").stdout


def test_esp_without_ours_but_unformatted_does_not_stop_bios(box):
    pair(bios_boot=True)
    for x in "ab":
        put(x, 2048, bytes(512 * 64))
    assert run("install", "--bios", "--yes", "a", "b").returncode == 0
    assert run("verify", "a", "b").returncode == 0
    assert run("uninstall", "--yes", "a", "b").returncode == 0


def test_mounted_esp_is_refused(box):
    """Mounted: an ext4 in the ESP's last sectors, as not every kernel can mount a FAT."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts through a loop device")
    pair()
    at = 2048 * 512 + (24 << 20)
    pathlib.Path("fs").write_bytes(bytes(8 << 20))
    tool("mkfs.ext4", "-q", "fs")
    put("a", at // 512, pathlib.Path("fs").read_bytes())
    before = digest("a"), digest("b")
    os.mkdir("m")
    r = subprocess.run(["mount", "-r", "-o", "loop,offset=%d,sizelimit=%d" % (at, 8 << 20), "a", "m"],
                       capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop mounts do not work here: " + r.stderr.strip())
    try:
        r = run("install", "--yes", "a", "b")
        assert r.returncode == 3 and "partition 1 is mounted on %s/m" % box in r.stderr
        assert (digest("a"), digest("b")) == before
    finally:
        subprocess.run(["umount", "m"], check=True)
    assert run("install", "--yes", "a", "b").returncode == 0
