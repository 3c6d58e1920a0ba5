# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots under firmware that lies, forgets, refuses and clobbers: hostile.asm stands between
SeaBIOS and us. Each test also asks how often the misbehaviour was met: without that it
would prove nothing."""

import subprocess
from pathlib import Path

import pytest

import cli
import grub
import hostile
import qemu
import screen
from test_bios import BOTH, ONLY_A, SWAPPED, peek, poke, stage2_of

CLOBBERS = ("lose_41", "lose_08", "lose_42", "dap_count", "flags", "high_halves")
# mode(s): what goes with them
SURVIVED = {
    ("lose_41",): {},
    ("lose_08",): {},
    ("lose_42",): {},
    ("dap_count",): {},
    ("flags",): {},
    ("high_halves",): {},
    ("corrected",): {},
    ("ah_garbage",): {},
    ("zero_48",): {},
    ("fail_48",): {},
    ("long_48",): {"long": 16},
    ("long_48", "flags"): {"long": 100},
    ("max_42",): {"sectors": 64},
    ("max_42", "dap_count"): {"sectors": 16},  # the MBR's one request, too
    ("no_sectors",): {"bad": 0x80},
    ("no_sectors", "lose_08"): {"bad": 0x81},
    ("first_42",): {"error": 0x06},
    ("count_08",): {"drives_08": 1},
    ("count_08", "count_bda"): {"drives_08": 2, "bda": 1},
    ("count_bda", "count_08", "lose_08"): {"drives_08": 9, "bda": 4},
    CLOBBERS: {},
    (*CLOBBERS, "corrected", "zero_48", "long_48"): {"long": 64},
    (*CLOBBERS, "ah_garbage", "fail_48", "first_42"): {"error": 0x06},
}


def boot(disks, tmp_path, *modes, attached=BOTH, until=grub.DONE, timeout_s=90, controller=None,
         drives=None, marks=None, **settings):
    """(Boot, Met) of disks, or of drives made of them, under a firmware with these modes."""
    image = hostile.floppy(tmp_path / "hostile.img", *modes, **settings)
    return hostile.boot(drives or disks.drives(attached), image, controller, until=until,
                        timeout_s=timeout_s, marks=marks)


def assert_met(met, *modes):
    assert all(met.times[m] > 0 for m in modes), met
    assert not any(met.times[m] for m in hostile.MODES if m not in modes), met


def configured(shelf, pair, text):
    disks = shelf.copy(shelf.bare(pair))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text(text)
    cli.install(*disks.paths, options=("--config", config))
    return disks


@pytest.mark.parametrize("modes", SURVIVED, ids="+".join)
def test_survives(shelf, tmp_path, modes):
    got, met = boot(shelf.ready("stale"), tmp_path, *modes, **SURVIVED[modes])
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == "degraded", got.serial
    assert_met(met, *modes)


@pytest.mark.parametrize("controller", qemu.CONTROLLERS)
def test_survives_on_every_controller(shelf, tmp_path, controller):
    got, met = boot(shelf.ready("stale"), tmp_path, *CLOBBERS, attached=SWAPPED,
                    controller=controller)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, *CLOBBERS)


@pytest.mark.parametrize("load", [0x80, 0x81])
@pytest.mark.parametrize("dl", [0x00, 0x01, 0x80, 0x81, 0xFF])
def test_dl_lies(shelf, tmp_path, dl, load):
    """The same DL whichever disk was started: what it says can't matter."""
    got, met = boot(shelf.ready("stale"), tmp_path, dl=dl, load=load)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert met.asked_42 > 0


@pytest.mark.parametrize("dl", [0x00, 0xFF])
def test_everything_at_once(shelf, tmp_path, dl):
    """DL lies, registers are lost, and the first copy of stage2 is damaged."""
    disks = shelf.copy(shelf.ready("stale"))
    lba, sectors = stage2_of(disks.paths[0])
    poke(disks.paths[0], lba + sectors // 2, b"\xa5" * 512)
    got, met = boot(disks, tmp_path, *CLOBBERS, "zero_48", dl=dl)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, *CLOBBERS, "zero_48")


def test_buffers_across_64k_are_split(shelf, tmp_path):
    """A BIOS that refuses them: a loader alone meets that with 09h, one on our drive does not."""
    code = tmp_path / "cross64k.bin"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", "-o", str(code),
                    str(Path(__file__).with_name("cross64k.asm"))], check=True)
    disks = shelf.copy(shelf.bare("in-sync"))
    for path in disks.paths:
        with open(path, "r+b") as f:
            f.write(code.read_bytes())
    got, met = boot(disks, tmp_path, "cross_42", until="CROSS: J\n")
    assert got.found, got.serial
    assert_met(met, "cross_42")

    cli.install(*disks.paths)
    got, met = boot(disks, tmp_path, "cross_42", until="CROSS: ok\n")
    assert got.found, got.serial
    assert met.asked_42 > 0
    assert_met(met)


@pytest.mark.parametrize("error", [0x20, 0x80])
def test_errors_without_a_retry(shelf, tmp_path, error):
    """The first request of each drive fails as a dead one's do. One failure is not the end."""
    got, met = boot(shelf.ready("stale"), tmp_path, "first_42", error=error)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, "first_42")


# ---- no EDD: the MBR and stage2 read by cylinder, head and sector ------------------------------

NO_EDD = {"no_edd": ("no_edd",), "claimed": ("refuse_42",),
          "clobbers": ("no_edd", "lose_08", "flags", "high_halves")}


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
@pytest.mark.parametrize("modes", NO_EDD.values(), ids=NO_EDD)
def test_no_edd_judges(shelf, tmp_path, modes, attached):
    """Until the next loader is started, not one sector came by LBA, and the verdict is right."""
    counted = []
    disks = configured(shelf, "stale", "timeout = 200\n")
    with_key = {"Going on in 200 s": lambda m: counted.append(hostile.read_counters(m))}
    got, _ = boot(disks, tmp_path, *modes, attached=attached, until="Going on in 200 s",
                  marks=with_key)
    seen = screen.parse(got.serial)
    assert seen.state == "degraded" and seen.chosen == 1, got.serial
    assert counted[0].asked_02 > 60, "stage2 has come sector by sector"
    assert_met(counted[0], *modes)


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
@pytest.mark.parametrize("modes", NO_EDD.values(), ids=NO_EDD)
def test_no_edd_boots(shelf, tmp_path, modes, attached):
    """GRUB asks our drive by LBA, whatever the BIOS can do: chsdoor.asm stands between."""
    got, met = boot(shelf.ready("stale"), tmp_path, *modes, attached=attached)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert met.asked_02 > 200 and met.asked_42 == met.times["refuse_42"], met
    assert_met(met, *modes)


def test_no_edd_fails_over(shelf, tmp_path):
    """A bad sector in mid-file, read by CHS: the other leg has it."""
    disks, failed = shelf.ready("in-sync"), []
    got, met = boot(disks, tmp_path, "no_edd", drives=disks.drives(BOTH, 0),
                    marks={grub.DONE: lambda m: failed.append(sum(f for _, f in m.reads()))})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"
    assert_met(met, "no_edd")


def test_no_edd_stage2_damaged_on_the_first_disk(shelf, tmp_path):
    disks = shelf.copy(configured(shelf, "stale", "timeout = 200\n"))
    lba, _ = stage2_of(disks.paths[0])
    poke(disks.paths[0], lba, bytes(b ^ 0xFF for b in peek(disks.paths[0], lba)))
    got, met = boot(disks, tmp_path, "no_edd", until="Going on in 200 s")
    assert screen.parse(got.serial).chosen == 1, got.serial
    assert_met(met, "no_edd")


def test_no_edd_and_no_geometry_says_so(shelf, tmp_path):
    """Tracks of no sectors: no division by them, a letter, and the other disk."""
    disks = configured(shelf, "stale", "timeout = 200\n")
    got, met = boot(disks, tmp_path, "no_edd", "no_sectors", bad=0x80, until="Going on in 200 s")
    assert screen.parse(got.serial), got.serial
    assert_met(met, "no_edd", "no_sectors")
    # 80h can't be read at all: not asked
    assert met.asked_bad == 0


# ---- writes: the boot record ------------------------------------------------------------------

@pytest.mark.parametrize("modes", [("no_writes",), ("no_writes", "no_edd")], ids="+".join)
def test_no_writes(shelf, tmp_path, modes):
    """A firmware that refuses them: no record of this boot, and the boot goes on."""
    got, met = boot(shelf.ready("stale"), tmp_path, *modes)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, *modes)


# ---- a dead disk costs time once ---------------------------------------------------------------

@pytest.mark.parametrize("modes,error,most", [
    (("dead", "slow"), 0x10, 2),  # the clock tells: any code
    (("dead", "slow"), 0x80, 2),
    (("dead",), 0x80, 2),         # the code tells
    (("dead",), 0x10, 8),         # it answers at once: no harm in asking
])
def test_dead_second_disk(shelf, tmp_path, modes, error, most):
    """Not one sector of 81h can be read: so many requests until the next loader starts."""
    disks = configured(shelf, "stale", "timeout = 200\n")
    counted = []

    def count(machine):
        counted.append(hostile.read_counters(machine))
        machine.ask("send-key", keys=[{"type": "qcode", "data": "g"}])

    got, met = boot(disks, tmp_path, *modes, bad=0x81, error=error, attached=SWAPPED,
                    marks={"Going on in 200 s": count})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, *modes)
    assert 1 <= counted[0].asked_bad <= most, counted
    assert met.asked_bad == counted[0].asked_bad, "the dead disk is hidden: GRUB did not ask it"


def test_dead_first_disk(shelf, tmp_path):
    """The firmware came by to 81h, and 80h is still there and dead: the MBR asks it twice, by
    LBA and by CHS, and stage2 twice."""
    disks = configured(shelf, "in-sync", "timeout = 200\n")
    counted = []

    def count(machine):
        counted.append(hostile.read_counters(machine))
        machine.ask("send-key", keys=[{"type": "qcode", "data": "g"}])

    got, met = boot(disks, tmp_path, "dead", "slow", bad=0x80, error=0x10, load=0x81,
                    marks={"Going on in 200 s": count})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, "dead", "slow")
    assert 1 <= counted[0].asked_bad <= 4, counted


def test_sole_disk_of_a_bad_firmware(shelf, tmp_path):
    got, met = boot(shelf.ready("in-sync"), tmp_path, *CLOBBERS, "fail_48", "first_42", error=6,
                    attached=ONLY_A, dl=0)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert_met(met, *CLOBBERS, "fail_48", "first_42")
