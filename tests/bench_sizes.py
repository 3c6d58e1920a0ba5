# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Bytes on the disk and in memory, beside what others of the same kind take."""

import subprocess
from pathlib import Path

import bench_disks
import grub
from bench_page import Row

# Base memory that others keep: iPXE 0ab2277c's text16 and data16 (nm); memdisk of syslinux
# 6.04-pre1: 1744 bytes of code, E820 records, command line, 512 bytes of stack, in whole KiB.
IPXE_RESIDENT, MEMDISK_RESIDENT = 2355 + 12496, 3072
STAGE2 = (("stage2", "for all formats", 80), ("stage2-md", "md only", 68),
          ("stage2-ldm", "LDM only", 70), ("stage2-small", "small", 55))
RESIDENT_LIMIT, SECTOR = 8192, 512


def symbol(elf, name):
    out = subprocess.run(["nm", str(elf)], check=True, capture_output=True, text=True).stdout
    return next(int(f[0], 16) for f in map(str.split, out.splitlines()) if f[-1] == name)


def sectors(n_bytes):
    return -(-n_bytes // SECTOR)


def rows(build, section):
    boot_img = len((grub.LIB / "i386-pc/boot.img").read_bytes()[:440])
    core = len(grub.mkimage("i386-pc", bench_disks.GRUB_MODULES, bench_disks.GRUB_SCRIPT))
    usual = len(grub.core_img())
    out = [Row("size.mbr", "MBR code, bytes", (build / "mbr.bin").stat().st_size, boot_img,
               "GRUB's boot.img", limit=440)]
    out += [Row(f"size.{name}", f"stage2 {what}, sectors", sectors((build / f"{name}.bin").stat().st_size),
                sectors(core), "GRUB's core.img: biosdisk, md 1.x, ext2, chain", limit=limit)
            for name, what, limit in STAGE2]
    out.append(Row("size.stage2.usual", "stage2 for all formats, sectors", out[1].ours, sectors(usual),
                   "core.img that also has a shell, md 0.90, SHA-256"))
    resident = symbol(build / "resident.elf", "resident_bytes")
    out += [Row(f"size.resident.{name}", "resident: code, state, stack, bytes", resident, others,
                what, limit=RESIDENT_LIMIT)
            for name, others, what in (("ipxe", IPXE_RESIDENT, "iPXE's INT 13h, base memory only"),
                                       ("memdisk", MEMDISK_RESIDENT, "memdisk: a disk in memory"))]
    efi = (build / "mirrorboot.efi").stat().st_size
    out.append(Row("size.efi.grub", "EFI application, bytes", efi, len(bench_disks.grub_efi()),
                   "GRUB's: md 1.x, ext2, fat, chain"))
    ipxe = Path("/usr/lib/ipxe/ipxe.efi")
    if ipxe.exists():
        out.append(Row("size.efi.ipxe", "EFI application, bytes", efi, ipxe.stat().st_size,
                       "iPXE's, all drivers"))
    return out
