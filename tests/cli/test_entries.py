# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""entries list, clone, mirror, delete, repair: over folders of variables, as efivarfs shows them."""

import ctypes
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import uuid

import pytest

from disks import TOOL, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "images"))
import gptdisk  # noqa: E402
import nvram  # noqa: E402

GLOBAL = nvram.GLOBAL
RECORD = "mirrorboot-entries.json"
PLAIN = 7
MIB = 1 << 20
SHIM = "\\EFI\\debian\\shimx64.efi"
OTHER = "\\EFI\\debian\\fwupdx64.efi"
DATA = "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
AUTO = uuid.UUID("8108ac4e-9f11-4d59-850e-e21a522c59b2").bytes_le
SHELL = bytes.fromhex("04071400c9bdb87cebf8344faaea3ee4af6516a10406140083a5047c3e9e1c4fad65e05268d0b4d17fff0400")


def option(name, path, data=b"", active=1):
    return struct.pack("<IH", active, len(path)) + name.encode("utf-16-le") + b"\0\0" + path + data


class Store:
    """A folder of variables."""

    def __init__(self, path="vars"):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)

    def file(self, name):
        return self.path / f"{name}-{GLOBAL}"

    def set(self, name, data, attributes=PLAIN):
        self.file(name).write_bytes(struct.pack("<I", attributes) + data)

    def entries(self, *options):
        for i, data in enumerate(options):
            self.set(f"Boot{i:04X}", data)
        self.order(*range(len(options)))

    def order(self, *numbers):
        self.set("BootOrder", struct.pack(f"<{len(numbers)}H", *numbers))

    def read_order(self):
        data = self.file("BootOrder").read_bytes()[4:]
        return list(struct.unpack(f"<{len(data) // 2}H", data))

    def get(self, number):
        return self.file(f"Boot{number:04X}").read_bytes()[4:]

    def numbers(self):
        return sorted(int(p.name[4:8], 16) for p in self.path.glob(f"Boot[0-9A-F][0-9A-F]*-{GLOBAL}"))

    def all(self):
        """All files, the record too, with when they were written and which file it is."""
        return {p.name: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in self.path.iterdir()}

    def contents(self):
        return {p.name: p.read_bytes() for p in self.path.iterdir() if GLOBAL in p.name}

    def record(self):
        return json.loads((self.path / RECORD).read_text())["entries"]

    def run(self, verb, *args, disks=("a", "b"), **kw):
        return run("entries", verb, "--efivars", self.path, *args, *disks, **kw)


def parsed(data):
    """(name, HD() or None, file, data) of a boot entry; read here, not by the tool."""
    attributes, path_bytes = struct.unpack_from("<IH", data)
    at = 6
    while data[at:at + 2] != b"\0\0":
        at += 2
    name, at = data[6:at].decode("utf-16-le"), at + 2
    path, rest = data[at:at + path_bytes], data[at + path_bytes:]
    nodes, hd, file = [], None, ""
    while path:
        kind, sub, n = struct.unpack_from("<BBH", path)
        nodes.append((kind, sub))
        if (kind, sub) == (4, 1):
            number, start, sectors, guid, table, signature = struct.unpack_from("<IQQ16sBB", path, 4)
            assert (table, signature) == (2, 2)
            hd = (number, start, sectors, str(uuid.UUID(bytes_le=guid)))
        if (kind, sub) == (4, 4):
            file += path[4:n].decode("utf-16-le").rstrip("\0")
        path = path[n:]
    assert nodes[-1] == (0x7f, 0xff)
    return name, hd, file, rest


def hd_of(part):
    return part.number, part.start_lba, part.sectors, part.guid


@pytest.fixture
def esps(box):
    """Two disks whose ESPs have other numbers, places and sizes."""
    fat = gptdisk.fat(2 * MIB, {"EFI/debian/shimx64.efi": b"shim", "EFI/debian/fwupdx64.efi": b"fw"})
    small = gptdisk.fat(MIB, {"EFI/debian/shimx64.efi": b"shim", "EFI/debian/fwupdx64.efi": b"fw"})
    a = gptdisk.write("a", [(gptdisk.ESP, fat)], disk=0)[0]
    b = gptdisk.write("b", [(DATA, bytes(MIB)), (gptdisk.ESP, small)], disk=1)[1]
    return a, b


@pytest.fixture
def store(esps):
    a, _ = esps
    s = Store()
    s.entries(nvram.entry("debian", a, SHIM), option("UEFI Shell", SHELL),
              nvram.entry("Linux-Firmware-Updater", a, OTHER, "capsule"))
    return s


def clone(store, a, b, *args, **kw):
    return store.run("clone", "--from", a.guid, "--to", b.guid, *args, **kw)


# ---- clone --------------------------------------------------------------------------------------

def test_clone(store, esps):
    a, b = esps
    before = store.contents()
    r = clone(store, a, b, "--yes")
    assert r.returncode == 0, r.stderr
    assert "Boot0000 was cloned: Boot0003\nBoot0002 was cloned: Boot0004\n" in r.stdout
    assert store.read_order() == [0, 3, 1, 2, 4]
    assert parsed(store.get(3)) == ("debian (mirror)", hd_of(b), SHIM, b"")
    assert parsed(store.get(4)) == ("Linux-Firmware-Updater (mirror)", hd_of(b), OTHER,
                                    "capsule\0".encode("utf-16-le"))
    after = store.contents()
    assert all(after[n] == before[n] for n in before if "BootOrder" not in n)
    assert all(data[:4] == struct.pack("<I", PLAIN) for data in after.values())
    assert b.start_lba != a.start_lba and b.sectors != a.sectors and b.number != a.number

    before = store.all()
    r = clone(store, a, b, "--yes")
    assert r.returncode == 0 and "nothing was written" in r.stdout and store.all() == before
    # And the way back has nothing to add.
    r = clone(store, b, a, "--yes")
    assert r.returncode == 0 and "nothing was written" in r.stdout and store.all() == before


def kb814070(a):
    """Its five entries: 1 and 5 have their loader on the source, and Windows' own data; 2 to 4 are devices."""
    s = Store()
    names = {1: "Windows Server 2003, Enterprise", 5: "Boot Mirror C: - secondary plex"}
    for n in range(1, 6):
        s.set(f"Boot{n:04X}", option(names[n], nvram.path_of(a, IA64LDR), WINDOWS + b"%d" % n) if n in names
              else option(f"device {n}", SHELL))
    s.set("Boot0000", option("taken", SHELL))  # bootcfg counts from 1, and has no entry 0
    s.order(1, 2, 3, 4, 5)
    return s, names


IA64LDR = "\\EFI\\Microsoft\\WINNT50\\ia64ldr.efi"
# What stands in Windows' entries behind the path: its options and where it is itself, which bootcfg left alone.
WINDOWS = b"WINDOWS\0\1\0\0\0" + "/redirect \\Device\\HarddiskVolume3\\WINDOWS".encode("utf-16-le") + b"\0\0"


def test_clone_as_bootcfg_did(esps):
    """The example of KB 814070, all of what is printed: the two copies, in order, at the end."""
    a, b = esps
    s, names = kb814070(a)
    first = s.contents()
    r = clone(s, a, b, "--append", "Cloned_Entry", "--last", "--yes")
    assert r.returncode == 0 and r.stderr == ""
    assert r.stdout == f"""\
Clone boot entries for partition 2 of b ({b.guid}):
  + Boot0006 "Windows Server 2003, Enterprise Cloned_Entry", a copy of Boot0001
      {IA64LDR}
      on partition 2, {b.guid}
  + Boot0007 "Boot Mirror C: - secondary plex Cloned_Entry", a copy of Boot0005
      {IA64LDR}
      on partition 2, {b.guid}
  boot order now:  0001 0002 0003 0004 0005
  boot order then: 0001 0002 0003 0004 0005 0006 0007
note: {IA64LDR} is not on partition 2 of b yet: "mirrorboot esp clone" copies what is on an EFI system partition
Boot0001 was cloned: Boot0006
Boot0005 was cloned: Boot0007
The boot order was written
"""
    assert s.read_order() == [1, 2, 3, 4, 5, 6, 7] and s.numbers() == [0, 1, 2, 3, 4, 5, 6, 7]
    for old, new in ((1, 6), (5, 7)):
        assert parsed(s.get(new)) == (names[old] + " Cloned_Entry", hd_of(b), IA64LDR, WINDOWS + b"%d" % old)
    after = s.contents()
    assert all(after[n] == first[n] for n in first if "BootOrder" not in n)  # the originals, byte for byte

    # As `bootcfg /query` showed it then: seven entries, the copies last.
    r = s.run("list")
    assert re.findall(r"^Boot(\d{4})  (.*)$", r.stdout, re.M)[1:] == [
        ("0001", names[1]), ("0002", "device 2"), ("0003", "device 3"), ("0004", "device 4"), ("0005", names[5]),
        ("0006", names[1] + " Cloned_Entry"), ("0007", names[5] + " Cloned_Entry")]
    assert "boot order: 0001 0002 0003 0004 0005 0006 0007\n" in r.stdout

    before = s.all()
    r = clone(s, a, b, "--append", "Cloned_Entry", "--last", "--yes")
    assert r.returncode == 0 and r.stdout.startswith("All of it is there already; nothing was written.\n")
    assert s.all() == before


def test_clone_better_than_bootcfg_did(esps):
    """The same entries, as it is without --last: each copy is tried right after its original."""
    a, b = esps
    s, names = kb814070(a)
    assert clone(s, a, b, "--yes").returncode == 0
    assert s.read_order() == [1, 6, 2, 3, 4, 5, 7]
    assert [parsed(s.get(n))[0] for n in (6, 7)] == [names[1] + " (mirror)", names[5] + " (mirror)"]


def test_what_only_BootNext_or_BootCurrent_names(store, esps):
    """The number of an entry that is gone: a new one that got it would be started at once, unasked."""
    a, b = esps
    store.set("BootNext", struct.pack("<H", 3))
    store.set("BootCurrent", struct.pack("<H", 4), 6)
    assert clone(store, a, b, "--yes").returncode == 0
    assert store.numbers() == [0, 1, 2, 5, 6] and store.read_order() == [0, 5, 1, 2, 6]


def test_entries_that_are_alike(esps):
    """Each has a clone of its own, even when the two are the same byte for byte."""
    a, b = esps
    s = Store()
    s.entries(nvram.entry("twin", a, SHIM), nvram.entry("twin", a, SHIM), nvram.entry("twin (mirror)", b, SHIM))
    assert clone(s, a, b, "--yes").returncode == 0
    assert s.read_order() == [0, 1, 3, 2] and s.get(3) == s.get(2)
    before = s.all()
    assert clone(s, a, b, "--yes").returncode == 0 and s.all() == before


def test_braces_as_windows_prints_them(store, esps):
    a, b = esps
    r = store.run("clone", "--from", "{%s}" % a.guid.upper(), "--to", "{%s}" % b.guid, "--yes")
    assert r.returncode == 0 and store.numbers() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("source,target", [("a", "b"), ("a:1", "b:2"), ("PARTUUID={a}", "b")])
def test_partitions_by_their_disks(store, esps, source, target):
    a, b = esps
    r = store.run("clone", "--from", source.format(a=a.guid), "--to", target, "--yes")
    assert r.returncode == 0 and store.numbers() == [0, 1, 2, 3, 4], r.stderr
    assert parsed(store.get(3))[1] == hd_of(b)


def test_disks_without_an_esp(store, esps):
    a, _ = esps
    gptdisk.write("c", [(DATA, bytes(MIB))], disk=2)
    before = store.all()
    for to, says in (("c", "c: it has no EFI system partition"), ("b:7", "b:7: there is no such partition"),
                     ("x", "wants the GUID of a partition")):
        r = store.run("clone", "--from", a.guid, "--to", to, "--yes")
        assert r.returncode == 2 and says in r.stderr and store.all() == before, r.stderr


def test_the_lowest_free_numbers(store, esps):
    a, b = esps
    store.file("Boot0001").unlink()
    store.order(0, 2, 3)  # 3 is not there: it would come to life where nobody put it
    assert clone(store, a, b, "--yes").returncode == 0
    assert store.numbers() == [0, 1, 2, 4] and store.read_order() == [0, 1, 2, 4, 3]


def test_not_in_the_order(store, esps):
    """What the firmware does not try by itself is cloned, and isn't tried either."""
    a, b = esps
    store.order(1, 2)
    assert clone(store, a, b, "--yes").returncode == 0
    assert store.read_order() == [1, 2, 3] and parsed(store.get(4))[0] == "debian (mirror)"


def test_what_led_to_the_old_disk_is_left_out(esps):
    """A path from the controller on would lead to the old disk whatever HD() says."""
    a, b = esps
    s = Store()
    hd = nvram.path_of(a, SHIM)
    pci = bytes.fromhex("02010c00d041030a0000000001010600020003120a00000000000000")
    s.entries(option("full", pci + hd, b"x", active=0x101))
    assert clone(s, a, b, "--yes").returncode == 0
    data = s.get(1)
    assert data == option("full (mirror)", nvram.path_of(b, SHIM), b"x", active=0x101)


def test_paths_behind_the_first_stay(esps):
    a, b = esps
    s = Store()
    more = bytes.fromhex("010106000002") + b"\x7f\xff\x04\x00"
    s.entries(option("two", nvram.path_of(a, SHIM) + more, b"data"))
    assert clone(s, a, b, "--yes").returncode == 0
    assert s.get(1) == option("two (mirror)", nvram.path_of(b, SHIM) + more, b"data")


@pytest.mark.parametrize("data", [AUTO, b"\0\0BO"])
def test_automatic_entries_are_left_out(store, esps, data):
    a, b = esps
    store.set("Boot0000", option("UEFI OS", nvram.path_of(a, "\\EFI\\BOOT\\BOOTX64.EFI"), data))
    r = clone(store, a, b, "--yes")
    assert r.returncode == 0 and "Boot0000 is left out" in r.stdout
    assert store.numbers() == [0, 1, 2, 3] and parsed(store.get(3))[2] == OTHER


def test_a_target_that_moved(store, esps):
    """The same GUID elsewhere: the clone is mended in place."""
    a, b = esps
    clone(store, a, b, "--yes")
    moved = gptdisk.Part(**{**b.__dict__, "number": 1, "start_lba": 4096})
    store.set("Boot0003", nvram.entry("my name", moved, SHIM))
    r = clone(store, a, b, "--yes")
    assert r.returncode == 0 and "Boot0003 was brought up to date" in r.stdout
    assert parsed(store.get(3)) == ("my name", hd_of(b), SHIM, b"")
    assert store.read_order() == [0, 3, 1, 2, 4] and store.numbers() == [0, 1, 2, 3, 4]


def test_sectors_of_4096_bytes(store, esps):
    a, _ = esps
    fat = gptdisk.fat(2 * MIB, {"EFI/debian/shimx64.efi": b"s"}, sector=4096)
    c = gptdisk.write("c", [(gptdisk.ESP, fat)], disk=2, sector=4096)[0]
    r = clone(store, a, c, "--yes", "--sector-size", "4096", disks=("c",))
    assert r.returncode == 0, r.stderr
    assert parsed(store.get(3))[1] == (1, 256, 512, c.guid)
    assert "fwupdx64.efi is not on partition 1 of c yet" in r.stdout and "shimx64.efi is not" not in r.stdout


def test_a_cut_before_the_order_was_written(store, esps):
    """The new entries are there and the order is the old one: the next run goes on."""
    a, b = esps
    order = store.file("BootOrder").read_bytes()
    clone(store, a, b, "--yes")
    whole = store.contents()
    store.file("BootOrder").write_bytes(order)
    (store.path / RECORD).unlink()
    assert clone(store, a, b, "--yes").returncode == 0
    assert store.contents() == whole and len(store.record()) == 4


def test_lines_of_the_plan(store, esps):
    a, b = esps
    before = store.all()
    r = clone(store, a, b)
    assert r.returncode == 2 and "there is no terminal to ask on: say --yes" in r.stderr
    assert '+ Boot0003 "debian (mirror)", a copy of Boot0000' in r.stdout and SHIM in r.stdout
    assert "boot order then: 0000 0003 0001 0002 0004" in r.stdout
    r = clone(store, a, b, "--json")
    plan = json.loads(r.stdout)
    assert r.returncode == 1 and plan["written"] is False and store.all() == before
    assert plan["boot_order"] == ["0000", "0003", "0001", "0002", "0004"]
    assert plan["changes"][1] == {
        "action": "add", "entry": "0004", "from": "0002", "description": "Linux-Firmware-Updater (mirror)",
        "partition": b.guid, "path": OTHER}
    r = clone(store, a, b, "--json", "--yes")
    assert r.returncode == 0 and json.loads(r.stdout)["written"] is True
    r = clone(store, a, b, "--json")
    assert r.returncode == 0 and json.loads(r.stdout)["changes"] == []


@pytest.mark.parametrize("answer, code, written", [("y\n", 0, True), ("n\n", 3, False)])
def test_the_question(store, esps, answer, code, written):
    a, b = esps
    before = store.all()
    ours, theirs = pty.openpty()
    p = subprocess.Popen([str(TOOL), "entries", "clone", "--efivars", "vars", "--from", a.guid, "--to", b.guid,
                          "a", "b"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(ours, answer.encode())
    out, err = p.communicate(timeout=60)
    os.close(ours)
    assert p.returncode == code and "Write this? [y/N]" in out, err
    assert (store.all() != before) == written and ("nothing was written" in err) != written


def test_changed_while_the_question_was_on_the_screen(store, esps):
    a, b = esps
    ours, theirs = pty.openpty()
    p = subprocess.Popen([str(TOOL), "entries", "clone", "--efivars", "vars", "--from", a.guid, "--to", b.guid,
                          "a", "b"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    while "Write this?" not in os.read(p.stdout.fileno(), 4096).decode():
        pass
    store.order(2, 1, 0)
    before = store.all()
    os.write(ours, b"y\n")
    _, err = p.communicate(timeout=60)
    os.close(ours)
    assert p.returncode == 3 and "have changed since the plan was made" in err and store.all() == before


def test_refusals(store, esps):
    a, b = esps
    before = store.all()
    nobody = str(uuid.uuid4())
    for args, code, what in (
            (("--from", a.guid), 2, "--from and --to"),
            (("--from", a.guid, "--to", a.guid), 2, "the same partition"),
            (("--from", a.guid, "--to", "sdb1"), 2, "wants the GUID"),
            (("--from", a.guid, "--to", b.guid, "--append", "\udc80"), 2, "UTF-8"),
            (("--from", a.guid, "--to", nobody), 3, "on none of these disks"),
            (("--from", nobody, "--to", b.guid), 3, "no boot entry is on partition")):
        r = store.run("clone", "--yes", *args)
        assert r.returncode == code and what in r.stderr, (args, r)
    shutil.copy("b", "copy")
    r = clone(store, a, b, "--yes", disks=("a", "b", "copy"))
    assert r.returncode == 3 and "is there twice" in r.stderr
    assert store.all() == before
    for where in ("nowhere", "a"):
        r = run("entries", "list", "--efivars", where)
        assert r.returncode == 3 and "mirrorboot: " + where in r.stderr
    r = run("entries", "list", env={k: v for k, v in os.environ.items() if k != "MIRRORBOOT_EFIVARS"})
    if not os.path.isdir("/sys/firmware/efi/efivars"):
        assert r.returncode == 3 and "was not started by UEFI" in r.stderr


def test_no_disk_given(store, esps):
    """libblkid knows nothing of images: it says so, and writes nothing."""
    a, b = esps
    before = store.all()
    r = clone(store, a, b, "--yes", disks=())
    assert r.returncode == 3 and "was not found; name the disk that has it" in r.stderr and store.all() == before


# ---- the oracle: libefiboot, by which efibootmgr reads ------------------------------------------

def libefi():
    try:
        return ctypes.CDLL("libefiboot.so.1"), ctypes.CDLL("libefivar.so.1")
    except OSError as e:
        pytest.skip("libefiboot is not here (package libefiboot-dev): " + str(e))


def as_efibootmgr_reads(data):
    boot, var = libefi()
    boot.efi_loadopt_path.restype = boot.efi_loadopt_desc.restype = ctypes.c_void_p
    var.efidp_format_device_path.restype = ctypes.c_ssize_t
    buf = ctypes.create_string_buffer(data, len(data))
    assert boot.efi_loadopt_is_valid(buf, ctypes.c_size_t(len(data)))
    name = ctypes.string_at(boot.efi_loadopt_desc(buf, ctypes.c_ssize_t(len(data)))).decode()
    path = ctypes.c_void_p(boot.efi_loadopt_path(buf, ctypes.c_ssize_t(len(data))))
    text = ctypes.create_string_buffer(1024)
    assert var.efidp_format_device_path(text, ctypes.c_size_t(1024), path,
                                        ctypes.c_ssize_t(struct.unpack_from("<H", data, 4)[0])) > 0
    return name, text.value.decode()


def test_what_libefiboot_reads(store, esps):
    a, b = esps
    store.set("Boot0000", nvram.entry("d\u00e9bian", a, SHIM))
    clone(store, a, b, "--yes", "--append", "\u4e8c")
    name, path = as_efibootmgr_reads(store.get(3))
    assert name == "d\u00e9bian \u4e8c"
    assert path == f"HD({b.number},GPT,{b.guid},{b.start_lba:#x},{b.sectors:#x})/{SHIM}" or \
        path == f"HD({b.number},GPT,{b.guid},{b.start_lba:#x},{b.sectors:#x})/File({SHIM})"


def test_what_a_firmware_wrote(box):
    """The variables that OVMF itself wrote while its package was built: shell, and a disk that it found."""
    path = pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.ms.fd")
    if not path.exists():
        pytest.skip("%s is not here (package ovmf)" % path)
    s = Store()
    # Of the order only the last is of use, which the firmware had begun to replace.
    for (name, vendor), attributes, data, counts in nvram.history(path):
        if not counts and name != "BootOrder":
            continue
        (s.path / f"{name}-{vendor}").write_bytes(struct.pack("<I", attributes) + data)
    if not s.file("BootOrder").exists():
        pytest.skip("this package's %s holds no boot entries" % path)
    r = run("entries", "list", "--json", "--efivars", "vars")
    answer = json.loads(r.stdout)
    assert r.returncode == 0 and answer["boot_order"] == ["%04X" % n for n in s.read_order()]
    assert [e["entry"] for e in answer["entries"]] == ["%04X" % n for n in s.numbers()]
    for e in answer["entries"]:
        assert e["fault"] is None and e["path"] is None and e["partition"] is None
        assert e["description"] == as_efibootmgr_reads(s.get(int(e["entry"], 16)))[0]
        assert e["automatic"] == s.get(int(e["entry"], 16)).endswith(AUTO)
    assert any(e["automatic"] for e in answer["entries"]) and not all(e["automatic"] for e in answer["entries"])


# ---- list ---------------------------------------------------------------------------------------

def entry_of(answer, number):
    return next(e for e in answer["entries"] if e["entry"] == number)


def test_list(store, esps):
    a, b = esps
    store.set("BootCurrent", struct.pack("<H", 0), 6)
    store.set("BootNext", struct.pack("<H", 2))
    store.set("Timeout", struct.pack("<H", 5))
    store.set("Boot0009", option("asleep", nvram.path_of(b, "\\EFI\\nothing.efi"), active=0))
    r = store.run("list")
    assert r.returncode == 0, r.stdout
    assert "boot order: 0000 0001 0002\ntimeout: 5 s\n" in r.stdout
    assert "active, place 1 in the boot order, started this system\n" in r.stdout
    assert "not active, not in the boot order\n" in r.stdout and "tried first at the next start" in r.stdout
    assert f"partition {a.guid}: 1 of a\n" in r.stdout and ": 2 of b, which has no such file" in r.stdout
    assert f"  2  {b.guid}  offset {b.start_bytes}, {b.sectors * 512} bytes, EFI system partition" in r.stdout
    answer = json.loads(store.run("list", "--json").stdout)
    assert (answer["boot_current"], answer["boot_next"], answer["timeout"]) == ("0000", "0002", 5)
    assert entry_of(answer, "0000") == {
        "entry": "0000", "description": "debian", "active": True, "in_order": True, "place": 0, "path": SHIM,
        "partition": a.guid, "partition_number": 1, "disk": "a", "automatic": False, "recorded": False,
        "fault": None}
    assert entry_of(answer, "0001")["partition"] is None and entry_of(answer, "0001")["path"] is None
    assert entry_of(answer, "0009")["fault"] == "file-missing" and not entry_of(answer, "0009")["in_order"]
    assert [(p["disk"], p["number"], p["start_lba"], p["sectors"], p["guid"], p["esp"])
            for p in answer["partitions"]][2:] == [("b", 2, b.start_lba, b.sectors, b.guid, True)]


def test_list_finds_what_is_wrong(store, esps):
    a, _ = esps
    r = store.run("list", disks=("b",))
    assert r.returncode == 1 and f"partition {a.guid}: on none of these disks" in r.stdout
    r = store.run("list", disks=())
    assert r.returncode == 1 and f"partition {a.guid}: not found" in r.stdout
    moved = gptdisk.Part(**{**a.__dict__, "start_lba": 34})
    store.set("Boot0000", nvram.entry("debian", moved, SHIM))
    r = store.run("list")
    assert r.returncode == 1 and "elsewhere than the entry says" in r.stdout
    store.order(1, 2, 7)
    r = store.run("list")
    assert r.returncode == 1 and "boot order: 0001 0002 0007 (not there)" in r.stdout


def test_names_that_could_harm_a_terminal(store, esps):
    a, _ = esps
    store.set("Boot0000", nvram.entry("a\x1b[2J\u202eb\u009bc\ud83d\ude00".encode("utf-16-le", "surrogatepass")
                                      .decode("utf-16-le"), a, SHIM))
    store.set("Boot0001", option("", SHELL)[:6] + b"\x00\xd8\0\0" + SHELL)
    r = store.run("list")
    assert "\x1b" not in r.stdout and "a?[2J?b?c\U0001F600" in r.stdout and "\ufffd" in r.stdout
    assert entry_of(json.loads(store.run("list", "--json").stdout), "0000")["description"] == "a?[2J?b?c\U0001F600"


def damages(good):
    """Boot entries that are none."""
    yield from (good[:n] for n in (0, 3, 5, 6, 9, len(good) - 5))
    for at, value in ((4, 0), (4, 2), (4, 0xffff), (4, len(good))):  # bytes of the paths
        yield good[:at] + struct.pack("<H", value) + good[at + 2:]
    node = good.index(b"\x04\x01\x2a\x00")
    for n in (0, 3, 0x7fff, 0xffff, 43):  # bytes of a node
        yield good[:node + 2] + struct.pack("<H", n) + good[node + 4:]
    yield good[:-4] + b"\x7f\x01\x04\x00"  # never ends


def test_damaged_entries(store, esps):
    a, b = esps
    good = nvram.entry("debian", a, SHIM)
    for bad in damages(good):
        store.set("Boot0000", bad)
        r = store.run("list", "--json")
        assert r.returncode == 1 and entry_of(json.loads(r.stdout), "0000")["fault"] == "damaged", bad.hex()
        assert "(damaged)" in store.run("list").stdout
        r = clone(store, a, b, "--json")
        assert r.returncode == 1 and len(json.loads(r.stdout)["changes"]) == 1
    assert store.run("delete", "--id", "0000", "--yes").returncode == 0 and store.numbers() == [1, 2]
    store.set("BootOrder", b"\0\0\1")
    r = clone(store, a, b, "--yes")
    assert r.returncode == 3 and "BootOrder is damaged" in r.stderr and store.numbers() == [1, 2]


def test_what_is_no_variable_is_not_looked_at(store, esps):
    for name in ("Boot000", "Boot00001", "Boot000g", "Boot000a", "BootXXXX"):
        store.set(name, b"rubbish")
    (store.path / "Boot0005-00000000-0000-0000-0000-000000000000").write_bytes(b"rubbish")
    os.mkfifo(store.path / f"Boot0006-{GLOBAL}")  # opening it must not wait for ever
    answer = json.loads(store.run("list", "--json", timeout=60).stdout)
    assert [(e["entry"], e["fault"]) for e in answer["entries"]] == [
        ("0000", None), ("0001", None), ("0002", None), ("0006", "unreadable")]


# ---- mirror, delete -----------------------------------------------------------------------------

def test_mirror(store, esps):
    """The entry in use, on another partition."""
    a, b = esps
    store.set("BootCurrent", struct.pack("<H", 2), 6)
    r = store.run("mirror", "--add", b.guid, "--description", "Original Shadow drive", "--yes")
    assert r.returncode == 0, r.stderr
    assert parsed(store.get(3)) == ("Original Shadow drive", hd_of(b), OTHER, "capsule\0".encode("utf-16-le"))
    assert store.read_order() == [0, 1, 2, 3]
    before = store.all()
    r = store.run("mirror", "--add", b.guid, "--description", "Original Shadow drive", "--yes")
    assert r.returncode == 0 and store.all() == before
    r = store.run("mirror", "--add", a.guid, "--yes")
    assert r.returncode == 3 and "is on that partition itself" in r.stderr and store.all() == before


def test_mirror_without_a_current_entry(store, esps):
    _, b = esps
    store.order(1, 2, 0)
    assert store.run("mirror", "--add", b.guid, "--last", "--yes").returncode == 0
    assert parsed(store.get(3))[0] == "Linux-Firmware-Updater (mirror)" and store.read_order() == [1, 2, 0, 3]
    store.order(1)
    r = store.run("mirror", "--add", b.guid, "--yes")
    assert r.returncode == 3 and "which loader is in use" in r.stderr


def test_mirror_of_what_the_firmware_made(store, esps):
    """Its mark would go along, and the firmware would take the copy away as its own."""
    a, b = esps
    store.set("Boot0001", option("UEFI OS", nvram.path_of(a, "\\EFI\\BOOT\\BOOTX64.EFI"), AUTO))
    store.set("BootCurrent", struct.pack("<H", 1), 6)
    r = store.run("mirror", "--add", b.guid, "--yes")
    assert r.returncode == 0 and "Boot0001 is left out" in r.stdout, r
    assert parsed(store.get(3))[:3] == ("debian (mirror)", hd_of(b), SHIM) and store.read_order() == [0, 3, 1, 2]


@pytest.mark.parametrize("what", ["not there", "not active", "damaged"])
def test_delete_all_that_starts(store, esps, what):
    """What is left in the boot order counts only when it could be started."""
    a, _ = esps
    store.order(0, 7)
    if what != "not there":
        data = nvram.entry("asleep", a, SHIM)
        store.set("Boot0007", b"\0" + data[1:] if what == "not active" else data[:9])
    before = store.all()
    r = store.run("delete", "--id", "0000", "--yes", disks=())
    assert r.returncode == 3 and "--force" in r.stderr and store.all() == before
    r = store.run("delete", "--id", "0000", "--yes", "--force", disks=())
    assert r.returncode == 0 and store.read_order() == [7]


def test_delete(store, esps):
    a, b = esps
    clone(store, a, b, "--yes")
    r = store.run("delete", "--on", b.guid, "--yes", disks=())
    assert r.returncode == 0 and "Boot0003 was removed" in r.stdout
    assert store.numbers() == [0, 1, 2] and store.read_order() == [0, 1, 2]
    assert [i["entry"] for i in store.record()] == ["0000", "0002"]
    assert store.run("repair", "--yes").returncode == 0 and store.numbers() == [0, 1, 2]
    r = store.run("delete", "--id", "Boot0001", "--id", "0002", "--yes", disks=())
    assert r.returncode == 0 and store.numbers() == [0] and store.read_order() == [0]
    before = store.all()
    for args, code, what in ((("--id", "0001"), 3, "there is no Boot0001"), (("--id", "1"), 2, "four digits"),
                             (("--on", b.guid), 3, "no boot entry is on that partition"), ((), 2, "--id or --on"),
                             (("--id", "0000"), 3, "--force")):
        r = store.run("delete", "--yes", *args, disks=())
        assert r.returncode == code and what in r.stderr, r
    assert store.all() == before
    assert store.run("delete", "--id", "0000", "--force", "--yes", disks=()).returncode == 0
    assert store.numbers() == [] and not store.file("BootOrder").exists()


# ---- repair -------------------------------------------------------------------------------------

def lose(store, *numbers):
    for n in numbers:
        store.file(f"Boot{n:04X}").unlink()
    store.order(*(n for n in store.read_order() if n not in numbers))


@pytest.mark.parametrize("gone, order", [((3,), [0, 3, 1, 2, 4]), ((0,), [0, 3, 1, 2, 4]), ((3, 4), [0, 3, 1, 2, 4]),
                                         ((0, 2), [0, 3, 2, 1, 4]), ((2, 4), [0, 3, 2, 4, 1]),
                                         ((0, 2, 3, 4), [1, 0, 3, 2, 4])])
def test_repair(store, esps, gone, order):
    """Each behind what was recorded before it, else in front of what was recorded behind it."""
    a, b = esps
    clone(store, a, b, "--yes")
    whole, record = store.contents(), store.record()
    lose(store, *gone)
    r = store.run("list")
    assert r.returncode == 1 and r.stdout.count("gone: ") == len(gone)
    r = store.run("repair", "--yes")
    assert r.returncode == 0 and r.stdout.count("was brought back") == len(gone), r.stderr
    assert store.read_order() == order and store.record() == record
    store.order(0, 3, 1, 2, 4)
    assert store.contents() == whole
    before = store.all()
    r = store.run("repair", "--yes")
    assert r.returncode == 0 and "All recorded entries are there" in r.stdout and store.all() == before


def test_repair_of_the_order_alone(store, esps):
    a, b = esps
    clone(store, a, b, "--yes")
    whole = store.contents()
    store.order(1, 0, 2)
    assert store.run("repair", "--yes").returncode == 0 and store.read_order() == [1, 0, 3, 2, 4]
    store.file("BootOrder").write_bytes(whole["BootOrder-" + GLOBAL])
    store.file("Boot0003").unlink()  # the order still names it: its place is known
    assert store.run("repair", "--yes").returncode == 0 and store.contents() == whole


def test_repair_when_the_number_is_taken(store, esps):
    a, b = esps
    clone(store, a, b, "--yes")
    lose(store, 3)
    store.set("Boot0003", option("somebody's", SHELL))
    store.order(3, *store.read_order())
    r = store.run("repair", "--yes")
    assert r.returncode == 0 and store.read_order() == [3, 0, 5, 1, 2, 4]
    assert parsed(store.get(5))[0] == "debian (mirror)" and parsed(store.get(3))[0] == "somebody's"


def test_repair_without_the_disk(store, esps):
    """The original's disk is gone, and with it its entries: what can be done is done, the rest is kept in mind."""
    a, b = esps
    clone(store, a, b, "--yes")
    lose(store, 0, 2, 3)
    r = store.run("repair", "--yes", disks=("b",))
    assert r.returncode == 1 and "can't be brought back now" in r.stdout and store.numbers() == [1, 3, 4]
    before = store.all()
    r = store.run("repair", "--yes", disks=("b",))
    assert r.returncode == 1 and "Nothing can be done now" in r.stdout and store.all() == before
    assert store.run("repair", "--yes").returncode == 0 and store.numbers() == [0, 1, 2, 3, 4]


def test_repair_knows_nothing(store):
    r = store.run("repair", "--yes")
    assert r.returncode == 3 and "there is no record" in r.stderr


def test_forget_what_is_gone(store, esps):
    a, b = esps
    clone(store, a, b, "--yes")
    lose(store, 3)
    r = store.run("delete", "--id", "0003", "--yes", disks=())
    assert r.returncode == 0 and "are forgotten now" in r.stdout
    assert [i["entry"] for i in store.record()] == ["0000", "0002", "0004"]
    assert store.run("repair", "--yes").returncode == 0 and 3 not in store.numbers()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 2, "entries": []}', '{"version": 1}', "\0",
                                  '{"version": 1, "entries": [7]}',
                                  '{"version": 1, "entries": [{"entry": "0000", "in_order": true, "option": "00"}]}'])
def test_damaged_record(store, esps, text):
    a, b = esps
    (store.path / RECORD).write_text(text)
    before = store.all()
    for r in (clone(store, a, b, "--yes"), store.run("repair", "--yes")):
        assert r.returncode == 3 and "is damaged, or of another version" in r.stderr and store.all() == before
    r = store.run("list")
    assert r.returncode == 0 and "boot order: 0000 0001 0002" in r.stdout and "another version" in r.stderr


def test_another_record(store, esps):
    a, b = esps
    r = clone(store, a, b, "--yes", "--record", "deep/record.json")
    assert r.returncode == 0 and not (store.path / RECORD).exists()
    lose(store, 4)
    assert store.run("repair", "--yes", "--record", "deep/record.json").returncode == 0 and 4 in store.numbers()


# ---- what can't be written ----------------------------------------------------------------------

def limited(limit):
    def before_exec():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return before_exec


def test_a_record_that_cannot_be_written(store, esps):
    """It comes first: no variable is written then."""
    a, b = esps
    store.set("Boot0002", nvram.entry("long", a, OTHER, "x" * 9000))
    record = pathlib.Path("record.json")
    before = store.all()
    r = clone(store, a, b, "--yes", "--record", record, preexec_fn=limited(16384))
    assert r.returncode == 3 and "record.json: can't be written" in r.stderr and "nothing was changed" in r.stderr
    assert store.all() == before and sorted(os.listdir()) == ["a", "b", "vars"]


def tmpfs(where, *options):
    r = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", where],
                       capture_output=True, text=True)
    if r.returncode:
        pytest.skip("needs root, to mount a small tmpfs: " + r.stderr.strip())


# Folder and four files; two new ones, and one more to replace the order by.
@pytest.mark.parametrize("limit, fits", [("nr_inodes=5", False), ("nr_inodes=6", False), ("nr_inodes=7", False),
                                         ("nr_inodes=8", True), ("nr_blocks=4", False), ("nr_blocks=5", False),
                                         ("nr_blocks=6", False), ("nr_blocks=7", True)])
def test_no_room(store, esps, limit, fits):
    """A folder that has room for so many files, or pages: what was written is taken back."""
    a, b = esps
    os.mkdir("full")
    tmpfs("full", limit)
    try:
        s = Store("full")
        for p in store.path.iterdir():
            shutil.copy(p, "full")
        before = s.contents()
        r = clone(s, a, b, "--yes", "--record", "record.json")
        if fits:
            assert r.returncode == 0, r.stderr
            return
        assert r.returncode == 3 and "No space left on device" in r.stderr, r.stderr
        assert "the boot order and what it names are as they were" in r.stderr
        assert s.contents() == before and not os.path.exists("record.json")
    finally:
        subprocess.run(["umount", "full"], check=True)


def test_immutable_variables(store, esps):
    """As efivarfs makes those that it does not know: the flag is taken off, and put back where it was."""
    a, b = esps
    names = [str(store.file("BootOrder")), str(store.file("Boot0001"))]
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", *names], capture_output=True).returncode:
        pytest.skip("needs root and a file system that knows chattr +i")
    try:
        assert clone(store, a, b, "--yes").returncode == 0
        assert store.read_order() == [0, 3, 1, 2, 4]
        flags = subprocess.run(["lsattr", names[0]], capture_output=True, text=True, check=True).stdout
        assert "i" in flags.split()[0]
        assert store.run("delete", "--id", "0001", "--yes", disks=()).returncode == 0 and 1 not in store.numbers()
    finally:
        subprocess.run(["chattr", "-i", *[n for n in names if os.path.exists(n)]], check=True)


def test_two_at_once(store, esps):
    a, b = esps
    fd = os.open(store.path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    before = store.all()
    r = clone(store, a, b, "--yes")
    os.close(fd)
    assert r.returncode == 3 and "is at work" in r.stderr and store.all() == before
