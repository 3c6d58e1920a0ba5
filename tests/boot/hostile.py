# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A BIOS worse than QEMU's, between the firmware and us: tests/boot/hostile.asm."""

import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import qemu

MODES = ("no_edd", "refuse_42", "lose_41", "lose_08", "no_sectors", "count_08", "count_bda",
         "long_48", "zero_48", "fail_48", "max_42", "cross_42", "first_42", "corrected",
         "ah_garbage", "dap_count", "lose_42", "flags", "high_halves", "dead", "slow", "no_writes")
FLOPPY_BYTES = 1440 * 1024
MAGIC = b"HOSTILE!"
SETTINGS = struct.Struct("<8sI8B")  # magic, modes, what follows in with_modes()
COUNTERS = struct.Struct("<32H3H")


def _assemble(folder):
    source, out = Path(__file__).with_name("hostile.asm"), Path(folder) / "hostile.bin"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", "-o", str(out), str(source)],
                   check=True)
    for bit, name in enumerate(MODES):
        if f"\n{name.upper():12} equ {bit} " not in source.read_text():
            raise ValueError(f"hostile.asm has another number for {name}")
    return bytearray(out.read_bytes())


def floppy(path, *modes, dl=0x80, load=0x80, bad=0, sectors=0, bda=0, drives_08=0, long=0,
           error=0):
    """Write the floppy image of a firmware with these modes to path, and return path.

    dl: what DL is when LBA 0 of the drive `load` is started. The other numbers go with modes:
    bad: the drive of no_sectors, dead; error: the code of dead and first_42; sectors: the most
    that max_42 allows; bda, drives_08: the counts; long: how many bytes too many long_48 gives.
    """
    image = _assemble(Path(path).parent)
    word = sum(1 << MODES.index(m) for m in modes)
    SETTINGS.pack_into(image, image.index(MAGIC), MAGIC, word, dl, load, bad, sectors, bda,
                       drives_08, long, error)
    Path(path).write_bytes(bytes(image).ljust(FLOPPY_BYTES, b"\0"))
    return path


@dataclass
class Met:
    """How often the firmware did what it was told to, and was asked."""
    times: dict = field(default_factory=dict)  # by mode
    asked_42: int = 0
    asked_02: int = 0
    asked_bad: int = 0  # reads, writes and verifies of the bad drive


def read_counters(monitor):
    """The counters of the resident part, from the machine's memory."""
    dump = Path(str(monitor.path) + ".top")
    monitor.ask("pmemsave", val=0x90000, size=0x10000, filename=str(dump))
    memory = dump.read_bytes()
    dump.unlink()
    at = memory.index(MAGIC)
    *times, asked_42, asked_02, asked_bad = COUNTERS.unpack_from(memory, at + SETTINGS.size)
    return Met(dict(zip(MODES, times)), asked_42, asked_02, asked_bad)


def boot(drives, image, controller=None, **kw):
    """qemu.boot() from that floppy: (Boot, Met)."""
    met = []
    extra = ["-drive", f"if=none,id=fd,format=raw,readonly=on,file={image}",
             "-device", "floppy,drive=fd",
             "-global", "isa-fdc.bootindexA=0"]
    got = qemu.boot(drives, "bios", controller, extra=extra,
                    at_end=lambda m: met.append(read_counters(m)), **kw)
    return got, met[0]
