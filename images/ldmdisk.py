# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Windows dynamic disks (LDM), MBR and GPT, written byte by byte: no Windows, no root.

A Group says which disks there are and which volumes lie where on them; write() makes the image
of one of its disks. Everything that a disk says can be said wrong: each disk may be given a
Group of its own (dataclasses.replace), an older one, say. docs/formats/ldm.md has the tables.
This writer shares no code with common/ and tools/, on purpose: they are tested with it.

    disks = [Disk(0, 65536), Disk(1, 65536, "gpt")]
    group = Group(disks, [mirror("Volume1", 32768, [(0, 2048), (1, 6144)])])
    for disk in disks:
        write(f"{disk.number}.img", group, disk.number, {"Volume1": data})
"""

import itertools
import struct
import uuid
from dataclasses import dataclass, field

import gptdisk
import mdmember

HOST = "1b77da20-c717-11d0-a5be-00a0c91db73c"  # the same on all that Windows wrote
FILETIME = 0x01CD901DBC8C083C
METADATA = "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"  # partition types
DATA = "af9b60a0-1431-4f62-bc68-3311714a69ad"

# The private region, in sectors from its start: 1 MiB
PRIVATE = 2048
TOC = (2, 2045)
CONFIG, CONFIG_SECTORS = 17, 1481
LOG, LOG_SECTORS = 1498, 224
HEADS = (1856, 2047)  # PRIVHEADs; on MBR disks one more at LBA 6
MBR_HEAD_LBA = 6
SLOTS = 5924  # of VBLKs, the 4 that the VMDB's own sector takes included
VBLK, PAYLOAD = 128, 112

CLEAN, CHANGE, COMMIT = 1, 2, 3  # states of a database
ACTIVE, TO_GO, TO_COME = 0, 1, 2  # of a record
CONCATENATED = 2


@dataclass
class Disk:
    """A disk of the group. partitions: [(type GUID, bytes)] on GPT, in front of LDM's own."""
    number: int
    sectors: int
    table: str = "mbr"
    name: str = ""
    flags: int = 0
    # MBR: where the public region starts. GPT: where the first partition does.
    first_lba: int = 63
    # MBR entries of type 42h, [(start LBA, sectors, active)]; None: one, of the public region
    entries: list = None
    partitions: list = field(default_factory=list)
    signature: int = 0

    @property
    def guid(self):
        return f"6d697272-6f72-4c44-8{self.number:03x}-6469736b0000"

    @property
    def label(self):
        return self.name or f"Disk{self.number + 1}"

    @property
    def private_lba(self):
        if self.table == "mbr":
            return self.sectors - PRIVATE
        return self._after_partitions()

    @property
    def public_lba(self):
        return self.first_lba if self.table == "mbr" else self.private_lba + PRIVATE

    @property
    def public_sectors(self):
        end = self.private_lba if self.table == "mbr" else self.sectors - 34
        return end - self.public_lba

    def _after_partitions(self):
        at = max(self.first_lba, 34)
        for _, data in self.partitions:
            at += -(-len(data) // 512)
        return at


@dataclass
class Piece:
    """A partition in LDM's words: where on a disk some of a component lies."""
    disk: int
    start_lba: int
    size_s512: int
    offset_s512: int = 0  # in the component
    flags: int = 0
    column: int = None


@dataclass
class Component:
    pieces: list
    state: str = "ACTIVE"
    flags: int = 0
    layout: int = CONCATENATED
    stripe_s512: int = 0


@dataclass
class Volume:
    name: str
    size_s512: int
    components: list
    guid: str = ""
    state: str = "ACTIVE"
    flags: int = 0
    kind: str = "gen"
    mount: str = ""
    status: int = ACTIVE  # of all its records


def mirror(name, size_s512, legs, **more):
    """A volume with a component for each of legs: [(disk, start LBA)]"""
    return Volume(name, size_s512, [Component([Piece(disk, lba, size_s512)])
                                    for disk, lba in legs], **more)


@dataclass
class Group:
    disks: list
    volumes: list
    name: str = "MirrorDg0"
    guid: str = "6d697272-6f72-4c44-8fff-67726f757000"
    committed: int = 40
    pending: int = None  # as committed
    status: int = CLEAN
    log: tuple = ()      # KLOG entries: (status, committed, pending)

    def disk(self, number):
        return next(d for d in self.disks if d.number == number)


# ---- records -----------------------------------------------------------------------------------

def _var(value):
    size = max(1, -(-value.bit_length() // 8))
    return bytes([size]) + value.to_bytes(size, "big")


def _text(text):
    return bytes([len(text)]) + text.encode()


def _record(status, flags, kind, body):
    return struct.pack(">HBBI", status, flags, kind, len(body)) + body


def _volume(v, number, identity, tid):
    flags, tail = 0, b""
    if v.mount:
        flags, tail = 0x02, _text(v.mount)
    guid = v.guid or f"6d697272-6f72-4c44-8{number:03x}-766f6c000000"
    return _record(v.status, flags, 0x51,
                   _var(identity) + _text(v.name) + _text(v.kind) + _text("")
                   + v.state.encode().ljust(14, b"\0") + bytes([4 if v.kind == "raid5" else 3])
                   + _var(number) + struct.pack(">I", v.flags) + _var(len(v.components))
                   + struct.pack(">QQ", tid, 0) + _var(v.size_s512) + bytes(4) + b"\x07"
                   + uuid.UUID(guid).bytes + tail)


def _component(v, c, number, identity, volume, tid):
    flags, tail = 0, b""
    if c.stripe_s512:
        flags, tail = 0x10, _var(c.stripe_s512) + _var(len(c.pieces))
    return _record(v.status, flags, 0x32,
                   _var(identity) + _text(f"{v.name}-{number:02}") + _text(c.state)
                   + bytes([c.layout]) + struct.pack(">I", c.flags) + _var(len(c.pieces))
                   + struct.pack(">QQ", tid, 0) + _var(volume) + b"\0" + tail)


def _partition(v, p, disk, number, identity, component, disk_identity, tid):
    flags, tail = 0, b""
    if p.column is not None:
        flags, tail = 0x08, _var(p.column)
    return _record(v.status, flags, 0x33,
                   _var(identity) + _text(f"{disk.label}-{number:02}")
                   + struct.pack(">IQQQ", p.flags, tid, p.start_lba - disk.public_lba,
                                 p.offset_s512)
                   + _var(p.size_s512) + _var(component) + _var(disk_identity) + tail)


def _disk(d, identity, tid):
    return _record(ACTIVE, 0, 0x34, _var(identity) + _text(d.label) + _text(d.guid) + _text("")
                   + struct.pack(">IQ", d.flags, tid))


def _group(g, identity):
    return _record(ACTIVE, 0, 0x35, _var(identity) + _text(g.name) + _text(g.guid)
                   + struct.pack(">IQ", 0, 0))


def records(group):
    """All records of the database, as Windows numbers them: every object has an identity."""
    identities = itertools.count(1)
    tids = itertools.count(2)
    made = [_group(group, next(identities))]
    disks = {}
    for d in group.disks:
        disks[d.number] = next(identities)
        made.append(_disk(d, disks[d.number], next(tids)))
    pieces_of = dict.fromkeys(disks, 0)
    for n, v in enumerate(group.volumes, 1):
        volume = next(identities)
        made.append(_volume(v, n, volume, next(tids)))
        for k, c in enumerate(v.components, 1):
            component = next(identities)
            made.append(_component(v, c, k, component, volume, next(tids)))
            for p in c.pieces:
                pieces_of[p.disk] += 1
                made.append(_partition(v, p, group.disk(p.disk), pieces_of[p.disk],
                                       next(identities), component, disks[p.disk], next(tids)))
    return made


def _counts(group, statuses):
    """(volumes, components, partitions, disks, 0) among records of these statuses"""
    volumes = [v for v in group.volumes if v.status in statuses]
    components = [c for v in volumes for c in v.components]
    return (len(volumes), len(components), sum(len(c.pieces) for c in components),
            len(group.disks), 0)


def vmdb(group):
    pending = group.committed if group.pending is None else group.pending
    head = struct.pack(">4sIIIHHH31s64sQQ5I", b"VMDB", SLOTS, VBLK, 512, group.status, 4, 10,
                       group.name.encode(), group.guid.encode(), group.committed, pending,
                       *_counts(group, (ACTIVE, TO_GO)))
    head = head.ljust(0xA1, b"\0") + struct.pack(">5I", *_counts(group, (ACTIVE, TO_COME)))
    return (head.ljust(0xBD, b"\0") + struct.pack(">Q", FILETIME)).ljust(512, b"\0")


def config(group):
    """The config region: VMDB and VBLKs."""
    slots = []
    for number, record in enumerate(records(group), 1):
        pieces = [record[at:at + PAYLOAD] for at in range(0, len(record), PAYLOAD)]
        for index, piece in enumerate(pieces):
            slots.append(struct.pack(">4sIIHH", b"VBLK", len(slots) + 4, number, index,
                                     len(pieces)) + piece.ljust(PAYLOAD, b"\0"))
    while len(slots) < SLOTS - 4:
        slots.append(struct.pack(">4sI", b"VBLK", len(slots) + 4).ljust(VBLK, b"\0"))
    return vmdb(group) + b"".join(slots)


def log(group):
    """The log region: KLOG, two pages of it."""
    out = b""
    for index in range(2):
        page = struct.pack(">4sQIII", b"KLOG", 0, 4 if index == 0 else 0, 2, index)
        for entry in group.log if index == 0 else ():
            page += struct.pack(">BQQI3x", *entry)
        out += page.ljust(512, b"\0")
    return out.ljust(LOG_SECTORS * 512, b"\0")


def _summed(sector):
    """With the checksum that PRIVHEAD and TOCBLOCK have at 8: the sum of all bytes without it."""
    return sector[:8] + struct.pack(">I", sum(sector[:8]) + sum(sector[12:])) + sector[12:]


def tocblock(sequence=1):
    regions = b"".join(struct.pack(">8sHQQHHI", name, 0, start, size, 6, 1, 0)
                       for name, start, size in ((b"config", CONFIG, CONFIG_SECTORS),
                                                 (b"log", LOG, LOG_SECTORS)))
    return _summed((struct.pack(">8sIQ", b"TOCBLOCK", 0, sequence).ljust(0x24, b"\0")
                    + regions).ljust(512, b"\0"))


def privhead(group, disk, sequence=1):
    head = struct.pack(">8sIHHQQQQ64s64s64s31s", b"PRIVHEAD", 0, 2, 12, FILETIME, sequence,
                       HEADS[1], HEADS[0], disk.guid.encode(), HOST.encode(),
                       group.guid.encode(), group.name.encode())
    head += struct.pack(">IIHHQQQQQQIIQQI", 512, 0, 0, 0, disk.public_lba, disk.public_sectors,
                        disk.private_lba, PRIVATE, *TOC, 1, 1, CONFIG_SECTORS, LOG_SECTORS, 0)
    return _summed(head.ljust(512, b"\0"))


# ---- disks -------------------------------------------------------------------------------------

def mbr_table(entries, signature=0, kind=0x42):
    """The last 72 bytes of LBA 0. entries: [(start LBA, sectors, active)]"""
    table = struct.pack("<IH", signature, 0)
    for start, sectors, active in entries:
        table += struct.pack("<B3sB3sII", 0x80 if active else 0, b"\xfe\xff\xff", kind,
                             b"\xfe\xff\xff", start, sectors)
    return table.ljust(70, b"\0") + b"\x55\xaa"


def private(group, disk):
    """The private region of a disk."""
    out = bytearray(PRIVATE * 512)
    for at in TOC:
        out[at * 512:at * 512 + 512] = tocblock()
    for at in HEADS:
        out[at * 512:at * 512 + 512] = privhead(group, disk)
    for at, data in ((CONFIG, config(group)), (LOG, log(group))):
        out[at * 512:at * 512 + len(data)] = data
    return bytes(out)


def contents(group, number, data=None, code=b""):
    """The bytes of disk `number`. data: {volume name: bytes}; code: the boot code of LBA 0."""
    disk = group.disk(number)
    out = bytearray(disk.sectors * 512)

    def put(lba, piece):
        if (lba * 512 + len(piece)) > len(out):
            raise ValueError(f"LBA {lba} and {len(piece)} bytes: beyond the end of the disk")
        out[lba * 512:lba * 512 + len(piece)] = piece

    put(0, code[:440])
    if disk.table == "mbr":
        whole = [(disk.public_lba, disk.public_sectors, False)]
        out[440:512] = mbr_table(whole if disk.entries is None else disk.entries,
                                 disk.signature or 0x6D620000 + number)
        put(MBR_HEAD_LBA, privhead(group, disk))
    else:
        parts, at = [], max(disk.first_lba, 34)
        for kind, piece in [*disk.partitions, (METADATA, bytes(PRIVATE * 512)),
                            (DATA, bytes(disk.public_sectors * 512))]:
            sectors = -(-len(piece) // 512)
            parts.append(gptdisk.Part(len(parts) + 1, kind,
                                      gptdisk.guid_of(0xD0 + number, len(parts) + 1), at, sectors,
                                      at * 512))
            put(at, piece)
            at += sectors
        gptdisk.put_table(out, parts, 0xD0 + number)
    put(disk.private_lba, private(group, disk))
    for v in group.volumes:
        for c in v.components:
            for p in c.pieces:
                if p.disk == number and v.name in (data or {}):
                    put(p.start_lba,
                        data[v.name][p.offset_s512 * 512:(p.offset_s512 + p.size_s512) * 512])
    return bytes(out)


def write(path, group, number, data=None, code=b""):
    """That disk as an image file, with holes for zeros."""
    image = contents(group, number, data, code)
    with open(path, "wb") as f:
        f.truncate(len(image))
        mdmember.write_sparse(f, 0, image)
