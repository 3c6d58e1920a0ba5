# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The disks that `make bench` boots: the reader, mirrorboot or GRUB in front of the same mirror."""

import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import diskimage
import filesystem
import gptdisk
import grub
import mdmember
import scenario

TESTS = Path(__file__).resolve().parent
MIB = 1 << 20
LEG = "md1.2-insync-a", "md1.2-insync-b"

# As little of GRUB as finds a file in the mirror. It starts it as a boot sector.
GRUB_MODULES = ["biosdisk", "part_msdos", "ext2", "mdraid1x", "search_fs_uuid", "chain", "boot"]
GRUB_SCRIPT = f"""\
search.fs_uuid {filesystem.UUID} root
chainloader --force /reader
boot
"""
# On UEFI its chainloader takes nothing from a mirror: it reads a file there, and starts one from
# the EFI system partition.
GRUB_EFI_MODULES = ["part_gpt", "ext2", "fat", "mdraid1x", "search_fs_uuid", "search_fs_file", "cat",
                    "chain", "boot"]
GRUB_EFI_SCRIPT = f"""\
search.fs_uuid {filesystem.UUID} root
cat /marker
search.file /EFI/test/bench.efi root
chainloader /EFI/test/bench.efi
boot
"""
MODE = re.compile(rb"BENCH-MODE:\.{8}")

# Where the MBR's own TSC reading is kept; bench_reader.asm knows it too.
TICKS = 0x5F0
_AT = 3  # in the MBR, where a BIOS parameter block would be


# ---- MBR disks -------------------------------------------------------------------------------

def reader(folder, first_lba, reads=True):
    """bench_reader.asm. reads=False: it only says that it was started."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "reader"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", f"-DFIRST_LBA={first_lba}",
                    *([] if reads else ["-DNO_READS"]),
                    "-o", str(out), str(TESTS / "bench_reader.asm")], check=True)
    return out.read_bytes()


def put_boot_code(path, code):
    with open(path, "r+b") as f:
        f.write(code[:440])


def put_ticks(path):
    """The MBR reads the TSC first, two instructions after its entry as the reader does."""
    with open(path, "r+b") as f:
        lba_0 = f.read(512)
        if lba_0[0] != 0xEB:
            raise RuntimeError(f"{path} does not begin with a short jump")
        goes_to = 2 + lba_0[1]
        code = (b"\x88\xd3\x0f\x31"                                 # mov bl, dl; rdtsc
                b"\x2e\x66\xa3" + struct.pack("<H", TICKS)          # mov [cs:TICKS], eax
                + b"\x2e\x66\x89\x16" + struct.pack("<H", TICKS + 4)  # mov [cs:TICKS + 4], edx
                + b"\x88\xda")                                      # mov dl, bl
        code += b"\xeb" + bytes([goes_to - (_AT + len(code)) - 2])
        f.seek(0)
        f.write(b"\xeb" + bytes([_AT - 2]) + lba_0[2:3] + code)


def with_reader(folder, reads=True):
    """The reader as the MBR of both disks; it reads the mirror's data."""
    disks = scenario.make("in-sync", folder, loader=None)
    code = reader(folder, disks.member_lba[0] + disks.data_s512, reads)
    for path in disks.paths:
        put_boot_code(path, code)
    return disks


def with_grub(folder):
    """GRUB on both disks, the reader as a file in the mirror."""
    disks = scenario.make("in-sync", folder)
    boot_sector = reader(folder, 1, reads=False).ljust(510, b"\0") + b"\x55\xaa"
    core = grub.mkimage("i386-pc", GRUB_MODULES, GRUB_SCRIPT)
    for path, fixture in zip(disks.paths, LEG):
        files = filesystem.make(disks.size_s512, 2, {"/reader": boot_sector})
        diskimage.mbr_disk(path, mdmember.compose(fixture, files), core=core)
    return replace(disks)


def other_member(n):
    """The leg of disk n (2, 3 ...) of a machine of many: each pair of disks is a mirror of its own."""
    uuid = bytes([0xD0 + n // 2]) * 16
    data = mdmember.changed(mdmember.fixture(LEG[n % 2]), {16: ("16s", uuid)})
    sb = mdmember.Superblock(data)
    files = bytearray(scenario.member(LEG[0], 2)[sb.data_s512 * 512:][:sb.size_s512 * 512])
    files[1024 + 0x68:1024 + 0x78] = uuid
    return data[:sb.data_s512 * 512] + bytes(files) + data[(sb.data_s512 + sb.size_s512) * 512:]


def more_disks(folder, count, gpt=False):
    """Disks 2 ... count - 1, with nothing to boot from."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(2, count):
        paths.append(folder / f"{n}.img")
        if not paths[-1].exists():
            if gpt:
                gptdisk.write(paths[-1], [(gptdisk.RAID, other_member(n))], n)
            else:
                diskimage.mbr_disk(paths[-1], other_member(n), loader=None)
                with open(paths[-1], "r+b") as f:
                    f.seek(440)
                    f.write(b"mb" + struct.pack("<H", n))
    return paths


# ---- GPT disks -------------------------------------------------------------------------------

def application(build, mode):
    return MODE.sub(b"BENCH-MODE:" + mode.encode().ljust(8, b"."),
                    (build / "bench.efi").read_bytes())


def with_uefi(build, folder, mode, sector=512, app=None):
    """bench.efi is what the firmware starts; it starts `app`, mirrorboot when there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, starts, bench = [], [], application(build, mode)
    for n, fixture in enumerate(LEG):
        esp = gptdisk.fat(20 * MIB, {
            "/EFI/BOOT/BOOTX64.EFI": bench, "/EFI/test/bench.efi": bench,
            "/EFI/mirrorboot/app.efi": app or (build / "mirrorboot.efi").read_bytes(),
            "/EFI/mirrorboot/mirrorboot.conf": b"next = /EFI/test/bench.efi\n"}, sector)
        paths.append(folder / f"{'ab'[n]}.img")
        parts = gptdisk.write(paths[-1], [(gptdisk.ESP, esp),
                                          (gptdisk.RAID, scenario.member(fixture, 2))], n, sector)
        starts.append(parts[1].start_bytes // 512)
    return paths, starts


def grub_efi():
    return grub.mkimage("x86_64-efi", GRUB_EFI_MODULES, GRUB_EFI_SCRIPT)
