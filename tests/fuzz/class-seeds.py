#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Seeds for the classes of faults that readers of disks have had, and classes.tsv, which says what each comes to.

usage: class-seeds.py PROGRAMS    (O/fuzz-smoke; runs make-seeds.py first; seeds and classes.tsv are committed)

A row: class, parser, seed, what the target says of it. `make fuzz-smoke` holds the last against what is said then: a
seed that another check stops, before it reaches the one that it was made for, is found. A seed differs from a good
one, which has a row of its own, in nothing but the field in question. docs/fuzzing.md has the rows as a table, and
where the classes come from.
"""
import pathlib
import runpy
import struct
import subprocess
import sys
import types

HERE = pathlib.Path(__file__).parent
m = types.SimpleNamespace(**runpy.run_path(str(HERE / "make-seeds.py")))
rows = []
BIG = 2**64 - 1
KINDS = GOOD, OVERFLOW, DEPTH, LOOP, COUNT, ZERO, SIGN = "good", "overflow", "depth", "loop", "count", "zero", "sign"


def add(kind, parser, target, name, content, expected):
    name = f"{kind}-{name}"
    m.seed(target, name, content)
    rows.append((kind, parser, f"{target}/{name}", expected))


def flags(n, content):
    return bytes([n]) + content


# ---- mbrtab.c, gpt.c, bootarea.c ----------------------------------------------------------------------------------
def table(kind, parser, name, expected, *content, sectors=16, fix=1):
    add(kind, parser, "part", name, flags(fix, m.disk(sectors, *content)), expected)


def gpt(kind, name, expected, entries=None, **kw):
    args = {"my": 1, "alternate": 1, "entries_at": 2, "count": 8, "last": 11, "first": 4, **kw}
    table(kind, "gpt", "gpt-" + name, expected, (0, m.protective), (1, m.gpt(**args)), (2, entries or m.few))


table(OVERFLOW, "mbrtab", "mbr-ends-behind-4-gi", "table:ok partitions:1", (0, m.mbr((0x83, 8, 2**32 - 1))))
table(SIGN, "mbrtab", "mbr-start-in-upper-half", "none partitions:0", (0, m.mbr((0x83, 2**31, 8))))
chain = [(0, m.mbr((0x05, 1, 127)))] + [(i, m.mbr((0x83, 1, 1), (0x05, i, 1))) for i in range(1, 127)]
table(DEPTH, "mbrtab", "mbr-chain-of-126", "table:ok mbr partitions:127", *chain, sectors=128)
table(LOOP, "mbrtab", "mbr-link-to-itself", "table:ok full", (0, m.mbr((0x05, 2, 10))),
      (2, m.mbr((0x83, 1, 1), (0x05, 1, 4))), (3, m.mbr((0x83, 1, 1), (0x05, 1, 4))))
table(LOOP, "mbrtab", "mbr-link-backwards", "table:ok full", (0, m.mbr((0x05, 2, 10))),
      (2, m.mbr((0x83, 1, 1), (0x05, 3, 4))), (3, m.mbr((0x83, 1, 1), (0x05, 3, 4))),
      (5, m.mbr((0x83, 1, 1), (0x05, 1, 4))))
gpt(OVERFLOW, "count-by-size-is-2-32", "table:corrupt", count=0x2000000, size=128)
gpt(OVERFLOW, "table-at-2-63", "table:corrupt", entries_at=2**63)
gpt(OVERFLOW, "entry-ends-at-2-64", "table:ok gpt partitions:1", m.entry(m.RAID, 9, BIG))
gpt(LOOP, "backup-is-itself", "table:corrupt", count=0x2000000, alternate=1)
gpt(COUNT, "count-is-2-32", "table:corrupt", count=2**32 - 1)
gpt(COUNT, "entry-larger-than-a-sector", "table:corrupt", size=2**31, count=2)
gpt(ZERO, "entries-of-no-size", "table:corrupt", size=0)
gpt(ZERO, "no-entries", "table:ok gpt partitions:0", count=0)
gpt(SIGN, "last-before-first", "table:ok gpt partitions:0", m.entry(m.RAID, 9, 8))


def area(kind, name, expected, at=BIG, count=10, stage2=2):
    code = bytearray(440)
    struct.pack_into("<IQHHI", code, 420, 0x3242524d, at, stage2, 0, 0)
    lba0 = bytes(code) + m.mbr((0x83, 14, 1))[440:]
    header = struct.pack("<8sIIIIIIQ", b"MIRRBOOT", 1, count, stage2, 0, 0, 0, max(at - 7, 0))
    table(kind, "bootarea", "area-" + name, expected, (0, lba0), (1, header), fix=8)


area(OVERFLOW, "at-2-64", "area:corrupt")
area(COUNT, "longer-than-the-disk", "area:corrupt", at=8, count=2**32 - 1)
area(COUNT, "stage2-longer-than-it", "area:corrupt", at=8, count=10, stage2=80)
area(SIGN, "before-the-disk", "area:corrupt", at=3)

# ---- md0.c, md1.c --------------------------------------------------------------------------------------------------
OLD = m.sector("md0.90-legA-failed-a", 98176, 8)
SIZE = 98304


def md(kind, parser, name, expected, sb, size=SIZE, log=b""):
    form = {"md0": m.MD090, "md1": m.MD12}[parser] | m.SUM
    body = sb.ljust(4096, b"\0") + log if log else sb.rstrip(b"\0")
    add(kind, parser, "md", parser + "-" + name, struct.pack("<BQ", form, size) + body, expected)


def md1(kind, name, expected, *changes, **kw):
    md(kind, "md1", name, expected, m.patch(m.good, *changes), **kw)


def md0(kind, name, expected, *changes):
    md(kind, "md0", name, expected, m.patch(OLD, *changes))


md0(OVERFLOW, "size-in-kib-doubled", "no-superblock", ("<I", 32, 2**32 - 1))
md0(COUNT, "raid-disks", "member:corrupt bad-fields", ("<I", 40, 2**32 - 1))
md0(COUNT, "own-number", "member:", ("<I", 3968, 2**32 - 1))
md0(COUNT, "own-role", "member:ok", ("<I", 512 + 12, 2**31))
md0(ZERO, "no-raid-disks", "member:corrupt bad-fields", ("<I", 40, 0))
md0(ZERO, "no-size", "member:corrupt bad-fields", ("<I", 32, 0))
md0(SIGN, "level-minus-4", "member:unsupported not-a-mirror", ("<i", 28, -4))
md1(OVERFLOW, "data-offset", "member:corrupt", ("<Q", 128, 2**64 - 8))
md1(OVERFLOW, "data-size", "member:", ("<Q", 136, BIG))
md1(OVERFLOW, "size", "member:", ("<Q", 80, 2**63))
md1(OVERFLOW, "recovery-offset", "member:ok", ("<I", 8, 2), ("<Q", 152, BIG))
md1(OVERFLOW, "offset-plus-size", "member:", ("<Q", 128, 64), ("<Q", 80, BIG - 32), ("<Q", 136, BIG - 32))
md1(COUNT, "max-dev", "member:corrupt bad-fields", ("<I", 220, 2**32 - 1))
md1(COUNT, "dev-number", "member:", ("<I", 160, 2**31))
md1(COUNT, "dev-number-behind-map", "member:", ("<I", 160, 127))
md1(COUNT, "raid-disks", "member:corrupt", ("<I", 92, 2**32 - 1))
md1(ZERO, "no-raid-disks", "member:corrupt bad-fields", ("<I", 92, 0))
md1(ZERO, "no-max-dev", "member:", ("<I", 220, 0))
md1(ZERO, "no-size", "member:corrupt", ("<Q", 80, 0))
md1(SIGN, "level-minus-1", "member:unsupported not-a-mirror", ("<i", 72, -1))
BITMAP = ("<I", 8, 1)
md1(SIGN, "bitmap-before-the-disk", "member:", BITMAP, ("<i", 96, -2**31))
LOG = ("<I", 8, 8)
md1(SIGN, "log-before-the-disk", "member:", LOG, ("<H", 186, 1), ("<i", 188, -2**31))
md1(COUNT, "log-longer-than-a-sector", "member:", LOG, ("<H", 186, 0xffff), ("<i", 188, 8))
md1(OVERFLOW, "log-shift-63", "member:", LOG, ("<B", 185, 63), ("<H", 186, 1), ("<i", 188, 8), log=m.many)
md1(OVERFLOW, "log-range-to-2-54", "member:ok", LOG, ("<B", 185, 0), ("<H", 186, 1), ("<i", 188, 8),
    log=struct.pack("<QQ", (2**54 - 1) << 10 | 1023, BIG))
md1(ZERO, "log-range-of-none", "member:ok holes:0", LOG, ("<B", 185, 0), ("<H", 186, 1), ("<i", 188, 8),
    log=struct.pack("<QQ", 4096 << 10, BIG))

# ---- ldm_*.c ------------------------------------------------------------------------------------------------------
L = m.ldm


def ldm(kind, name, expected, records=None, start=24, fix=1, head=None, **kw):
    disk = bytearray(m.mbr((0x42, 8, 40)).ljust(8 * 512, b"\0"))
    end = 8 + 16 + L.PRIVATE
    disk[6 * 512:7 * 512] = head or L.head(0x11, end, start, 8)
    region = bytearray(L.private(0x11, end, 24, 8, records or m.small, **kw))
    if head:
        for at in (L.SECOND, 31):
            region[at * 512:(at + 1) * 512] = head
    add(kind, "ldm", "ldm", "disk-" + name, flags(fix, bytes(disk) + bytes(16 * 512) + bytes(region)), expected)


def record(kind, name, data, expected):
    add(kind, "ldm", "ldm", "record-" + name, flags(8, data), expected)


def long_size(data, size):
    return data[:4] + struct.pack(">I", size) + data[8:]


ldm(OVERFLOW, "private-region-at-2-64", "disk:corrupt", head=m.patch(L.head(0x11, 56, 24, 8), (">Q", 299, BIG - 8)))
ldm(OVERFLOW, "private-region-of-2-64", "disk:corrupt", head=m.patch(L.head(0x11, 56, 24, 8), (">Q", 307, BIG)))
ldm(OVERFLOW, "partition-ends-at-2-64", "disk:ok",
    [r if r[3] != 0x33 else L.partition(r[9], "Disk1-01", 20, 11, BIG - 4, 64) for r in m.small])
ldm(OVERFLOW, "volume-of-2-64", "disk:ok", [*m.small[:-1], L.volume(4, "Volume1", 2, BIG)])
ldm(LOOP, "component-of-itself", "disk:",
    [*m.small[:5], L.component(20, "Volume1-01", 20), L.component(21, "Volume1-02", 20), m.small[7]])
ldm(LOOP, "two-of-one-number", "disk:",
    [*m.small[:5], L.component(20, "Volume1-01", 4), L.component(20, "Volume1-02", 4), m.small[7]])
ldm(COUNT, "records", "disk:corrupt", counts=(2**32 - 1, 2, 2, 2))
ldm(COUNT, "components-of-a-volume", "disk:ok", [*m.small[:-1], L.volume(4, "Volume1", 2**32 - 1, 8)])
ldm(COUNT, "partitions-of-a-component", "disk:ok",
    [*m.small[:5], L.component(20, "Volume1-01", 4, 2**32 - 1), *m.small[6:]])
record(COUNT, "size", long_size(m.small[-1], 2**32 - 1), "record:corrupt")
record(COUNT, "name-longer-than-record", m.small[1][:10] + b"\xff" + m.small[1][11:], "record:corrupt")
record(COUNT, "number-of-255-bytes", m.small[1][:8] + b"\xff" + m.small[1][9:], "record:corrupt")
ldm(ZERO, "stripe-of-no-columns", "disk:ok",
    [*m.small[:5], L.component(20, "Volume1-01", 4, layout=1, columns=0), *m.small[6:]])
ldm(ZERO, "sectors-of-no-bytes", "disk:", head=L.head(0x11, 56, 24, 8, sector_bytes=0))
record(ZERO, "no-size", long_size(m.small[-1], 0), "record:corrupt")
ldm(SIGN, "private-region-before-the-disk", "disk:corrupt", head=m.patch(L.head(0x11, 56, 24, 8), (">Q", 299, 2**63)))

# ---- fat*.c --------------------------------------------------------------------------------------------------------
def fat(kind, name, expected, tree, flag=0):
    add(kind, "fat", "fat", name, flags(flag, bytes(tree.image).rstrip(b"\0")), expected)


def boot(kind, name, expected, *changes, which=12):
    t = m.tree(which)
    for fmt, off, value in changes:
        struct.pack_into(fmt, t.image, off, value)
    fat(kind, name, expected, t)


boot(OVERFLOW, "fats-by-sectors-is-2-32", "open:corrupt", ("<B", 16, 255), ("<I", 36, 0x01010102), which=32)
boot(OVERFLOW, "fat-of-2-32-sectors", "open:", ("<I", 36, 2**32 - 1), which=32)
boot(OVERFLOW, "reserved-and-root", "open:corrupt", ("<H", 14, 0xffff), ("<H", 17, 0xffff))
boot(COUNT, "more-sectors-than-the-disk", "open:range", ("<H", 19, 0), ("<I", 32, 200000), which=32)
boot(COUNT, "more-clusters-than-the-fat", "open:ok check:ok", ("<H", 19, 4000))
boot(ZERO, "sectors-of-no-bytes", "open:absent", ("<H", 11, 0))
boot(ZERO, "clusters-of-no-sectors", "open:absent", ("<B", 13, 0))
boot(ZERO, "no-fats", "open:absent", ("<B", 16, 0))
boot(ZERO, "no-sectors", "open:", ("<H", 19, 0), ("<I", 32, 0))
boot(ZERO, "fat-of-no-sectors", "open:", ("<H", 22, 0))
boot(SIGN, "root-cluster-1", "open:", ("<I", 44, 1), which=32)
t = m.tree(12)
for i in range(40):
    t.slots(20 + i, m.slot(b"A          ", 16, 21 + i, 0))
    t.link(20 + i, -1)
t.slots(0, m.slot(b"A          ", 16, 20, 0))
fat(DEPTH, "40-folders-in-each-other", "walk:full", t)
t = m.tree(12)
t.link(20, 6)
t.slots(4, m.slot(b"ROUND   EFI", 32, 6, 2**32 - 1), first=3)
fat(LOOP, "chain-of-a-file", "file:corrupt", t)
t = m.tree(12)
t.link(3, 3)
t.slots(3, *[m.slot(b"X%-10d" % i, 32, 0, 0) for i in range(13)], first=3)
fat(LOOP, "chain-of-a-folder", "walk:full", t)
t = m.tree(12)
t.slots(4, m.slot(b"UP         ", 16, 3, 0), first=3)
fat(LOOP, "folder-in-itself", "walk:corrupt", t)
t = m.tree(12)
t.slots(4, m.slot(b"HUGE    EFI", 32, 9, 2**32 - 1), first=3)
fat(COUNT, "file-longer-than-its-chain", "file:corrupt", t)
t = m.tree(12)
t.slots(4, m.slot(b"BEYOND  EFI", 32, 200, 5), first=3)
fat(COUNT, "cluster-behind-the-last", "file:corrupt", t)
t = m.tree(12)
long_name = list(m.long_slots("x" * 255, b"LONG~1     "))
long_name[0] = b"\x7f" + long_name[0][1:]
t.slots(0, *long_name, m.slot(b"LONG~1     ", 32, 0, 0))
fat(COUNT, "long-name-of-63-slots", "walk:ok", t)
t = m.tree(12)
t.slots(4, m.slot(b"ONE     EFI", 32, 1, 5), first=3)
fat(SIGN, "cluster-1", "file:corrupt", t)
t = m.tree(12)
t.link(9, 1)
fat(SIGN, "chain-to-cluster-1", "file:corrupt", t)

# ---- manifest.c, config.c, cmdline.c, esppolicy.c ------------------------------------------------------------------
def manifest(kind, name, text, expected="manifest:corrupt"):
    add(kind, "manifest", "manifest", name, flags(1, text.encode()), expected)


manifest(OVERFLOW, "generation-of-2-64", m.HEAD.replace("generation 12", "generation 18446744073709551616"))
manifest(OVERFLOW, "file-of-2-64-bytes", m.HEAD + m.FILE % (2**64, 0, "\\a"))
manifest(COUNT, "path-of-1025", m.HEAD + m.FILE % (1, 0, "\\" + "x" * 1024))
manifest(SIGN, "file-of-minus-1", m.HEAD + m.FILE % (-1, 0, "\\a"))
manifest(LOOP, "the-same-key-twice", m.HEAD + "state complete\n")
add(OVERFLOW, "config", "config", "timeout-of-2-32", b"timeout = 4294967301\n", "config:corrupt bad value line:1")
add(COUNT, "config", "config", "value-of-128", b"mirror = " + b"x" * 128 + b"\n", "too long line:1")
add(COUNT, "config", "config", "text-of-2049", b"# " + b"x" * 2046 + b"\n", "too long")
add(COUNT, "config", "config", "65-trusted", b"".join(b"trust = %032x\n" % i for i in range(1, 66)), "config:corrupt")
add(SIGN, "config", "config", "timeout-of-minus-1", b"timeout = -1\n", "bad value line:1")
add(COUNT, "cmdline", "words", "65-words", flags(0, b"a " * 65), "command too-long")
add(COUNT, "cmdline", "words", "1025-letters", flags(0, b"a" * 1025), "command too-long")
add(OVERFLOW, "cmdline", "words", "number-of-2-32", flags(0, b"delete 4294967297"), "command")
add(DEPTH, "esppolicy", "words", "pattern-of-stars", flags(1, b"*a" * 40 + b"\n\\" + b"a" * 120 + b"b"), "pattern")
add(COUNT, "ucs2", "words", "half-a-pair-at-the-end", flags(2, b"a\0\0\xd8"), "utf16")
add(COUNT, "ucs2", "words", "cut-utf-8", flags(3, b"a\xf0\x9f\x90"), "utf8 no-utf8")


# ---- bootentry.c, nvram.c, record.c --------------------------------------------------------------------------------
def entry(kind, name, *path, expected="entry:corrupt", **kw):
    m.bootentry(f"{kind}-{name}", *path, **kw)
    rows.append((kind, "bootentry", f"bootentry/{kind}-{name}", expected))


entry(COUNT, "path-longer-than-it", m.ON_ESP, m.SHIM, m.END, path_bytes=0xffff)
entry(COUNT, "file-longer-than-room", m.ON_ESP, m.node(4, 4, b"x\0" * 600), m.END, expected="entry:ok partition")
entry(COUNT, "node-longer-than-path", m.ON_ESP, b"\4\4\xff\xff", m.END)
entry(LOOP, "node-of-no-length", m.ON_ESP, b"\4\4\0\0", m.END)
entry(SIGN, "node-shorter-than-its-head", m.ON_ESP, b"\4\4\3\0\6\0\0\0", m.END)
entry(ZERO, "no-path", expected="entry:corrupt")
entry(ZERO, "file-of-no-letters", m.ON_ESP, m.node(4, 4), m.END, expected="entry:ok partition")
add(COUNT, "nvram", "nvwrite", "order-of-odd-bytes", bytes([1, 0, 0, 3, 1, 0, 2, 8]) + b"\1\0\0\0\4\0n\0",
    "entry:corrupt")
add(COUNT, "record", "record", "mirrors-255", flags(1, m.boot_record(1, (0xa1, 24, 3), count=255)),
    "record:corrupt seen:0")
add(COUNT, "record", "record", "variable-cut", flags(3, m.boot_record(3, (0xa1, 24, 3), (0xa2, BIG, 1))[:32 + 56]),
    "variable:corrupt seen:0")
add(OVERFLOW, "record", "record", "sequence-wraps", flags(1, m.boot_record(2**32 - 1, (0xa1, 30, 5)) +
    m.boot_record(0, (0xa1, 7, 0))), "record:ok seen:1")


# ---- int13.c: fuzz_int13.c says in which order a call's bytes come -------------------------------------------------
FUNCTIONS = [2, 3, 4, 8, 0xc, 0x15, 0x41, 0x42, 0x43, 0x44, 0x47, 0x48, 0x42, 0x43, 1, 0]


def machine(writable=1, no_move=0, code=0, most=0, bad=(0,) * 6, reads=True, writes=True):
    how = writable | (6 if no_move else 0) | code << 3 | (64 if most else 0)
    return bytes([how, (most & 31) | 32 | (64 if reads else 0) | (128 if writes else 0), *bad])


def call(function, drive=0x80, al=1, bx=0, cx=1, dh=0, si=0x100, ds=None, es=None, dap=b""):
    how = FUNCTIONS.index(function) if function in FUNCTIONS else 0x10
    how |= (0x40 if ds is not None else 0) | (0x80 if es is not None else 0)
    drives = {0x80: 0, 0x81: 5, 0x82: 6, 0x83: 7}
    out = bytes([how, drives.get(drive, drive), al]) + (bytes([function]) if how & 0x10 else b"")
    out += struct.pack("<HHBH", bx, cx, dh, si)
    for segment in (ds, es):
        out += b"" if segment is None else struct.pack("<H", segment)
    return out + dap


def packet(lba, count=1, segment=0x3000, offset=0, size=16, flat=None):
    wide = lba > 0xffff
    how = [16, 24, None, None, 15, 0].index(size) | (8 if count > 255 else 0) | (16 if wide else 0)
    how |= 0 if flat is None else 64 | 128
    out = bytes([how]) + struct.pack("<H" if count > 255 else "<B", count) + struct.pack("<Q" if wide else "<H", lba)
    out += struct.pack("<HH", segment, offset)
    return out + (b"" if flat is None else struct.pack("<Q", flat))


def int13(name, *parts, kind=None):
    name = f"{kind}-{name}" if kind else name
    m.seed("int13", name, b"".join(parts))
    if kind:
        rows.append((kind, "int13", "int13/" + name, ""))


int13("chs", machine(), call(2), call(2, 0x82, 9), call(3, bx=512), call(4, al=20), call(8), call(0xc), call(0x15),
      call(0x41), call(1), call(0), call(2, cx=0x0a01, al=3), call(2, 0x81), call(8, 0x83), call(8, 0x81))
int13("edd", machine(), *[call(f, d, 0, dap=packet(3, n)) for f in (0x42, 0x43, 0x44, 0x47) for d in (0x80, 0x82)
                          for n in (1, 20)])
int13("failover", machine(bad=(5, 0, 20, 0, 2, 0)), *[call(0x42, d, dap=packet(1, n)) for d in (0x80, 0x82)
                                                      for n in (1, 10, 40)], call(4, al=40), call(2, al=40))
int13("both-bad", machine(bad=(5, 0, 5, 0, 0, 0)), *[call(0x42, dap=packet(1, n)) for n in (1, 10, 40)])
int13("expelled", machine(bad=(30, 0, 0, 9, 0, 9)), *[call(f, d, 0, dap=packet(4, n)) for f in (0x42, 0x43, 0x44,
    0x42)
                                                      for d in (0x80, 0x82) for n in (1, 20)])
int13("all-writes-fail", machine(bad=(0, 9, 0, 9, 0, 2)), *[call(f, d, 0, dap=packet(4, n)) for f in (0x43, 0x42,
    0x43)
                                                            for d in (0x80, 0x82) for n in (1, 20)])
int13("few-at-once", machine(most=3, bad=(5, 0, 20, 0, 0, 0)), call(0x42, dap=packet(1, 40)), call(0x42, 0x82,
    dap=packet(1, 9)))
int13("read-only", machine(0), call(3), call(0x43, dap=packet(1)), call(0x43, al=2, dap=packet(1)), call(3, 0x82))
int13("verify-after-write", machine(bad=(0, 0, 5, 0, 0, 0)), call(0x43, al=2, dap=packet(1, 9)), call(0x43, al=3,
    dap=packet(1)))
int13("flat", machine(), call(0x42, dap=packet(1, 9, size=24, flat=0x100800)),
      call(0x43, al=0, dap=packet(1, 9, size=24, flat=0x100800)), call(0x42, dap=packet(1, 9, size=16,
          flat=0x100800)))
int13("lba-2-64", machine(), call(0x42, dap=packet(BIG, 2)), call(0x42, dap=packet(299, 2)), call(0x42,
    dap=packet(BIG - 1, 65535)),
      kind=OVERFLOW)
int13("flat-to-4-gib", machine(), call(0x42, dap=packet(1, 9, size=24, flat=2**32 - 512)),
      call(0x42, dap=packet(1, 9, size=24, flat=BIG)), kind=OVERFLOW)
int13("buffer-over-1-mib", machine(), call(0x42, dap=packet(1, 40, 0xffff, 0)), call(2, al=2, es=0xffff, bx=0x10),
      call(2, al=1, es=0xffff, bx=0xffff), kind=OVERFLOW)
int13("more-than-there-is", machine(), call(0x42, dap=packet(0, 65535)), call(0x42, 0x82, dap=packet(0, 49)),
      call(2, al=0), call(2, al=129), call(4, al=255), kind=COUNT)
int13("none", machine(), call(0x42, dap=packet(0, 0)), call(0x43, al=0, dap=packet(300, 0)), call(0x44,
    dap=packet(301, 0)),
      call(2, cx=0), kind=ZERO)
int13("packet-too-small", machine(), call(0x42, dap=packet(0, 1, size=15)), call(0x42, dap=packet(0, 1, size=0)),
      call(0x48), kind=COUNT)
int13("packet-at-the-segment-s-end", machine(), call(0x42, si=0xffe0, ds=0x1000, dap=packet(1)),
      b"\x2c\0\1" + bytes(5) + b"\x1f" + packet(1), b"\x2b\0\1" + bytes(5) + b"\x1f" + packet(1), kind=OVERFLOW)

# ---- fuzz_vdisk.c, fuzz_judge.c, fuzz_menu.c, fuzz_esp.c, fuzz_nvplan.c, fuzz_nvwrite.c, fuzz_format.c, fuzz_words.c
NOWHERE = b"\x40\0" * 6
REQUESTS = bytes(b for what in (1, 0, 2) for lba in (0, 5, 23, 60, 95) for n in (1, 9, 40, 96)
                 for b in (what, lba + n, lba, n))
for name, flag in (("two", 1), ("marks", 3), ("bitmap", 7), ("bitmap-wide", 15), ("four", 23), ("steady", 39),
    ("read", 0)):
    m.seed("vdisk", name, bytes([flag, 95, 0]) + NOWHERE + REQUESTS)
    m.seed("vdisk", name + "-extents", bytes([flag, 20, 0, 30, 1, 10, 16, 200, 1]) + NOWHERE + REQUESTS)
    m.seed("vdisk", name + "-bad", bytes([flag, 95, 0]) + b"\0\x20\1\x40\x80\x30\x81\x50\2\x22\x82\x22" + REQUESTS)
    m.seed("vdisk", name + "-superblock-fails", bytes([flag, 95, 0]) + b"\x80\0\1\x40" + NOWHERE[4:] + REQUESTS)


def claim(flag=0, events=0, dev=0, more=0x10, more_bytes=b"", roles=(0, 1, 3, 3, 3, 3)):
    return bytes([flag, events, dev, more]) + more_bytes + bytes(roles)


for name, claims in (
        ("two", [claim(), claim(dev=1, more=0x11)]),
        ("stale", [claim(events=5, roles=(0, 4, 3, 3, 3, 3)), claim(dev=1, more=0x11)]),
        ("one-behind", [claim(events=1), claim(dev=1, more=0x11)]),
        ("split", [claim(events=3, roles=(0, 4, 3, 3, 3, 3)), claim(events=4, dev=1, more=0x11, roles=(4, 1, 3, 3, 3,
            3))]),
        ("rebuilding", [claim(events=4), claim(32, 4, 1, 0x11, b"\x10")]),
        ("rebuilding-newer", [claim(events=0), claim(32, 4, 1, 0x11, b"\x10")]),
        ("holes", [claim(8, 0, 0, 0x11, b"\x20"), claim(8, 0, 1, 0x12, b"\x30")]),
        ("dirty", [claim(64), claim(64, 0, 1, 0x11)]),
        ("dead", [claim(1), claim(dev=1, more=0x11)]),
        ("short", [claim(2), claim(dev=1, more=0x11)]),
        ("copy", [claim(), claim(dev=1, more=0x11), claim(dev=1, more=0x11)]),
        ("replacement", [claim(), claim(dev=1, more=0x11), claim(128, 0, 2, 0x52, roles=(0, 1, 1, 3, 3, 3))]),
        ("write-mostly", [claim(128), claim(dev=1, more=0x11)]),
        ("strange-newest", [claim(16, 5), claim(dev=1, more=0x11)]),
        ("foreign", [claim(), claim(4, 7, 1, 0x11), claim(dev=1, more=0x12)]),
        ("three", [claim(more=0x20, roles=(0, 1, 2, 3, 3, 3)), claim(0, 1, 1, 0x21, roles=(0, 1, 2, 3, 3, 3)),
                   claim(0, 3, 2, 0x22, roles=(4, 1, 2, 3, 3, 3))]),
        ("six", [claim(f, e, d, 0x20 | d, b"\x20" if f & 40 else b"") for f, e, d in
                 ((0, 0, 0), (8, 1, 1), (32, 2, 2), (64, 1, 0), (128, 3, 1), (4, 0, 2))])):
    m.seed("judge", name, bytes([1, len(claims) - 2]) + b"".join(claims))
for name, how, legs in (("healthy", 0, (0, 0)), ("split", 1, (10, 9)), ("split-halt", 2, (10, 9)), ("stale", 4, (3,
    0, 3)),
                        ("unusable", 0, (16, 80)), ("more", 8, (0, 0, 4)), ("dirty", 4, (32, 32)),
                        ("many", 4, (0,) * 12)):
    for keys in ("", "m0\r", "m1y", "m1n9xy", "m\r", "xcm2y", "ab", "\x00\x00m1y0y2y"):
        m.seed("menu", f"{name}-{keys.encode().hex() or 'none'}", bytes([how, len(legs) - 1, *legs]) + keys.encode())
for i, text in enumerate(("020104080c10141820", "05" + "00ff" * 20, "05" + "08fe01ff" * 10,
    "03" + "4008c008800910ff" * 4,
                          "05" + "0040013f023e033d" * 4, "01" + "ff" * 20)):
    m.seed("esp", f"set-{i}", bytes.fromhex(text))
    m.seed("nvplan", f"world-{i}", bytes.fromhex(text) + bytes(range(32, 100, 2)))
    for k in range(8):  # entries on each partition, automatic ones, moved ones, some of them tried next
        entries = bytes(x for n in range(6) for x in (32 + n, (n * 37 + k * 29 + i) & 0x7f, (n + k) % 8))
        m.seed("nvplan", f"entries-{i}-{k}", bytes([k | (96 if k & 1 else 0), 3 + 32 * (k & 3)]) + entries)
    for fault, (flag, at) in enumerate(((0, 0), (0, 1), (2, 2), (4, 2), (8, 3), (12, 1), (10, 2))):
        for what in (0, 1, 2, 42, 75):
            m.seed("nvwrite", f"world-{i}-{fault}-{what}",
                   bytes([flag & ~1, at, what]) + b"\1\2" + bytes(x for k in range(6) for x in (32 + k,
                       4 * k + 16 * (k & 1), k & 2)))
m.seed("nvwrite", "raw", bytes([1, 0, 0, 6, 1, 0, 0, 0, 9, 0]) + b"\x40" + bytes(64) + b"\0\x10" + bytes(range(16)))
for name, data in (("any", (0, 0, 0, 0, 64)), ("12", (1, 1, 0, 0, 4)), ("16", (2, 1, 5, 0, 64)), ("32", (35, 33, 0)),
                   ("32-4k", (43, 0, 0)), ("whole", (32, 0, 63)), ("small", (0, 0, 0, 3, 0)), ("clusters-of-3", (0,
                       17, 0, 0, 64)),
                   ("write-fails", (1, 1, 0, 0, 4, 9)), ("last-write-fails", (64, 0, 0, 0, 64, 4)),
                   ("read-fails", (1, 1, 0, 0, 4, 0, 2)), ("4k", (8, 0, 0, 0, 16)), ("type-13", (7, 0, 0, 0, 16))):
    m.seed("format", name, bytes(data))
for name, data in (("command", b"\0mirrorboot.efi clone --yes \"a b\" --force c"), ("delete",
    b"\0delete 0007 12 999"),
                   ("option", b"\0clone --nothing"), ("shell", b"\0\\EFI\\x\\MirrorBoot.EFI  entries list"),
                   ("star", b"\1/EFI/*/fw\n\\EFI\\x\\fw\\a"), ("name", b"\1grub?nv\n\\boot\\grub\\grubenv"),
                   ("seed", b"\1*\n\\loader\\random-seed"), ("none", b"\1/efi/b\n\\EFI\\BOOT"), ("utf16",
                       b"\2a\0\x1b\0\xac\x20\x3d\xd8\x27\xdc"),
                   ("turned", b"\2\x2e\x20\xff\xff"), ("utf8", "\3\u20ac \U0001f427".encode()), ("surrogate",
                       b"\3\xed\xa0\x80"),
                   ("guid", b"\4c12a7328-f81f-11d2-ba4b-00a0c93ec93b"), ("guid-md",
                       b"\x043f2a9c11:0d4e8b77:5a6b7c8d:9e0f1a2b"),
                   ("guid-short", b"\4c12a7328"), ("counter", b"\5\\loader\\entries\\a+3-1.conf"), ("uki",
                       b"\5\\EFI\\Linux\\b+2.efi"),
                   ("no-counter", b"\5\\EFI\\Linux\\b+.efi")):
    m.seed("words", name, data)

# ---- the good ones, and what is said -------------------------------------------------------------------------------
for parser, name, expected in (
        ("mbrtab", "part/mbr", "table:ok mbr partitions:4"), ("gpt", "part/gpt", "table:ok gpt partitions:2"),
        ("gpt", "part/gpt-backup", "table:ok partitions:2"), ("gpt", "part/gpt-far-backup", "table:ok partitions:2"),
        ("md0", "md/090", "member:ok none"), ("md1", "md/12", "member:ok none"), ("md1", "md/11", "member:ok none"),
        ("md1", "md/10", "member:ok none"), ("md1", "md/12-bad-blocks", "member:ok holes:1"),
        ("ldm", "ldm/disk-mirror", "disk:ok volumes:1 none"), ("ldm", "ldm/disk-others", "disk:ok volumes:3"),
        ("fat", "fat/12", "open:ok check:ok"), ("fat", "fat/16", "open:ok check:ok"), ("fat", "fat/32",
            "open:ok check:ok"),
        ("fat", "fat/12-4k", "open:ok check:ok"), ("manifest", "manifest/files", "manifest:ok"),
        ("config", "config/all", "config:ok"), ("bootentry", "bootentry/file", "entry:ok partition"),
        ("record", "record/two", "record:ok seen:2"), ("record", "record/variable", "variable:ok seen:2"),
        ("survey", "survey/md12-insync-a-insync-b", "mirror:healthy"), ("survey", "survey/ldm-mirror",
            "mirror:healthy"),
        ("survey", "survey/gpt", "members:1"), ("cmdline", "words/command", "command")):
    rows.append((GOOD, parser, name, expected))


def said(name):
    target = name.split("/")[0]
    done = subprocess.run([f"{sys.argv[1]}/fuzz_{target}", "-s", HERE / "seeds" / name], stdout=subprocess.PIPE,
                          text=True, check=True)
    return done.stdout.rstrip("\n").split("\t")[1].strip()


rows.sort(key=lambda r: (r[1], KINDS.index(r[0]), r[2]))
lines, wrong = [], 0
for kind, parser, name, expected in rows:
    text = said(name)
    if any(word not in text.split() for word in expected.split() if not word.endswith(":")):
        print(f"{name}: says {text}, not {expected}", file=sys.stderr)
        wrong = 1
    lines.append("\t".join((kind, parser, name, text)) + "\n")
(HERE / "classes.tsv").write_text("".join(lines))
sys.exit(wrong)
