# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""FAT file systems full of files, made at once: mtools takes time with the square of their number.

mkfs.fat makes the file system; what is added here is chains, folders and names after Microsoft's
specification. fsck.fat must be silent about each before a test uses it.
"""

import calendar
import hashlib
import os
import re
import shutil
import struct
import subprocess
import time

ENV = dict(os.environ, MTOOLS_SKIP_CHECK="1", MTOOLS_NO_VFAT="0", LC_ALL="C.UTF-8", TZ="UTC",
           PATH=os.environ["PATH"] + ":/sbin:/usr/sbin")
MIB = 1 << 20
WHEN = calendar.timegm((2024, 2, 29, 13, 14, 16))
SHORT = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$%'-_@~`!(){}^#&")
READ_ONLY, HIDDEN, SYSTEM, FOLDER, ARCHIVE = 1, 2, 4, 16, 32


def mkfs(path, kind, sector, size, cluster=0, label="MADE", serial="12345678"):
    """cluster: in sectors, 0 for what mkfs.fat likes."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as f:
        f.truncate(size)
    more = ["-s", str(cluster)] if cluster else []
    subprocess.run(["mkfs.vfat", "-F", str(kind), "-S", str(sector), *more, "-n", label, "-i",
                    serial, str(path)], check=True, capture_output=True,
                   env=ENV)


def fat_time(t):
    y, mo, d, h, mi, s = time.gmtime(t)[:6]
    return (y - 1980) << 9 | mo << 5 | d, h << 11 | mi << 5 | s // 2


def _sum(name11):
    total = 0
    for c in name11:
        total = ((total >> 1 | (total & 1) << 7) + c) & 0xff
    return total


class Folder:
    """Slots of one folder, and the short names that are taken in it."""

    def __init__(self):
        self.slots, self.taken, self.tails = bytearray(), set(), {}

    def _short(self, name):
        """(11 bytes, bits for lower case, does it need a long name?)"""
        base, dot, ext = name.rpartition(".")
        if not dot or not base:
            base, ext = name, ""
        fits = (len(base) <= 8 and len(ext) <= 3 and set((base + ext).upper()) <= SHORT
                and all(p in (p.upper(), p.lower()) for p in (base, ext)))
        raw = (base.upper().ljust(8) + ext.upper().ljust(3))
        if fits and raw not in self.taken:
            lower = (8 if base != base.upper() else 0) | (16 if ext != ext.upper() else 0)
            return raw.encode("ascii"), lower, False
        clean = "".join(c if c in SHORT else "_" for c in base.upper().replace(" ", "")) or "_"
        ext = "".join(c if c in SHORT else "_" for c in ext.upper())[:3]
        n = self.tails.get((clean[:2], ext), 1)
        while True:
            tail = f"~{n}"
            raw = (clean[:8 - len(tail)] + tail).ljust(8) + ext.ljust(3)
            n += 1
            if raw not in self.taken:
                self.tails[clean[:2], ext] = n
                return raw.encode("ascii"), 0, True

    def add(self, name, attributes, cluster, size, when):
        raw, lower, long = self._short(name)
        self.taken.add(raw.decode())
        if long:
            units = name.encode("utf-16-le")
            parts = -(-len(units) // 26)
            if len(units) % 26:
                units = (units + b"\0\0").ljust(parts * 26, b"\xff")
            for i in range(parts, 0, -1):
                u = units[(i - 1) * 26:i * 26]
                self.slots += bytes([i | (0x40 if i == parts else 0)]) + u[:10] + bytes(
                    [15, 0, _sum(raw)]) + u[10:22] + b"\0\0" + u[22:]
        self.entry(raw, attributes, cluster, size, when, lower)

    def entry(self, raw, attributes, cluster, size, when, lower=0):
        date, clock = fat_time(when)
        self.slots += struct.pack("<11sBBBHHHHHHHI", raw, attributes, lower, 0, clock, date, date,
                                  cluster >> 16, clock, date, cluster & 0xffff, size)


class Image:
    """A fresh file system of mkfs.fat's, filled in one go."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            b = f.read(512)
        self.sector, per_cluster, reserved, fats, roots, small = struct.unpack_from("<HBHBHH", b, 11)
        fat16, = struct.unpack_from("<H", b, 22)
        large, fat32 = struct.unpack_from("<II", b, 32)
        self.cluster, self.fats, size = per_cluster * self.sector, fats, fat16 or fat32
        self.fat_at, self.fat_bytes = reserved * self.sector, size * self.sector
        self.root_at, self.root_bytes = self.fat_at + fats * self.fat_bytes, roots * 32
        self.data_at = self.root_at + self.root_bytes
        self.clusters = ((small or large) * self.sector - self.data_at) // self.cluster
        self.kind = 32 if not fat16 else 12 if self.clusters < 4085 else 16
        self.times = {}
        self.used = []  # the value of each FAT entry from 2 on
        with open(path, "rb") as f:
            f.seek(self.root_at)
            first = f.read(32)
        self.label = first if first[11] & 8 else b""
        if self.kind == 32:
            self.used.append(0xfffffff)  # the root's first cluster

    def _chain(self, size, first=None):
        """Clusters in a row; the number of the first (0: none)."""
        n = -(-size // self.cluster)
        if not n:
            return 0
        at = 2 + len(self.used)
        if first is not None:  # the root: its first cluster is taken already
            self.used[first - 2] = at if n > 1 else 0xfffffff
            n -= 1
            if not n:
                return first
        self.used += list(range(at + 1, at + n)) + [0xfffffff]
        assert len(self.used) <= self.clusters, "too small for these files"
        return first or at

    def _put(self, f, cluster, data):
        """Where the chain lies in a row, and that is everywhere but for the root."""
        f.seek(self.data_at + (cluster - 2) * self.cluster)
        f.write(data)

    def fill(self, files, folders=(), attributes=None, when=WHEN, times=None):
        """files: {"EFI/BOOT/x": bytes}; folders that are empty; {name: bits}; {name: another time}."""
        self.times = times or {}
        tree = {}
        for name in [*folders, *files]:
            at = tree
            *above, last = name.split("/")
            for part in above:
                at = at.setdefault(part, {})
            at[last] = files[name] if name in files else at.get(last, {})
        with open(self.path, "r+b") as f:
            root = self._folder(f, tree, "", attributes or {}, when, None, None)
            room = self.root_bytes or 65536 * 32
            assert len(root) <= room, "the root is too small for these names"
            if self.kind == 32:
                self._chain(len(root) or 1, 2)
                self._put(f, 2, root[:self.cluster])
                if len(root) > self.cluster:
                    self._put(f, self.used[0], root[self.cluster:])
            else:
                f.seek(self.root_at)
                f.write(root)
            self._write_fat(f)

    def _folder(self, f, tree, path, attributes, when, parent, own):
        """The slots of a folder, what is in it written."""
        d = Folder()
        if own is None:
            d.slots += self.label
        else:
            d.entry(b".".ljust(11), FOLDER, own, 0, when)
            d.entry(b"..".ljust(11), FOLDER, parent, 0, when)
        for name, what in tree.items():
            full = f"{path}/{name}" if path else name
            bits = attributes.get(full, ARCHIVE)
            if isinstance(what, dict):
                # How many clusters it takes is known when its names are: the numbers do not matter.
                size = len(self._folder(None, {n: b"" for n in what}, "", {}, when, 0, 2))
                first = self._chain(size)
                slots = self._folder(f, what, full, attributes, when, own or 0, first)
                assert len(slots) == size
                self._put(f, first, slots.ljust(-(-size // self.cluster) * self.cluster, b"\0"))
                d.add(name, FOLDER, first, 0, when)
                continue
            first = self._chain(len(what)) if f else 0
            if first:
                self._put(f, first, what)
            d.add(name, bits, first, len(what), self.times.get(full, when))
        return bytes(d.slots)

    def _write_fat(self, f):
        values = self.used
        if self.kind == 32:
            raw, at = struct.pack(f"<{len(values)}I", *values), 8
        elif self.kind == 16:
            raw, at = struct.pack(f"<{len(values)}H", *(v & 0xffff for v in values)), 4
        else:
            values, at = values + [0] * (len(values) % 2), 3
            raw = b"".join(struct.pack("<I", (a & 0xfff) | (b & 0xfff) << 12)[:3]
                           for a, b in zip(values[::2], values[1::2]))
        for i in range(self.fats):
            f.seek(self.fat_at + i * self.fat_bytes + at)
            f.write(raw)
        if self.kind == 32:
            f.seek(self.sector + 488)
            f.write(struct.pack("<II", self.clusters - len(self.used), 2 + len(self.used)))


def make(path, kind, sector, size, cluster=0, files=None, **kw):
    mkfs(path, kind, sector, size, cluster)
    image = Image(path)
    image.fill(files or {}, **kw)
    return image


# fsck.fat says these of file systems that are as they should be
HARMLESS = re.compile(r"fsck\.fat \d|.*: \d+ files, \d+/\d+ clusters$|"
                      r"Logical sector size \(\d+ bytes\) is larger than the physical")


def fsck(image):
    done = subprocess.run(["fsck.fat", "-n", str(image)], capture_output=True, text=True, env=ENV)
    odd = [line for line in (done.stdout + done.stderr).splitlines()
           if line and not HARMLESS.match(line)]
    assert not odd and done.returncode == 0, odd


# ---- what mtools reads -------------------------------------------------------------------------

def _mtools(*args):
    return subprocess.run(list(map(str, args)), env=ENV, check=True, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL).stdout


def tree_of(image, out, but=None):
    """Path: size, time, hash; mdir's listing with short and long names; the attributes.

    out: a folder for the files, None: they are not read (mcopy takes a second for 1,500 of them).
    """
    found = {}
    if out:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        _mtools("mcopy", "-m", "-s", "-n", "-i", image, "::/", out)
    for folder, folders, files in os.walk(out or os.devnull):
        for name in folders:
            found[os.path.relpath(os.path.join(folder, name), out)] = "folder"
        for name in files:
            path = os.path.join(folder, name)
            about = os.stat(path)
            with open(path, "rb") as f:
                found[os.path.relpath(path, out)] = (about.st_size, int(about.st_mtime),
                                                     hashlib.sha256(f.read()).hexdigest())
    # but for free space, the label and number, and what folders say of themselves
    last = (but or "/").rsplit("/", 1)[-1]
    lines = [line for line in _mtools("mdir", "-/", "-a", "-i", image, "::/").splitlines()
             if "Volume " not in line and "bytes free" not in line
             and not re.match(r"\.\.? ", line) and not re.match(r" +\d+ files? ", line)
             and not (but and line.startswith(last))]
    marks = [line for line in _mtools("mattrib", "-/", "-i", image, "::/").splitlines()
             if not (but and line.endswith(but))]
    found.pop(but, None)
    if out:
        shutil.rmtree(out)
    return found, sorted(lines), sorted(marks)
