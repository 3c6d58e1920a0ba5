# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The leg menu with OVMF: as on BIOS (test_menu.py), by the firmware's keyboard and serial line.

What keys mean is tested without a machine (unit tests of menu and menu_offer).
"""

import time

import pytest

import cli
import grub
import qemu
import screen
from test_menu import FAST_CLOCK, FIRST, MENU, keys, with_unknown_feature

SLOW_IOPS = 40


def boot(disks, attached=(0, 1), slow=False, until=grub.DONE, marks=None, **kw):
    """slow: until it has looked at the first mirror, which is before it looks for keys."""
    drives = [qemu.Drive(str(disks.paths[n]), iops=SLOW_IOPS if slow else 0) for n in attached]
    marks = dict(marks or {})
    if slow:
        marks["Mirror "] = lambda m: m.unthrottle()
    got = qemu.boot(drives, "uefi", until=until, marks=marks, timeout_s=kw.pop("timeout_s", 180), **kw)
    assert got.found, got.serial
    return got


def opened(got):
    return MENU in screen.text(got.serial)


def configured(shelf, pair, text):
    disks = shelf.copy(shelf.bare(pair, "gpt"))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text(text)
    cli.install(*disks.paths, options=("--config", config))
    return disks


def one_line(got):
    return " ".join(screen.text(got.serial).split())


# ---- what opens it ----

@pytest.mark.parametrize("press", [keys("m"), keys("esc"), lambda m: m.type("m")], ids=["m", "esc", "serial"])
def test_waiting_key(shelf, press):
    got = boot(shelf.ready("in-sync", "gpt"), slow=True, marks={FIRST: press, MENU: keys("ret")})
    assert opened(got) and "Going on with leg 0." in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("press", [keys("f12", "down", "ret"), lambda m: m.type("\r\n\x1b[A\x1b[24;80R")],
                         ids=["keyboard", "serial"])
def test_leftovers(shelf, press):
    """Of the firmware's own menus, or of a terminal that told its size: nobody's wish."""
    got = boot(shelf.ready("in-sync", "gpt"), slow=True, marks={FIRST: press})
    assert FIRST in got.marks and not opened(got) and "Going on" not in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_shift_held(shelf):
    got = boot(shelf.ready("in-sync", "gpt"), slow=True,
               marks={FIRST: lambda m: m.hold("shift"), MENU: lambda m: (m.hold("shift", False), m.key("1"))})
    assert opened(got) and "leg 1 on disk 1 part 3 is read, because" in one_line(got), got.serial


# ---- the time in which it can be opened ----

def test_nobody_there(shelf):
    """The time passes; then the menu is opened, and nobody answers: the default goes on."""
    disks = configured(shelf, "stale", "timeout = 60\n")
    got = boot(disks, extra=FAST_CLOCK)
    assert "Going on in 60 s. Press m to choose a leg" in one_line(got) and not opened(got), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    disks = configured(shelf, "stale", "timeout = 250\n")
    got = boot(disks, extra=FAST_CLOCK,
               marks={"Going on in 250 s": keys("m"), MENU: keys("0"), "Type y": keys("x", "x")})
    assert "Going on with leg 1." in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


# ---- what is booted ----

@pytest.mark.parametrize("attached", [(0, 1), (1, 0)])
def test_stale_leg(shelf, attached):
    """Only after a y, and then wholly: on no handle does GRUB find a trace of the newer one."""
    disks = configured(shelf, "stale", "timeout = 250\n")
    got = boot(disks, attached, marks={"Going on in": lambda m: m.type("m"), MENU: keys("0"),
                                       "Type y": lambda m: m.type("y")})
    assert "Leg 0 is out of date: missed writes" in one_line(got), got.serial
    assert "It is write-protected, and no other leg stands in for it." in one_line(got), got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


def test_stale_leg_in_plain_sight(shelf):
    """1.0: each partition looks like ext4 to any driver. Without volumes only the disks can tell."""
    disks = configured(shelf, "stale-1.0", "timeout = 250\nvolumes = no\n")
    got = boot(disks, marks={"Going on in": keys("m"), MENU: keys("0"), "Type y": keys("y")})
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


@pytest.mark.parametrize("leg", [0, 1])
def test_in_sync_leg(shelf, leg):
    """The disk of the chosen leg is read by the loader, more than the other."""
    before, after = [], []
    disks = configured(shelf, "in-sync", "timeout = 250\nwrites = no\n")
    got = boot(disks, marks={"Going on in": keys("m"), MENU: keys(str(leg)),
                             "Welcome to GRUB": lambda m: before.extend(m.reads())},
               at_end=lambda m: after.extend(m.reads()))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert f"leg {leg} on disk {leg} part 3 is read, because a person chose it" in one_line(got), got.serial
    done = [a[0] - b[0] for a, b in zip(after, before)]
    assert done[leg] > 2 * done[1 - leg] and done[leg] > 20, (done, got.serial)


def test_without_the_mirror(shelf):
    """x: the next loader as if we had never been here, and what GRUB finds then is the stale leg."""
    disks = configured(shelf, "stale", "timeout = 250\n")
    got = boot(disks, marks={"Going on in": keys("m"), MENU: keys("x"), "Type y": keys("y")})
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


def test_split_brain(shelf):
    """From the pause that a split brain makes, without any configuration."""
    got = boot(shelf.ready("split-brain", "gpt"), marks={"Going on in 5 s": keys("m"), MENU: keys("1")})
    assert "is a split brain: leg 1 on disk 1 part 3 is read" in one_line(got), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_split_brain_ask_takes_no_leftovers(shelf):
    disks = configured(shelf, "split-brain", "split-brain = ask\n")
    got = boot(disks, slow=True, marks={FIRST: keys("0", "ret"), MENU: keys("ret", "1")})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_split_brain_halt(shelf):
    """Stopped means stopped: keys start nothing, and the firmware's next boot entry has no turn."""
    disks = configured(shelf, "split-brain", "split-brain = halt\n")
    reads = []

    def press(machine):
        reads.append(machine.reads())
        machine.key("ret")
        machine.type("m\r")
        time.sleep(4)  # in which a loader would have been read, or the other disk's mirrorboot
        reads.append(machine.reads())

    got = boot(disks, until="Press Ctrl-Alt-Del", at_end=press)
    assert "Stopped, as the configuration says" in one_line(got) and reads[0] == reads[1], (reads, got.serial)


# ---- a mirror that can't be used ----

def test_unusable_with_an_old_leg(shelf):
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    with_unknown_feature(disks, 1)
    wish = "Press m to choose one of the mirror's legs."
    got = boot(disks, marks={wish: keys("m"), MENU: keys("1", "ret", "0"), "Type y": keys("y")})
    assert screen.parse(got.serial).state == "unusable"
    assert "Leg 1 can't be booted from: uses unknown features" in one_line(got), got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


def test_unusable_without_choice(shelf):
    """Half a leg is all there is: nothing to choose; a key starts the next loader, mirror or not."""
    got = boot(shelf.ready("rebuilding", "gpt"), (0,), until=screen.NEXT_STARTED, slow=True,
               marks={FIRST: keys("ret"), screen.WAITS: lambda m: m.key("m")})
    assert screen.WAITS in got.marks and not opened(got) and "Press m" not in got.serial, got.serial
