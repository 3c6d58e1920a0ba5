# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The fault matrix: which boots show a fault, and what is to come of each.

Each function is one fault's: a cell in, its boots out. What is expected is what Linux md does
with such disks, and what docs/failures.md promises; it is not what a boot was seen to do. What a
firmware makes of a failing disk (Cell.lies, Cell.gives_up, SeaBIOS's one hard disk) was found by trying.
"""

import matrix_disks as disks
from matrix_types import (ABOVE, BAD, BELOW, CUT_MEMBER_S512, CUT_TAIL_S512, DATA, EVERY, FAR, LOST,
                          METADATA, NEAR, NEAR_TOO, RECORD, Boot, Place)


def _legs(a, b="in-sync"):
    return {0: (a,) if isinstance(a, str) else a, 1: (b,) if isinstance(b, str) else b}


B_ONLY = {"legs": _legs("missing"), "only": ("b2",)}
# What is left of a disk that lies before its leg is known: some fault, and it is not read.
LIAR = {"legs": None, "only": ("b2",), "others": ("a2", BAD, LOST)}
BOTH = {"state": ("healthy",), "legs": _legs("in-sync")}


def missing(cell):
    return [Boot("leg a's disk is gone", order=(1,), says=("on none of these disks",), **B_ONLY),
            Boot("leg b's disk is gone", order=(0,), legs=_legs("in-sync", "missing"), only=("a2",), once=True,
                 says=("on none of these disks",))]


def _firmware_refuses(name, places):
    """SeaBIOS tries one hard disk, the first: no program on it or on another can change that."""
    return Boot(name, order=(0, 1), bad={0: places}, starts=False,
                firmware_says="could not read the boot disk")


def lba0(cell):
    bad = {0: (Place("lba0"),)}
    if cell.firmware == "bios" and not cell.shim:
        return [Boot("the other disk is started", order=(1, 0), bad=bad, only=("a2",),
                     says=("some sectors could not be read",), **BOTH),
                _firmware_refuses("the disk with the bad LBA 0 is started", bad[0])]
    if cell.lies:
        return [Boot("the firmware calls it read", bad=bad, **LIAR)]
    if cell.gives_up:
        return [Boot("the firmware gives the disk up", bad=bad, only=("b2",), others=(LOST,),
                     legs=_legs("unreadable"), says=("may be on this disk, which can't be read",))]
    # Its GPT has a checksum of its own, and says where the leg is: that leg is as good as ever.
    return [Boot("its GPT is whole", bad=bad, only=("a2",), **BOTH,
                 says=("some sectors could not be read",))]


def superblock_unreadable(cell):
    bad = {0: (Place("superblock"),)}
    if cell.lies:
        return [Boot("leg a's superblock, the firmware calls it read", bad=bad, **LIAR)]
    return [Boot("leg a's superblock", bad=bad, legs=_legs("unreadable"), only=("b2",),
                 others=("a2", LOST) if cell.gives_up else ("a2",), order=_behind(cell),
                 says=("may be on this disk, which can't be read",))]


def superblock_corrupt(cell):
    return [Boot("leg a says that it is newer, with a wrong checksum", "corrupt",
                 legs=_legs("faulty"), only=("b2",), says=("its superblock's checksum is wrong",))]


def _behind(cell):
    """A disk on which no word of a mirror can be read is shown as it is: let it come after the other.

    On BIOS the mirror is the boot disk, first in any case, unless that is a disk of its own.
    """
    return (1, 0) if cell.shim else None


def _around(place, size):
    """The request of the loader that a record is in, all of it."""
    first = place // size * size
    return range(first, first + size)


AT_ONCE = {"bios": 32, "uefi": 64}


def mid_file(cell):
    size = AT_ONCE[cell.firmware]
    bad = {0: (Place(NEAR),)}
    found = []
    if cell.lies:
        found.append(Boot("a sector of leg a, the firmware calls it read", bad=bad, only=("a2", BAD),
                          must={0: "a2", NEAR: BAD},
                          failed_requests=(), **BOTH))
    else:
        found.append(Boot("a sector of leg a", bad=bad, only=("a2", "b2"),
                          must={0: "a2", _around(NEAR, size)[0] - 1: "a2", NEAR: "b2"},
                          failed_requests=(), **BOTH))
    if cell.firmware == "bios":
        found.append(Boot("a sector of the loader, in the mirror", bad={0: (Place("program"),)},
                          only=("b2",), **BOTH))
    elif cell.sector == 512:  # those have a manifest
        found.append(Boot("a sector of the loader, on the EFI system partition",
                          only=("a2", BAD) if cell.lies else
                          ("a2", "b2") if cell.gives_up else ("a2",),
                          bad={0: (Place("loader"),)}, **BOTH,
                          says=("Going on with the EFI system partition of",)))
    return found


def dead(cell):
    bad = {0: (Place(EVERY),)}
    if cell.lies:
        return [Boot("leg a's disk fails every read, the firmware calls them read", bad=bad, **LIAR)]
    found = [Boot("leg a's disk fails every read", bad=bad, only=("b2",), legs=_legs("unreadable"),
                  says=("may be on this disk, which can't be read",),
                  order=(1, 0) if cell.firmware == "bios" else None)]
    if cell.firmware == "bios" and not cell.shim:
        found.append(_firmware_refuses("the dead disk is started", bad[0]))
    return found


def write_error(cell):
    place = disks.WRITTEN
    marks = {0: (RECORD, METADATA), 1: (RECORD, METADATA, DATA)}
    if cell.shim:  # the resident part has no room for sectors of 4 KiB
        return [Boot("a disk with 4 KiB sectors", writes=True, wrote="failed", only=("a2",), **BOTH,
                     after="nothing written")]
    if cell.lies:
        return [Boot("leg a's data, the firmware calls it written", writes=True, wrote="ok",
                     bad_writes={0: (Place(place),)}, changed=marks,
                     only=("a2", "b2", "n9", BAD), after="b has it", **BOTH)]
    taken = {0: marks[1], 1: marks[1]}
    found = [Boot("no error, to compare with", writes=True, wrote="ok", changed=taken, once=True,
                  only=("a2", "n9"), must={place: "n9"}, after="on both", **BOTH),
             Boot("leg a's data", writes=True, wrote="ok", bad_writes={0: (Place(place),)},
                  changed=marks, only=("b2", "n9"), must={place: "n9"}, after="a is out", **BOTH),
             Boot("leg a's superblock", writes=True, wrote="ok", changed=marks,
                  bad_writes={0: (Place("superblock"),)}, only=("b2", "n9"), must={place: "n9"},
                  after="a is out", once=True, **BOTH),
             Boot("both legs' data", once=True, writes=True, wrote="failed", only=("a2", "b2"),
                  changed={0: (RECORD, METADATA), 1: (RECORD, METADATA)},
                  bad_writes={0: (Place(place),), 1: (Place(place),)}, after="old on both", **BOTH)]
    if cell.firmware == "bios":
        found.append(Boot("the boot record", bad_writes={1: (Place("record"),)}, only=("a2",),
                          says=("Warning: the boot record of 81h can't be written.",), **BOTH))
    return found


def stale(cell):
    return [Boot(f"leg a is stale, {first} first", "stale", order=order, legs=_legs("stale"),
                 only=("b2",), says=("missed writes",), once=order[0] == 1)
            for first, order in (("it comes", (0, 1)), ("the other comes", (1, 0)))]


def rebuilding(cell):
    whole = Boot("leg b is whole", "rebuilding", once=True, legs=_legs("rebuilding"), only=("b2",),
                 says=("was being rebuilt",))
    bad = {1: (Place(BELOW), Place(ABOVE))}
    if cell.lies:
        return [whole, Boot("leg b has bad sectors, the firmware calls them read", "rebuilding",
                            bad=bad, legs=_legs("rebuilding"), only=("b2", BAD),
                            must={BELOW: BAD, ABOVE: BAD})]
    if cell.gives_up:
        return [whole, Boot("leg b has a bad sector, the firmware gives the disk up", "rebuilding",
                            bad=bad, legs=_legs("rebuilding"), only=("b2", "a2", LOST),
                            must={0: "b2", BELOW: "a2", disks.LIMIT - 1: "a2", disks.LIMIT: LOST},
                            until="FIELD disk")]  # minutes, and the firmware's watchdog, for those
    lost = ABOVE // 8 * 8
    return [whole, Boot("leg b has bad sectors below and above the limit", "rebuilding", bad=bad,
                        legs=_legs("rebuilding"), only=("b2", "a2", LOST),
                        must={0: "b2", BELOW: "a2", disks.LIMIT: "b2", lost - 1: "b2", ABOVE: LOST,
                              lost + 8: "b2"},
                        failed_requests=tuple(_around(ABOVE, AT_ONCE[cell.firmware])[:1]))]


def split(cell):
    return [Boot("leg a has more events, leg b the later time", "split", state=("split-brain",),
                 legs=_legs("in-sync", "conflict"), only=("a3",),
                 says=("ran alone", "split brain"))]


def returned(cell):
    # Role 0: the new disk, and the old one behind it; role 1.
    legs = {0: ("in-sync",), 1: ("stale",), 2: ("in-sync",)}
    return [Boot(name, "returned", order=order, state=("healthy",), legs=legs, only=("b3", "c3"),
                 says=("was replaced",), once=order[0] == 2)
            for name, order in (("the old disk first", (0, 1, 2)), ("the old disk last", (2, 1, 0)))]


def shortened(cell):
    found = [Boot("md 1.2: the member is cut", cut={0: CUT_MEMBER_S512}, legs=_legs("faulty"),
                  only=("b2",), says=("ends too early",))]
    for version in ("1.0", "0.90"):
        # No word of a mirror is left on that disk: it is shown as it is, beside the mirror.
        found.append(Boot(f"md {version}: the superblock is gone", f"in-sync-{version}",
                          cut={0: CUT_MEMBER_S512}, legs=_legs("missing"), only=("b2",),
                          order=_behind(cell), once=True,
                          others=("a2",), says=("on none of these disks",)))
    if cell.firmware == "uefi" or cell.shim:
        found.append(Boot("the backup GPT is gone, the member is whole", cut={0: CUT_TAIL_S512},
                          only=("a2",), once=True, **BOTH))
    return found


def both_bad(cell):
    apart = {0: (Place(NEAR),), 1: (Place(FAR),)}
    near = {0: (Place(NEAR),), 1: (Place(NEAR_TOO),)}
    same = {0: (Place(NEAR),), 1: (Place(NEAR),)}
    if cell.lies:
        return [Boot("apart, the firmware calls them read", bad=apart, only=("a2", BAD),
                     must={0: "a2", NEAR: BAD}, **BOTH, met=False)]
    if cell.gives_up:
        return [Boot("in one request of the loader, the firmware gives the disks up", bad=near,
                     only=("a2", "b2", LOST), must={0: "a2"}, until="FIELD disk", **BOTH)]
    lost = NEAR // 8 * 8
    size = AT_ONCE[cell.firmware]
    return [Boot("in different requests", bad=apart, once=True, only=("a2", "b2"), failed_requests=(),
                 must={0: "a2", NEAR: "b2", FAR: "a2"}, **BOTH),
            Boot("in one request of the loader", bad=near, only=("a2", "b2"), failed_requests=(),
                 must={0: "a2", NEAR: "b2", NEAR_TOO: "a2"}, **BOTH),
            Boot("in the same place", bad=same, only=("a2", "b2", LOST),
                 must={0: "a2", lost - 1: ("a2", "b2"), NEAR: LOST, lost + 8: ("a2", "b2")},
                 failed_requests=tuple(_around(NEAR, size)[:1]), **BOTH)]
