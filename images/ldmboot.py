# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Pairs of dynamic disks that boot: syslinux on FAT, inside a mirrored volume.

What is started says its generation, and whether all of it came from one: a payload is summed
up. Legs may start anywhere, on MBR or GPT disks; the boot sector believes in the first one.
"""

import hashlib
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import extlinux
import ldmdisk
import qemu

ASM = Path(__file__).resolve().parent.parent / "tests" / "boot"
VOLUME = "Volume1"
VOLUME_S512 = 20480
DISK_S512 = 65536
PAYLOAD_BYTES = 256 << 10
SUM = 0x4D555321  # in ldm_kernel.asm
DONE = ("payload ok.", "payload BAD.")


def assemble(name, **values):
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-asm-") as out:
        subprocess.run(["nasm", "-f", "bin", "-o", out.name,
                        *(f"-D{key}={value}" for key, value in values.items()),
                        str(ASM / name)], check=True)
        return Path(out.name).read_bytes()


@lru_cache(maxsize=None)
def kernel(generation):
    """tests/boot/ldm_kernel.asm, its payload behind it."""
    payload = hashlib.shake_256(b"LDM of generation %d" % generation).digest(PAYLOAD_BYTES)
    total = 0
    for dword, in struct.iter_unpack("<I", payload):
        total = ((total << 1 | total >> 31) + dword) & 0xFFFFFFFF
    code = assemble("ldm_kernel.asm", GENERATION=generation, PAYLOAD_BYTES=PAYLOAD_BYTES)
    if code.count(struct.pack("<I", SUM)) != 1:
        raise ValueError("no single place for the sum")
    return code.replace(struct.pack("<I", SUM), struct.pack("<I", total)) + payload


@lru_cache(maxsize=None)
def volume(generation, hidden_s512, size_s512=VOLUME_S512):
    """FAT with syslinux, which starts the kernel; its boot sector believes in hidden_s512."""
    name = f"/kernel.{generation}"
    return extlinux.fat(size_s512, hidden_s512,
                        {name: kernel(generation), **extlinux.config(name, "auto")})


def what_booted(serial):
    """("2", "ok") of the kernel that ran; None: none did."""
    found = re.search(r"LDM-KERNEL: generation (\d) active at \S+ payload (\w+)\.", serial)
    return found and (found[1], found[2])


def active_lba(serial):
    """Where the active partition of 80h begins, as that kernel found it by INT 13h."""
    found = re.search(r"LDM-KERNEL: generation \d active at (\w+)h ", serial)
    return found and int(found[1], 16)


@dataclass
class Pair:
    """Where the legs lie, and what is said of them; generations of data and databases by disk."""
    starts: tuple = (2048, 2048)
    tables: tuple = ("mbr", "mbr")
    generations: tuple = (2, 2)
    committed: tuple = (40, 40)
    active: tuple = (True, False)  # has its MBR an active entry of the leg?
    hidden_s512: int = None        # what the boot sector believes; None: the first leg's start
    first_lba: int = 2048
    code: tuple = (True, True)     # boot code in LBA 0
    partitions: tuple = ((), ())   # GPT: what lies in front, [(type GUID, bytes)]
    data: dict = field(default_factory=dict)  # generation: contents; else volume()

    def group(self, n):
        disks = []
        for k in (0, 1):
            entries = [(self.starts[k], VOLUME_S512, True)] if self.active[k] else None
            disks.append(ldmdisk.Disk(k, DISK_S512 + sum(len(d) for _, d in self.partitions[k])
                                      // 512, self.tables[k], first_lba=self.first_lba,
                                      entries=entries, partitions=list(self.partitions[k])))
        return ldmdisk.Group(disks, [ldmdisk.mirror(VOLUME, VOLUME_S512,
                                                    list(enumerate(self.starts)))],
                             committed=self.committed[n])

    def write(self, folder):
        """The images; their paths."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        hidden = self.starts[0] if self.hidden_s512 is None else self.hidden_s512
        for n in (0, 1):
            data = self.data.get(self.generations[n]) or volume(self.generations[n], hidden)
            paths.append(folder / f"{'ab'[n]}.img")
            ldmdisk.write(paths[n], self.group(n), n, {VOLUME: data},
                          extlinux.mbr_code() if self.code[n] else b"")
        return paths


def boot(paths, until=DONE, **more):
    return qemu.boot(paths, "bios", until=until, timeout_s=120, **more)


DID_NOT_START = "TRUST: the disk before did not start."


def boot_or_next(path, folder):
    """Boot one disk; where its boot code gives up, a floppy disk says so on the serial line.

    A second disk would not do: this firmware goes on to the next kind of drive.
    """
    floppy = Path(folder) / "floppy.img"
    floppy.write_bytes(assemble("ldm_hidden.asm", HIDDEN=0, NEXT=1).ljust(1440 << 10, b"\0"))
    return boot([path], until=(*DONE, DID_NOT_START),
                extra=["-drive", f"if=floppy,format=raw,readonly=on,file={floppy}"])
