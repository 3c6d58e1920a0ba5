# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""INT 13h from a loader's side: hk.asm asks our drive 80h in the real resident hook, and what
it tells on the serial line is held against the contract here."""

import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import cli
import diskimage
import qemu
import scenario

PROGRAM_LBA = diskimage.FIRST_LBA  # a partition of its own, in front of the member's
PROGRAM_S512 = 16
KIB_MAX = 24                       # of base memory that we may take
CF, IF, DF = 1, 0x200, 0x400
NAMES = ("flags", "ss", "esp", "eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "ds", "es", "fs",
         "gs")
REGISTERS = struct.Struct("<HHIIIIIIIIHHHH")
CALLS = struct.Struct("<8s" + REGISTERS.format.lstrip("<"))


@dataclass
class Call:
    """Registers before and after."""
    given: dict
    got: dict

    def ah(self):
        return self.got["eax"] >> 8 & 0xFF

    def carry(self):
        return self.got["flags"] & CF


class Told:
    """What hk.asm told, by rounds."""

    def __init__(self, serial, program):
        self.serial = serial
        self.rounds = re.split(r"hk: round=[0-9A-Fa-f]{8}\n", serial)
        self.calls = {}
        given = self._table(program)
        for name, digits in re.findall(r"^call (.{8})([0-9A-F]+)$", serial, re.M):
            got = dict(zip(NAMES, REGISTERS.unpack(bytes.fromhex(digits))))
            self.calls[name.strip()] = Call(given[name.strip()], got)

    @staticmethod
    def _table(program):
        """The registers that the calls are made with, out of the program itself."""
        found, at = {}, program.index(b"read    ")
        while program[at:at + 4].isalpha() or program[at:at + 4] in (b"chs ", b"edd?", b"edd "):
            name, *values = CALLS.unpack_from(program, at)
            found[name.decode().strip()] = dict(zip(NAMES, values))
            at += CALLS.size
        return found

    def value(self, name, in_round=1):
        return int(re.search(rf"^{re.escape(name)}=([0-9A-F]{{8}})$", self.rounds[in_round],
                             re.M)[1], 16)

    def bytes(self, name, in_round=1):
        return [bytes.fromhex(d) for d in re.findall(rf"^{name}=([0-9A-F]+)", self.rounds[in_round],
                                                     re.M)]


def image(path, lba, sectors):
    with open(path, "rb") as f:
        f.seek(lba * 512)
        return f.read(sectors * 512)


def hk_disks(folder):
    """A pair in sync, the second disk with nothing but its leg: the paths, and what hk.asm is."""
    out = folder / "hk.bin"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", f"-DFIRST_LBA={PROGRAM_LBA}", "-o",
                    str(out), str(Path(__file__).with_name("hk.asm"))], check=True)
    boot, program = out.read_bytes()[:440], out.read_bytes()[512:]
    assert len(program) < PROGRAM_S512 * 512
    pair, paths = scenario.PAIRS["in-sync"], []
    for fixture, before in ((pair.a, (PROGRAM_S512,)), (pair.b, ())):
        paths.append(folder / f"{fixture}.img")
        diskimage.mbr_disk(paths[-1], scenario.member(fixture, 2), None, before=before)
    with open(paths[0], "r+b") as f:
        f.write(boot)
        f.seek(PROGRAM_LBA * 512)
        f.write(program)
    cli.install(*paths)
    return paths, program


@pytest.fixture(scope="module", params=["ide", "virtio-blk"])
def told(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hk")
    paths, program = hk_disks(folder)
    got = qemu.boot(paths, "bios", request.param, until=("hk: done", "Press a key", "Stopped."),
                    timeout_s=150)
    assert "hk: done" in got.serial, got.serial
    result = Told(got.serial, program)
    result.path, result.controller = paths[0], request.param
    return result


def sum_of(data):
    total = 0
    for dword, in struct.iter_unpack("<I", data):
        total = ((total << 1 | total >> 31) + dword) & 0xFFFFFFFF
    return total


# ---- registers, flags, stacks -------------------------------------------------------------------

# What a call may change, besides AX and the carry.
ANSWERS = {"params": ("ecx", "edx"), "type": ("ecx", "edx"), "edd?": ("ebx", "ecx")}
FAIL = {"beyond": 0x01, "short": 0x01, "chs bad": 0x01, "hidden": 0x01, "hidden r": 0x01}


def test_every_register(told):
    """Nothing is changed but the answer: no high half, no FS or GS, no stack pointer."""
    assert len(told.calls) == 20, told.serial
    for name, call in told.calls.items():
        if name == "absent":
            continue  # the BIOS's own
        for register in NAMES:
            before, after = call.given[register], call.got[register]
            if register == "eax" or register in ANSWERS.get(name, ()):
                before, after = before >> 16, after >> 16
            if register != "flags":
                assert before == after, (name, register, hex(before), hex(after))


def test_flags(told):
    """Carry is the answer, interrupts come back on, and the rest is the caller's: DF as well."""
    for name, call in told.calls.items():
        if name == "absent":
            continue
        wanted = (call.given["flags"] & ~CF) | IF | (CF if name in FAIL else 0)
        assert call.got["flags"] & 0xFD7 == wanted & 0xFD7, (name, hex(call.got["flags"]))
    assert told.calls["read cli"].given["flags"] & IF == 0
    assert told.calls["read all"].given["flags"] & (DF | CF) == DF | CF


def test_status_codes(told):
    for name, call in told.calls.items():
        if name in ("type", "edd?", "absent"):
            continue
        assert call.ah() == FAIL.get(name, 0), (name, hex(call.ah()))
    assert told.calls["type"].ah() == 3 and told.calls["edd?"].ah() == 0x30
    assert told.calls["absent"].carry()


def test_small_stack(told):
    """96 bytes are enough, SS:SP may be odd: the guards below are whole."""
    assert told.calls["read sml"].given["esp"] == 0x60
    assert told.calls["read odd"].given["esp"] & 1
    assert told.value("small stack overrun") == 0


def test_parameters(told):
    sectors = told.path.stat().st_size // 512
    params, kind, edd = (told.calls[n].got for n in ("params", "type", "edd?"))
    heads, track = (params["edx"] >> 8 & 0xFF) + 1, params["ecx"] & 0x3F
    cylinders = (params["ecx"] >> 8 & 0xFF | (params["ecx"] & 0xC0) << 2) + 1
    assert params["edx"] & 0xFF == 1  # one drive: the other one is hidden
    assert 0 <= sectors - cylinders * heads * track < heads * track
    assert (kind["ecx"] & 0xFFFF) << 16 | kind["edx"] & 0xFFFF == sectors
    assert edd["ebx"] & 0xFFFF == 0xAA55 and edd["ecx"] & 0xFFFF == 0x000D
    answer, = told.bytes("edd")
    size, flags, c, h, s, total, sector, dpte = struct.unpack_from("<HHIIIQHI", answer)
    assert (size, total, sector, dpte) == (30, sectors, 512, 0xFFFFFFFF)
    assert flags == 3 and (c, h, s) == (cylinders, heads, track)
    assert answer[30:] == b"\xdd\xdd"


# ---- what is read ---------------------------------------------------------------------------------

def test_reads(told):
    """Sizes above 127, 64 KiB boundaries between and inside sectors, flat addresses: every byte."""
    reads = re.findall(r"^read (\w{8}) (\w{8}) (\w{8}) (\w{8}) (\w{8})$", told.serial, re.M)
    assert len(reads) == 12
    for lba, count, status, moved, total in ([int(word, 16) for word in r] for r in reads):
        assert status == 0 and moved == count, (lba, count)
        assert total == sum_of(image(told.path, lba, count)), (lba, count)


def test_what_the_bios_is_asked(told):
    """On the caller's stack, with its own number of disks, and never across 64 KiB."""
    assert told.value("BIOS reads") > 12
    assert told.value("BIOS reads across 64 KiB") == 0
    assert told.value("BIOS reads on the hook's stack") == 0
    assert told.value("BIOS reads with other drives") == 0


# ---- what lies in memory --------------------------------------------------------------------------

def test_base_memory(told, record_property):
    """INT 12h, 40:13 and the map agree; nothing below or beside it is taken."""
    kib, before = told.value("kib"), told.value("old kib")
    record_property("base memory KiB", before - kib)
    print(f"{told.controller}: {before - kib} KiB of {before} taken, at {kib * 1024:#x}")
    assert told.value("int 12h") == kib and 0 < before - kib <= KIB_MAX
    assert kib * 1024 >= 0x90000
    segment = told.value("vector") >> 16
    assert segment * 16 == kib * 1024  # the resident part begins where usable memory ends
    real, faked = told.rounds[1].split("e820 end\n")[:2]
    records = re.findall(r"^e820=(\w{48}) (\w{8})$", real, re.M)
    assert len(records) >= 3
    low_end = 0
    for digits, size in records:
        base, length, kind = struct.unpack_from("<QQI", bytes.fromhex(digits))
        if kind == 1 and base < 0x100000:
            assert base + length <= kib * 1024, hex(base + length)
            low_end = max(low_end, base + length)
        assert int(size, 16) > 20 or digits.endswith("EEEEEEEE")
    assert low_end == kib * 1024
    (digits, size), = re.findall(r"^e820=(\w{48}) (\w{8})$", faked, re.M)
    assert struct.unpack("<QQII", bytes.fromhex(digits)) == (0, kib * 1024, 1, 0x11223344)
    assert int(size, 16) == 24


def test_header(told):
    """The "safe hook" structure, and the BIOS behind it."""
    header, = told.bytes("header")
    assert header[0] == 0xEB and header[2] == 0x90
    assert header[3:19] == b"$INT13SFMIRRBOOT"
    old, flags = struct.unpack_from("<II", header, 19)
    assert old >> 16 == 0xF000 and flags == 0


def test_data_area(told):
    """40:75 is ours again after a call, whatever a program has put there; 40:74 is the status."""
    assert told.value("drives") == 1 and told.value("drives after 7") == 1
    assert told.value("status") == 1 and told.value("last") == 1


def test_nested_calls(told):
    """A call from the clock's interrupt, in the middle of one of ours, is the BIOS's to answer."""
    assert told.value("nested failed") == 0 and told.value("nested reads") > 0
    if told.value("nested to the BIOS") == 0:
        pytest.skip(f"NOT PROVED: no clock tick in {told.value('nested reads')} reads came while "
                    f"the BIOS was reading ({told.controller})")


# ---- starting again -------------------------------------------------------------------------------

def test_int19(told):
    """The machine's boot again: the same memory, once more through our MBR."""
    assert len(told.rounds) == 5, told.serial
    assert told.rounds[1].count("mirrorboot ") == 1
    assert "Already running" not in told.rounds[1]
    for name in ("kib", "vector", "drives", "dl"):
        assert told.value(name, 2) == told.value(name), name
    assert told.bytes("header", 2) == told.bytes("header")


def test_a_program_behind_us(told):
    """It has hooked INT 13h after us: INT 19h leaves our hook, and we do not stack a second."""
    assert "Already running" in told.rounds[2]
    assert told.value("kib", 3) == told.value("kib") - 1  # the program's own
    assert told.value("vector", 3) == told.value("kib", 3) << 22
    assert told.value("behind it", 3) == int.from_bytes(b"MIRR", "little")


def test_own_mbr_started_again(told):
    assert "hk: own MBR again" in told.rounds[3] and "Already running" in told.rounds[3]
    for name in ("kib", "vector", "drives"):
        assert told.value(name, 4) == told.value(name, 3), name
    assert told.bytes("header", 4) == told.bytes("header")


def test_int18(told):
    """A loader gives up: everything is as the BIOS had it."""
    assert told.value("INT 18h: vector off by", 4) == 0
    assert told.value("INT 18h: kib", 4) == told.value("old kib")
    assert told.value("INT 18h: drives", 4) == 2
