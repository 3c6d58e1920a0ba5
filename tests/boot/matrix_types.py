# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What the fault matrix is made of: cells, places that fail, boots and what is to come of them."""

from dataclasses import dataclass, field

CONTROLLERS = {"ide": "IDE", "ahci": "AHCI", "virtio-blk": "virtio-blk", "nvme": "NVMe",
               "nvme-4kn": "NVMe 4Kn", "usb": "USB"}
FIRMWARES = {"bios": "BIOS", "uefi": "UEFI"}
ONCE = "virtio-blk"
EVERY = -1
RECORD, METADATA, DATA = "record", "metadata", "data"  # what may be written
LOST, BAD = "!!", "??"           # as the loaders print it: can't be read; not what belongs there

# Places in the field of records. Whole sectors of 4 KiB; FAR in another request than NEAR.
NEAR, NEAR_TOO, FAR = 1000, 1016, 1600
BELOW, ABOVE = 400, 1600         # of the limit of a half-rebuilt leg
CUT_MEMBER_S512 = 4096           # hides the disk's last 2 MiB, of which the last is the member's
CUT_TAIL_S512 = 1024             # hides the backup GPT, and nothing of the member


@dataclass(frozen=True)
class Cell:
    fault: str
    controller: str
    firmware: str

    @property
    def name(self):
        return f"{self.fault} {self.controller} {self.firmware}"

    @property
    def sector(self):
        return 4096 if self.controller == "nvme-4kn" else 512

    @property
    def shim(self):
        """mirrorboot is on a disk of its own: a BIOS disk of 4 KiB sectors can't hold it."""
        return self.firmware == "bios" and self.sector == 4096

    @property
    def lies(self):
        """The firmware calls a failed read or write of the disk a success, and so all that follow.

        OVMF 2022.11 does on AHCI: the disk has then as good as gone, and nobody is told.
        """
        return self.firmware == "uefi" and self.controller == "ahci"

    @property
    def gives_up(self):
        """After one failed request the firmware calls every request of that disk a failure.

        OVMF 2022.11 does on USB, half a minute each; the loader then has one disk.
        """
        return self.firmware == "uefi" and self.controller == "usb"


@dataclass(frozen=True)
class Place:
    """Something on a leg's disk that fails: a record of the field, "lba0", "superblock", "loader", EVERY."""
    what: object

    def sector(self, made, leg):
        if self.what == EVERY:
            return EVERY
        if self.what == "lba0":
            return 0
        if self.what == "superblock":
            return made.member_s512 + made.sb_s512
        if self.what == "record":
            return made.record_s512()[made.paths[leg]]
        if self.what == "program":  # BIOS: of the mirror
            return made.member_s512 + made.data_s512 + 8
        if self.what == "loader":
            return made.loader_s512
        return made.of_field(self.what)


@dataclass(frozen=True)
class Boot:
    """One boot of a cell, and what is to come of it."""
    name: str
    scene: str = "in-sync"
    order: tuple = None          # legs as they are attached; those left out are missing
    bad: dict = field(default_factory=dict)         # leg -> Places that can't be read
    bad_writes: dict = field(default_factory=dict)  # leg -> Places that can't be written
    cut: dict = field(default_factory=dict)         # leg -> sectors hidden at its disk's end
    writes: bool = False         # the loader writes a record through what it is shown
    starts: bool = True          # False: the firmware starts nothing of ours; it says this
    firmware_says: str = ""
    state: tuple = ("degraded",)
    legs: dict = field(default_factory=dict)        # leg as the screen counts -> verdicts; None: any
    says: tuple = ()             # sentences on the screen
    only: tuple = ()             # kinds that the records may be of, on what is presented
    must: dict = field(default_factory=dict)        # record -> its kind
    others: tuple = ()           # kinds that disks may show as well which hold no leg in sight
    failed_requests: tuple = None  # of the first device: first records of requests that may fail
    wrote: str = ""              # "ok" or "failed"
    changed: dict = field(default_factory=dict)     # leg -> what may be written there
    after: str = ""              # a check of the images, by name: matrix_after
    met: bool = True             # a bad place has to have been asked for
    until: str = field(default="MATRIX: done", repr=False)  # the loader need not come further
    once: bool = False           # under UEFI, where a boot takes long: on one controller only
