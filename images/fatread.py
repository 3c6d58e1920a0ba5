# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""FAT file systems, read here: where a file's bytes and its directory entry are."""

import struct
from dataclasses import dataclass


@dataclass
class File:
    path: str          # "/EFI/BOOT/BOOTX64.EFI"
    size: int
    fat_time: int      # of the last write: date << 16 | time
    sectors: list      # of its bytes, in its order, counted from the start of the image file
    entry: int         # byte of the image file that its 32-byte directory entry begins at


class Fat:
    """The file system that begins at this byte of an image file. Sectors are 512 bytes here."""

    def __init__(self, image, at_bytes=0):
        self.image, self.at = image, at_bytes
        boot = self._read(0, 512)
        (self.sector, self.cluster, reserved, fats, roots, small, fat_small) = struct.unpack_from(
            "<HBHBHHxH", boot, 11)
        large, fat_large, self.root_cluster = struct.unpack_from("<I I 4x I", boot, 32)
        fat = fat_small or fat_large
        self.fat_at = reserved * self.sector
        self.root_at = self.fat_at + fats * fat * self.sector
        self.root_bytes = roots * 32
        self.data_at = self.root_at + -(-self.root_bytes // self.sector) * self.sector
        clusters = ((small or large) - self.data_at // self.sector) // self.cluster
        self.bits = 12 if clusters < 4085 else 16 if clusters < 65525 else 32
        self.table = self._read(self.fat_at, fat * self.sector)

    def _read(self, at, size):
        with open(self.image, "rb") as f:
            f.seek(self.at + at)
            return f.read(size)

    def _next(self, cluster):
        if self.bits == 12:
            two = struct.unpack_from("<H", self.table, cluster * 3 // 2)[0]
            return two >> 4 if cluster & 1 else two & 0xFFF
        if self.bits == 16:
            return struct.unpack_from("<H", self.table, cluster * 2)[0]
        return struct.unpack_from("<I", self.table, cluster * 4)[0] & 0x0FFFFFFF

    def _chain(self, cluster):
        while 2 <= cluster < (1 << min(self.bits, 28)) - 9:
            yield self.data_at + (cluster - 2) * self.cluster * self.sector
            cluster = self._next(cluster)

    def _pieces(self, cluster):
        """(byte, bytes) of a folder's table."""
        if cluster == 0 and self.bits != 32:
            return [(self.root_at, self.root_bytes)]
        return [(at, self.cluster * self.sector)
                for at in self._chain(cluster or self.root_cluster)]

    def _walk(self, folder, cluster):
        parts = []
        for at, size in self._pieces(cluster):
            for entry in range(at, at + size, 32):
                raw = self._read(entry, 32)
                if raw[0] == 0:
                    break
                if raw[0] == 0xE5 or raw[11] & 0x3F == 8:
                    parts = []
                elif raw[11] & 0x3F == 0x0F:
                    parts.insert(0, (raw[1:11] + raw[14:26] + raw[28:32]).decode("utf-16-le"))
                elif raw[0:1] != b".":
                    name = "".join(parts).split("\0")[0] or self._short(raw)
                    parts = []
                    yield from self._found(f"{folder}/{name}", raw, entry)
                else:
                    parts = []

    def _found(self, path, raw, entry):
        high, time, date, low, size = struct.unpack_from("<HHHHI", raw, 20)
        first = low | (high << 16 if self.bits == 32 else 0)
        if raw[11] & 0x10:
            yield from self._walk(path, first)
            return
        each = self.cluster * self.sector // 512
        sectors = [(self.at + at) // 512 + n for at in self._chain(first) for n in range(each)]
        yield File(path, size, date << 16 | time, sectors[:-(-size // 512)], self.at + entry)

    @staticmethod
    def _short(raw):
        name, dot = raw[:8].decode("cp437").rstrip(), raw[8:11].decode("cp437").rstrip()
        name = name.lower() if raw[12] & 8 else name
        dot = dot.lower() if raw[12] & 16 else dot
        return f"{name}.{dot}" if dot else name

    def files(self):
        """{path in lower case: File}"""
        return {f.path.lower(): f for f in self._walk("", 0)}

    def file(self, path):
        return self.files()[path.lower()]

    def read(self, file):
        with open(self.image, "rb") as f:
            data = b"".join(f.seek(s * 512) and f.read(512) for s in file.sectors)
        return data[:file.size]

    # ---- damage, and what is none --------------------------------------------------------------

    def flip(self, path, at=None):
        """One bit of a file's contents, in its middle, and nothing else."""
        file = self.file(path)
        at = file.size // 2 if at is None else at
        self._poke(file.sectors[at // 512] * 512 + at % 512, lambda byte: byte ^ 1)

    def set_time(self, path, fat_time):
        with open(self.image, "r+b") as f:
            f.seek(self.file(path).entry + 22)
            f.write(struct.pack("<HH", fat_time & 0xFFFF, fat_time >> 16))

    def _poke(self, at, change):
        with open(self.image, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([change(byte)]))
