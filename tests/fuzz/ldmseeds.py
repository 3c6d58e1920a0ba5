# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Small dynamic disks for seeds: docs/formats/ldm.md with a private region of 32 sectors."""
import struct

GROUP = "d0" * 16
PRIVATE = 32
CONFIG, CONFIG_SECTORS, LOG, SECOND = 3, 12, 15, 28


def var(value):
    raw = value.to_bytes(8, "big").lstrip(b"\0") or b"\0"
    return bytes([len(raw)]) + raw


def text(s):
    return bytes([len(s)]) + s.encode()


def guid(byte):
    h = "%02x" % byte * 16
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:]))


def record(kind, ident, name, body, flags=0, status=0):
    body = var(ident) + text(name) + body
    return struct.pack(">HBBI", status, flags, kind, len(body)) + body


def volume(ident, name, components, size, status=0, kind="gen", state=b"ACTIVE", flags=0x11):
    return record(0x51, ident, name, text(kind) + text("") + state.ljust(14, b"\0") + b"\3" + var(0xffffffff) +
                  struct.pack(">I", flags) + var(components) + bytes(16) + var(size) + bytes(4) + b"\7" +
                  bytes([0x70 + ident]) * 16 + var(1) + var(2) + var(3) + text("C:"), 0xaa, status)


def component(ident, name, parent, partitions=1, layout=2, state="ACTIVE", flags=0, columns=0, status=0):
    body = (text(state) + bytes([layout]) + struct.pack(">I", flags) + var(partitions) + bytes(16) + var(parent) +
            var(0))
    return record(0x32, ident, name, body + (var(128) + var(columns) if columns else b""),
                  0x10 if columns else 0, status)


def partition(ident, name, parent, disk, start, size, offset=0, flags=0, column=0, status=0):
    body = struct.pack(">IQQQ", flags, 7, start, offset) + var(size) + var(parent) + var(disk)
    if column:
        body += var(column)
    return record(0x33, ident, name, body + bytes(8) + var(0) + var(1), 0x62 | (8 if column else 0), status)


def disk(ident, name, byte, flags=0, status=0, raw=False):
    body = bytes([byte]) * 32 if raw else text(guid(byte))
    return record(0x44 if raw else 0x34, ident, name, body + text("") + struct.pack(">IQ", flags, 7), 0, status)


def group(raw=False):
    body = bytes([0xd0]) * 32 if raw else text(guid(0xd0))
    return record(0x45 if raw else 0x35, 1, "TestDg0", body + bytes(12) + var(1) + var(1) + var(300), 0x18)


def mirror(size=64, raw=False, **kw):
    """Disks 11 and 12 (GUIDs 11.., 12..), a mirror of two partitions."""
    return [group(raw), disk(11, "Disk1", 0x11, raw=raw), disk(12, "Disk2", 0x12, raw=raw),
            partition(30, "Disk1-01", 20, 11, 8, size), partition(31, "Disk2-01", 21, 12, 16, size),
            component(20, "Volume1-01", 4), component(21, "Volume1-02", 4, **kw), volume(4, "Volume1", 2, size)]


def spanned(size=64):
    return [group(), disk(11, "Disk1", 0x11), disk(12, "Disk2", 0x12),
            partition(30, "Disk1-01", 20, 11, 8, size // 2),
            partition(31, "Disk2-01", 20, 12, 16, size // 2, size // 2),
            partition(32, "Disk2-02", 21, 12, 96, size),
            component(20, "Volume1-01", 4, 2), component(21, "Volume1-02", 4), volume(4, "Volume1", 2, size)]


def others(size=64):
    return [group(), disk(11, "Disk1", 0x11), disk(12, "Disk2", 0x12),
            partition(30, "Disk1-01", 20, 11, 8, 32), partition(31, "Disk2-01", 20, 12, 16, 32, column=1),
            component(20, "Volume1-01", 4, 2, layout=1, columns=2), volume(4, "Volume1", 1, size),
            partition(40, "Disk1-02", 22, 11, 80, 32), component(22, "Volume2-01", 5), volume(5, "Volume2", 1, 32),
            component(23, "Raid1-01", 6, 0, layout=3, columns=3), volume(6, "Raid1", 1, 32, kind="raid5")]


def update(status):
    """A record goes, one comes: in one of the two views a volume more."""
    return [*mirror()[:2], disk(12, "Disk2", 0x12, status=1), disk(12, "Disk2", 0x12, 4, status=2), *mirror()[3:],
            volume(9, "Volume2", 1, 8, status=2)]


def summed(block):
    block = bytearray(block.ljust(512, b"\0"))
    struct.pack_into(">I", block, 8, sum(block) & 0xffffffff)
    return bytes(block)


def pieces(records, apart):
    """The records in slots; apart: those of several pieces back to front."""
    for number, data in enumerate(records, 2):
        parts = [data[i:i + 112].ljust(112, b"\0") for i in range(0, len(data), 112)]
        slots = [struct.pack(">IHH", number, i, len(parts)) + p for i, p in enumerate(parts)]
        yield from reversed(slots) if apart else slots


def head(byte, sectors, private, public, sector_bytes=512, sequence=5, private_sectors=PRIVATE, toc=(1, 30)):
    g = guid(0xd0).encode()
    return summed(struct.pack(">8sIHHQQQQ64s64s64s31sIIHHQQQQQQIIQQ", b"PRIVHEAD", 0, 2, 12, 0, sequence,
                              private_sectors - 1, SECOND, guid(byte).encode(), g, g, b"TestDg0", sector_bytes, 0, 0, 0,
                              public, sectors - private_sectors - public if private > public else sectors - public,
                              private, private_sectors, *toc, 1, 1, CONFIG_SECTORS, 2))


def toc(sequence=5, log_flags=0, config=CONFIG, sectors=CONFIG_SECTORS):
    def region(name, flags, start, count):
        return struct.pack(">8sHQQHHI", name, flags, start, count, 6, 1, 0)

    return summed(struct.pack(">8sIQ16s", b"TOCBLOCK", 0, sequence, b"") + region(b"config", 0, config, sectors) +
                  region(b"log", log_flags, LOG, 2))


def config(records, committed=100, pending=None, status=1, apart=False, counts=None):
    both = []
    for other in (1, 2):
        both.append([sum(1 for r in records if r[3] & 15 == t and r[1] in (0, other)) for t in (1, 2, 3, 4)])
    slots = CONFIG_SECTORS * 4
    vmdb = struct.pack(">4sIIIHHH31s64sQQ", b"VMDB", slots, 128, 512, status, 4, 10, b"TestDg0", guid(0xd0).encode(),
                       committed, committed if pending is None else pending)
    vmdb += struct.pack(">4I12x4I", *(counts or both[0]), *(counts or both[1]))
    out, used = bytearray(vmdb.ljust(512, b"\0")), list(pieces(records, apart))
    for number in range(4, slots):
        out += struct.pack(">4sI", b"VBLK", number) + (used[number - 4] if number - 4 < len(used) else bytes(120))
    return bytes(out)


def log(*entries):
    page = b""
    for i in range(2):
        body = b"".join(struct.pack(">BQQI3x", e, 99, 100, 0) for e in (entries if i == 0 else ()))
        page += (struct.pack(">4sQIIII", b"KLOG", 99, 1, 2, i, 0)[:24] + body).ljust(512, b"\0")
    return page


def private(byte, sectors, start, public, records, log_entries=(3,), **kw):
    """The private region, from its first sector."""
    h = head(byte, sectors, start, public)
    region = bytearray(PRIVATE * 512)
    for at, data in ((1, toc()), (2, toc(4, 8)), (30, toc()), (29, toc(4, 8)), (CONFIG, config(records, **kw)),
                     (LOG, log(*log_entries)), (SECOND, h), (31, h)):
        region[at * 512:at * 512 + len(data)] = data
    return bytes(region)
