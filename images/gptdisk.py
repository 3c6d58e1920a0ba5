# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""GPT disks with sectors of 512 or 4096 bytes, and FAT file systems for them.

sgdisk takes every image file for a disk with 512-byte sectors, so the table is made here.
"""

import struct
import subprocess
import tempfile
import uuid
import zlib
from dataclasses import dataclass
from pathlib import Path

import mdmember

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
RAID = "a19d880f-05fc-4d3b-a006-743f0f84911e"
MIB = 1 << 20
ENTRIES, ENTRY_BYTES = 128, 128
MTOOLS = {"MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass
class Part:
    """A partition of a disk made here; number counts from 1."""
    number: int
    type: str
    guid: str
    start_lba: int
    sectors: int
    start_bytes: int


def guid_of(disk, part):
    """The GUIDs of disk `disk` (0, 1 ...); part 0 is the disk itself."""
    return f"6d697272-6f72-4b00-8{disk:03x}-{part:012x}"


def _header(sector, disk, at, other, last, table_lba, table):
    head = bytearray(struct.pack(
        "<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, at, other,
        2 + len(table) // sector, last - 1 - len(table) // sector,
        uuid.UUID(guid_of(disk, 0)).bytes_le, table_lba, ENTRIES, ENTRY_BYTES,
        zlib.crc32(table)))
    struct.pack_into("<I", head, 16, zlib.crc32(head))
    return bytes(head).ljust(sector, b"\0")


def put_table(out, parts, disk=0, sector=512):
    """Write both tables, and the protective MBR, into the bytes of a disk that has its size.

    parts: [Part]. What is in LBA 0 before the table, boot code, stays.
    """
    table = bytearray(ENTRIES * ENTRY_BYTES)
    for part in parts:
        struct.pack_into("<16s16sQQQ", table, (part.number - 1) * ENTRY_BYTES,
                         uuid.UUID(part.type).bytes_le, uuid.UUID(part.guid).bytes_le,
                         part.start_lba, part.start_lba + part.sectors - 1, 0)
    last, table = len(out) // sector - 1, bytes(table)
    back = last - len(table) // sector
    out[446:462] = struct.pack("<BBBBBBBBII", 0, 0, 2, 0, 0xEE, 255, 255, 255, 1,
                               min(last, 0xFFFFFFFF))
    out[510:512] = b"\x55\xaa"
    for lba, piece in ((1, _header(sector, disk, 1, last, last, 2, table)), (2, table),
                       (back, table), (last, _header(sector, disk, last, 1, last, back, table))):
        out[lba * sector:lba * sector + len(piece)] = piece


def contents(parts, disk=0, sector=512, size_bytes=None):
    """(bytes of a GPT disk with these partitions, [Part]). parts: [(type GUID, bytes), ...]

    size_bytes: of the disk, when it is to be larger than what it holds.
    """
    out, found, at = bytearray(MIB), [], MIB
    for number, (kind, data) in enumerate(parts, 1):
        if len(data) % sector:
            raise ValueError("a partition is whole sectors")
        part = Part(number, kind, guid_of(disk, number), at // sector, len(data) // sector, at)
        found.append(part)
        at += -(-len(data) // MIB) * MIB
        out += data.ljust(at - part.start_bytes, b"\0")
    out = out.ljust(size_bytes or len(out) + MIB, b"\0")
    if size_bytes and (at + MIB > size_bytes or size_bytes % sector):
        raise ValueError("the disk does not hold its partitions")
    put_table(out, found, disk, sector)
    return bytes(out), found


def write(path, parts, disk=0, sector=512):
    """Such a disk as an image file; [Part]."""
    data, found = contents(parts, disk, sector)
    with open(path, "wb") as f:
        f.truncate(len(data))
        mdmember.write_sparse(f, 0, data)
    return found


def fat(size_bytes, files, sector=512, serial=0x6D62FA70, label="ESP"):
    """A FAT file system with these files, {path: bytes}: FAT16, or FAT12 when it is too small."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-fat-") as tmp:
        image = Path(tmp) / "fs"
        with open(image, "wb") as f:
            f.truncate(size_bytes)
        cluster = max(1, 4096 // sector)
        bits = 16 if size_bytes // (cluster * sector) >= 4096 else 12
        subprocess.run(["/usr/sbin/mkfs.vfat", "-F", str(bits), "-S", str(sector),
                        "-s", str(cluster),
                        "-i", f"{serial:08x}", "-n", label, str(image)], check=True,
                       capture_output=True)
        put(image, 0, files)
        return image.read_bytes()


def put(image, at_bytes, files):
    """Put files into a FAT file system that begins at this byte of an image file."""
    where = f"{image}@@{at_bytes}" if at_bytes else str(image)
    made = set()
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-file-") as f:
        for path, data in files.items():
            for folder in reversed(Path(path).parents):
                if str(folder) != "/" and folder not in made:
                    made.add(folder)  # "there already" is as good
                    subprocess.run(["mmd", "-D", "s", "-i", where, f"::{folder}"], env=MTOOLS,
                                   stdin=subprocess.DEVNULL, capture_output=True)
            f.seek(0)
            f.truncate()
            f.write(data)
            f.flush()
            subprocess.run(["mcopy", "-o", "-D", "o", "-i", where, f.name, f"::{path}"],
                           check=True, env=MTOOLS, stdin=subprocess.DEVNULL, capture_output=True)


def get(image, at_bytes, path):
    where = f"{image}@@{at_bytes}" if at_bytes else str(image)
    return subprocess.run(["mtype", "-i", where, f"::{path}"], check=True, env=MTOOLS,
                          capture_output=True).stdout


def has(image, at_bytes, path):
    try:
        get(image, at_bytes, path)
    except subprocess.CalledProcessError:
        return False
    return True
