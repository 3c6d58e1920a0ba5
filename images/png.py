# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""PPM (what QEMU's screendump writes) to PNG, with zlib alone."""

import struct
import zlib


MARGIN = 8  # pixels that trimming leaves around what is there


def _trim(rows):
    """Without the black around what is on the screen. rows: bytes of three a pixel."""
    lit = [y for y, row in enumerate(rows) if any(row)]
    if not lit:
        return rows
    rows = rows[max(lit[0] - MARGIN, 0):lit[-1] + MARGIN + 1]
    left = min((len(row) - len(row.lstrip(b"\0"))) // 3 for row in rows if any(row))
    right = max(-(-len(row.rstrip(b"\0")) // 3) for row in rows)
    return [row[max(left - MARGIN, 0) * 3:(right + MARGIN) * 3] for row in rows]


def from_ppm(ppm, trim=False):
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

    size = width * 3
    rows = [ppm[at + y * size:at + (y + 1) * size] for y in range(height)]
    if trim:
        rows = _trim(rows)
        width, height = len(rows[0]) // 3, len(rows)
    raw = b"".join(b"\0" + row for row in rows)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))
