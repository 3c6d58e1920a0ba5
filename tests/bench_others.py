# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What others that sit in front of INT 13h take for a request, on the same emulated machine."""

import re
from pathlib import Path

from bench_bios import CONTROLLERS, SIZES, run
from bench_count import Unavailable
from bench_page import Row

MEMDISK = Path("/usr/lib/syslinux/memdisk")


def memdisk(machines):
    """The reader's disk, in memory: no BIOS below, but memory to be moved.

    QEMU starts memdisk as it would a kernel, with the disk's image as its initramfs.
    """
    if not MEMDISK.exists():
        raise Unavailable(f"no {MEMDISK}")
    image = machines.folder / "memdisk.img"
    with open(machines.bare.paths[0], "rb") as disk:
        image.write_bytes(disk.read(16 << 20))
    return run(machines.counter, [], CONTROLLERS[0], machines.folder,
               extra=["-kernel", str(MEMDISK), "-initrd", str(image), "-append", "raw"])


def fixed(least):
    """Instructions of a request beside those that grow with its length."""
    (many, _), _, (one, _) = SIZES
    slope = (least[many].instructions - least[one].instructions) / (many - one)
    return least[one].instructions - slope, slope


def rows(machines, section):
    raw = machines.run(machines.bare, CONTROLLERS[0])
    shim = machines.run(machines.reading, CONTROLLERS[0])
    others = memdisk(machines)
    ours = min(shim.least[s].resident for s, _ in SIZES)
    return [Row("layer.memdisk", "instructions of mirrorboot's own, a request", ours, fixed(others.least)[0],
                "memdisk's, beside those that grow with the length"),
            Row("layer.bios", "instructions of mirrorboot's own, a request", ours,
                raw.least[1].instructions, "the BIOS's own read of a sector, virtio-blk"),
            Row("layer.sector", "instructions that a sector more costs", 0, fixed(others.least)[1],
                "memdisk: it is copied")]
