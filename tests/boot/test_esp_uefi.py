# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Which EFI system partition is used: the newest whole one, whichever disk the firmware started.

The loaders are tests/efi/child.c: each says which one it is and where it was told it comes
from. The manifests are written by images/espmanifest.py, right and wrong ones.
"""

import pytest

import espdisk
import espmanifest
import grub
import qemu
from espdisk import CONFIG, DEBIAN, child

OTHER = "/EFI/other/loader.efi"
LATER = 0xF021_0000  # a FAT time in the year 2100


def boot(*disks, until=(espdisk.DONE, grub.DONE, "No bootable option"), **kw):
    return qemu.boot([d if isinstance(d, qemu.Drive) else d.drive() for d in disks], "uefi",
                     until=until, timeout_s=kw.pop("timeout_s", 180), **kw)


@pytest.fixture
def pair(tmp_path):
    """Two disks; each has one loader, which tells the disk."""
    return [espdisk.make(tmp_path, n, {DEBIAN: child(f"disk-{'AB'[n]}")}) for n in (0, 1)]


def ran(got, disk, name):
    """This loader ran, and knows that it is from this disk."""
    assert espdisk.label(got.serial) == name, got.serial
    assert espdisk.is_on(got.serial, disk), got.serial
    return True


@pytest.mark.parametrize("first", [0, 1])
def test_newest(tmp_path, first):
    """Its configuration counts, too."""
    a = espdisk.make(tmp_path, 0, {DEBIAN: child("A")}, f"next = {OTHER}\n")
    b = espdisk.make(tmp_path, 1, {OTHER: child("B-other"), DEBIAN: child("B")},
                     f"next = {OTHER}\n# newer\n")
    a.manifest(generation=9)
    b.manifest(generation=10)
    got = boot(*([b, a] if first else [a, b]))
    assert ran(got, b, "B-other")
    assert ("generation 10, that of disk 0 has generation 9" in got.serial) == (first == 0)
    assert ("configuration is that of disk 1" in got.serial) == (first == 0), got.serial


def test_half_written(pair):
    a, b = pair
    a.manifest(generation=5, state="updating")
    b.manifest(generation=4)
    got = boot(a, b)
    assert ran(got, b, "disk-B")
    assert "half written" in got.serial, got.serial


def test_no_manifests(pair):
    a, b = pair
    got = boot(b, a)
    assert ran(got, b, "disk-B")
    assert "is taken" not in got.serial


@pytest.mark.parametrize("what", ["damaged", "missing", "later version"])
def test_manifest_of_no_use(pair, what):
    a, b = pair
    a.manifest(generation=3, version=2 if what == "later version" else 1)
    b.manifest(generation=2)
    if what == "damaged":
        a.fat.flip(espmanifest.PATH)
    if what == "missing":
        a.remove(espmanifest.PATH)
    got = boot(a, b)
    assert ran(got, b, "disk-B")
    assert {"damaged": "has a damaged manifest", "missing": "has no manifest",
            "later version": "a manifest of a later version"}[what] in got.serial, got.serial


def test_a_loader_written_since_decides_between_equals(pair):
    """grub-install ran on one of two clones."""
    a, b = pair
    a.manifest()
    b.manifest()
    b.put({DEBIAN: child("disk-B-newer")})
    b.fat.set_time(DEBIAN, LATER)
    got = boot(a, b)
    assert ran(got, b, "disk-B-newer")
    assert "older loaders" in got.serial and "changed since the manifest" in got.serial, got.serial


def test_a_later_time_alone_decides_nothing(pair):
    a, b = pair
    a.manifest()
    b.manifest()
    b.fat.set_time(DEBIAN, LATER)
    got = boot(a, b)
    assert ran(got, a, "disk-A")
    assert "changed" not in got.serial, got.serial


def test_of_another_set(pair):
    """A disk of another machine, with more generations behind it."""
    a, b = pair
    a.manifest(generation=1)
    b.manifest(generation=100, set_guid=espmanifest.OTHER_SET)
    assert ran(boot(a, b), a, "disk-A")


def test_removable(pair, tmp_path):
    """A stick with a manifest of a high generation is nobody's business."""
    a, b = pair
    a.manifest(generation=1)
    b.manifest(generation=100)
    b.remove(espdisk.FALLBACK)  # the firmware would start from there
    got = boot(a, extra=["-device", "qemu-xhci", "-drive",
                         f"if=none,id=stick,format=raw,snapshot=on,file={b.path}",
                         "-device", "usb-storage,drive=stick,removable=on"])
    assert ran(got, a, "disk-A")
    assert "1 = USB" in got.serial, f"the stick was not there: {got.serial}"


def test_damaged_configuration(tmp_path):
    """The clone's is read; the loader that it names is on the first disk as well."""
    disks = [espdisk.make(tmp_path, n, {DEBIAN: child("wrong"), OTHER: child("right")},
                          f"next = {OTHER}\n") for n in (0, 1)]
    for disk in disks:
        disk.manifest()
    disks[0].fat.flip(CONFIG, 8)
    got = boot(*disks)
    assert ran(got, disks[0], "right")
    assert "mirrorboot.conf on disk 0 is damaged or missing" in got.serial, got.serial
    assert "configuration is that of disk 1" in got.serial, got.serial


def test_on_mbr_disks(tmp_path):
    """Partitions of type EF, as firmware for UEFI takes them from an MBR, too."""
    a, b = (espdisk.make_mbr(tmp_path, n, {DEBIAN: child(f"disk-{'AB'[n]}")}) for n in (0, 1))
    a.manifest(generation=1)
    b.manifest(generation=2)
    assert ran(boot(a, b), b, "disk-B")
