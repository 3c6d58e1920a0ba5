# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Block I/O and Block I/O 2, of the volume and of disks that answer in place.

blockio_cases.efi is the next loader and prints a line a case; what it wrote, and what
became of the legs, is read here from the images.
"""

import re

import pytest

import cli
import gptdisk
import mdmember
import qemu
import scenario

MIB = 1 << 20
DONE = "BIO done"
MODE = re.compile(rb"BLOCKIO-MODE:\.{8}")
CONF = "/EFI/mirrorboot/mirrorboot.conf"
CASES = "/EFI/test/blockio.efi"
FALLBACK = "/EFI/BOOT/BOOTX64.EFI"
APP = "/EFI/mirrorboot/app.efi"


def build():
    return cli.build_folder()


def application(mode=""):
    data = (build() / "blockio_cases.efi").read_bytes()
    assert len(MODE.findall(data)) == 1
    return MODE.sub(b"BLOCKIO-MODE:" + mode.encode().ljust(8, b"."), data)


class Pair:
    """Two disks with an ESP and a md member each; mirrorboot and the cases on every ESP."""

    def __init__(self, folder, pair="in-sync", sector=512, config="", mode="", fallback=None):
        p = scenario.PAIRS[pair]
        self.paths, self.parts, self.sector = [], [], sector
        folder.mkdir(parents=True, exist_ok=True)
        for n, (fixture, generation) in enumerate(((p.a, p.gen_a), (p.b, p.gen_b))):
            app = (build() / "mirrorboot.efi").read_bytes()
            esp = gptdisk.fat(20 * MIB, {
                FALLBACK: fallback or app, APP: app, CASES: application(mode),
                CONF: f"next = {CASES}\n{config}".encode()}, sector)
            path = folder / f"{'ab'[n]}.img"
            self.parts.append(gptdisk.write(
                path, [(gptdisk.ESP, esp), (gptdisk.RAID, scenario.member(fixture, generation))],
                n, sector))
            self.paths.append(path)
        sb = mdmember.Superblock(mdmember.fixture(p.a))
        self.data_s512, self.size_s512 = sb.data_s512, sb.size_s512

    def member(self, n):
        part = self.parts[n][1]
        with open(self.paths[n], "rb") as f:
            f.seek(part.start_bytes)
            return f.read(part.sectors * self.sector)

    def data(self, n):
        start = self.data_s512 * 512
        return self.member(n)[start:start + self.size_s512 * 512]

    def free_s512(self, n):
        """The sector of disk n, in 512 bytes, where the cases write."""
        return self.parts[n][1].start_bytes // 512 + self.data_s512 + self.size_s512 - 512

    def boot(self, controller="virtio-blk", leg=0, bad=(), bad_writes=(), until=DONE, read_bps=0,
             **kw):
        """leg: of which these sectors (512 bytes of the disk) give errors."""
        drives = [qemu.Drive(str(p), *((tuple(bad), 0, tuple(bad_writes)) if n == leg else ()),
                             read_bps=read_bps) for n, p in enumerate(self.paths)]
        return qemu.boot(drives, "uefi", controller, until=until, timeout_s=240, writable=True, **kw)


class Superblock:
    def __init__(self, member):
        self.raw = member[4096:8192]
        self.events = int.from_bytes(self.raw[200:208], "little")
        self.resync = int.from_bytes(self.raw[208:216], "little")
        self.roles = [int.from_bytes(self.raw[256 + 2 * i:258 + 2 * i], "little")
                      for i in range(int.from_bytes(self.raw[220:224], "little"))]
        self.device = int.from_bytes(self.raw[160:164], "little")


def lines(serial):
    """{name: what} of the cases."""
    found = re.findall(r"^BIO (.+?) (ok|NOT [0-9a-f]+)$", serial, re.M)
    return dict(found)


def total(serial):
    got = re.search(r"^BIO total: (\d+) ok, (\d+) NOT", serial, re.M)
    assert got, serial
    return int(got[1]), int(got[2])


def assert_all_ok(got, least):
    assert got.found, got.serial
    good, bad = total(got.serial)
    wrong = {n: w for n, w in lines(got.serial).items() if w != "ok"}
    assert not wrong and bad == 0, wrong
    assert good >= least, f"{good} cases only: were some not asked?"


CONTROLLERS = {"virtio-blk": (512, 120), "nvme": (512, 300), "nvme-4kn": (4096, 300),
               "ahci": (512, 300)}


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_cases(tmp_path, controller):
    """Everything that is asked; what was written is on both legs, and the mirror is closed."""
    sector, least = CONTROLLERS[controller]
    disks = Pair(tmp_path, sector=sector)
    before = [Superblock(disks.member(n)) for n in (0, 1)]
    got = disks.boot(controller)
    assert_all_ok(got, least)
    assert disks.data(0) == disks.data(1)
    assert b"\xc3" * 4096 in disks.data(0), "the cases wrote nothing"
    for n in (0, 1):
        after = Superblock(disks.member(n))
        assert (after.resync, after.events, after.roles) == (
            before[n].resync, before[n].events, before[n].roles)
    # The bitmap, 4 KiB behind the superblock: taken back to what it was, on both.
    assert disks.member(0)[8192:16384] == disks.member(1)[8192:16384]


@pytest.mark.parametrize("why, pair, config", [
    ("the configuration says writes = no", "in-sync", "writes = no\n"),
    ("a leg is being rebuilt or replaced", "rebuilding", "")])
def test_write_protected(tmp_path, why, pair, config):
    """Every write of the table is refused, none leaves a byte, and the screen says why."""
    disks = Pair(tmp_path, pair=pair, config=config)
    before = [disks.member(n) for n in (0, 1)]
    got = disks.boot("nvme")
    assert_all_ok(got, 250)
    assert f"is write-protected: {why}." in re.sub(r"\s+", " ", got.serial), got.serial
    assert [disks.member(n) for n in (0, 1)] == before


@pytest.mark.parametrize("bad", [0, 1])
@pytest.mark.parametrize("controller", ["virtio-blk", "nvme"])
def test_write_error_expels_the_leg(tmp_path, bad, controller):
    disks = Pair(tmp_path, mode="write")
    before = [Superblock(disks.member(n)) for n in (0, 1)]
    got = disks.boot(controller, bad_writes=[disks.free_s512(bad) + 9], leg=bad)
    assert_all_ok(got, 4)
    good, gone = disks.member(1 - bad), disks.member(bad)
    after = Superblock(good)
    assert b"\xa7" * 16384 in disks.data(1 - bad)
    assert after.events > before[1 - bad].events
    assert after.roles[Superblock(gone).device] >= 0xfffe
    assert cli.status(*map(str, disks.paths))["mirrors"][0]["state"] == "degraded"


# What is read, in KiB from the start of the data: many reads go to both legs in turn, and
# the second leg reads the second half of a long one of 8 MiB.
@pytest.mark.parametrize("mode, leg, bad_kib", [
    ("many", 0, range(64, 128, 4)), ("many", 1, range(64, 128, 4)), ("long", 1, (6144,))])
def test_read_error_of_reads_at_once(tmp_path, mode, leg, bad_kib):
    """A leg fails what it reads while the other reads, too: the bytes are right all the same."""
    disks, failed = Pair(tmp_path, mode=mode), []
    first = disks.free_s512(leg) - disks.size_s512 + 512
    got = disks.boot("nvme", leg=leg, bad=[first + 2 * kib for kib in bad_kib],
                     at_end=lambda m: failed.append(m.reads()[leg][1]))
    assert_all_ok(got, 1 if mode == "long" else 4)
    assert failed[0] > 0, "the leg was not asked for its bad sectors: nothing was proved"


@pytest.mark.parametrize("mode, left", [("", "volume-gone"), ("hold", "volume-has-no-medium")])
def test_nothing_answers_afterwards(tmp_path, mode, left):
    """The cases return, mirrorboot returns to who started it, and all is as it was.

    hold: somebody keeps the volume open. Then it stays, and every function says so.
    """
    disks = Pair(tmp_path, mode=mode, fallback=application("begin"))
    got = disks.boot("nvme", until="BIO over")
    assert got.found, got.serial
    found = lines(got.serial)
    assert found.get(left) == "ok" and found.get("functions restored") == "ok", got.serial
    assert all(what == "ok" for what in found.values()), found
    assert ("It stays, without a medium" in got.serial) == (mode == "hold")


@pytest.mark.parametrize("controller", ["nvme", "virtio-blk"])
def test_boot_services_end_with_reads_under_way(tmp_path, controller):
    """As a kernel does it: afterwards nobody calls, and nobody writes to the buffers.

    The reads are 1 MiB in all, which disks as slow as these don't end before they are asked to.
    """
    got = Pair(tmp_path, mode="exit").boot(controller, until="BIO over", read_bps=MIB)
    assert got.found, got.serial
    found = lines(got.serial)
    for name in ("reads begun", "exit", "nobody calls", "nobody writes"):
        assert found.get(name) == "ok", got.serial
    # Without a Block I/O 2 below, each read is done at once.
    assert (found["some are under way"] == "ok") == (controller == "nvme"), got.serial
