# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""status and what starts the machine from each disk: mirrorboot, EFI system partitions, boot entries.

The commands that it says are run here, until nothing is left to be done.
"""

import hashlib
import json
import os
import pathlib
import shlex
import struct
import subprocess
import sys

import pytest

from disks import TOP, digest, esp_put, gpt_disk, grub_in_gap, mbr_disk, put, run, sectors, tool

sys.path.insert(0, str(TOP / "images"))
import gptdisk  # noqa: E402
import nvram  # noqa: E402

GRUB = "EFI/debian/grubx64.efi"
DRIFT = "DRIFT: all legs are up to date, but the disks do not start alike."


def answer(*args, status=None):
    r = run("status", "--json", *args)
    said = json.loads(r.stdout)
    assert r.returncode == said["verdict"]["exit_status"]
    assert status is None or r.returncode == status, said["advice"]
    assert [a["warning"] for a in said["advice"]] == said["warnings"]
    return said


def drift(*args):
    """[(warning, next)]"""
    return [(a["warning"], a["next"]) for a in answer(*args)["advice"] if a["level"] == "drift"]


def do(command):
    """What status says to type."""
    words = shlex.split(command)
    assert words[0] == "mirrorboot"
    r = run(*words[1:], "--yes")
    assert r.returncode == 0, (command, r.stdout + r.stderr)


def follow(*args, most=6):
    """Until nothing is left; the commands."""
    done = []
    while said := [n for _, n in drift(*args)]:
        assert len(done) < most and said[0] not in done, (done, drift(*args))
        done.append(said[0])
        do(said[0])
    healthy(*args)
    return done


def healthy(*args):
    r = run("status", *args)
    assert r.returncode == 0 and r.stdout.startswith(
        "HEALTHY: all legs are up to date, and every disk has mirrorboot.\n"), r.stdout
    assert run("status", "--nagios", *args).stdout.startswith("MIRRORBOOT OK - ")


def uefi_disk(x, files=None):
    gpt_disk(x, "md1.2-insync-" + x, esp=True)
    for name, data in (files or {"EFI/BOOT/BOOTX64.EFI": b"MZ loader" * 99, GRUB: b"MZ grub" * 99}).items():
        esp_put(x, name, data)


@pytest.fixture
def uefi(box):
    for x in "ab":
        uefi_disk(x)
    assert run("install", "--uefi", "--yes", "a", "b").returncode == 0
    healthy("a", "b")


@pytest.fixture
def bios(box):
    for x in "ab":
        mbr_disk(x, "md1.2-insync-" + x)
    assert run("install", "--bios", "--yes", "a", "b").returncode == 0
    healthy("a", "b")


# ---- mirrorboot on the disks ----------------------------------------------------------------------

def test_not_installed_is_no_drift(box):
    for x in "ab":
        uefi_disk(x, {GRUB: b"MZ " + x.encode()})
    said = answer("a", "b", status=0)
    assert [(d["bios"], d["uefi"]) for d in said["disks"]] == [("absent", "absent")] * 2
    text = run("status", "a", "b").stdout
    assert "mirrorboot is not installed on these disks.\n  next: mirrorboot install a b\n" in text


def test_grub_install_has_overwritten_it(bios):
    grub_in_gap("b")
    ((warning, command),) = drift("a", "b")
    assert warning == "b: LBA 0 is not our boot code any more: grub-install has put GRUB's there"
    assert command == "mirrorboot install --bios a b"
    r = run("status", "a", "b")
    assert r.returncode == 1 and r.stdout.startswith(DRIFT) and "  b: BIOS (overwritten)\n" in r.stdout
    r = run("status", "--nagios", "a", "b")
    assert r.returncode == 1 and r.stdout.startswith(
        f"MIRRORBOOT WARNING - mirror t:boot healthy; {warning}\n{warning}\nnext: {command}\n")
    assert follow("a", "b") == [command]


def test_another_version(bios):
    put("a", 0, b"\x90" + sectors("a", 0)[1:])
    ((warning, command),) = drift("a", "b")
    assert warning == "a: the boot code of LBA 0 is not this version's"
    assert [d["bios"] for d in answer("a", "b")["disks"]] == ["other-version", "current"]
    assert follow("a", "b") == [command]


def test_damaged_stage2(bios):
    lba = struct.unpack_from("<Q", sectors("b", 0), 424)[0]
    put("b", lba + 3, bytes(512))
    ((warning, command),) = drift("b", "a")
    assert warning == "b: stage2 is damaged" and command == "mirrorboot install --bios b a"
    assert [d["bios"] for d in answer("a", "b")["disks"]] == ["current", "damaged"]
    assert follow("a", "b")


def test_a_new_disk_on_bios(bios):
    os.unlink("b")
    mbr_disk("b", "md1.2-insync-b")
    ((warning, command),) = drift("a", "b")
    assert warning == "b: mirrorboot is not on it: the machine can't start from it"
    assert command == "mirrorboot install --add a b"
    assert follow("a", "b") == [command]


def test_a_new_disk_on_uefi(uefi):
    """Its ESP is not even formatted; then all that follows from one command to the next."""
    os.unlink("b")
    gpt_disk("b", "md1.2-insync-b", esp=True)
    put("b", 2048, bytes(512))
    assert drift("a", "b") == [("b: mirrorboot is not on it: the machine can't start from it",
                                "mirrorboot esp clone --format a b")]
    assert follow("a", "b") == ["mirrorboot esp clone --format a b"]
    os.unlink("b")
    gpt_disk("b", "md1.2-insync-b", esp=True)
    assert follow("a", "b")[0] == "mirrorboot install --add a b"


def test_a_disk_that_is_in_another_mirror(bios):
    """Nobody wants to start from the data disks."""
    for x in "ab":
        mbr_disk(x + "data", "md0.90-insync-" + x)
    assert run("status", "a", "b", "adata", "bdata").returncode == 0
    assert [d["bios"] for d in answer("a", "adata", "b", "bdata")["disks"]] == ["current", "absent"] * 2


def test_another_loader_in_place_of_ours(uefi):
    esp_put("b", "EFI/BOOT/BOOTX64.EFI", b"MZ somebody's own")
    warnings = drift("a", "b")
    assert ("b: \\EFI\\BOOT\\BOOTX64.EFI is not ours any more: another loader is there",
            "mirrorboot install --uefi a b") in warnings
    assert [d["uefi"] for d in answer("a", "b")["disks"]] == ["current", "overwritten"]
    assert follow("a", "b")


# ---- EFI system partitions ------------------------------------------------------------------------

def test_a_kernel_on_one_of_them(uefi):
    esp_put("b", "EFI/Linux/new.efi", b"MZ new kernel")
    esp_put("b", GRUB, b"MZ new grub" * 99)
    ((warning, command),) = drift("a", "b")
    assert warning == "b: 2 files on its EFI system partition changed since the others were cloned"
    assert command == "mirrorboot esp clone b a"
    assert run("status", "a", "b").stdout.startswith(DRIFT)
    assert [d["esp"]["generation"] for d in answer("a", "b")["disks"]] == [1, 1]
    assert follow("a", "b") == [command]
    esps = [d["esp"] for d in answer("a", "b")["disks"]]
    assert [(e["generation"], e["complete"], e["entry"]) for e in esps] == [(2, True, None)] * 2
    assert esps[0]["guid"] != esps[1]["guid"] and esps[0]["partition"] == 1


def test_a_change_on_both(uefi):
    for x in "ab":
        esp_put(x, GRUB, b"MZ by " + x.encode())
    said = drift("a", "b")
    assert "mirrorboot esp diff a b" in [n for _, n in said] and len(said) == 2
    do("mirrorboot esp clone b a")
    healthy("a", "b")


def test_one_that_missed_an_update(uefi):
    old = pathlib.Path("b").read_bytes()
    esp_put("a", GRUB, b"MZ new grub")
    do("mirrorboot esp clone a b")
    pathlib.Path("b").write_bytes(old)
    assert drift("b", "a") == [("b: its EFI system partition is older than that of a (generation 1, there 2)",
                                "mirrorboot esp clone a b")]
    assert follow("b", "a") == ["mirrorboot esp clone a b"]


def test_installed_and_never_cloned(box):
    """Each manifest is right, and a loader is on one disk alone. The full one is the source."""
    uefi_disk("a", {"EFI/other/x.efi": b"MZ x"})
    uefi_disk("b")
    assert run("install", "--uefi", "--yes", "a", "b").returncode == 0
    ((warning, command),) = drift("a", "b")
    assert warning == ("a: its EFI system partition differs from that of b (files that are others or "
                       "missing: 1, more than there: 1)")
    assert command == "mirrorboot esp clone b a"
    assert follow("a", "b") == [command]


def test_each_installed_alone(box):
    for x in "ab":
        uefi_disk(x)
        assert run("install", "--uefi", "--yes", x).returncode == 0
    ((warning, command),) = drift("a", "b")
    assert warning.endswith(": its EFI system partition was never cloned with that of a")
    assert follow("a", "b") == ["mirrorboot esp clone a b"]


def test_a_cut_update(uefi):
    """A manifest that says "updating", as a clone writes it first."""
    manifest = tool("mcopy", "-n", "-i", "b@@1M", "::/EFI/mirrorboot/manifest", "-",
                    env=dict(os.environ, MTOOLS_SKIP_CHECK="1"))
    head = [x for x in manifest.split(b"\n") if x and not x.startswith((b"file ", b"end "))]
    body = b"\n".join(head).replace(b"state complete", b"state updating") + b"\n"
    esp_put("b", "EFI/mirrorboot/manifest", body + b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n")
    assert drift("a", "b") == [("b: the last update of its EFI system partition was cut",
                                "mirrorboot esp clone a b")]
    assert [d["esp"]["complete"] for d in answer("a", "b")["disks"]] == [True, False]
    assert follow("a", "b")


def test_a_damaged_manifest(uefi):
    esp_put("a", "EFI/mirrorboot/manifest", b"mirrorboot-manifest 1\nnothing\n")
    assert drift("a", "b") == [("a: its manifest is damaged", "mirrorboot esp clone b a")]
    assert follow("a", "b")


def test_a_mounted_target(uefi):
    """Mounted: an ext4 in the ESP's last sectors, as not every kernel can mount a FAT."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts through a loop device")
    esp_put("a", GRUB, b"MZ new grub")
    at = 2048 * 512 + (24 << 20)
    pathlib.Path("fs").write_bytes(bytes(8 << 20))
    tool("mkfs.ext4", "-q", "fs")
    put("b", at // 512, pathlib.Path("fs").read_bytes())
    os.mkdir("m")
    r = subprocess.run(["mount", "-r", "-o", f"loop,offset={at},sizelimit={8 << 20}", "b", "m"],
                       capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop mounts do not work here: " + r.stderr.strip())
    try:
        where = os.path.abspath("m")
        assert answer("a", "b")["disks"][1]["esp"]["mounted_on"] == where
        assert f"  b: UEFI; ESP: partition 1, generation 1, on {where}\n" in run("status", "a", "b").stdout
        assert [n for _, n in drift("a", "b")] == [f"umount {where} && mirrorboot esp clone a b; mount {where}"]
        # The source may be mounted.
        assert [n for _, n in drift("b")] == []
    finally:
        subprocess.run(["umount", "m"], check=True)
    assert follow("a", "b") == ["mirrorboot esp clone a b"]


def test_no_file_is_read(uefi):
    """What has size and time of before counts as it was: that is for verify to see."""
    where = pathlib.Path("a").read_bytes().index(b"MZ grub" * 90)
    with open("a", "r+b") as f:
        f.seek(where)
        f.write(b"XX")
    healthy("a", "b")
    assert run("verify", "a", "b").returncode == 3


def test_nothing_is_written(uefi):
    esp_put("b", GRUB, b"MZ new")
    before = [digest(x) for x in "ab"]
    for args in [], ["--json"], ["--nagios"], ["--journal"]:
        run("status", *args, "a", "b")
    assert [digest(x) for x in "ab"] == before


# ---- boot entries ---------------------------------------------------------------------------------

class Firmware:
    def __init__(self):
        self.path = pathlib.Path("vars")
        self.path.mkdir()

    def set(self, name, data):
        (self.path / f"{name}-{nvram.GLOBAL}").write_bytes(struct.pack("<I", 7) + data)

    def entries(self, *options):
        for p in self.path.glob("Boot*"):
            p.unlink()
        for i, data in enumerate(options):
            self.set(f"Boot{i:04X}", data)
        self.set("BootOrder", struct.pack(f"<{len(options)}H", *range(len(options))))


def esp_of(path):
    """As a boot entry names it."""
    info = tool("sgdisk", "-i", "1", path).decode()
    guid = info.split("unique GUID: ")[1].split()[0].lower()
    return gptdisk.Part(1, gptdisk.ESP, guid, 2048, 65536, 0)


@pytest.fixture
def firmware(uefi, monkeypatch):
    fw = Firmware()
    monkeypatch.setenv("MIRRORBOOT_EFIVARS", str(fw.path))
    fw.a, fw.b = (nvram.entry("debian", esp_of(x), "\\EFI\\debian\\grubx64.efi") for x in "ab")
    return fw


def test_entries_for_both(firmware):
    firmware.entries(firmware.b, firmware.a)
    healthy("a", "b")
    assert [d["esp"]["entry"] for d in answer("a", "b")["disks"]] == ["0001", "0000"]
    assert "generation 1, Boot0001\n" in run("status", "a", "b").stdout


def test_an_esp_without_entry(firmware):
    firmware.entries(firmware.a)
    assert drift("a", "b") == [("b: no boot entry leads to its EFI system partition",
                                "mirrorboot entries clone --from a --to b a b")]
    text = run("status", "a", "b").stdout
    assert text.startswith(DRIFT) and "  b: UEFI; ESP: partition 1, generation 1, no boot entry\n" in text
    assert follow("a", "b") == ["mirrorboot entries clone --from a --to b a b"]
    # Firmware that forgets one: the record knows of it.
    (firmware.path / f"Boot0001-{nvram.GLOBAL}").unlink()
    firmware.set("BootOrder", struct.pack("<H", 0))
    ((warning, command),) = drift("a", "b")
    assert warning == 'boot entry "debian (mirror)", which was 0001, is gone from the firmware'
    assert command == "mirrorboot entries repair a b"
    do(command)
    healthy("a", "b")


def test_entries_that_lead_nowhere(firmware):
    gone = gptdisk.Part(1, gptdisk.ESP, "01234567-89ab-cdef-0123-456789abcdef", 2048, 65536, 0)
    firmware.entries(firmware.a, firmware.b, nvram.entry("old", gone, "\\EFI\\x.efi"),
                     nvram.entry("bare", esp_of("a"), "\\EFI\\none.efi"))
    assert drift("a", "b") == [
        ('boot entry 0002 "old" leads to a partition that is gone', "mirrorboot entries delete --id 0002"),
        ('boot entry 0003 "bare" leads to a file that is gone', "mirrorboot entries delete --id 0003")]
    # With a leg missing it is most likely that disk's.
    assert ('boot entry 0001 "debian" leads to a partition that is gone, with its disk perhaps: keep it until '
            "that is back or replaced", None) in drift("a")


def test_another_machine_s_firmware(firmware):
    """None of its entries leads to these disks: they are not its own."""
    gone = gptdisk.Part(1, gptdisk.ESP, "01234567-89ab-cdef-0123-456789abcdef", 2048, 65536, 0)
    firmware.entries(nvram.entry("old", gone, "\\EFI\\x.efi"))
    healthy("a", "b")
    (firmware.path / f"Boot0000-{nvram.GLOBAL}").write_bytes(b"\1\2\3")
    healthy("a", "b")


def test_entries_matter_only_with_mirrorboot(box, monkeypatch):
    for x in "ab":
        uefi_disk(x)
    fw = Firmware()
    monkeypatch.setenv("MIRRORBOOT_EFIVARS", str(fw.path))
    fw.entries(nvram.entry("debian", esp_of("a"), "\\EFI\\debian\\grubx64.efi"))
    assert answer("a", "b", status=0)["warnings"] == []
