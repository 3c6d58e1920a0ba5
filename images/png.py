# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""PPM (what QEMU's screendump writes) to PNG, with zlib alone."""

import struct
import zlib


def from_ppm(ppm):
    """The bytes of a binary PPM (P6, 8 bits) as the bytes of a PNG."""
    fields, at = [], 0
    while len(fields) < 4:
        end = at
        while not ppm[end:end + 1].isspace():
            end += 1
        fields.append(ppm[at:end])
        at = end + 1
    magic, width, height, depth = fields[0], int(fields[1]), int(fields[2]), int(fields[3])
    if magic != b"P6" or depth != 255 or len(ppm) - at < width * height * 3:
        raise ValueError("not a whole 8-bit binary PPM")

    row = width * 3
    raw = b"".join(b"\0" + ppm[at + y * row:at + (y + 1) * row] for y in range(height))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))
