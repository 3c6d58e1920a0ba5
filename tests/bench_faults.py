# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What a disk that fails costs: while booting, in the read that meets it, and from then on.

The second disk's LBA 0, its superblock, or all of it; beside mirrorboot without a fault, and GRUB
with the same one. Then a sector of the first disk, whose leg is the one that is read: that
leg is latched, and what comes after it is read from the other.
"""

import bench_disks
import qemu
from bench_bios import CONTROLLERS, of_size, total
from bench_page import Row
from bench_uefi import SIZES, drives_of

CONTROLLER = CONTROLLERS[0]
SUPERBLOCK = 8               # of md 1.2, in the member
BAD_REQUEST, BEFORE = 8, 60  # on BIOS: of those of 127 sectors; sectors of it in front of the bad one
BAD_READ = 5                 # on UEFI: of those of 4 KiB


def boot_faults(member_lba):
    """{name: (words, sectors of the second disk)}"""
    return {"lba0": ("LBA 0 of disk 1 unreadable", (0,)),
            "metadata": ("superblock of disk 1 unreadable", (member_lba + SUPERBLOCK,)),
            "every": ("every read of disk 1 fails", (qemu.EVERY,))}


def boot_rows(key, words, fault, healthy, grub):
    """fault, healthy, grub: (instructions, reads served of all disks, failed ones)."""
    beside = "mirrorboot, no fault"
    return [Row(f"{key}.instructions", f"{words}: instructions", fault[0], healthy[0], beside),
            Row(f"{key}.reads", f"{words}: reads, failed ones too", fault[1] + fault[2],
                healthy[1] + healthy[2], beside),
            Row(f"{key}.failed", f"{words}: failed reads", fault[2], grub[2], "GRUB, same fault"),
            Row(f"{key}.grub", f"{words}: instructions", fault[0], grub[0], "GRUB, same fault")]


# ---- BIOS ------------------------------------------------------------------------------------

def bios_sums(got):
    return got.handovers[1].instructions, total(got), sum(failed for _, failed in got.served)


def with_faults(disks, bad):
    """Drives of these disks; bad: {disk: sectors}."""
    return drives_of(disks.paths, bad)


def bios_rows(machines, section):
    disks, rows = machines.starting, []
    healthy = bios_sums(machines.run(disks, CONTROLLER))
    for name, (words, sectors) in boot_faults(disks.member_lba[1]).items():
        ours, grub = (bios_sums(machines.run(with_faults(d, {1: sectors}), CONTROLLER))
                      for d in (disks, machines.grub))
        rows += boot_rows(f"fault.bios.{name}", words, ours, healthy, grub)

    disks = machines.reading
    bad = disks.member_lba[0] + disks.data_s512 + BAD_REQUEST * 127 + BEFORE
    got = machines.run(with_faults(disks, {0: (bad,)}), CONTROLLER)
    long = of_size(got.pairs, 127)
    before, meets, after = min(long[:BAD_REQUEST]), long[BAD_REQUEST], min(long[BAD_REQUEST + 1:])
    words = "a sector of the leg that is read"
    beside = "a request before it"
    rows += [Row("fault.bios.file.meets.requests", f"{words}: requests to the BIOS, for the one that meets it",
                 meets.requests, before.requests, beside),
             Row("fault.bios.file.meets.instructions", f"{words}: instructions of it",
                 meets.instructions, before.instructions, beside),
             Row("fault.bios.file.after.requests", f"{words}: requests to the BIOS, for a later one",
                 after.requests, before.requests, beside, goal=1),
             Row("fault.bios.file.after.resident", f"{words}: the resident part's instructions, a later one",
                 after.resident, before.resident, beside),
             Row("fault.bios.file.failed", f"{words}: reads of disk 0 that failed, to the end",
                 got.served[0][1])]
    return rows


# ---- UEFI ------------------------------------------------------------------------------------

def uefi_sums(got):
    return got.cost, sum(n for n, _ in got.asked), sum(failed for _, failed in got.asked)


def uefi_rows(machines, section):
    grub, rows = bench_disks.grub_efi(), []
    paths, starts = machines.disks("start")
    healthy = uefi_sums(machines.run(drives_of(paths), CONTROLLER, reads=False))
    for name, (words, sectors) in boot_faults(starts[1]).items():
        ours, theirs = (uefi_sums(machines.run(drives_of(p, {1: sectors}), CONTROLLER, reads=False))
                        for p in (paths, machines.disks("start", app=grub)[0]))
        rows += boot_rows(f"fault.uefi.{name}", words, ours, healthy, theirs)

    paths, starts = machines.disks("count")
    bad = starts[0] + machines.data_s512 + BAD_READ * SIZES[0] // 512 + 3
    got = machines.run(drives_of(paths, {0: (bad,)}), CONTROLLER)
    volume, leg = got.pairs["volume"][SIZES[0]], got.pairs["leg"][SIZES[0]]
    good = min(leg[:BAD_READ])
    words = "a sector of the leg that is read"
    rows += [Row("fault.uefi.file.meets.instructions", f"{words}: instructions of the 4 KiB that meet it",
                 volume[BAD_READ], leg[BAD_READ] + good, "the firmware: it fails, then a good one"),
             Row("fault.uefi.file.after.instructions", f"{words}: instructions of 4 KiB, latched",
                 min(volume[BAD_READ + 1:]), min(volume[:BAD_READ]), "4 KiB before it"),
             Row("fault.uefi.file.after.requests", f"{words}: requests for 48 KiB, latched",
                 got.requests["volume"][SIZES[0]], len(volume), "without a fault", goal=1),
             Row("fault.uefi.file.failed", f"{words}: reads of disk 0 that failed, volume and in place",
                 got.failed["volume"])]
    return rows
