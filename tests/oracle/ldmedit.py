# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Dynamic disks changed by hand: the states of which no sample is known.

It reads just enough of an image to find what is to be changed, and shares no code with
common/, on purpose. Fields: docs/formats/ldm.md. Everything is big-endian.
"""

import os
import struct
import uuid
from pathlib import Path

SECTOR = 512
SLOT = 128          # bytes of a VBLK
SLOT_HEAD = 16
METADATA = uuid.UUID("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3")
VOLUME, COMPONENT, PARTITION, DISK = 1, 2, 3, 4

# after identity and name: (name, width); "v" number of any width, "s" text
FIELDS = {
    VOLUME: [("type", "s"), ("drives", "s"), ("state", 14), ("policy", 1), ("number", "v"),
             ("flags", 4), ("components", "v"), ("commit", 8), ("unknown", 8), ("size", "v"),
             ("zero", 4), ("part_type", 1), ("guid", 16)],
    COMPONENT: [("state", "s"), ("layout", 1), ("flags", 4), ("partitions", "v"), ("commit", 8),
                ("zero", 8), ("volume", "v"), ("log", "v")],
    PARTITION: [("flags", 4), ("commit", 8), ("start", 8), ("offset", 8), ("size", "v"),
                ("component", "v"), ("disk", "v")],
}
DISK_FIELDS = {3: [("guid", "s"), ("device", "s"), ("flags", 4), ("commit", 8)],
               4: [("guid", 16), ("set", 16), ("device", "s"), ("flags", 4), ("commit", 8)]}

CLEAN, CHANGE, COMMIT, STALE = 1, 2, 3, 6
KLOG_DETACH, KLOG_DIRTY = 1, 2


def with_sum(block):
    """A PRIVHEAD or TOCBLOCK with the checksum that it should have."""
    block = bytearray(block)
    block[8:12] = bytes(4)
    block[8:12] = struct.pack(">I", sum(block) & 0xFFFFFFFF)
    return bytes(block)


class Record:
    """One record of the database, and where its bytes lie in the image."""

    def __init__(self, group, pieces, data):
        self.group, self.pieces = group, pieces
        length, = struct.unpack_from(">I", data, 4)
        self.data = data[:8 + length]
        self.status, = struct.unpack_from(">H", data)
        self.type, self.revision = data[3] & 15, data[3] >> 4
        self.at = {}
        fields = DISK_FIELDS.get(self.revision, []) if self.type == DISK else FIELDS.get(self.type, [])
        at = 8
        for name, width in [("id", "v"), ("name", "s"), *fields]:
            start = at + (1 if width in ("v", "s") else 0)
            end = start + (data[at] if width in ("v", "s") else width)
            self.at[name] = (start, end, width)
            at = end

    def __getitem__(self, name):
        start, end, width = self.at[name]
        raw = self.data[start:end]
        if width == "s" or name == "state":
            return raw.split(b"\0")[0].decode("ascii")
        return raw if width == 16 else int.from_bytes(raw, "big")

    def with_field(self, name, value):
        """Its bytes with another value in one field; a text may change its length."""
        start, end, width = self.at[name]
        if width == "s":
            start, raw = start - 1, bytes([len(value)]) + value.encode()
        elif name == "state":
            raw = value.encode().ljust(width, b"\0")
        else:
            raw = value.to_bytes(end - start, "big")
        data = self.data[:start] + raw + self.data[end:]
        return data[:4] + struct.pack(">I", len(data) - 8) + data[8:]


class Image:
    """A dynamic disk's image, changed in place."""

    def __init__(self, path):
        self.path = Path(path)
        self.sectors = os.path.getsize(path) // SECTOR
        self.metadata = self._gpt_metadata()
        head = self.read(self.metadata[1] if self.metadata else 6)
        if head[:8] != b"PRIVHEAD":
            raise ValueError(f"{path} is no dynamic disk")
        self.guid = uuid.UUID(head[0x30:0x70].split(b"\0")[0].decode())
        (self.public, self.public_size, self.private, self.private_size,
         *self.tocs) = struct.unpack_from(">6Q", head, 0x11B)
        self.sequence, = struct.unpack_from(">Q", head, 0x18)
        toc = next(t for t in map(self.read, (self.private + x for x in self.tocs))
                   if t[:8] == b"TOCBLOCK" and struct.unpack_from(">Q", t, 12)[0] == self.sequence)
        self.config, self.config_size, self.log, self.log_size = (
            *struct.unpack_from(">2Q", toc, 0x24 + 10), *struct.unpack_from(">2Q", toc, 0x46 + 10))
        self.config += self.private
        self.log += self.private

    def read(self, lba, n=1):
        with open(self.path, "rb") as f:
            f.seek(lba * SECTOR)
            return f.read(n * SECTOR)

    def write(self, lba, data, offset=0):
        with open(self.path, "r+b") as f:
            f.seek(lba * SECTOR + offset)
            f.write(data)

    def _gpt_metadata(self):
        head = self.read(1)
        if head[:8] != b"EFI PART":
            return None
        table, count, size = struct.unpack_from("<QII", head, 72)
        entries = self.read(table, -(-count * size // SECTOR))
        for n in range(count):
            entry = entries[n * size:(n + 1) * size]
            if uuid.UUID(bytes_le=entry[:16]) == METADATA:
                return struct.unpack_from("<2Q", entry, 32)
        raise ValueError(f"{self.path} has no LDM metadata partition")

    # ---- PRIVHEAD, TOCBLOCK

    def heads(self):
        """Where its PRIVHEADs are: the primary is the last."""
        places = [self.private + 1856, self.private + 2047]
        return places if self.metadata else [6, *places]

    def wipe_primary_head(self):
        self.write(self.heads()[-1], bytes(SECTOR))

    def swap_tocs(self):
        """What the two slots at each end of the private region hold changes places."""
        for a, b in ((1, 2), (2045, 2046)):
            one, two = self.read(self.private + a), self.read(self.private + b)
            self.write(self.private + a, two)
            self.write(self.private + b, one)

    # ---- the database's header

    def vmdb(self, **values):
        places = {"status": (0x10, ">H"), "committed": (0x75, ">Q"), "pending": (0x7D, ">Q")}
        for name, value in values.items():
            at, form = places[name]
            self.write(self.config, struct.pack(form, value), at)

    @property
    def committed(self):
        return struct.unpack_from(">Q", self.read(self.config), 0x75)[0]

    # ---- its records

    def _slots(self):
        count, size, head = struct.unpack_from(">3I", self.read(self.config), 4)
        assert size == SLOT
        data = self.read(self.config, -(-count * SLOT // SECTOR))
        for at in range(head, count * SLOT, SLOT):
            yield self.config * SECTOR + at, data[at:at + SLOT]

    def records(self):
        pieces = {}
        for at, slot in self._slots():
            group, piece, count = struct.unpack_from(">IHH", slot, 8)
            if count:
                pieces.setdefault(group, {})[piece] = (at + SLOT_HEAD, slot[SLOT_HEAD:])
        out = []
        for group, found in pieces.items():
            found = [found[n] for n in sorted(found)]
            out.append(Record(group, [at for at, _ in found], b"".join(d for _, d in found)))
        return out

    def find(self, kind, **values):
        return [r for r in self.records() if r.type == kind and r.status != 2
                and all(r[name] == value for name, value in values.items())]

    def _put(self, pieces, data):
        room = SLOT - SLOT_HEAD
        if len(data) > len(pieces) * room:
            raise ValueError("the record has outgrown its slots")
        data = data.ljust(len(pieces) * room, b"\0")
        for n, at in enumerate(pieces):
            self.write(0, data[n * room:(n + 1) * room], at)

    def change(self, record, name, value):
        self._put(record.pieces, record.with_field(name, value))

    def mark(self, record, status):
        """A record's own status: 1 is to go, 2 is to come with the next transaction."""
        self.write(0, struct.pack(">H", status), record.pieces[0])

    def add(self, data):
        """A record in a free slot."""
        group = max(r.group for r in self.records()) + 1
        at = next(at for at, slot in self._slots() if slot[14:16] == bytes(2))
        self.write(0, struct.pack(">IHH", group, 0, 1), at + 8)
        self._put([at + SLOT_HEAD], data)

    # ---- the log

    def log_entry(self, status):
        page = bytearray(self.read(self.log))
        at = next(x for x in range(0x18, SECTOR - 24, 24) if not page[x])
        struct.pack_into(">BQQI", page, at, status, self.committed, self.committed, 0)
        self.write(self.log, bytes(page))


class Mirror:
    """The mirrored volume of a group: its components, and what of them is where."""

    def __init__(self, image):
        self.volume = next(r for r in image.find(VOLUME, type="gen") if r["components"] == 2)
        self.components = sorted(image.find(COMPONENT, volume=self.volume["id"]),
                                 key=lambda r: r["id"])
        self.partitions = [image.find(PARTITION, component=c["id"])[0] for c in self.components]
        self.disks = [image.find(DISK, id=p["disk"])[0] for p in self.partitions]

    def leg_of(self, image):
        """Which component lies on the disk that this image is of."""
        guids = [uuid.UUID(bytes=d["guid"]) if isinstance(d["guid"], bytes)
                 else uuid.UUID(d["guid"]) for d in self.disks]
        return guids.index(image.guid)
