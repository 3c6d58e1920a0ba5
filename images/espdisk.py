# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks with an EFI system partition and mirrorboot on it, no mirror: for what is chosen and started."""

import hashlib
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cli
import espmanifest
import fatread
import gptdisk
import mdmember
import nvram
import qemu

FALLBACK = "/EFI/BOOT/BOOTX64.EFI"
REPLACED = "/EFI/BOOT/BOOTX64.REPLACED.EFI"
CONFIG = "/EFI/mirrorboot/mirrorboot.conf"
DEBIAN = "/EFI/debian/grubx64.efi"
DONE = "CHILD: done"
ESP_BYTES = 20 << 20
LABEL, LABEL_CHARS = b"CHILD-LABEL:", 16


def child(label):
    """tests/efi/child.c as a loader of this name."""
    image = bytearray((cli.build_folder() / "child.efi").read_bytes())
    at = image.index(LABEL) + len(LABEL)
    if image.count(LABEL) != 1 or len(label) > LABEL_CHARS:
        raise ValueError("no single place for the label, or too small")
    image[at:at + LABEL_CHARS] = label.encode().ljust(LABEL_CHARS, b".")
    return bytes(image)


def application():
    return (cli.build_folder() / "mirrorboot.efi").read_bytes()


@dataclass
class Disk:
    path: Path
    esp: gptdisk.Part

    @property
    def fat(self):
        return fatread.Fat(self.path, self.esp.start_bytes)

    def put(self, files):
        gptdisk.put(self.path, self.esp.start_bytes, files)

    def remove(self, path):
        subprocess.run(["mdel", "-i", f"{self.path}@@{self.esp.start_bytes}", f"::{path}"],
                       check=True, env=gptdisk.MTOOLS, capture_output=True)

    def manifest(self, **facts):
        espmanifest.write(self.path, self.esp.start_bytes, **facts)

    def drive(self, bad=()):
        return qemu.Drive(str(self.path), tuple(bad))


def make(folder, number, files, config="", sector=512):
    """A GPT disk whose ESP has mirrorboot as fallback loader, and these files."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    files = {FALLBACK: application(), **({CONFIG: config.encode()} if config else {}), **files}
    path = Path(folder) / f"{'abcd'[number]}.img"
    esp = gptdisk.fat(ESP_BYTES, files, sector, serial=0x6D620000 + number)
    parts = gptdisk.write(path, [(gptdisk.ESP, esp)], number, sector)
    return Disk(path, parts[0])


def make_mbr(folder, number, files):
    """The same with an MBR: a partition of type EF."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{'abcd'[number]}.img"
    start = 2048
    esp = gptdisk.fat(ESP_BYTES, {FALLBACK: application(), **files})
    head = bytearray(start * 512)
    struct.pack_into("<I", head, 440, 0x6D620100 + number)
    struct.pack_into("<B3xB3xII", head, 446, 0, 0xEF, start, len(esp) // 512)
    head[510:512] = b"\x55\xaa"
    with open(path, "wb") as f:
        f.truncate(len(head) + len(esp) + (1 << 20))
        mdmember.write_sparse(f, 0, bytes(head) + esp)
    return Disk(path, gptdisk.Part(1, "ef", "", start, len(esp) // 512, start * 512))


# ---- what the child said -------------------------------------------------------------------------

def label(serial):
    """Which loader ran; None: none did."""
    found = re.findall(r"^CHILD: label (\S+)", serial, re.M)
    return found[-1] if found else None


def said(serial, what):
    found = re.findall(rf"^CHILD: {what} ([0-9a-f]*)$", serial, re.M)
    return bytes.fromhex(found[-1]) if found else None


def options(serial):
    return (said(serial, "options") or b"").decode("utf-16-le").rstrip("\0")


def file(serial):
    """The path that it was loaded from."""
    data = said(serial, "file")
    size = struct.unpack_from("<H", data, 2)[0]
    return data[4:size].decode("utf-16-le").rstrip("\0").replace("\\", "/")


def is_on(serial, disk):
    """Was it told that it comes from this disk's ESP? By the HD() node at the device path's end."""
    whole = said(serial, "device") or b""
    if disk.esp.guid:
        return whole.endswith(nvram.path_of(disk.esp, "")[:42])
    node, serial_number = whole[-42:], Path(disk.path).read_bytes()[440:444]
    return (node[:4] == b"\x04\x01\x2a\x00" and node[24:28] == serial_number
            and node[40:] == b"\x01\x01"
            and struct.unpack_from("<I", node, 4)[0] == disk.esp.number)


def initrd_is(serial, data):
    return said(serial, "initrd") == hashlib.sha256(data).digest()
