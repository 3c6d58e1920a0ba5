# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The UEFI shell, as OVMF has it inside: no package has it as a file everywhere.

Firmware volumes, files and sections as in the PI specification, volume 3.
"""

import lzma
import struct
import uuid
from functools import lru_cache
from pathlib import Path

import qemu

SHELL = uuid.UUID("7c04a583-9e3e-4f1c-ad65-e05268d0b4d1").bytes_le
LZMA = uuid.UUID("ee4e5898-3914-4259-9d6e-dc7bd79403cf").bytes_le
SECTION_GUID_DEFINED, SECTION_PE32, SECTION_VOLUME = 2, 0x10, 0x17
FILE_PAD = 0xF0


def _size24(data, at):
    return int.from_bytes(data[at:at + 3], "little")


def _sections(data):
    """(type, header's bytes, whole section) of each."""
    at = 0
    while at + 4 <= len(data):
        size, head = _size24(data, at), 4
        if size == 0xFFFFFF:
            size, head = struct.unpack_from("<I", data, at + 4)[0], 8
        if size < head or at + size > len(data):
            return
        yield data[at + 3], head, data[at:at + size]
        at = -(-(at + size) // 4) * 4


def _files(volume):
    """(GUID, content) of each file of a firmware volume, which begins at its header."""
    head, extended = struct.unpack_from("<H2xH", volume, 48)
    at = head
    if extended:
        at = extended + struct.unpack_from("<I", volume, extended + 16)[0]
    while True:
        at = -(-at // 8) * 8
        if at + 24 > len(volume) or volume[at:at + 16] == b"\xff" * 16:
            if volume[at + 18:at + 19] != bytes([FILE_PAD]):
                return
        size, start = _size24(volume, at + 20), 24
        if volume[at + 19] & 1:  # a large file
            size, start = struct.unpack_from("<Q", volume, at + 24)[0], 32
        if size < start:
            return
        yield volume[at:at + 16], volume[at + start:at + size]
        at += size


def _volumes(data):
    """All firmware volumes, those within others too."""
    at = data.find(b"_FVH")
    while at >= 0:
        start = at - 40
        length = struct.unpack_from("<Q", data, start + 32)[0]
        if start >= 0 and 0 < length <= len(data) - start:
            volume = data[start:start + length]
            yield volume
            for _, content in _files(volume):
                for kind, head, section in _sections(content):
                    if kind == SECTION_GUID_DEFINED and section[head:head + 16] == LZMA:
                        body, = struct.unpack_from("<H", section, head + 16)
                        packed = lzma.LZMADecompressor(lzma.FORMAT_ALONE)
                        yield from _volumes(packed.decompress(section[body:]))
            at = data.find(b"_FVH", start + length)
        else:
            at = data.find(b"_FVH", at + 1)


@lru_cache(maxsize=None)
def program():
    """The bytes of Shell.efi; None when this firmware has none."""
    for volume in _volumes(Path(qemu.ovmf()[0]).read_bytes()):
        for guid, content in _files(volume):
            if guid == SHELL:
                for kind, head, section in _sections(content):
                    if kind == SECTION_PE32:
                        return section[head:]
    return None
