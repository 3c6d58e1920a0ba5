# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Makes what is installed into what another build has installed: whole, working, and not this one's.

BIOS: the stage2 for md, with sectors more at its end: an area of another size, place and checksum.
UEFI: the application with another version in it.
"""

import struct
import zlib

import cli

SECTOR = 512
PATCH = 420           # of LBA 0: magic, LBA of stage2, its sectors, 0, its CRC-32
HEADER = "<8s6IQ"     # magic, version, sectors: area, stage2, CRC-32: stage2, config, saved; LBA
STAGE2 = 7            # sectors of the area before it


def _peek(f, lba, n=1):
    f.seek(lba * SECTOR)
    return f.read(n * SECTOR)


def area_of(path):
    """(LBA, sectors) of the boot area that LBA 0 leads to."""
    with open(path, "rb") as f:
        lba = struct.unpack_from("<Q", _peek(f, 0), PATCH + 4)[0] - STAGE2
        return lba, struct.unpack_from(HEADER, _peek(f, lba))[2]


def make(path, more=3, end=None):
    """The boot area of another build, which ends at LBA `end` (None: where it does now)."""
    stage2 = (cli.build_folder() / "stage2-md.bin").read_bytes()
    stage2 += bytes(-len(stage2) % SECTOR) + b"\xee" * (more * SECTOR)
    n, crc = len(stage2) // SECTOR, zlib.crc32(stage2)
    with open(path, "r+b") as f:
        lba0 = bytearray(_peek(f, 0))
        start, total = area_of(path)
        head = bytearray(_peek(f, start))
        kept = _peek(f, start + 1, STAGE2 - 1)
        new = (end or start + total) - STAGE2 - n
        f.seek(start * SECTOR)
        f.write(bytes(total * SECTOR))
        struct.pack_into("<III", head, 12, STAGE2 + n, n, crc)
        struct.pack_into("<Q", head, 32, new)
        struct.pack_into("<I", head, 508, zlib.crc32(bytes(head[:508])))
        f.seek(new * SECTOR)
        f.write(bytes(head) + kept + stage2)
        struct.pack_into("<QHHI", lba0, PATCH + 4, new + STAGE2, n, 0, crc)
        f.seek(0)
        f.write(bytes(lba0))
    return new, STAGE2 + n


def application(data):
    """mirrorboot.efi of another version: one that runs."""
    at = data.index(b"\nmirrorboot,")
    end = data.index(b"\n", at + 1)
    line = data[at:end]
    fields = line.split(b",")
    fields[4] = bytes(c ^ 1 if chr(c).isdigit() else c for c in fields[4])
    return data[:at] + b",".join(fields) + data[end:]
