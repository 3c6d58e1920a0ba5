# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""verify: each kind of drift is seen, said, and mended by installing again; and who did it."""

import pathlib
import struct
import subprocess
import zlib

import pytest

from areas import area_of, digests, pair
from disks import (GRUB_LIB, TOOL, TOP, esp_put, gpt_disk, grub_core, grub_in_gap, mbr_disk, put, run,
                   sectors, write_sparse)
from machine import machine

DAMAGE = {
    "boot code": (0, 100, "boot code of LBA 0"),
    "header": ("area", 20, "header of the boot area"),
    "saved boot code": ("area", 512 + 5, "saved boot code"),
    "config": ("area", 1024 + 5, "config is damaged"),
    "stage2": ("area", 7 * 512 + 999, "stage2 is damaged"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_drift(box, what):
    pair()
    run("install", "--yes", "a", "b")
    where, offset, words = DAMAGE[what]
    lba = area_of("a")[0] if where == "area" else where
    at = lba + offset // 512
    s = bytearray(sectors("a", at))
    s[offset % 512] ^= 0x10
    put("a", at, bytes(s))
    r = run("verify", "a", "b")
    assert r.returncode == 1 and words in r.stdout and "b: as installed" in r.stdout
    # Mending: install again. A saved boot code that is damaged is lost, and said to be.
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert ("lost" in r.stdout) == (what == "saved boot code")
    assert run("verify", "a", "b").returncode == 0


def test_bad_config_in_the_area_is_drift(box):
    """As another version might have written it: whole by its CRC, and not understood."""
    pair()
    run("install", "--yes", "a", "b")
    start, _ = area_of("a")
    text = b"frobnicate = 1\n".ljust(2048, b"\0")
    put("a", start + 2, text)
    h = bytearray(sectors("a", start))
    struct.pack_into("<I", h, 24, zlib.crc32(text))
    struct.pack_into("<I", h, 508, zlib.crc32(bytes(h[:508])))
    put("a", start, bytes(h))
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "line 1: unknown key" in r.stdout


# ---- whose doing it is ---------------------------------------------------------------------------

needs_grub = pytest.mark.skipif(not (GRUB_LIB / "boot.img").exists(),
                                reason="SKIPPED: grub-pc-bin is not installed")
LOADERS = {
    "shim": (b"MZ" + bytes(500) + b"sbat,1,2025051000\nshim,4\ngrub,5\n", "has put shim there"),
    "GRUB": (b"MZ" + bytes(500) + b"sbat,1,x\ngrub,3,Free Software Foundation,grub,2.06\n",
             "has put GRUB there"),
    "systemd-boot": (b"MZ" + bytes(500) + b"#### LoaderInfo: systemd-boot 252 ####", "systemd-boot is there"),
    "unknown": (b"MZ" + bytes(5000), "another loader is there"),
}


@needs_grub
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_grub_install(box, both, before):
    """Also when LBA 0 has become what it was before us, and when it was done on all disks."""
    pair()
    for x in "ab" if before else "":
        grub_in_gap(x)
    assert run("install", "--yes", "a", "b").returncode == 0
    for x in "ab" if both else "a":
        grub_in_gap(x)
    r = run("verify", "a", "b")
    lines = r.stdout.splitlines()
    want = ('LBA 0 is not our boot code any more: grub-install has put GRUB\'s there: run '
            '"mirrorboot install --bios a b"')
    assert r.returncode == 1 and lines[0] == "a: " + want
    assert lines[1:] == (["b: " + want] if both else ["b: as installed (BIOS)"])
    quiet = run("verify", "--quiet", "a", "b").stdout.splitlines()
    assert quiet == ["mirrorboot: " + line for line in lines if "as installed" not in line]
    assert run("install", "--yes", "--bios", "a", "b").returncode == 0
    assert run("verify", "a", "b").returncode == 0


@needs_grub
def test_grub_core_over_the_area(box):
    """LBA 0 came back from a backup; what it leads to is under GRUB's core.img."""
    pair()
    run("install", "--yes", "a", "b")
    ours = sectors("a", 0)
    start, total = area_of("a")
    grub_in_gap("a", at=1, n_sectors=start + total // 2)
    put("a", 0, ours)
    r = run("verify", "a", "b")
    assert r.returncode == 1
    assert "a: the header of the boot area" in r.stdout and "put GRUB's core.img over it" in r.stdout


def test_another_boot_loader(box):
    pair()
    run("install", "--yes", "a", "b")
    put("a", 0, (b"\x33\xc0" * 220) + sectors("a", 0)[440:])
    assert "any more: another boot loader's is there" in run("verify", "a", "b").stdout


@pytest.mark.parametrize("what", LOADERS)
def test_fallback_loader_replaced(box, what):
    data, words = LOADERS[what]
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    esp_put("a", "EFI/BOOT/BOOTX64.EFI", data)
    before = digests()
    r = run("verify", "a", "b")
    line = r.stdout.splitlines()[0]
    assert r.returncode == 1 and line.startswith("a: \\EFI\\BOOT\\BOOTX64.EFI is not ours any more: ")
    assert words in line and line.endswith('run "mirrorboot install --uefi a b"')
    r = run("verify", "--quick", "--quiet", "a", "b")
    assert r.returncode == 1 and r.stdout == "mirrorboot: " + line + "\n"
    assert digests() == before
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    assert run("verify", "a", "b").returncode == 0


@pytest.mark.skipif(not pathlib.Path("/usr/lib/grub/x86_64-efi").exists(),
                    reason="SKIPPED: grub-efi-amd64-bin is not installed")
def test_a_real_grub_is_known(box):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    esp_put("a", "EFI/BOOT/BOOTX64.EFI", grub_core("x86_64-efi", "core", ["echo"], "/boot"))
    assert "has put GRUB there" in run("verify", "a", "b").stdout


def test_quick_reads_no_other_file(box):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    esp_put("a", "EFI/debian/new.efi", b"MZ")
    assert run("verify", "a", "b").returncode == 1
    assert run("verify", "--quick", "a", "b").returncode == 0


def test_quiet(box):
    pair()
    run("install", "--yes", "a", "b")
    r = run("verify", "--quiet", "a", "b")
    assert r.returncode == 0 and not r.stdout and not r.stderr


# ---- without a disk named, as the hook does ------------------------------------------------------

def stranger(path):
    """A disk of the same machine that mirrorboot has nothing to do with."""
    write_sparse(path, bytes(510) + b"\x55\xaa", 0, 8 << 20)


def test_disks_of_this_machine(box):
    """Those that it is on and the others of their mirrors: not a disk of data, not another mirror."""
    pair()
    stranger("c")
    mbr_disk("d", "md1.0-insync-a")
    assert run("install", "--yes", "a").returncode == 0
    with machine("a", "b", "c", "d") as (do, (a, b, _, _)):
        r = do("verify")
        assert r.returncode == 1 and r.stdout.splitlines() == [
            f"{a}: as installed (BIOS)",
            f'{b}: LBA 0 is not our boot code: run "mirrorboot install --bios {a} {b}"']


def hook():
    """What apt runs, by apt's own reader of its configuration."""
    text = (TOP / "tools/dist/apt.conf").read_text().replace("@MIRRORBOOT@", str(TOOL))
    pathlib.Path("90mirrorboot").write_text(text)
    out = subprocess.run(["apt-config", "-c", "90mirrorboot", "dump", "--format", "%f=%v%n", "DPkg::Post-Invoke"],
                         check=True, capture_output=True, text=True).stdout
    return [line.split("=", 1)[1] for line in out.splitlines() if "mirrorboot" in line]


@needs_grub
def test_apt_hook(box):
    pair()
    stranger("c")
    command, = hook()
    with machine("a", "b", "c") as (do, (a, b, _)):
        def after_apt():
            return subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=do.env)

        r = after_apt()
        assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), "not installed"
        assert do("install", "--yes", a, b).returncode == 0
        r = after_apt()
        assert (r.returncode, r.stdout, r.stderr) == (0, "", ""), "as installed"
        grub_in_gap(b)
        r = after_apt()
        assert (r.returncode, r.stderr) == (0, "")
        assert r.stdout == (f"mirrorboot: {b}: LBA 0 is not our boot code any more: grub-install has put "
                            f'GRUB\'s there: run "mirrorboot install --bios {a} {b}"\n')


def test_apt_hook_without_disks(box):
    with machine() as (do, _):
        r = subprocess.run(["sh", "-c", hook()[0]], capture_output=True, text=True, env=do.env)
        assert (r.returncode, r.stdout, r.stderr) == (0, "", "")
        r = do("verify")
        assert r.returncode == 3 and "has no disk" in r.stderr
