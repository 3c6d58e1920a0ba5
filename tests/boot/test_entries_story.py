# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The story of a pair of disks and the firmware's boot entries, all of it in a real firmware.

Contents are cloned by the tool, on the images, and entries by mirrorboot.efi, in the UEFI shell. The first
disk is detached: the firmware goes on to the cloned entry. The firmware loses that; "repair" brings it back, and
it starts again. What the firmware holds is read past it, from its flash; and the tool, given the same variables
as Linux shows them, does the same.
"""

import shutil
import struct
import uuid

import pytest

import cli
import efishell
import espdisk
import gptdisk
import nvram
import qemu
from efishell import ABORTED, INVALID_PARAMETER, MIB, NOT_FOUND, SUCCESS
from espdisk import DEBIAN, child

OTHER = "/EFI/debian/fwupdx64.efi"
OUT_OF_RESOURCES = 9
SHELL_NUMBER = 0xF0
BIG_NUMBERS = range(0x100, 0x105)
BIG_BYTES = 28 << 10  # five of these fit into OVMF's 256 KiB, ten do not


def squeezed(text):
    """The console breaks lines anywhere."""
    return "".join(text.split())


def entries_of(store):
    return {name: data for (name, vendor), (_, data) in nvram.read(store).items()
            if vendor == nvram.GLOBAL and name.startswith("Boot")}


def order_of(variables):
    data = variables["BootOrder"]
    return [f"Boot{n:04X}" for n in struct.unpack(f"<{len(data) // 2}H", data)]


def big(part):
    """A boot entry with much data."""
    return nvram.entry("big", part, OTHER, "z" * (BIG_BYTES // 2))


class Machine:
    """Disks: the shell's, A and B. A's ESP is cloned to B's, which is another partition, elsewhere, smaller."""

    def __init__(self, folder):
        self.folder = folder
        self.paths = [folder / f"{name}.img" for name in "sab"]
        self.store = folder / "variables"
        files = {DEBIAN: child("contents-of-A"), OTHER: b"no program"}
        self.a, self.big = gptdisk.write(self.paths[1], [
            (gptdisk.ESP, gptdisk.fat(20 * MIB, files, serial=0x6D620001)), (gptdisk.RAID, bytes(MIB))], 1)
        _, self.b = gptdisk.write(self.paths[2], [
            (gptdisk.RAID, bytes(MIB)),
            (gptdisk.ESP, gptdisk.fat(16 * MIB, {"/EFI/old.efi": b"gone soon"}, serial=0x6D620002))], 2)
        assert (self.a.number, self.a.start_lba) != (self.b.number, self.b.start_lba)
        cli.run("esp", "clone", "--yes", self.paths[1], self.paths[2])
        assert cli.run("esp", "diff", self.paths[1], self.paths[2]).returncode == 0
        self.debian = nvram.entry("debian", self.a, DEBIAN, "these options")
        self.start({**nvram.entries(self.debian, nvram.entry("updater", self.a, OTHER)),
                    **{f"Boot{n:04X}": big(self.big) for n in BIG_NUMBERS}})

    def start(self, variables):
        """These variables, and the shell at the next start."""
        shell = gptdisk.Part(1, gptdisk.ESP, gptdisk.guid_of(0, 1), 2048, 20 * MIB // 512, MIB)
        nvram.write(self.store, {**variables, f"Boot{SHELL_NUMBER:04X}": nvram.entry("shell", shell, efishell.SHELL),
                                 "BootNext": struct.pack("<H", SHELL_NUMBER)})

    def shell(self, lines, marks=None):
        programs = efishell.programs([line.format(a=self.a.guid, b=self.b.guid, big=self.big.guid, nobody=uuid.uuid4())
                                      for line in lines])
        if not programs:
            pytest.skip("NO SHELL: this OVMF has none inside; the commands were not run from one")
        efishell.disk(self.paths[0], 0, gptdisk.fat(20 * MIB, programs))
        got = efishell.run(self.paths, marks=marks, variables=self.store, keep_variables=True)
        assert got.found, got.serial
        return efishell.parts(got.serial)

    def without_first_disk(self):
        """B alone, and what it starts."""
        got = qemu.boot([qemu.Drive(str(self.paths[2]))], "uefi", until=(espdisk.DONE, "No bootable option"),
                        timeout_s=300, variables=self.store)
        assert espdisk.label(got.serial) == "contents-of-A", got.serial
        assert espdisk.options(got.serial) == "these options"
        assert espdisk.is_on(got.serial, espdisk.Disk(self.paths[2], self.b))

    def cloned(self, variables):
        """The names of the two entries on B, right ones, each right behind its original."""
        found = []
        for name, file, options in (("debian", DEBIAN, "these options"), ("updater", OTHER, "")):
            copy = [n for n, data in variables.items()
                    if data == nvram.entry(name + " (mirror)", self.b, file, options)]
            original = [n for n, data in variables.items() if data == nvram.entry(name, self.a, file, options)]
            assert len(copy) == len(original) == 1, (name, sorted(variables))
            order = order_of(variables)
            assert order.index(copy[0]) == order.index(original[0]) + 1, order
            found += copy
        return found

    def as_linux_has_it(self, variables, *args):
        """The tool over a folder with these variables; what is there then, and what was printed."""
        folder = self.folder / "efivars"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in variables.items():
            (folder / f"{name}-{nvram.GLOBAL}").write_bytes(struct.pack("<I", 7) + data)
        done = cli.run("entries", *args, "--efivars", folder, *self.paths)
        return {p.name.split("-")[0]: p.read_bytes()[4:] for p in folder.iterdir() if nvram.GLOBAL in p.name}, done


FIRST = [
    ":list", "mirrorboot.efi entries",
    ":asked", "mirrorboot.efi entries clone --from {a} --to {b}",
    ":clone", "mirrorboot.efi entries clone --from {a} --to {b} --yes",
    ":again", "mirrorboot.efi entries clone --from {a} --to {b} --yes",
    ":back", "mirrorboot.efi entries clone --from 2:2 --to 1:1 --yes",
    ":full", "mirrorboot.efi entries clone --from {big} --to {b} --yes",
    ":nobody", "mirrorboot.efi entries clone --from {nobody} --to {b} --yes",
    ":nowhere", "mirrorboot.efi entries clone --from {a} --to {nobody} --yes",
    ":wrong", "mirrorboot.efi entries delete --from {a}",
    ":cloned", "mirrorboot.efi entries list",
]

SECOND = [
    ":lost", "mirrorboot.efi entries list",
    ":repair", "mirrorboot.efi entries repair",
    ":delete", "mirrorboot.efi entries delete --on {b} --yes",
    ":repair both", "mirrorboot.efi entries repair --yes",
    ":nothing", "mirrorboot.efi entries repair --yes",
]


def check_first(m, said):
    codes = {name: code for name, (_, code) in said.items()}
    assert codes == {"list": SUCCESS, "asked": ABORTED, "clone": SUCCESS, "again": SUCCESS, "back": SUCCESS,
                     "full": OUT_OF_RESOURCES, "nobody": NOT_FOUND, "nowhere": NOT_FOUND,
                     "wrong": INVALID_PARAMETER, "cloned": SUCCESS, efishell.END[3:]: None}, said
    text = {name: squeezed(words) for name, (words, _) in said.items()}
    assert "nothingwaswritten" in text["asked"] and "wascloned" not in text["asked"]
    for name in ("again", "back"):
        assert squeezed("All of it is there already; nothing was written.") in text[name], said[name]
    assert squeezed(f"partition {m.b.guid}: 2 of disk 2") not in text["list"]
    assert squeezed(f"partition {m.b.guid}: 2 of disk 2") in text["cloned"], said["cloned"]
    full = text["full"]
    assert squeezed("could not be written: the firmware's memory for variables is full") in full, said["full"]
    assert squeezed("what had been added was taken back: the boot order and what it names are as they were") in full
    assert "isonnoneofthesedisks" in text["nowhere"] and "nobootentryisonpartition" in text["nobody"]
    assert "Usage:" in text["wrong"]


def same_as_on_linux(m, said, variables, copies):
    """From the same variables the tool makes the same ones, with the same words; and finds nothing to do here."""
    before = {name: data for name, data in variables.items() if name not in copies}
    before["BootOrder"] = b"".join(struct.pack("<H", int(n[4:], 16)) for n in order_of(variables) if n not in copies)
    after, done = m.as_linux_has_it(before, "clone", "--yes", "--from", m.a.guid, "--to", m.b.guid)
    assert after == variables
    for n, path in enumerate(m.paths):
        done.stdout = done.stdout.replace(f" of {path}", f" of disk {n}")
    assert squeezed(said["clone"][0]) == squeezed(done.stdout)
    after, done = m.as_linux_has_it(variables, "clone", "--yes", "--from", m.a.guid, "--to", m.b.guid)
    assert "nothing was written" in done.stdout and after == variables


def test_story(tmp_path):
    m = Machine(tmp_path)
    said = m.shell(FIRST, {"other key for no": lambda q: q.type("n")})
    check_first(m, said)
    variables = entries_of(m.store)
    copies = m.cloned(variables)
    assert all(variables.pop(f"Boot{n:04X}") == big(m.big) for n in BIG_NUMBERS)
    assert sum(b"b\0i\0g\0" in data for data in variables.values()) == 0  # nor is a copy of these left
    same_as_on_linux(m, said, variables, copies)

    # The first disk dies.
    nvram.write(m.store, variables)
    m.without_first_disk()

    # The firmware deletes the entry of the disk that started: all that it says is "repaired".
    lost = dict(variables)
    del lost[copies[0]]
    lost["BootOrder"] = b"".join(struct.pack("<H", int(n[4:], 16)) for n in order_of(variables) if n != copies[0])
    m.start(lost)
    said = m.shell(SECOND, {"other key for no": lambda q: q.type("y")})
    assert [code for _, code in said.values()] == [SUCCESS] * 5 + [None], said
    assert squeezed(said["repair"][0]).count("wasbroughtback") == 1, said["repair"]
    assert squeezed(said["delete"][0]).count("wasremoved") == 2, said["delete"]
    assert squeezed(said["repair both"][0]).count("wasbroughtback") == 2, said["repair both"]
    assert "wasbroughtback" not in squeezed(said["nothing"][0])
    repaired = entries_of(m.store)
    assert {n: repaired[n] for n in variables} == variables
    m.cloned(repaired)

    nvram.write(m.store, repaired)
    m.without_first_disk()
