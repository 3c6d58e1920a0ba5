#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Set NX_COMPAT in a PE image, after checking that it may claim it; then its checksum.

NX_COMPAT says that the image runs where no page is both writable and
executable. objcopy has no option for the flag. Fails, leaving the file as it
is, when a section is both, when .sbat is missing, or when sections are not on
page boundaries (firmware can't protect them then).
"""
import struct
import sys

OPTIONAL_CHECKSUM = 64
OPTIONAL_DLL_CHARACTERISTICS = 70
OPTIONAL_SECTION_ALIGNMENT = 32
NX_COMPAT = 0x0100
SECTION_EXECUTE = 0x20000000
SECTION_WRITE = 0x80000000
PAGE = 4096


class BadImage(Exception):
    pass


def sections(image, table, count):
    for i in range(count):
        row = image[table + 40 * i:table + 40 * (i + 1)]
        if len(row) != 40:
            raise BadImage("the section table leaves the file")
        name = row[:8].rstrip(b"\0").decode("ascii", "replace")
        size, start = struct.unpack_from("<II", row, 8)
        (flags,) = struct.unpack_from("<I", row, 36)
        yield name, start, size, flags


def set_checksum(image, at):
    """Microsoft's: 16-bit words added with their carries, then the length."""
    struct.pack_into("<I", image, at, 0)
    padded = bytes(image) + bytes(len(image) % 2)
    total = sum(word for word, in struct.iter_unpack("<H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into("<I", image, at, total + len(image))


def set_nx(image):
    if image[:2] != b"MZ":
        raise BadImage("not a PE image: no MZ")
    (pe,) = struct.unpack_from("<I", image, 0x3C)
    if image[pe:pe + 4] != b"PE\0\0":
        raise BadImage("not a PE image: no PE header")
    count, = struct.unpack_from("<H", image, pe + 6)
    optional_bytes, = struct.unpack_from("<H", image, pe + 20)
    optional = pe + 24
    if optional_bytes <= OPTIONAL_DLL_CHARACTERISTICS + 2:
        raise BadImage("the optional header is too short")
    alignment, = struct.unpack_from("<I", image, optional + OPTIONAL_SECTION_ALIGNMENT)
    if alignment % PAGE != 0 or alignment == 0:
        raise BadImage(f"sections are aligned to {alignment}, not to pages")

    names = set()
    end = 0
    for name, start, size, flags in sections(image, optional + optional_bytes, count):
        names.add(name)
        if flags & SECTION_WRITE and flags & SECTION_EXECUTE:
            raise BadImage(f"section {name} is writable and executable")
        if start % PAGE != 0:
            raise BadImage(f"section {name} does not start on a page")
        if start < end:
            raise BadImage(f"section {name} overlaps the one before")
        end = start + size
    if ".sbat" not in names:
        raise BadImage("no .sbat section")

    at = optional + OPTIONAL_DLL_CHARACTERISTICS
    flags, = struct.unpack_from("<H", image, at)
    struct.pack_into("<H", image, at, flags | NX_COMPAT)
    set_checksum(image, optional + OPTIONAL_CHECKSUM)


def main():
    if len(sys.argv) != 2:
        print("usage: pe-nx.py IMAGE.efi", file=sys.stderr)
        return 2
    try:
        with open(sys.argv[1], "r+b") as f:
            image = bytearray(f.read())
            set_nx(image)
            f.seek(0)
            f.write(image)
    except (BadImage, OSError, struct.error) as e:
        print(f"pe-nx.py: {sys.argv[1]}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
