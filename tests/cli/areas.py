# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Pairs of BIOS disks, and an independent reader of what install leaves on them."""

import struct
import zlib

from disks import BUILD, digest, mbr_disk, sectors


def pair(kind="md1.2-insync", make=mbr_disk, **kw):
    for x in "ab":
        make(x, "%s-%s" % (kind, x), **kw)
    return [digest(x) for x in "ab"]


def digests():
    return [digest(x) for x in "ab"]


def area_of(path):
    """Follow LBA 0 as the boot code does, checking everything on the way."""
    lba0 = sectors(path, 0)
    magic, stage2_lba, n, _, crc = struct.unpack_from("<IQHHI", lba0, 420)
    assert magic == 0x3242524D
    assert zlib.crc32(sectors(path, stage2_lba, n)) == crc
    start = stage2_lba - 7
    h = sectors(path, start)
    assert h[:8] == b"MIRRBOOT"
    version, total, n2, crc2, config_crc, saved_crc, where = struct.unpack_from("<6IQ", h, 8)
    assert (version, total, n2, crc2, where) == (1, 7 + n, n, crc, start)
    assert zlib.crc32(h[:508]) == struct.unpack_from("<I", h, 508)[0]
    assert zlib.crc32(sectors(path, start + 1)) == saved_crc
    assert zlib.crc32(sectors(path, start + 2, 4)) == config_crc
    stage2 = (BUILD / "stage2.bin").read_bytes()
    assert sectors(path, stage2_lba, n) == stage2 + bytes(-len(stage2) % 512)
    return start, total


def config_of(path):
    start, _ = area_of(path)
    return sectors(path, start + 2, 4).rstrip(b"\0").decode()
