# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disk images with a partition table, GRUB and one member: no root, no loop devices."""

import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

import grub
import mdmember

FIRST_LBA = 2048
ESP_S512 = 32768        # 16 MiB, FAT16
BIOS_BOOT_S512 = 2048   # 1 MiB: core.img, then room for the boot area in its tail
TAIL_S512 = 2048

core_img = lru_cache(maxsize=None)(grub.core_img)
efi_application = lru_cache(maxsize=None)(grub.efi_application)


def _create(path, sectors):
    with open(path, "wb") as f:
        f.truncate(sectors * 512)


def _poke(path, lba, data):
    with open(path, "r+b") as f:
        mdmember.write_sparse(f, lba * 512, data)


def _poke_code(path, code):
    with open(path, "r+b") as f:
        f.write(code)


def mbr_disk(path, member, loader="grub", before=(), tail_s512=TAIL_S512, core=None,
             first_lba=FIRST_LBA):
    """An MBR disk: optional other partitions, then the member's; GRUB in the gap.

    before: sizes (sectors) of partitions to put in front. loader: "grub", or None for a
    disk that boots nothing. core: another core.img for "grub". first_lba: of the first
    partition. Returns the LBA that the member starts at.
    """
    member_s512 = len(member) // 512
    start = first_lba
    lines = ["label: dos"]
    for size in before:
        lines.append(f"start={start}, size={size}, type=83")
        start += size
    lines.append(f"start={start}, size={member_s512}, type=fd, bootable")
    _create(path, start + member_s512 + tail_s512)
    subprocess.run(["/usr/sbin/sfdisk", "-q", "--no-reread", "--no-tell-kernel", "-W", "never",
                    str(path)], input="\n".join(lines) + "\n", text=True, check=True,
                   capture_output=True)
    if loader == "grub":
        core = core or core_img()
        if len(core) > (first_lba - 1) * 512:
            raise ValueError("core.img does not fit into the gap")
        _poke(path, 1, grub.place_core(core, 1))
        _poke_code(path, grub.boot_code(1))
    _poke(path, start, member)
    return start


def gpt_disk(path, member, number, loader="grub"):
    """A GPT disk: ESP with GRUB as fallback loader, BIOS boot partition with core.img, member.

    number (0, 1 ...) makes the GUIDs of the disks differ. Returns the LBA of the member.
    """
    member_s512 = len(member) // 512
    bios_lba = FIRST_LBA + ESP_S512
    member_lba = bios_lba + BIOS_BOOT_S512
    _create(path, member_lba + member_s512 + TAIL_S512)

    def guid(part):
        return f"6d697272-6f72-4b00-8{number:03x}-{part:012x}"

    subprocess.run(["/usr/sbin/sgdisk", "-U", guid(0),
                    "-n", f"1:{FIRST_LBA}:+{ESP_S512}", "-t", "1:EF00", "-u", f"1:{guid(1)}",
                    "-n", f"2:{bios_lba}:+{BIOS_BOOT_S512}", "-t", "2:EF02", "-u", f"2:{guid(2)}",
                    "-n", f"3:{member_lba}:+{member_s512}", "-t", "3:FD00", "-u", f"3:{guid(3)}",
                    str(path)], check=True, capture_output=True)
    subprocess.run(["/usr/sbin/mkfs.vfat", "-F", "16", "-n", f"ESP{number}",
                    "-i", f"{0x6D620000 + number:08x}", "--offset", str(FIRST_LBA), str(path),
                    str(ESP_S512 // 2)], check=True, capture_output=True)
    if loader == "grub":
        put_on_esp(path, "/EFI/BOOT/BOOTX64.EFI", efi_application())
        _poke(path, bios_lba, grub.place_core(core_img(), bios_lba))
        _poke_code(path, grub.boot_code(bios_lba))
    _poke(path, member_lba, member)
    return member_lba


def _mtools(*args):
    env = {"MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    return subprocess.run(args, check=True, capture_output=True, env=env).stdout


def esp_of(path):
    """mtools' name for the ESP of a GPT disk made here."""
    return f"{path}@@{FIRST_LBA * 512}"


def put_on_esp(path, name, data):
    folder = ""
    for part in Path(name).parent.parts[1:]:
        folder += "/" + part
        try:
            _mtools("mmd", "-D", "s", "-i", esp_of(path), "::" + folder)
        except subprocess.CalledProcessError:
            pass  # there already
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-esp-") as f:
        f.write(data)
        f.flush()
        _mtools("mcopy", "-D", "o", "-o", "-i", esp_of(path), f.name, "::" + name)


def get_from_esp(path, name):
    return _mtools("mtype", "-i", esp_of(path), "::" + name)


def del_from_esp(path, name):
    _mtools("mdel", "-i", esp_of(path), "::" + name)
