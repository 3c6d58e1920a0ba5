# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Members of md 1.x arrays, changed by hand: right and wrong ways to write to a mirror.

A change is a list of Write, in the order in which the disks get them. It is made here
to try the judge: what is known to be right must pass in every state, and what is known
to be wrong must be found out. Nothing of common/ is used.
"""

import struct
from dataclasses import dataclass

import mdmember

CLEAN = (1 << 64) - 1
FAULTY = 0xFFFE


@dataclass(frozen=True)
class Write:
    """One request to one disk (or leg), whole sectors."""
    leg: int
    sector: int
    data: bytes


class Member:
    """Where things are in a member."""

    def __init__(self, data):
        sb = mdmember.Superblock(data)
        self.sb_s512 = {"1.2": 8, "1.1": 0, "1.0": (len(data) // 512 - 16) & ~7}[sb.version]
        self.data_s512, self.size_s512 = sb.data_s512, sb.size_s512
        at = self.sb_s512 * 512
        self.bitmap_s512 = None
        if sb.features & 1:
            offset, = struct.unpack_from("<i", data, at + 96)
            self.bitmap_s512 = self.sb_s512 + offset
            self.chunk_bytes, = struct.unpack_from("<I", data, self.bitmap_s512 * 512 + 52)
        self.max_dev, = struct.unpack_from("<I", data, at + 220)
        self.dev_number, = struct.unpack_from("<I", data, at + 160)
        self.sb_sectors = -(-(256 + 2 * self.max_dev) // 512)

    def sb(self, data):
        at = self.sb_s512 * 512
        return bytearray(data[at:at + self.sb_sectors * 512])

    def sealed(self, sb):
        """The superblock with its checksum."""
        size = 256 + 2 * self.max_dev
        sb[216:220] = bytes(4)
        words = sum(struct.unpack_from(f"<{size // 4}I", sb))
        if size % 4:
            words += struct.unpack_from("<H", sb, size & ~3)[0]
        struct.pack_into("<I", sb, 216, ((words & 0xFFFFFFFF) + (words >> 32)) & 0xFFFFFFFF)
        return bytes(sb)


def _superblock(leg, data, resync=None, events=0, expel=None):
    m = Member(data)
    sb = m.sb(data)
    if resync is not None:
        struct.pack_into("<Q", sb, 208, resync)
    struct.pack_into("<Q", sb, 200, struct.unpack_from("<Q", sb, 200)[0] + events)
    if expel is not None:
        struct.pack_into("<H", sb, 256 + 2 * expel, FAULTY)
    return Write(leg, m.sb_s512, m.sealed(sb))


def _bits(leg, data, lba, n_s512, value):
    """The bitmap sectors of a range with its bits set or cleared; empty without a bitmap."""
    m = Member(data)
    if m.bitmap_s512 is None:
        return []
    first = lba * 512 // m.chunk_bytes
    last = ((lba + n_s512) * 512 - 1) // m.chunk_bytes
    sectors = {}
    for bit in range(first, last + 1):
        byte = 256 + bit // 8
        n = m.bitmap_s512 + byte // 512
        sector = sectors.setdefault(n, bytearray(data[n * 512:n * 512 + 512]))
        if value:
            sector[byte % 512] |= 1 << bit % 8
        else:
            sector[byte % 512] &= ~(1 << bit % 8)
    return [Write(leg, n, bytes(sector)) for n, sector in sorted(sectors.items())]


def _data(leg, data, lba, new):
    return Write(leg, Member(data).data_s512 + lba, new)


def bump_bitmap(leg, data, events):
    m = Member(data)
    sector = bytearray(data[m.bitmap_s512 * 512:m.bitmap_s512 * 512 + 512])
    struct.pack_into("<Q", sector, 24, struct.unpack_from("<Q", sector, 24)[0] + events)
    return Write(leg, m.bitmap_s512, bytes(sector))


def right(members, lba, new, bits=True, resync=True, early=False):
    """To all legs; every cut can be repaired. Not so without bits or without resync_offset,
    or with the data too early (where there is a bitmap)."""
    n = len(new) // 512
    out, data = [], [_data(leg, m, lba, new) for leg, m in enumerate(members)]
    for leg, m in enumerate(members):
        out += _bits(leg, m, lba, n, True) if bits else []
        out += [_superblock(leg, m, resync=0)] if resync else []
        out += [data[leg]] if early else []
    out += [] if early else data
    for leg, m in enumerate(members):
        out += [_superblock(leg, m, resync=CLEAN)] if resync else []
        out += _bits(leg, m, lba, n, False) if bits else []
    return out


def naive(members, lba, new):
    """The data to all legs and nothing else."""
    return [_data(leg, m, lba, new) for leg, m in enumerate(members)]


def one_leg(members, lba, new, leg=1):
    """The other legs are not told."""
    return [_data(leg, members[leg], lba, new)]


def expelling(members, lba, new, failed, bitmap_too=False):
    """All but `failed`, which the others are told first. bitmap_too hides from Linux that
    their bitmap knows nothing of this."""
    role = Member(members[failed]).dev_number
    out = []
    for leg, m in enumerate(members):
        if leg != failed:
            out.append(_superblock(leg, m, events=2, expel=role))
            if bitmap_too:
                out.append(bump_bitmap(leg, m, 2))
    return out + [_data(leg, m, lba, new) for leg, m in enumerate(members) if leg != failed]
