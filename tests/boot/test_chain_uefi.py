# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""From mirrorboot to the next loader: checked before it runs, and told where it comes from.

Most loaders are tests/efi/child.c, which says which one it is. What lies on an ESP is
damaged after its manifest was written: by a bit, or by sectors that give no data.
"""

import struct

import pytest

import efipackages
import espdisk
import grub
import linux
import nvram
import qemu
import screen
from espdisk import CONFIG, DEBIAN, FALLBACK, REPLACED, child

BESIDE = "/EFI/debian/fonts/unicode.pf2"
KERNEL = "/EFI/Linux/vmlinuz"
OTHER = "/EFI/other/loader.efi"
ENDS = (espdisk.DONE, grub.DONE, "No bootable option")


def drives(disks):
    return [d if isinstance(d, qemu.Drive) else d.drive() for d in disks]


def boot(*disks, firmware="uefi", until=ENDS, **kw):
    return qemu.boot(drives(disks), firmware, kw.pop("controller", None), until=until,
                     timeout_s=180, **kw)


def make(tmp_path, files=None, config=""):
    """Two disks, clones of each other but for the label of the loader."""
    disks = [espdisk.make(tmp_path, n, {DEBIAN: child(f"disk-{'AB'[n]}"), **(files or {})}, config)
             for n in (0, 1)]
    for disk in disks:
        disk.manifest()
    return disks


def ran(got, disk, name):
    assert espdisk.label(got.serial) == name, got.serial
    assert espdisk.is_on(got.serial, disk), got.serial
    return True


# ---- damage ----------------------------------------------------------------------------------

@pytest.mark.parametrize("where", [DEBIAN, BESIDE])
def test_one_bit(tmp_path, where):
    """In the loader, or in a file of its folder; a lesser loader of the same ESP is not taken."""
    a, b = make(tmp_path, {BESIDE: b"font" * 9999, REPLACED: child("lesser")},
                f"next = {DEBIAN}\n")
    a.fat.flip(where)
    got = boot(a, b)
    assert ran(got, b, "disk-B")
    assert where.replace("/", "\\") + " on disk 0 is damaged." in got.serial, got.serial


def test_name_that_is_not_ascii(tmp_path, monkeypatch):
    monkeypatch.setitem(espdisk.gptdisk.MTOOLS, "LC_ALL", "C.UTF-8")
    name = "/EFI/debian/Schlüssel ∀.txt"
    a, b = make(tmp_path, {name: b"key" * 100})
    a.fat.flip(name)
    got = boot(a, b)
    assert ran(got, b, "disk-B")
    assert "Schl" in got.serial and "on disk 0 is damaged." in got.serial, got.serial


@pytest.mark.parametrize("verify, name", [("", "disk-A"), ("verify = all\n", "disk-B")])
def test_kernel_elsewhere_on_the_esp(tmp_path, verify, name):
    a, b = make(tmp_path, {KERNEL: b"kernel" * 9999}, verify)
    a.fat.flip(KERNEL)
    assert ran(boot(a, b), a if name == "disk-A" else b, name)


def test_verify_no(tmp_path):
    """Nothing is looked at; the firmware reads the loader by itself."""
    a, b = make(tmp_path, {BESIDE: b"font" * 9999}, "verify = no\n")
    a.fat.flip(BESIDE)
    assert ran(boot(a, b), a, "disk-A")


# The firmware reads FAT in pieces of 64 KiB: bad sectors in a small file are bad for its neighbours.
PADDING = b"padding." * (64 << 10)
MIDDLE = slice(600, 604)


@pytest.mark.parametrize("controller", ["virtio-blk", "nvme", "ahci"])
def test_unreadable(tmp_path, controller):
    """AHCI in this firmware calls a failed read a success: only the hash tells."""
    a, b = make(tmp_path, {DEBIAN: child("disk") + PADDING})
    failed = []
    got = boot(a.drive(a.fat.file(DEBIAN).sectors[MIDDLE]), b, controller=controller,
               marks={espdisk.DONE: lambda m: failed.append(m.reads()[0][1])})
    assert ran(got, b, "disk")
    assert failed[0] >= 1, "the bad sectors were not met: nothing was proved"
    what = "is damaged" if controller == "ahci" else "can't be read"
    assert DEBIAN.replace("/", "\\") + f" on disk 0 {what}." in got.serial, got.serial


def test_unreadable_and_no_manifest(tmp_path):
    """The same loader of the other disk is better than a lesser one of this disk."""
    a, b = (espdisk.make(tmp_path, n, {DEBIAN: child(f"disk-{'AB'[n]}") + PADDING,
                                       REPLACED: child("lesser")}, f"next = {DEBIAN}\n")
            for n in (0, 1))
    got = boot(a.drive(a.fat.file(DEBIAN).sectors[MIDDLE]), b)
    assert ran(got, b, "disk-B")
    assert "on disk 0 can't be read." in got.serial, got.serial


def test_missing(tmp_path):
    a, b = make(tmp_path, {REPLACED: child("lesser")}, f"next = {DEBIAN}\n")
    a.remove(DEBIAN)
    got = boot(a, b)
    assert ran(got, b, "disk-B")
    assert "on disk 0 is missing." in got.serial, got.serial


def test_changed_on_purpose(tmp_path):
    a, b = make(tmp_path)
    a.put({DEBIAN: child("disk-A") + bytes(8)})
    got = boot(a, b)
    assert ran(got, a, "disk-A")
    assert "changed since the manifest of disk 0 was written" in got.serial, got.serial
    assert "esp manifest" in got.serial


def test_everything_is_damaged(tmp_path):
    """Said, and tried after a pause: the disk whose loader itself is whole comes first."""
    a, b = make(tmp_path, {BESIDE: b"font" * 9999})
    a.fat.flip(DEBIAN, at=-1 + a.fat.file(DEBIAN).size)
    b.fat.flip(BESIDE)
    got = boot(a, b, marks={"No EFI system partition is whole": lambda m: m.key("spc")})
    assert ran(got, b, "disk-B")
    assert got.marks, got.serial


def test_refused_on_the_way_from_damage(tmp_path):
    """Secure Boot: the other disk's loader is not signed. Nothing else is started."""
    import secureboot
    own = {FALLBACK: secureboot.sign(espdisk.application())}
    signed = secureboot.sign(child("signed"))
    a, b = (espdisk.make(tmp_path, n, {**own, DEBIAN: [signed, child("unsigned")][n],
                                       REPLACED: signed, OTHER: signed},
                         f"next = {DEBIAN}, {OTHER}\n") for n in (0, 1))
    a.manifest()
    b.manifest()
    a.fat.flip(DEBIAN)
    got = boot(a, b, firmware="uefi-secure")
    assert "on disk 0 is damaged." in got.serial, got.serial
    assert "does not trust \\EFI\\debian\\grubx64.efi: stopped" in got.serial, got.serial
    assert espdisk.label(got.serial) is None, got.serial


def test_grub_of_the_other_disk(shelf):
    """Real GRUB, a real mirror, a damaged loader on the disk that was started."""
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    esps = [espdisk.Disk(path, espdisk.gptdisk.Part(1, "", "", 2048, 32768, 2048 * 512))
            for path in disks.paths]
    for esp in esps:
        esp.manifest()
    esps[0].fat.flip(REPLACED)
    got = qemu.boot(disks.drives(), "uefi", until=ENDS, timeout_s=180)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert "REPLACED.EFI on disk 0 is damaged." in screen.text(got.serial), got.serial


# ---- what is started, and what it is told ------------------------------------------------------

def test_next_is_a_list(tmp_path):
    """One that is not there, one that is no program, one that is; slashes either way, or none."""
    a = espdisk.make(tmp_path, 0, {"/EFI/x/text.efi": b"no program\n" * 99, OTHER: child("third"),
                                   DEBIAN: child("known")},
                     "next = \\EFI\\gone.efi, EFI/x/text.efi ,\\EFI/other\\loader.efi\n")
    got = boot(a)
    assert ran(got, a, "third") and espdisk.file(got.serial) == OTHER
    assert "Configured, and not there: \\EFI\\gone.efi" in got.serial, got.serial
    assert "text.efi can't be loaded" in got.serial, got.serial


@pytest.fixture
def entries(tmp_path):
    """Boots with these boot entries."""
    def boot_with(disks, *options, **kw):
        nvram.write(tmp_path / "variables", nvram.entries(*options))
        return boot(*disks, variables=tmp_path / "variables", **kw)
    return boot_with


def test_options_of_the_boot_entry(tmp_path, entries):
    """And a file that they name, read by the loader from the device that it was told."""
    a = espdisk.make(tmp_path, 0, {OTHER: child("stub"), "/EFI/other/initrd": b"initrd" * 5555})
    options = r"initrd=\EFI\other\initrd root=/dev/md0 quiet"
    got = entries([a], nvram.entry("mirrorboot", a.esp, FALLBACK),
                  nvram.entry("Linux", a.esp, OTHER, options))
    assert ran(got, a, "stub") and espdisk.options(got.serial) == options, got.serial
    assert espdisk.initrd_is(got.serial, b"initrd" * 5555), got.serial


def test_options_of_an_entry_go_with_next(tmp_path, entries):
    """Seven letters and a NUL: as many bytes as a firmware marks its own entries with, and no mark."""
    a = espdisk.make(tmp_path, 0, {OTHER: child("stub"), DEBIAN: child("known")},
                     f"next = {OTHER}\n")
    got = entries([a], nvram.entry("mirrorboot", a.esp, FALLBACK, "not these"),
                  nvram.entry("GRUB", a.esp, DEBIAN, "nor these"),
                  nvram.entry("Linux", a.esp, OTHER, "verbose"))
    assert ran(got, a, "stub") and espdisk.options(got.serial) == "verbose", got.serial


def test_own_options_are_handed_on(tmp_path, entries):
    a = espdisk.make(tmp_path, 0, {DEBIAN: child("known")})
    got = entries([a], nvram.entry("mirrorboot", a.esp, FALLBACK, "quiet splash"))
    assert ran(got, a, "known") and espdisk.options(got.serial) == "quiet splash", got.serial


def test_entries_of_the_clone(tmp_path, entries):
    """The newest ESP has no entry of its own; the other's names a file that is on both.

    That entry's path is a full one, from the PCI bus on.
    """
    a, b = make(tmp_path, {OTHER: child("stub")})
    b.manifest(generation=2)
    whole = nvram.entry("Linux", a.esp, OTHER, "these")
    bus = bytes.fromhex("02010c00d041030a00000000" "010106000002")  # PciRoot(0)/Pci(2,0)
    at = whole.index(b"\x04\x01\x2a\x00")
    whole = (struct.pack("<IH", 1, struct.unpack_from("<H", whole, 4)[0] + len(bus))
             + whole[6:at] + bus + whole[at:])
    got = entries([a, b], nvram.entry("mirrorboot", a.esp, FALLBACK), whole)
    assert ran(got, b, "stub") and espdisk.options(got.serial) == "these", got.serial
    assert "the boot entry of its clone" in got.serial


def test_entries_of_the_source_that_is_gone(tmp_path, entries):
    """The disk that was cloned from is detached: its entry tells which loader, all the same."""
    a, b = make(tmp_path, {OTHER: child("stub")})
    b.manifest(source=a.esp.guid)
    got = entries([b], nvram.entry("Linux", a.esp, OTHER, "these"))
    assert ran(got, b, "stub") and espdisk.options(got.serial) == "these", got.serial


def test_loader_that_returns(tmp_path):
    """The firmware goes on to its next boot option: the other disk, as if nothing had been."""
    a, b = (espdisk.make(tmp_path, n, {DEBIAN: child(["return-A", "disk-B"][n])}) for n in (0, 1))
    got = boot(a, b, until=("CHILD: label disk-B", "No bootable option"))
    assert "CHILD: label return-A" in got.serial, got.serial
    assert "came back (EFI status 21)" in got.serial, got.serial
    assert got.serial.count("mirrorboot 0") == 2 and espdisk.label(got.serial) == "disk-B"


# ---- shim --------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def shim():
    try:
        return efipackages.prepare(espdisk.cli.build_folder() / "oracle")["shim"]
    except linux.Unavailable as e:
        pytest.skip(f"SHIM NOT TESTED: {e}")


def test_shim_is_started(tmp_path, shim):
    """It finds its second stage beside itself: by the device and the path that it was told."""
    a, b = (espdisk.make(tmp_path, n, {"/EFI/debian/shimx64.efi": shim,
                                       DEBIAN: child(f"disk-{'AB'[n]}")}) for n in (0, 1))
    a.manifest()
    b.manifest(generation=2)
    assert ran(boot(a, b), b, "disk-B")


def test_shim_starts_mirrorboot(tmp_path, shim):
    """Below shim, LoadImage is shim's."""
    a, b = (espdisk.make(tmp_path, n, {FALLBACK: shim, "/EFI/BOOT/grubx64.efi":
                                       espdisk.application(), DEBIAN: child(f"disk-{'AB'[n]}")})
            for n in (0, 1))
    a.manifest()
    b.manifest(generation=2)
    got = boot(a, b)
    assert ran(got, b, "disk-B") and espdisk.file(got.serial) == DEBIAN
