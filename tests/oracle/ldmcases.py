# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Damaged, outdated and half-updated dynamic disks, made of a healthy pair, with the right verdicts.

a has leg 0 of the mirrored volume, b leg 1. No sample of such disks from a real Windows is
known: each case is what docs/formats/ldm.md says that such a disk looks like.
"""

from dataclasses import dataclass
from typing import Callable

import ldmedit
from ldmedit import CHANGE, COMMIT, KLOG_DETACH, KLOG_DIRTY, STALE, Mirror


@dataclass
class Case:
    name: str
    make: Callable         # changes the pair (a, b) of ldmedit.Image
    state: str             # of the mirror; None: no mirror can be seen at all
    chosen: str            # "a", "b", None
    a: tuple               # verdict and reason_code; None: no leg to be seen
    b: tuple
    action: str = None     # what a boot does, where the state does not say it


IN_SYNC = ("in-sync", "up-to-date")
LOG_OPEN = ("in-sync", "log-open")
STALE_LEG = ("stale", "missed-writes")
UNTRUSTED = ("faulty", "database")
DIFFERS = ("conflict", "databases-differ")


def nothing(a, b):
    pass


def older(which):
    def make(a, b):
        x = (a, b)[which]
        x.vmdb(committed=x.committed - 1, pending=x.committed - 1)
    return make


def _update(x, status, state):
    """An update on its way: leg 1's component gets another state."""
    was = Mirror(x).components[1]
    x.mark(was, 1)
    will = was.with_field("state", state)
    x.add(b"\0\2" + will[2:])
    x.vmdb(status=status, pending=x.committed + 1)


def update(status_a, status_b, state="STALE"):
    def make(a, b):
        _update(a, status_a, state)
        _update(b, status_b, state)
    return make


def commit_a_of_nothing_new(a, b):
    """a has taken a transaction that b has not, and which changes no leg."""
    _update(a, COMMIT, "ACTIVE")
    _update(b, CHANGE, "ACTIVE")


def commit_b_of_nothing_new(a, b):
    commit_a_of_nothing_new(b, a)


def status(a_status, b_status=1):
    def make(a, b):
        a.vmdb(status=a_status)
        b.vmdb(status=b_status)
    return make


def field(kind, name, value, leg=1):
    """One field of what belongs to a leg, alike in both disks' databases."""
    def make(a, b):
        for x in (a, b):
            m = Mirror(x)
            record = {"component": m.components, "partition": m.partitions,
                      "disk": m.disks, "volume": [m.volume] * 2}[kind][leg]
            x.change(record, name, value)
    return make


def vmdb_gone(a, b):
    a.write(a.config, bytes(ldmedit.SECTOR))


def vmdb_before_its_records(a, b):
    """The header was written, and says that there is one more volume; its record was not."""
    count = int.from_bytes(a.read(a.config)[0x85:0x89], "big")
    a.write(a.config, (count + 1).to_bytes(4, "big"), 0x85)
    a.vmdb(committed=a.committed + 1, pending=a.committed + 1)


def records_zeroed(a, b):
    a.write(a.config + 1, bytes(4 * ldmedit.SECTOR))


def no_primary_head(a, b):
    for x in (a, b):
        x.wipe_primary_head()


def one_head_left(a, b):
    for x in (a, b):
        for lba in x.heads():
            if lba != x.private + 1856:
                x.write(lba, bytes(ldmedit.SECTOR))


def no_head(a, b):
    for lba in a.heads():
        a.write(lba, bytes(ldmedit.SECTOR))


def bad_head_sum(a, b):
    """The newest copy by its own words, with another private region, and a wrong checksum."""
    for x in (a, b):
        lba = x.heads()[-1]
        x.write(lba, (x.sequence + 7).to_bytes(8, "big"), 0x18)
        x.write(lba, (x.private - 8).to_bytes(8, "big"), 0x12B)


def later_entry(a, b):
    """The dynamic partition is not the first of the MBR: a maker's own (DEh) is in front of it."""
    for x in (a, b):
        if not x.metadata:
            table = x.read(0)[446:510]
            x.write(0, bytes(4) + b"\xde" + bytes(3) + b"\1\0\0\0\1\0\0\0" + table[:48], 446)


def swapped_tocs(a, b):
    a.swap_tocs()


def one_toc_gone(a, b):
    for x in (a, b):
        x.write(x.private + x.tocs[0], bytes(ldmedit.SECTOR))


def other_letter(a, b):
    """The name of leg 1's partition differs, and nothing else."""
    record = Mirror(b).partitions[1]
    b.change(record, "name", record["name"][:-1] + "x")


def differs_in_mid_update(a, b):
    update(CHANGE, CHANGE)(a, b)
    other_letter(a, b)


def log(entry, which):
    def make(a, b):
        for n in which:
            (a, b)[n].log_entry(entry)
    return make


def leg_faulty(name, make, why, leg=1):
    good, bad = IN_SYNC, ("faulty", why)
    return Case(name, make, "degraded", "ba"[leg], *((good, bad) if leg else (bad, good)))


CASES = [
    Case("unchanged", nothing, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("older-a", older(0), "degraded", "b", STALE_LEG, IN_SYNC),
    Case("older-b", older(1), "degraded", "a", IN_SYNC, STALE_LEG),
    # an update that was cut
    Case("change-both", update(CHANGE, CHANGE), "healthy", "a", LOG_OPEN, LOG_OPEN),
    Case("commit-both", update(COMMIT, COMMIT), "degraded", "a", LOG_OPEN,
         ("faulty", "component-state")),
    Case("commit-a-change-b", commit_a_of_nothing_new, "degraded", "a", LOG_OPEN, STALE_LEG),
    Case("commit-b-change-a", commit_b_of_nothing_new, "degraded", "b", STALE_LEG, LOG_OPEN),
    # the newer database has the leg beside it out, the older one is of the other leg: no leg that
    # can be shown to be up to date, so a person has to choose
    Case("commit-b-out-change-a", update(CHANGE, COMMIT), "unusable", None, STALE_LEG,
         ("faulty", "component-state")),
    # a copy of the database that says itself that it is of no use
    Case("status-stale-a", status(STALE), "degraded", "b", UNTRUSTED, IN_SYNC),
    Case("status-stale-b", status(1, STALE), "degraded", "a", IN_SYNC, UNTRUSTED),
    Case("status-abort-a", status(4), "degraded", "b", UNTRUSTED, IN_SYNC),
    Case("status-stale-both", status(STALE, STALE), None, None, None, None),
    # a leg that the database knows to be out
    leg_faulty("component-stale-b", field("component", "state", "STALE"), "component-state"),
    leg_faulty("component-stale-a", field("component", "state", "STALE", 0), "component-state", 0),
    leg_faulty("component-unknown-state", field("component", "state", "OTHERS"), "component-state"),
    leg_faulty("component-iofail-b", field("component", "flags", 4), "component-state"),
    leg_faulty("component-iofail-a", field("component", "flags", 4, 0), "component-state", 0),
    leg_faulty("component-recover", field("component", "flags", 2), "component-state"),
    leg_faulty("component-pending", field("component", "flags", 8), "component-state"),
    leg_faulty("partition-recover", field("partition", "flags", 8), "partition-state"),
    leg_faulty("partition-kdetach-a", field("partition", "flags", 0x10, 0), "partition-state", 0),
    leg_faulty("disk-detached-b", field("disk", "flags", 0x200), "disk-state"),
    leg_faulty("disk-detached-a", field("disk", "flags", 0x200, 0), "disk-state", 0),
    leg_faulty("disk-failing", field("disk", "flags", 4), "disk-state"),
    leg_faulty("disk-removed", field("disk", "flags", 0x100), "disk-state"),
    Case("volume-crashed", field("volume", "flags", 0x15), "unusable", None,
         ("faulty", "volume-state"), ("faulty", "volume-state")),
    Case("volume-state", field("volume", "state", "DETACHED"), "unusable", None,
         ("faulty", "volume-state"), ("faulty", "volume-state")),
    # damage
    Case("vmdb-gone", vmdb_gone, "degraded", "b", UNTRUSTED, IN_SYNC),
    Case("vmdb-torn", vmdb_before_its_records, "degraded", "b", UNTRUSTED, IN_SYNC),
    Case("records-zeroed", records_zeroed, "degraded", "b", UNTRUSTED, IN_SYNC),
    Case("no-primary-head", no_primary_head, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("one-head-left", one_head_left, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("bad-head-sum", bad_head_sum, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("no-head-a", no_head, "degraded", "b", ("unreadable", "disk-unreadable"), IN_SYNC,
         "pause"),
    Case("one-toc-gone", one_toc_gone, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("later-mbr-entry", later_entry, "healthy", "a", IN_SYNC, IN_SYNC),
    Case("swapped-tocs-a", swapped_tocs, "healthy", "a", IN_SYNC, IN_SYNC),
    # as new as each other, and they say something else
    Case("equal-tid-differs", other_letter, "split-brain", "a", IN_SYNC, DIFFERS),
    Case("equal-tid-differs-change", differs_in_mid_update, "split-brain", "a", LOG_OPEN, DIFFERS),
    Case("log-dirty-both", log(KLOG_DIRTY, (0, 1)), "healthy", "a", LOG_OPEN, LOG_OPEN),
    Case("log-detach-both", log(KLOG_DETACH, (0, 1)), "healthy", "a", LOG_OPEN, LOG_OPEN),
    # one of them was there to note that the other was not
    Case("log-detach-a", log(KLOG_DETACH, (0,)), "split-brain", "a", LOG_OPEN, DIFFERS),
    Case("log-detach-b", log(KLOG_DETACH, (1,)), "split-brain", "b", DIFFERS, LOG_OPEN),
    Case("log-dirty-b", log(KLOG_DIRTY, (1,)), "split-brain", "a", IN_SYNC, DIFFERS),
]
