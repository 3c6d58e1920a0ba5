#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Write tests/fuzz/seeds: a seed for each format and for each class of fault we know of.

usage: class-seeds.py, which runs this first    (needs tests/fixtures/md; the seeds are committed)

A folder for each target: its comment describes the form.
"""
import lzma
import pathlib
import shutil
import struct

import ldmseeds as ldm

HERE = pathlib.Path(__file__).parent
SEEDS = HERE / "seeds"
FIXTURES = HERE.parent / "fixtures" / "md"
FIX_MD, FIX_GPT, SECTORS_4K, FAIL_READS, EXACT, FIX_LDM = 1, 2, 4, 8, 16, 32
END = 2048  # sectors of an EXACT disk
ESP = bytes.fromhex("28732ac11ff8d211ba4b00a0c93ec93b")
RAID = bytes.fromhex("0f889da1fc053b4da006743f0f84911e")


def record(disk, pos, data):
    """Trailing zeroes say nothing: the disks are zero to begin with."""
    data = data.rstrip(b"\0") or b"\0"
    return struct.pack("<BIH", disk, pos, len(data)) + data


def sector(name, pos, count=1):
    with lzma.open(FIXTURES / (name + ".img.xz")) as f:
        f.seek(pos * 512)
        return f.read(count * 512)


def seed(target, name, content):
    (SEEDS / target).mkdir(parents=True, exist_ok=True)
    (SEEDS / target / name).write_bytes(content.encode() if isinstance(content, str) else content)


def write(name, flags, *records):
    seed("survey", name, bytes([flags]) + b"".join(records))


def patch(sb, *changes):
    sb = bytearray(sb)
    for fmt, off, value in changes:
        struct.pack_into(fmt, sb, off, value)
    return bytes(sb)


def mbr(*entries):
    m = bytearray(512)
    for i, (kind, start, count) in enumerate(entries):
        struct.pack_into("<B3xB3xII", m, 446 + 16 * i, 0, kind, start, count)
    m[510:] = b"\x55\xaa"
    return bytes(m)


def gpt(my, alternate, entries_at, count=128, size=128, last=131038, first=34):
    return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, my, alternate, first, last,
                       b"D" * 16, entries_at, count, size, 0)


def entry(kind, first, last):
    return kind + b"U" * 16 + struct.pack("<QQQ", first, last, 0) + b"\0" * 72


shutil.rmtree(SEEDS, ignore_errors=True)

# Whole disks, as mdadm wrote them.
for a, b in (("insync-a", "insync-b"), ("legA-failed-a", "legA-failed-b"), ("splitbrain-a", "splitbrain-b"),
             ("recovering-a", "recovering-b"), ("unclean-a", "unclean-b"), ("legA-failed-a", "replaced-c")):
    pair = [sector("md1.2-" + x, 8) for x in (a, b)]
    write(f"md12-{a}-{b}", FIX_MD, record(0, 8, pair[0]), record(1, 8, pair[1]))
    write(f"md12-{a}-{b}-raw", 0, record(0, 8, pair[0]), record(1, 8, pair[1]))

sb = sector("md1.2-3way-badblock-wm-ff-a", 8)
log_at = 8 + struct.unpack_from("<i", sb, 188)[0]
log = sector("md1.2-3way-badblock-wm-ff-a", log_at, 1)[:16]
wm = sector("md1.2-3way-badblock-wm-ff-b", 8)
write("md12-bad-blocks", FIX_MD, record(0, 8, sb), record(0, log_at, log), record(1, 8, wm))
many = b"".join(struct.pack("<Q", (2048 + 64 * i) << 10 | 8) for i in range(40))
write("md12-many-bad-blocks", FIX_MD, record(0, 8, sb), record(0, log_at, many), record(1, 8, wm))
write("md12-bad-block-shift", FIX_MD, record(0, 8, patch(sb, ("<B", 185, 63))), record(0, log_at, many))

# Each class of fault that readers of metadata had: overflow, counts, signs, loops.
good = sector("md1.2-insync-a", 8)
for name, change in (("data-offset-wraps", ("<Q", 128, 2**64 - 8)), ("data-size-wraps", ("<Q", 136, 2**64 - 1)),
                     ("size-huge", ("<Q", 80, 2**63)), ("max-dev-huge", ("<I", 220, 0xffffffff)),
                     ("max-dev-odd", ("<I", 220, 1919)), ("max-dev-zero", ("<I", 220, 0)),
                     ("dev-number-huge", ("<I", 160, 0x80000000)), ("raid-disks-zero", ("<I", 92, 0)),
                     ("raid-disks-huge", ("<I", 92, 0xffff)), ("role-beyond", ("<H", 256, 7)),
                     ("map-beyond", ("<H", 258, 5)),
                     ("level-negative", ("<i", 72, -1)), ("recovery-beyond", ("<Q", 152, 2**63)),
                     ("events-max", ("<Q", 200, 2**64 - 1)), ("super-offset", ("<Q", 144, 0))):
    changes = [change] + ([("<I", 8, 3)] if name == "recovery-beyond" else [])
    write("md12-" + name, FIX_MD, record(0, 8, patch(good, *changes)), record(1, 8, sector("md1.2-insync-b", 8)))

# 4 KiB sectors, 1.1, and 1.0 and 0.90 in small partitions.
write("md12-4k", FIX_MD | SECTORS_4K, record(0, 8, good))
write("md11", FIX_MD, record(0, 0, patch(good, ("<Q", 144, 0))))
small = [("<Q", 80, 1000), ("<Q", 128, 0), ("<Q", 136, 1000), ("<Q", 144, 1008), ("<I", 8, 0)]
part = mbr((0xfd, 64, 1024))
for i, (a, b) in enumerate((("a", "b"), ("b", "a"))):
    write(f"md10-partition-{i}", FIX_MD,
          *[record(d, 0, part) + record(d, 64 + 1008, patch(sector(f"md1.2-legA-failed-{x}", 8), *small))
            for d, x in enumerate((a, b))])
old = [sector(f"md0.90-legA-failed-{x}", 98176, 8) for x in "ab"]
old = [patch(x, ("<I", 32, 448)) for x in old]
write("md090-partition", FIX_MD, *[record(d, 0, part) + record(d, 64 + 896, old[d]) for d in (0, 1)])
write("md090-both", FIX_MD, record(0, 0, mbr((0xfd, 64, 131008))), record(0, 130944 % 2048, old[0]))

# Tables: chains that loop, entries that overlap or leave the disk, GPT with bounds broken.
loop = mbr((0x83, 1, 100), (0x05, 1, 1000))
write("mbr-loop", 0, record(0, 0, mbr((0x05, 100, 1000))), record(0, 100, loop), record(0, 101, loop))
write("mbr-chain", 0, record(0, 0, mbr((0x0f, 100, 1000), (0x83, 1, 50))),
      record(0, 100, mbr((0x83, 1, 10), (0x05, 20, 30))), record(0, 120, mbr((0x83, 1, 10))))
write("mbr-overlap", FIX_MD, record(0, 0, mbr((0xfd, 64, 1024), (0xfd, 64, 1024), (0xfd, 65, 0xffffffff))),
      record(0, 64 + 8, good), record(0, 65 + 8, good))
protective = mbr((0xee, 1, 0xffffffff))
entries = entry(ESP, 40, 60) + entry(RAID, 64, 131000)
write("gpt", FIX_GPT | FIX_MD, record(0, 0, protective), record(0, 1, gpt(1, 131071, 2)), record(0, 2, entries),
      record(0, 72, good))
write("gpt-backup", FIX_GPT, record(0, 0, protective), record(0, 1, gpt(1, 200, 2)), record(0, 2, b"torn"),
      record(0, 200, gpt(200, 1, 168)), record(0, 168, entries))
for name, kw in (("count-huge", {"count": 0xffffffff}), ("size-zero", {"size": 0}), ("size-odd", {"size": 129}),
                 ("size-huge", {"size": 0x80000000}), ("product-wraps", {"count": 0x2000000, "size": 128}),
                 ("entries-far", {"entries_at": 2**63}), ("last-max", {"last": 2**64 - 1})):
    args = {"my": 1, "alternate": 1, "entries_at": 2, **kw}
    write("gpt-" + name, FIX_GPT, record(0, 0, protective), record(0, 1, gpt(**args)), record(0, 2, entries))
write("gpt-entry-wraps", FIX_GPT, record(0, 0, protective), record(0, 1, gpt(1, 1, 2)),
      record(0, 2, entry(RAID, 0, 2**64 - 1) + entry(RAID, 2**64 - 1, 2**64 - 1) + entry(RAID, 9, 8)))
write("reads-fail", FIX_MD | FAIL_READS, record(0, 8, good), record(1, 8, sector("md1.2-insync-b", 8)))

# Disks that end where their content does: superblocks and the backup GPT in the last sectors.
whole = [("<Q", 80, 1000), ("<Q", 128, 0), ("<Q", 136, 1000), ("<Q", 144, END - 16), ("<I", 8, 0)]
write("end-md10", FIX_MD | EXACT, *[record(d, END - 16, patch(sector(f"md1.2-legA-failed-{x}", 8), *whole))
                                    for d, x in enumerate("ab")])
for name, start in (("end-md090", None), ("end-md090-last-partition", 64)):
    table = [record(d, 0, mbr((0xfd, start, END - start))) for d in (0, 1)] if start else []
    write(name, FIX_MD | EXACT, *table, *[record(d, END - 128, old[d]) for d in (0, 1)])
write("end-gpt-backup", FIX_GPT | FIX_MD | EXACT, record(0, 0, protective),
      record(0, END - 1, gpt(END - 1, 1, END - 33)),
      record(0, END - 33, entry(ESP, 40, 60) + entry(RAID, 64, 1087)), record(0, 72, good))

# fuzz_part.c: flags (1: right checksums, 2: sectors of 4 KiB, 4: reads fail), then the disk.
def disk(sectors, *content):
    d = bytearray(sectors * 512)
    for at, data in content:
        d[at * 512:at * 512 + len(data)] = data
    return bytes(d)


def part(name, flags, content):
    seed("part", name, bytes([flags]) + content)


few = entry(ESP, 4, 5) + entry(RAID, 6, 9)
primary, backup = (1, gpt(1, 15, 2, 8, last=11, first=4)), (15, gpt(15, 1, 12, 8, last=11, first=4))
part("gpt", 1, disk(16, (0, protective), primary, (2, few), backup, (12, few)))
part("gpt-raw", 0, disk(16, (0, protective), primary, (2, few), backup, (12, few)))
part("gpt-backup", 1, disk(16, (0, protective), backup, (12, few)))
part("gpt-reads-fail", 5, disk(16, (0, protective), primary, (2, few), backup, (12, few)))
part("gpt-far-backup", 1, disk(16, (0, protective), (1, gpt(1, 9, 2**63, 8, last=11, first=4)),
                               (9, gpt(9, 1, 12, 8, last=11, first=4)), (12, few)))
part("gpt-entry-cut", 1, disk(16, (0, protective), primary, (2, entry(RAID, 9, 2**63) + entry(ESP, 99, 100))))
part("gpt-last-usable", 1, disk(16, (0, protective), (1, gpt(1, 15, 2, 8, last=99, first=4)), (2, few)))
part("gpt-entries-far", 1, disk(16, (0, protective), (1, gpt(1, 15, 15, 8, last=11, first=4))))
part("gpt-size-8192", 1, disk(40, (0, protective), (1, gpt(1, 39, 2, 2, 8192, last=11, first=4)), (2, few)))
part("mbr", 0, disk(12, (0, mbr((0xfd, 1, 2), (0x0f, 4, 8))), (4, mbr((0x83, 1, 1), (0x05, 3, 3))),
                    (7, mbr((0x83, 1, 99)))))
part("mbr-loop", 0, disk(6, (0, mbr((0x05, 2, 4))), (2, mbr((0x83, 1, 1), (0x05, 1, 4))), (3, mbr((0x83, 1, 1),
    (0x05, 1, 4)))))
part("4k", 2, disk(24, (0, mbr((0xfd, 1, 1), (0x05, 2, 1))), (16, mbr((0x83, 0xffffffff, 1)))))

# fuzz_md.c: flags (format, 4: right checksum, 8: right place), the member's size, superblock, log.
def superblock(name, flags, size, sb, log_bytes=b""):
    body = sb.ljust(4096, b"\0") + log_bytes if log_bytes else sb.rstrip(b"\0")
    seed("md", name, struct.pack("<BQ", flags, size) + body)


MD090, MD10, MD11, MD12, SUM, PLACE = 0, 1, 2, 3, 4, 8
superblock("12", MD12, 98304, good)
superblock("12-bad-blocks", MD12 | SUM, 98304, sb, log)
superblock("12-many-bad-blocks", MD12 | SUM, 98304, sb, many)
superblock("12-recovering", MD12 | SUM, 98304, sector("md1.2-recovering-b", 8))
superblock("12-recovery-beyond", MD12 | SUM, 98304, patch(good, ("<I", 8, 3), ("<Q", 152, 2**63)))
superblock("12-map-beyond", MD12 | SUM, 98304, patch(good, ("<H", 258, 5)))
superblock("12-data-over-superblock", MD12 | SUM, 98304, patch(good, ("<Q", 128, 12)))
superblock("11", MD11 | SUM | PLACE, 98304, good)
superblock("10", MD10 | SUM | PLACE, 98304, patch(good, ("<Q", 128, 0)))
superblock("090", MD090 | SUM, 98304, sector("md0.90-legA-failed-a", 98176, 8))
superblock("090-role-beyond", MD090 | SUM, 98304,
           patch(sector("md0.90-legA-failed-a", 98176, 8), ("<I", 512 + 12, 4)))
superblock("090-raw", MD090, 98304, sector("md0.90-legA-failed-b", 98176, 8))

# fuzz_record.c: flags (1: right sums), then sectors of 512 bytes, each a boot record; 2: then one variable.
def boot_record(sequence, *mirrors, version=1, failovers=0, failed=0, count=None):
    data = struct.pack("<8sIIIIIBB2x", b"MIRRBREC", version, 0, sequence, failovers, failed, 0,
                       len(mirrors) if count is None else count)
    for uuid, seen, when in mirrors:
        data += struct.pack("<16sQQI8B12s", bytes([uuid]) * 16, seen, seen, when, 3, 1, 1, 2, 0, 0, 0, 0,
                            bytes([0, 0, 1, 0xff, 4, 15, 9, 99, 99, 0, 0, 0]))
    return data.ljust(512, b"\0")


def records(name, flags, *sectors):
    seed("record", name, bytes([flags]) + b"".join(sectors))


M = 2**64 - 1
records("one", 1, boot_record(3, (0xa1, 24, 3)))
records("raw", 0, boot_record(3, (0xa1, 24, 3)))
records("two", 1, boot_record(3, (0xa1, 24, 3), (0xa2, M, 1)), boot_record(9, (0xa1, 20, 9), failovers=2, failed=3))
records("around", 1, boot_record(2**32 - 1, (0xa1, M, 5)), boot_record(0, (0xa1, 0, 2**31), (0xa1, 7, 0)))
records("many", 1, *[boot_record(n, *[(8 * n + i, n, n) for i in range(8)]) for n in range(1, 7)])
records("count", 1, boot_record(1, (0xa1, 24, 3), count=255), boot_record(1, version=2))
records("variable", 3, boot_record(3, (0xa1, 24, 3), (0xa2, M, 1))[:32 + 2 * 56])
records("variable-cut", 3, boot_record(3, (0xa1, 24, 3), (0xa2, M, 1))[:32 + 56])

# fuzz_fat.c: flags (1: 4 KiB sectors, 4: reads fail), then the start of a disk with a FAT file system.
class Fat:
    def __init__(self, kind, clusters, sector=512, per_cluster=1):
        fat = -(-(clusters + 2) * kind // 8 // sector) + 1
        self.kind, self.sector, self.root = kind, sector, max(64, sector // 32) if kind < 32 else 0
        self.fat_at, self.per = 1, per_cluster
        self.root_at = 1 + fat
        self.data_at = self.root_at + self.root * 32 // sector
        self.image = bytearray(sector * (self.data_at + min(clusters, 64) * per_cluster))
        total = self.data_at + clusters * per_cluster
        struct.pack_into("<3s8sHBHBHHBHHHII", self.image, 0, b"\xeb\x3c\x90", b"MSWIN4.1", sector, per_cluster, 1,
                         1, self.root, total if total < 65536 else 0, 0xf8, fat if kind < 32 else 0, 1, 1, 0,
                         total if total > 65535 else 0)
        if kind == 32:
            struct.pack_into("<IHHIHH", self.image, 36, fat, 0, 0, 2, 0, 0)
        self.link(0, -8)
        self.link(1, -1)
        if kind == 32:
            self.link(2, -1)

    def link(self, cluster, value):
        at, value = self.fat_at * self.sector, value & ((1 << min(self.kind, 28)) - 1)
        if self.kind == 12:
            at += cluster * 3 // 2
            old, = struct.unpack_from("<H", self.image, at)
            value = old & 0xf | value << 4 if cluster & 1 else old & 0xf000 | value
            struct.pack_into("<H", self.image, at, value)
        else:
            struct.pack_into("<H" if self.kind == 16 else "<I", self.image, at + cluster * self.kind // 8, value)

    def cluster(self, n):
        return (self.data_at + (n - 2) * self.per) * self.sector

    def slots(self, folder, *slots, first=0):
        at = self.cluster(folder) if folder else self.root_at * self.sector
        if not folder and self.kind == 32:
            at = self.cluster(2)
        for i, slot in enumerate(slots):
            self.image[at + (first + i) * 32:at + (first + i + 1) * 32] = slot
        return self

    def write(self, name, flags=0, end=None):
        seed("fat", name, bytes([flags]) + bytes(self.image[:end]).rstrip(b"\0"))


def slot(name, attributes, cluster, size):
    return struct.pack("<11sBBBHHHHHHHI", name, attributes, 0x18, 0, 0, 0, 0, cluster >> 16, 0x6000, 0x5bb1,
                       cluster & 0xffff, size)


def long_slots(text, short):
    total = 0
    for c in short:
        total = ((total & 1) << 7) + (total >> 1) + c & 0xff
    units = (text + "\0").encode("utf-16-le")
    count = -(-len(units) // 26)
    units = units.ljust(count * 26, b"\xff")
    for i in range(count, 0, -1):
        u = units[(i - 1) * 26:i * 26]
        yield bytes([i | (0x40 if i == count else 0)]) + u[:10] + bytes([15, 0, total]) + u[10:22] + b"\0\0" + u[22:]


def tree(kind, **kw):
    fat = Fat(kind, {12: 90, 16: 4085, 32: 90}[kind], **kw)
    cluster_bytes = fat.sector * fat.per
    fat.slots(0, slot(b"LABEL      ", 8, 0, 0), slot(b"EFI        ", 16, 3, 0),
              *long_slots("a long name \u20ac \U0001f427.conf", b"ALONGN~1CON"), slot(b"ALONGN~1CON", 32, 9,
                  cluster_bytes + 188),
              slot(b"\xe5ONE       ", 32, 0, 0), slot(b"\x05\x80      X  ", 1, 0, 0))
    fat.slots(3, slot(b".          ", 16, 3, 0), slot(b"..         ", 16, 0, 0), slot(b"BOOT       ", 16, 4, 0))
    fat.slots(4, slot(b".          ", 16, 4, 0), slot(b"..         ", 16, 3, 0),
              slot(b"BOOTX64 EFI", 32, 6, 3 * cluster_bytes + 264))
    for cluster, value in (3, -1), (4, -1), (9, 12), (12, -1), (6, 7), (7, 8), (8, 20), (20, -1):
        fat.link(cluster, value)
    return fat


for kind in 12, 16, 32:
    tree(kind).write("%d" % kind)
tree(12, per_cluster=4).write("12-clusters-of-4")
tree(12, sector=4096).write("12-4k", 1, 60000)
tree(16).write("16-reads-fail", 4 + 8)
t = tree(12)
t.slots(4, slot(b"UP         ", 16, 3, 0), slot(b"SELF       ", 16, 4, 0), slot(b"FAR        ", 16, 92, 0),
        slot(b"NONE       ", 16, 0, 0), first=3).write("loops")
t = tree(12)
t.link(20, 6)
t.slots(4, slot(b"ROUND   EFI", 32, 6, 40000), slot(b"SHORT   EFI", 32, 9, 2000),
        slot(b"HUGE    EFI", 32, 9, 2**32 - 1), slot(b"NONE    EFI", 32, 0, 5),
        slot(b"BEYOND  EFI", 32, 200, 5), first=3).write("files")
t = tree(32)
t.link(2, 2)
t.slots(0, *[slot(b"X          ", 32, 0, 0)] * 16).write("folder-loop")
t = tree(12)
t.slots(0, *long_slots("x" * 255, b"LONG~1     "), slot(b"LONG~1     ", 32, 0, 0),
        *list(long_slots("orphan" * 5, b"LONG~2     "))[1:], slot(b"LONG~2     ", 32, 0, 0),
        *long_slots("a\\b", b"LONG~3     "), slot(b"LONG~3     ", 32, 0, 0),
        *long_slots("\ud800x".encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"), b"LONG~4     "),
        slot(b"LONG~4     ", 32, 0, 0)).write("names")
t = tree(12)
for i in range(20):
    t.slots(20 + i, slot(b"A          ", 16, 21 + i, 0), slot(b"B          ", 16, 21 + i, 0))
t.slots(0, slot(b"A          ", 16, 20, 0)).write("shared-folders")

# fuzz_manifest.c: flags (1: the right end line is put behind it), then the text.
HEAD = ("mirrorboot-manifest 1\nset 0fc63daf-8483-4772-8e79-3d69d8477de4\ngeneration 12\nstate complete\n"
        "source c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n")
FILE = "file " + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" + " %d %08x %s\n"


def manifest(name, text, flags=1):
    seed("manifest", name, bytes([flags]) + text.encode())


manifest("empty", HEAD)
manifest("files", HEAD + FILE % (3, 0x5bb16000, "\\EFI\\BOOT\\BOOTX64.EFI") +
         FILE % (2**64 - 1, 0, "\\\u20ac \U0001f427"))
manifest("later-keys", HEAD.replace("state", "later 1 2\nstate") + FILE % (3, 0, "\\a"))
manifest("version-2", HEAD.replace("manifest 1", "manifest 2"))
manifest("updating", HEAD.replace("complete", "updating").replace("12", "18446744073709551615", 1))
manifest("paths", HEAD + FILE % (0, 0, "\\a\\..\\b"))
manifest("twice", HEAD + "state updating\n")
manifest("raw", HEAD + "end " + "0" * 64 + "\n", 0)

# Dynamic disks, for fuzz_survey.c: pairs, on disks that end where their private regions do.
def dynamic(name, first, second, flags=FIX_LDM | EXACT, **kw):
    """Each: records, and how their database is."""
    out = []
    for i, (records, how) in enumerate((first, second)):
        start = END - ldm.PRIVATE
        region = ldm.private(0x11 + i, END, start, 63, records, **{**kw, **how})
        out += [record(i, 0, mbr((0x42, 63, END - 63))), record(i, 6, ldm.head(0x11 + i, END, start, 63))]
        # Slots that are free are filled in by the target.
        used = 4 + len(list(ldm.pieces(records, False)))
        for at, data in ((1, region[512:1024]), (30, region[30 * 512:31 * 512]),
                         (ldm.CONFIG, region[ldm.CONFIG * 512:ldm.CONFIG * 512 + 128 * used]),
                         (ldm.LOG, region[ldm.LOG * 512:ldm.LOG * 512 + 1024]), (31, region[31 * 512:])):
            out.append(record(i, start + at, data))
    write("ldm-" + name, flags, *out)


pair = ldm.mirror()
dynamic("mirror", (pair, {}), (pair, {}))
dynamic("mirror-reads-fail", (pair, {}), (pair, {}), FIX_LDM | EXACT | FAIL_READS)
dynamic("mirror-raw", (pair, {}), (pair, {}), EXACT)
dynamic("mirror-older", (pair, {}), (pair, {"committed": 99}))
dynamic("mirror-conflict", (pair, {}), (pair, {"log_entries": (3, 1)}))
dynamic("mirror-stale", (ldm.mirror(state="STALE"), {}), (ldm.mirror(state="STALE"), {}))
dynamic("mirror-split", (ldm.mirror(state="STALE"), {}), (ldm.mirror(flags=4), {}))
dynamic("mirror-striped", (ldm.mirror(layout=1, columns=2), {}), (ldm.mirror(layout=1, columns=2), {}))
dynamic("spanned", (ldm.spanned(), {}), (ldm.spanned(), {}))
dynamic("spanned-older", (ldm.spanned(), {"committed": 3}), (ldm.spanned(), {}))
dynamic("others", (ldm.others(), {}), (ldm.others(), {}))
dynamic("update", (ldm.update(2), {"status": 2, "pending": 101}), (ldm.update(3), {"status": 3, "pending": 101}))
dynamic("broken", (pair, {}), (pair, {"status": 6}))


# fuzz_ldm.c: flags (1: right sums and slots, 2: sectors of 4 KiB, 4: reads fail, 8: a record), then the disk.
def ldm_disk(name, flags, records, **kw):
    table = bytearray(mbr((0x42, 8, 40)).ljust(8 * 512, b"\0"))
    table[6 * 512:7 * 512] = ldm.head(0x11, 8 + 16 + ldm.PRIVATE, 24, 8)
    content = bytes(table) + bytes(16 * 512) + ldm.private(0x11, 8 + 16 + ldm.PRIVATE, 24, 8, records, **kw)
    seed("ldm", "disk-" + name, bytes([flags]) + content)


small = ldm.mirror(8)
ldm_disk("mirror", 1, small)
ldm_disk("guids-as-bytes", 1, ldm.mirror(8, raw=True), apart=True)
ldm_disk("others", 1, ldm.others(), log_entries=(3, 2, 1, 4, 5))
ldm_disk("spanned-reads-fail", 5, ldm.spanned(8))
ldm_disk("change", 1, ldm.update(2), status=2, pending=101)
ldm_disk("commit", 1, ldm.update(3), status=3, pending=101)
ldm_disk("counts", 1, small, counts=(0xffffffff, 2, 2, 2))
for i, r in enumerate(ldm.mirror(raw=True)[::7] + ldm.others()[3:6:2] + ldm.mirror()[:2]):
    seed("ldm", f"record-{i}", b"\x08" + r)

# Configuration texts.
seed("config", "all", "mirror = t:boot\nnext=\\EFI\\debian\\grubx64.efi\nboot-disk = disk\nmembers = raw\n"
                                  "volumes = yes\nwrites = no\nsplit-brain = ask\ntimeout = 5\nhide-stale = yes\n"
                                  "console = both\n")
seed("config", "faults", "# c\n\r\n=\nmirror\nmirror = \nmirror =" + "x" * 200 + "\ntimeout = 256\n"
                                     "timeout = 99999999999\ncolour = blue\nwrites = mirror\n")
seed("config", "value-128", "mirror =" + "x" * 128 + "\n")
seed("config", "key-32", "k" * 32 + " = 1\n")
seed("config", "too-long", "# " + "x" * 2036 + "\ntimeout = 255\n")


# fuzz_bootentry.c: a variable Boot####.
def node(kind, sub, data=b""):
    return struct.pack("<BBH", kind, sub, 4 + len(data)) + data


def bootentry(name, *path, description="debian", data=b"", path_bytes=None):
    path = b"".join(path)
    seed("bootentry", name,
        struct.pack("<IH", 1, len(path) if path_bytes is None else path_bytes)
        + description.encode("utf-16-le") + b"\0\0" + path + data)


END = node(0x7f, 0xff)
ON_ESP = node(4, 1, struct.pack("<IQQ", 1, 2048, 65536) + bytes(range(16)) + b"\2\2")
SHIM = node(4, 4, "\\EFI\\debian\\shimx64.efi\0".encode("utf-16-le"))
PCI = node(2, 1, bytes(8)) + node(1, 1, b"\0\2") + node(3, 18, bytes(6))
bootentry("file", ON_ESP, SHIM, END)
bootentry("data", ON_ESP, SHIM, END, data=b"crash")
bootentry("full-path", PCI, ON_ESP, SHIM, END)
bootentry("two-nodes", ON_ESP, node(4, 4, "EFI\0".encode("utf-16-le")), node(4, 4, "/a.efi".encode("utf-16-le")), END)
bootentry("two-paths", ON_ESP, SHIM, END, PCI, END)
bootentry("two-instances", PCI, node(0x7f, 1), ON_ESP, SHIM, END)
bootentry("device", PCI, END, data=bytes.fromhex("4eac0881119f594d850ee21a522c59b2"))
bootentry("ami", ON_ESP, END, data=b"\0\0BO")
bootentry("mbr", node(4, 1, struct.pack("<IQQ", 1, 63, 999) + bytes(16) + b"\1\1"), SHIM, END)
bootentry("long-file", ON_ESP, node(4, 4, b"x\0" * 600), END)
bootentry("path-short", ON_ESP, SHIM, END, path_bytes=50)
bootentry("path-long", ON_ESP, SHIM, END, path_bytes=0xffff)
bootentry("no-end", ON_ESP, SHIM)
bootentry("node-zero", ON_ESP, b"\4\4\0\0", END)
bootentry("node-two", ON_ESP, b"\4\4\2\0\6\0\0\0", END)
bootentry("hd-short", node(4, 1, bytes(8)), END)
bootentry("node-long", ON_ESP, b"\4\4\xff\xff", END)
bootentry("no-path")
seed("bootentry", "name-open", struct.pack("<IH", 1, 4) + b"n\0o\0")
