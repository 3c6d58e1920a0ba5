# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Members of md mirrors, made of superblocks that real mdadm wrote.

tests/fixtures/md has whole members (48 MiB) in every state that matters. A member
made here keeps all of such a fixture, superblock, bitmap and gaps, but for the
data area, which gets a file system of ours: one that carries a payload of known
SHA-256. This little reader of superblocks shares no code with common/, on
purpose: the answers that the tests expect must not come from what they test.
"""

import lzma
import struct
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "md"
MAGIC = 0xA92B4EFC
MEMBER_S512 = 98304  # 48 MiB, all the fixtures that we make disks of
CHUNK = 65536


def fixture(name):
    """The bytes of a whole member."""
    return lzma.decompress((FIXTURES / (name + ".img.xz")).read_bytes())


class Superblock:
    """Where an md superblock is, and the few fields that are needed here."""

    def __init__(self, member):
        n_s512 = len(member) // 512
        places = {"1.2": 8, "1.1": 0, "1.0": (n_s512 - 16) & ~7}
        for self.version, at in places.items():
            sb = member[at * 512:at * 512 + 4096]
            if struct.unpack_from("<II", sb) == (MAGIC, 1) and \
                    struct.unpack_from("<Q", sb, 144)[0] == at:
                self.size_s512, = struct.unpack_from("<Q", sb, 80)
                self.data_s512, = struct.unpack_from("<Q", sb, 128)
                self.recovery_s512, = struct.unpack_from("<Q", sb, 152)
                self.features, = struct.unpack_from("<I", sb, 8)
                self.events, = struct.unpack_from("<Q", sb, 200)
                self.uuid = sb[16:32]
                return
        at = (n_s512 & ~127) - 128
        sb = member[at * 512:at * 512 + 4096]
        if struct.unpack_from("<II", sb) != (MAGIC, 0):
            raise ValueError("no md superblock")
        self.version = "0.90"
        self.size_s512 = struct.unpack_from("<I", sb, 32)[0] * 2
        self.data_s512 = 0
        self.recovery_s512 = 0
        self.features = 0
        self.events, = struct.unpack_from("<Q", sb, 156)
        self.uuid = sb[20:24] + sb[52:64]

    @property
    def rebuilding(self):
        return bool(self.features & 2)


def compose(name, filesystem):
    """Fixture `name` with its data area replaced by `filesystem` (bytes).

    A rebuilding member gets it below its recovery offset only, zeros above, as a
    fresh disk in the middle of its rebuild has. mdadm would accept each of these:
    what the superblock and bitmap say of the other leg is true of the data too
    (in sync: equal; stale: an older generation of the same file system). The one
    thing they do not have is a history: no kernel ever mounted these bytes.
    """
    member = bytearray(fixture(name))
    sb = Superblock(member)
    size = sb.size_s512 * 512
    if len(filesystem) != size:
        raise ValueError(f"{name} holds {size} bytes of data, not {len(filesystem)}")
    good = sb.recovery_s512 * 512 if sb.rebuilding else size
    start = sb.data_s512 * 512
    member[start:start + size] = filesystem[:good].ljust(size, b"\0")
    return bytes(member)


def write_sparse(out, at, data):
    """Write data at a byte offset of an open file, leaving holes where it is zeros."""
    zeros = bytes(CHUNK)
    for off in range(0, len(data), CHUNK):
        piece = data[off:off + CHUNK]
        if piece != zeros[:len(piece)]:
            out.seek(at + off)
            out.write(piece)


# ---- members of md 1.x changed by hand -------------------------------------------------------

def changed(member, fields):
    """The member with these fields of its superblock, {offset: (struct format, value)}."""
    member = bytearray(member)
    version = Superblock(bytes(member)).version
    at = 512 * {"1.2": 8, "1.1": 0, "1.0": (len(member) // 512 - 16) & ~7}[version]
    for offset, (form, value) in fields.items():
        struct.pack_into(form, member, at + offset, value)
    size = 256 + 2 * struct.unpack_from("<I", member, at + 220)[0]
    struct.pack_into("<I", member, at + 216, 0)
    words = sum(struct.unpack_from(f"<{size // 4}I", member, at))
    if size % 4:
        words += struct.unpack_from("<H", member, at + (size & ~3))[0]
    struct.pack_into("<I", member, at + 216, ((words & 0xFFFFFFFF) + (words >> 32)) & 0xFFFFFFFF)
    return bytes(member)


def with_data_at(member, data_s512):
    """The member (md 1.2) with its data further back: another data_offset, a longer member."""
    old = Superblock(member).data_s512
    longer = member[:old * 512] + bytes((data_s512 - old) * 512) + member[old * 512:]
    return changed(longer, {128: ("<Q", data_s512)})
