# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What the boots of the fault matrix left on the disks: was anything made worse?

The superblocks are read here, with no code of mirrorboot's.
"""

import struct

import matrix_disks
from matrix_disks import WRITTEN
from matrix_types import DATA, METADATA, RECORD

STEP = 1 << 20
FAULTY = 0xFFFE
CLEAN = 2**64 - 1


def differing(before, after):
    """Sectors (512 bytes) in which a file differs from another, as far as it goes."""
    out, at = set(), 0
    with open(before, "rb") as one, open(after, "rb") as two:
        while True:
            new = two.read(STEP)
            old = one.read(STEP)[:len(new)]
            if not new:
                return out
            if old != new:
                out |= {at + n // 512 for n in range(0, len(new), 512)
                        if old[n:n + 512] != new[n:n + 512]}
            at += len(new) // 512


class Md1:
    """The superblock of an md 1.x member on an image."""

    def __init__(self, path, at_s512):
        with open(path, "rb") as f:
            f.seek(at_s512 * 512)
            sb = f.read(4096)
        self.events, self.resync = struct.unpack_from("<QQ", sb, 200)
        self.max_dev, = struct.unpack_from("<I", sb, 220)
        self.roles = struct.unpack_from(f"<{self.max_dev}H", sb, 256)
        size = 256 + 2 * self.max_dev
        said, = struct.unpack_from("<I", sb, 216)
        words = sb[:216] + bytes(4) + sb[220:size]
        total = sum(struct.unpack_from(f"<{size // 4}I", words))
        if size % 4:
            total += struct.unpack_from("<H", words, size & ~3)[0]
        self.whole = said == ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def _allowed(cell, boot, made, leg, path):
    what = boot.changed.get(leg, (RECORD,))
    allowed, first = set(), made.member_s512
    if RECORD in what and cell.firmware == "bios":
        allowed |= {s for p, s in made.record_s512().items() if p == path}
    if METADATA in what:
        allowed |= set(range(first + made.sb_s512, first + made.sb_s512 + 8))
        if made.bitmap_s512:
            allowed |= set(range(first + made.bitmap_s512, first + made.bitmap_s512 + 8))
    if DATA in what:
        allowed |= set(range(made.of_field(WRITTEN), made.of_field(WRITTEN) + made.sector // 512))
    return allowed


def _data(made, path):
    """What the image holds where the loader wrote: "new", "old" or "other"."""
    size = made.sector
    with open(path, "rb") as f:
        f.seek(made.of_field(WRITTEN) * 512)
        data = f.read(size)
    leg = made.legs[[p.name for p in made.paths].index(path.name)]
    if data == matrix_disks.new_records()[:size]:
        return "new"
    old = matrix_disks.field(leg.letter, leg.generation)[WRITTEN * 512:WRITTEN * 512 + size]
    return "old" if data == old else "other"


def compare(cell, boot, made, copies):
    for path, copy in copies.items():
        leg = made.paths.index(path) if path in made.paths else None
        wrong = differing(path, copy) - _allowed(cell, boot, made, leg, path)
        if wrong:
            yield f"{copy.name}: {len(wrong)} sectors were changed, {sorted(wrong)[:6]} ..."
    if boot.after:
        yield from CHECKS[boot.after](cell, boot, made, [copies[p] for p in made.paths])


def _superblocks(made, paths):
    return [Md1(p, made.member_s512 + made.sb_s512) for p in paths]


def _a_is_out(cell, boot, made, paths):
    """Linux, given these disks, starts from b alone, and knows that a is behind."""
    a, b = _superblocks(made, paths)
    old, _ = _superblocks(made, made.paths)
    if not (b.whole and b.roles[0] == FAULTY and b.roles[1] == 1):
        yield f"leg b's superblock does not say that a is faulty: {b.roles[:4]}"
    if b.events < old.events + 2 or a.events != old.events:
        yield f"leg a is not behind: events {a.events} and {b.events}"
    if b.resync != CLEAN:
        yield "leg b was not closed"
    if [_data(made, p) for p in paths] != ["old", "new"]:
        yield f"the record: {[_data(made, p) for p in paths]}, not old on a and new on b"


def _on_both(cell, boot, made, paths):
    """Both took it, and are as much in sync as before."""
    if [_data(made, p) for p in paths] != ["new", "new"]:
        yield f"the record: {[_data(made, p) for p in paths]}, not new on both"
    old = _superblocks(made, made.paths)[0]
    for leg in _superblocks(made, paths):
        if not leg.whole or (leg.events, leg.resync, leg.roles) != (old.events, CLEAN, old.roles):
            yield f"a superblock is not as before: events {leg.events}, {leg.roles[:4]}"


def _old_on_both(cell, boot, made, paths):
    """Neither took it: one of them at most may be in sync afterwards."""
    a, b = _superblocks(made, paths)
    if [_data(made, p) for p in paths] != ["old", "old"]:
        yield f"the record: {[_data(made, p) for p in paths]}, not old on both"
    if not (a.whole and b.whole and b.roles[0] == FAULTY and b.events >= a.events + 2):
        yield f"not one newest leg: events {a.events} and {b.events}, {b.roles[:4]}"


def _nothing_written(cell, boot, made, paths):
    if any(differing(p, q) for p, q in zip(made.paths, paths)):
        yield "a leg was written to"


def _b_has_it(cell, boot, made, paths):
    if _data(made, paths[1]) != "new":
        yield "leg b does not have what was written"


CHECKS = {"on both": _on_both, "a is out": _a_is_out, "old on both": _old_on_both, "nothing written": _nothing_written,
          "b has it": _b_has_it}
