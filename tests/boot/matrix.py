# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The fault matrix: every fault, on every controller, on both firmwares, and what is expected.

This is the one table. matrix_plans.py has the boots of each fault, matrix_run.py boots what they
say and compares, matrix_doc.py writes docs/matrix.md and the section in docs/failures.md.

Legs are a (role 0, which md reads first) and b. What is read is said by leg and generation: "a2".
"""

from dataclasses import dataclass

import matrix_plans as plans
from matrix_types import CONTROLLERS, FIRMWARES, ONCE, Cell


@dataclass(frozen=True)
class Fault:
    key: str
    title: str
    how: str                     # how it is made
    bios: str                    # what is expected, in a sentence
    uefi: str
    why: str
    plans: object                # function(cell) -> [Boot]

    def boots(self, cell):
        return [b for b in self.plans(cell)
                if not b.once or cell.firmware == "bios" or cell.controller == ONCE]


GONE = "On USB OVMF fails every request of a disk after the first that failed"
LIE = "On AHCI OVMF calls failed reads, and all that follow, a success"
FAULTS = (
    Fault("missing", "leg missing", "The disk of one leg is not attached.",
          "degraded; the leg is `missing`; all is read from the other, whose disk becomes 80h",
          "the same, on the volume and on every path to it",
          "md starts the array degraded from the leg that is there.", plans.missing),
    Fault("lba0", "LBA 0 unreadable", "LBA 0 of leg a's disk gives an error.",
          "started from that disk: the firmware says so, and tries no other; from the other disk: the leg "
          "is looked for where the other disk's is, and found in sync",
          "the disk's GPT has a checksum of its own and is used: both legs are in sync. "
          f"{GONE}: there the leg is `unreadable`. {LIE}: there the leg has some other fault",
          "Linux finds no partition on that disk and starts degraded. But the leg may be the newest one, so "
          "it is looked for; its superblock says whether it is good.",
          plans.lba0),
    Fault("superblock", "metadata unreadable", "The sector of leg a's md superblock gives an error.",
          "degraded; the leg is `unreadable`, its disk stays in sight as it is; all is read from the other",
          f"the same. {LIE}: there the leg has some other fault, and is not read either",
          "md can't load the superblock and leaves the device out.", plans.superblock_unreadable),
    Fault("corrupt", "metadata corrupt",
          "Leg a's superblock says 100 events more than it has, its checksum is wrong, its data are old.",
          "degraded; the leg is `faulty`; all is read from the other", "the same",
          "md refuses a superblock whose checksum is wrong, whatever it says.", plans.superblock_corrupt),
    Fault("mid-file", "one sector bad in mid-file",
          "A sector of what the next loader reads gives an error on leg a.",
          "the loader sees no error: that sector comes from the other leg",
          "the same; a loader's own file is taken from the other disk's EFI system partition. "
          f"{LIE}: there the loader gets other bytes and no error, which its own checksum has to find; "
          "files that the manifest lists are checked and not used",
          "md reads it from the other leg.", plans.mid_file),
    Fault("dead", "every read bad", "Every read of leg a's disk gives an error.",
          "started from that disk: the firmware says so, and tries no other; from the other disk: the leg "
          "is `unreadable`, all is read from the other one",
          f"the leg is `unreadable`, all is read from the other. {LIE}: there the leg has some other "
          "fault, and is not read either",
          "md finds no superblock there and starts the array degraded.", plans.dead),
    Fault("write", "write error", "The loader writes a sector of the mirror; leg a's disk, or both, fail it.",
          "the write succeeds on leg b, whose superblock says that leg a is faulty and is newer; both fail: "
          "the loader gets an error, the old data stay; 4 KiB sectors: write-protected",
          f"the same. {LIE}, of writes too: there the legs differ in that sector, and nothing says so",
          "md fails a device that can't be written, writes that into the others' superblocks, and goes on.",
          plans.write_error),
    Fault("stale", "stale", "Leg a missed writes: its events are behind, its data are old.",
          "degraded; the leg is `stale` and out of sight, in whatever order the disks come", "the same",
          "md kicks a device that is not fresh.", plans.stale),
    Fault("rebuilding", "rebuilding", "Leg a was being rebuilt; then leg b has bad sectors as well.",
          "all is read from the other leg; where that fails, below the limit from the leg being rebuilt, above "
          "it the loader gets an error, and never what has not been copied yet",
          f"the same. {LIE}: there the bad sectors are other bytes. {GONE}: there all above the limit is lost",
          "md reads a device that is recovering below its recovery offset only.", plans.rebuilding),
    Fault("split", "split brain", "Each leg ran without the other: a has more events, b the later time.",
          "a pause, and a sentence; all is read from the leg with more events; the other is `conflict` "
          "and out of sight", "the same",
          "md takes the device with the most events and never looks at the time.", plans.split),
    Fault("returned", "returned old disk", "Three disks: the mirror of two, and the one that was replaced.",
          "the old disk is `stale` (\"was replaced\") and out of sight; the mirror is healthy", "the same",
          "The newest superblock has another device in that role.", plans.returned),
    Fault("shortened", "controller hides the disk's end", "Leg a's disk is presented shorter than it was.",
          "md 1.2: the leg is `faulty` (\"ends too early\"); md 1.0 and 0.90: no superblock is left, the leg "
          "is `missing`; all is read from the other",
          "the same; only the backup GPT is gone: nothing else is wrong, the leg is in sync",
          "md refuses a device that is smaller than its superblock says. Linux refuses a GPT whose usable "
          "sectors end behind the disk, too, and would start degraded; the legs hold the same.",
          plans.shortened),
    Fault("both", "both legs bad in different places",
          "A sector of leg a and another of leg b give errors: in two requests of the loader, in one; the same sector.",
          "every sector that one leg has is read from it, without an error; one that neither has is an error, "
          "and its neighbours are not",
          f"the same. {LIE}: there the bad sectors are other bytes. {GONE}: there both are lost, with an "
          "error", "md tries each piece of a failed read on each leg.", plans.both_bad),
)
BY_KEY = {f.key: f for f in FAULTS}


def cells():
    return [Cell(f.key, c, w) for f in FAULTS for w in FIRMWARES for c in CONTROLLERS]


# What `make test` boots: each fault, each controller on each firmware.
SAMPLE = (
    ("missing", "ide", "bios"), ("lba0", "ahci", "bios"), ("superblock", "virtio-blk", "bios"),
    ("corrupt", "nvme", "bios"), ("mid-file", "usb", "bios"), ("dead", "nvme", "bios"),
    ("write", "ide", "bios"), ("stale", "nvme-4kn", "bios"), ("rebuilding", "ahci", "bios"),
    ("split", "ide", "bios"), ("returned", "virtio-blk", "bios"), ("shortened", "usb", "bios"),
    ("both", "nvme", "bios"), ("both", "ide", "bios"),
    ("missing", "ide", "uefi"), ("mid-file", "ahci", "uefi"), ("stale", "virtio-blk", "uefi"),
    ("superblock", "nvme", "uefi"), ("corrupt", "nvme-4kn", "uefi"), ("dead", "usb", "uefi"),
)


def sample():
    return [Cell(*c) for c in SAMPLE]
