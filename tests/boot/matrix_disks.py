# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The disks of the fault matrix: small, made once a scene, copied for each boot.

A mirror's data here is no file system but a field of records, 512 bytes each, that say of
which leg and which generation they are, and which place they belong to. Legs in sync differ
in the leg's letter and in nothing else: so a loader can tell where each sector came from.
"""

import struct
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cli
import diskimage
import espmanifest
import gptdisk
import mdmember

FIELD_COUNT = 2048
FIELD_S512 = 11272      # of the mirror: the half-rebuilt leg is copied up to the middle of the field
LIMIT = 12288 - FIELD_S512
MAGIC = b"MTXR"
PROGRAM_S512 = 16       # room for the BIOS loader at the mirror's begin
WRITTEN = 696           # the record that is written, in whole sectors of 4 KiB too
ESP_BYTES = 6 << 20
FALLBACK, REPLACED = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTX64.REPLACED.EFI"
PARAMS = struct.Struct("<16sQQQQQIIII")
HERE = Path(__file__).resolve().parent
_LOCK = threading.RLock()


@dataclass(frozen=True)
class Leg:
    """A member of a scene: of which fixture, and what its records say. wrong: metadata damaged."""
    fixture: str
    letter: str
    generation: int
    wrong: bool = False

    @property
    def kind(self):
        """As the loaders print it."""
        return f"{self.letter}{self.generation}"


def _in_sync(version):
    return (Leg(f"md{version}-insync-a", "a", 2), Leg(f"md{version}-insync-b", "b", 2))


SCENES = {
    "in-sync": _in_sync("1.2"),
    "in-sync-1.0": _in_sync("1.0"),
    "in-sync-0.90": _in_sync("0.90"),
    "stale": (Leg("md1.2-legA-failed-a", "a", 1), Leg("md1.2-legA-failed-b", "b", 2)),
    "rebuilding": (Leg("md1.2-recovering-a", "a", 2), Leg("md1.2-recovering-b", "b", 2)),
    # says that it is much newer than it is, with the checksum of before
    "corrupt": (Leg("md1.2-insync-a", "a", 1, wrong=True), Leg("md1.2-insync-b", "b", 2)),
    "split": (Leg("md1.2-splitbrain-a", "a", 3), Leg("md1.2-splitbrain-b", "b", 2)),
    "returned": (Leg("md1.2-legA-failed-a", "a", 1), Leg("md1.2-replaced-b", "b", 3),
                 Leg("md1.2-replaced-c", "c", 3)),
}


fixture = lru_cache(maxsize=None)(mdmember.fixture)


def record(letter, generation, number):
    body = struct.pack("<4s2s2xI", MAGIC, f"{letter}{generation}".encode(), number)
    body = body.ljust(508, bytes([number * 7 + generation & 0xFF]))
    words = sum(struct.unpack("<127I", body))
    return body + struct.pack("<I", -words & 0xFFFFFFFF)


@lru_cache(maxsize=None)
def field(letter, generation):
    return b"".join(record(letter, generation, n) for n in range(FIELD_COUNT))


@lru_cache(maxsize=None)
def new_records():
    """What is written: as many as the largest sector holds."""
    return b"".join(record("n", 9, WRITTEN + n) for n in range(8))


def _bios_program(first_s512, sector, writes):
    """(boot code, what lies in the mirror) of a loader whose mirror's data start at this sector."""
    per = sector // 512
    with tempfile.TemporaryDirectory(prefix="mirrorboot-matrix-") as tmp:
        out = Path(tmp) / "out"
        subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", "-o", str(out),
                        f"-DPROGRAM_LBA={first_s512 // per}",
                        f"-DPROGRAM_BLOCKS={PROGRAM_S512 // per}",
                        f"-DFIELD_S512={first_s512 + FIELD_S512}", f"-DFIELD_COUNT={FIELD_COUNT}",
                        f"-DWRITE_S512={first_s512 + FIELD_S512 + WRITTEN if writes else -1}",
                        str(HERE / "matrix.asm")], check=True)
        data = out.read_bytes()
    program = data[512:] + new_records()
    if len(program) > PROGRAM_S512 * 512 or any(data[440:512]):
        raise ValueError("the loader has become too large")
    return data[:440], program


def _uefi_program(sb, member_bytes, start_bytes, sector, writes):
    """matrix.efi, told where the field is."""
    data = bytearray((cli.build_folder() / "matrix.efi").read_bytes())
    at = data.index(b"MATRIX PARAMS :\0")
    first = sb.data_s512 * 512 + FIELD_S512 * 512
    fixed = PARAMS.pack(b"MATRIX PARAMS :", sb.size_s512 * 512, ESP_BYTES * 2, start_bytes + first,
                        first, FIELD_S512 * 512, FIELD_COUNT, WRITTEN if writes else 0xFFFFFFFF,
                        sector // 512, 0)
    data[at:at + len(fixed)] = fixed
    data[at + len(fixed):at + len(fixed) + 4096] = new_records()
    return bytes(data)


def compose(leg, program=b""):
    """A member: metadata as mdadm wrote them, our data."""
    sb = mdmember.Superblock(fixture(leg.fixture))
    data = bytearray(sb.size_s512 * 512)
    data[:len(program)] = program
    at = FIELD_S512 * 512
    data[at:at + FIELD_COUNT * 512] = field(leg.letter, leg.generation)
    member = mdmember.compose(leg.fixture, bytes(data))
    if leg.wrong:
        member = bytearray(member)
        struct.pack_into("<Q", member, sb_s512(sb) * 512 + 200, sb.events + 100)
    return bytes(member)


def sb_s512(sb):
    return {"1.2": 8, "1.0": mdmember.MEMBER_S512 - 16, "0.90": mdmember.MEMBER_S512 - 128}[sb.version]


@dataclass
class Disks:
    """Images, and what is where on them, in sectors of 512 bytes."""
    scene: str
    legs: tuple
    paths: list              # of the legs' disks, in the legs' order
    member_s512: int
    sb_s512: int             # ... of the member
    bitmap_s512: int         # None: has none
    data_s512: int
    sector: int = 512
    shim: object = None      # a disk that holds no leg, and mirrorboot
    loader_s512: int = None  # of the disk: a sector of the next loader's file on the ESP

    def of_field(self, number):
        return self.member_s512 + self.data_s512 + FIELD_S512 + number

    def record_s512(self):
        """Of each path with a boot area: where the boot record is."""
        out = {}
        for path in [*self.paths, *([self.shim] if self.shim else [])]:
            with open(path, "rb") as f:
                magic, stage2 = struct.unpack_from("<4sQ", f.read(512), 420)
            if magic == b"MRB2":
                out[path] = stage2 - 1
        return out


def _bios(scene, folder, sector, writes):
    legs, sbs = SCENES[scene], []
    for leg in legs:
        sbs.append(mdmember.Superblock(fixture(leg.fixture)))
    member_s512 = diskimage.FIRST_LBA
    boot, program = _bios_program(member_s512 + sbs[0].data_s512, sector, writes)
    paths, shim = [], None
    for leg in legs:
        path = folder / f"{leg.letter}.img"
        member = compose(leg, program)
        if sector == 512:
            diskimage.mbr_disk(path, member, None)
            with open(path, "r+b") as f:
                f.write(boot)
        else:
            part, = gptdisk.write(path, [(gptdisk.RAID, member)], len(paths), sector)
            assert part.start_bytes == member_s512 * 512
        paths.append(path)
    if sector == 512:
        cli.install(*paths)
    else:
        shim = _shim(folder, boot)
    return paths, shim, member_s512, None


def _shim(folder, boot):
    """A disk that mirrorboot starts from and that is no member: it was one when it was installed."""
    shim, other = folder / "shim.img", folder / "other.img"
    for path, leg in zip((shim, other), SCENES["in-sync"]):
        start = diskimage.mbr_disk(path, fixture(leg.fixture), None)
        with open(path, "r+b") as f:
            f.write(boot)
    cli.install(shim, other)
    other.unlink()
    with open(shim, "r+b") as f:
        f.truncate(start * 512)
        f.truncate((start + mdmember.MEMBER_S512) * 512)
    return shim


def _uefi(scene, folder, sector, writes):
    legs, paths, loader = SCENES[scene], [], None
    esp_s512 = 2048
    member_s512 = esp_s512 + ESP_BYTES // 512
    for n, leg in enumerate(legs):
        member = compose(leg)
        sb = mdmember.Superblock(member)
        program = _uefi_program(sb, len(member), member_s512 * 512, sector, writes)
        files = {FALLBACK: (cli.build_folder() / "mirrorboot.efi").read_bytes(), REPLACED: program}
        esp = gptdisk.fat(ESP_BYTES, files, sector, 0x6D620000 + n)
        paths.append(folder / f"{leg.letter}.img")
        parts = gptdisk.write(paths[n], [(gptdisk.ESP, esp), (gptdisk.RAID, member)], n, sector)
        assert parts[1].start_bytes == member_s512 * 512
        if sector == 512:
            espmanifest.write(paths[n], esp_s512 * 512)
        # A sector of its middle; another file system may put it elsewhere, this one is made alike.
        at = paths[n].read_bytes().index(program[len(program) // 2 & ~511:][:512])
        loader = at // 512
    return paths, None, member_s512, loader


@lru_cache(maxsize=None)
def _make(folder, scene, firmware, sector, writes):
    folder = folder / f"{scene}-{firmware}-{sector}{'-writes' if writes else ''}"
    folder.mkdir(parents=True, exist_ok=True)
    paths, shim, member, loader = (_bios if firmware == "bios" else _uefi)(scene, folder, sector, writes)
    data = fixture(SCENES[scene][0].fixture)
    sb = mdmember.Superblock(data)
    at = sb_s512(sb)
    bitmap = None
    if sb.version != "0.90" and sb.features & 1:
        offset, = struct.unpack_from("<i", data, at * 512 + 96)
        bitmap = at + offset
    return Disks(scene, SCENES[scene], paths, member, at, bitmap, sb.data_s512, sector, shim, loader)


def make(folder, scene, firmware, sector=512, writes=False):
    """The disks of a scene, made on the first call: not to be written to."""
    with _LOCK:
        return _make(Path(folder), scene, firmware, sector, writes)
