# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The leg menu with SeaBIOS: what opens it, what does not, and what is booted then.

Where a key has to be there before the menu looks, the disks are slow until it has
looked: mirrorboot's first line is then on the serial line for a second before that.
"""

import os
import struct
import threading

import pytest

import cli
import grub
import mdmember
import qemu
import screen

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
FIRST = "mirrorboot 0."
MENU = "Type its number:"
LAST = "Starting the boot loader"
SLOW_IOPS = 40
# A second passes in a fraction of one: for waits without a key.
FAST_CLOCK = ("-icount", "shift=7,align=off,sleep=off")


def boot(disks, attached=(0, 1), slow=False, until=grub.DONE, marks=None, **kw):
    drives = [qemu.Drive(str(disks.paths[n]), iops=SLOW_IOPS if slow else 0) for n in attached]
    marks = dict(marks or {})
    if slow:
        marks["Mirror "] = lambda m: m.unthrottle()
    got = qemu.boot(drives, "bios", until=until, marks=marks, timeout_s=kw.pop("timeout_s", 120),
                    **kw)
    assert got.found, got.serial
    return got


def keys(*names):
    def press(machine):
        for name in names:
            machine.key(name)
    return press


def early(*names):
    """Keys that come before the menu looks for one."""
    return {"slow": True, "marks": {FIRST: keys(*names)}}


def opens_at_boot(serial):
    return MENU in screen.text(serial)


def configured(shelf, pair, text):
    disks = shelf.copy(shelf.bare(pair))
    config = disks.paths[0].parent / "mirrorboot.conf"
    config.write_text(text)
    cli.install(*disks.paths, options=("--config", config))
    return disks


# ---- what opens it ----

@pytest.mark.parametrize("pair", ["in-sync", "stale"])
def test_nobody_there(shelf, pair):
    """No key, no wait, and no word of it."""
    got = boot(shelf.ready(pair))
    said = screen.text(got.serial)
    assert not opens_at_boot(got.serial) and "Going on" not in said, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("key", ["m", "spc", "esc", "tab", "7"])
def test_waiting_key(shelf, key):
    with_key = early(key)
    with_key["marks"][MENU] = keys("ret")
    got = boot(shelf.ready("in-sync"), **with_key)
    assert got.marks.count(MENU) == 1 and "Going on with leg 0." in got.serial, got.serial
    assert "no leg 7" not in got.serial, got.serial  # it opened the menu, and did no more
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_leftover_keys(shelf):
    """Enter and F12 of the firmware's own menu are nobody's wish; a key behind them is."""
    got = boot(shelf.ready("in-sync"), **early("f12", "down", "ret"))
    assert FIRST in got.marks and not opens_at_boot(got.serial), got.serial
    with_key = early("f12", "down", "ret", "m")
    with_key["marks"][MENU] = keys("ret")
    assert opens_at_boot(boot(shelf.ready("in-sync"), **with_key).serial)


def test_shift_held(shelf):
    got = boot(shelf.ready("in-sync"), slow=True,
               marks={FIRST: lambda m: m.hold("shift"),
                      MENU: lambda m: (m.hold("shift", False), m.key("1"))})
    assert MENU in got.marks and "leg 1 on 81h part 1 is read, because" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_shift_let_go(shelf):
    def tap(machine):
        machine.hold("shift")
        machine.hold("shift", False)

    got = boot(shelf.ready("in-sync"), slow=True, marks={FIRST: tap})
    assert not opens_at_boot(got.serial), got.serial


def test_serial(shelf):
    got = boot(shelf.ready("in-sync"), slow=True,
               marks={FIRST: lambda m: m.type("m"), MENU: lambda m: m.type("1")})
    assert MENU in got.marks and "leg 1 on 81h part 1 is read, because" in got.serial, got.serial


def test_serial_leftovers(shelf):
    """A line end, a cursor key, a terminal that told its size: none of them is a key for us."""
    left = "\r\n\x1b[A\x1b[24;80R"  # with one more, what the port holds
    got = boot(shelf.ready("in-sync"), slow=True, marks={FIRST: lambda m: m.type(left)})
    assert not opens_at_boot(got.serial), got.serial
    for _ in range(3):  # on a busy host what is typed may come after the look at the port
        got = boot(shelf.ready("in-sync"), slow=True,
                   marks={FIRST: lambda m: m.type(left + "\x1b"), MENU: lambda m: m.type("\r")})
        if opens_at_boot(got.serial):
            return
    raise AssertionError(got.serial)


# ---- the time in which it can be opened ----

def test_timeout_passes(shelf):
    disks = configured(shelf, "in-sync", "timeout = 60\n")
    got = boot(disks, extra=FAST_CLOCK)
    assert "Going on in 60 s. Press m to choose a leg" in got.serial, got.serial
    assert not opens_at_boot(got.serial)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.parametrize("key", ["m", "shift"])
def test_key_in_timeout(shelf, key):
    disks = configured(shelf, "in-sync", "timeout = 250\n")
    got = boot(disks, marks={"Going on in 250 s": lambda m: m.hold(key),
                             MENU: lambda m: (m.hold(key, False), m.key("1"))})
    assert "because a person chose it" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_nobody_answers(shelf):
    """A menu that was opened and left alone: the default goes on, not what was to be confirmed."""
    disks = configured(shelf, "stale", "timeout = 250\n")
    got = boot(disks, extra=FAST_CLOCK,
               marks={"Going on in 250 s": keys("m"), MENU: keys("0"), "Type y": keys("x", "x")})
    assert "Going on with leg 1." in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


@pytest.mark.skipif(not WHOLE, reason="SKIPPED, a minute long: `make test-whole` sends noise")
def test_noise(shelf):
    """A serial line that sends rubbish without end does not hold the machine up."""
    def send(line):
        try:
            while True:
                os.write(line, b"q" * 64)
        except OSError:  # the machine is gone
            pass

    def rubbish(machine):
        threading.Thread(target=send, args=(machine.serial.fileno(),), daemon=True).start()

    disks = configured(shelf, "in-sync", "timeout = 250\n")
    got = boot(disks, extra=FAST_CLOCK, marks={"Going on in 250 s": keys("m"), MENU: rubbish})
    assert "Going on with leg 0." in got.serial, got.serial


# ---- what is booted ----

@pytest.mark.parametrize("leg", [0, 1])
@pytest.mark.parametrize("attached", [(0, 1), (1, 0)])
def test_in_sync_leg(shelf, leg, attached):
    """The disk of the chosen leg is read by the loader, and the other is not."""
    before, after = [], []

    def choose(machine):
        before.extend(machine.reads())
        machine.key(str(leg))

    disks = configured(shelf, "in-sync", "timeout = 250\nwrites = no\n")
    got = boot(disks, attached, marks={"Going on in": keys("m"), MENU: choose},
               at_end=lambda m: after.extend(m.reads()))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert screen.parse(got.serial).state == "healthy"
    done = dict(zip(attached, (a[0] - b[0] for a, b in zip(after, before))))
    assert done[leg] > 100, (done, got.serial)
    assert done[1 - leg] <= 8, (done, got.serial)


def test_failover_from_the_chosen_leg(shelf):
    """The leg that a person chose fails in the middle: the other in-sync one stands in."""
    disks = configured(shelf, "in-sync", "timeout = 250\n")
    failed = []
    got = qemu.boot(disks.drives(bad_leg=1), "bios", until=grub.DONE, timeout_s=120,
                    marks={"Going on in": keys("m"), MENU: keys("1")},
                    at_end=lambda m: failed.append(m.reads()[1][1]))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"


@pytest.mark.parametrize("attached", [(0, 1), (1, 0)])
def test_stale_leg(shelf, attached):
    """Only after a y, and then wholly: GRUB finds no trace of the newer one."""
    disks = configured(shelf, "stale", "timeout = 250\n")
    marks = {"Going on in": keys("m"), MENU: keys("0"), "Type y": keys("y")}
    got = boot(disks, attached, marks=marks)
    assert "Leg 0 is out of date: missed writes" in got.serial, got.serial
    assert "It is write-protected, and no other leg" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial

    marks = {"Going on in": keys("m"), MENU: keys("0"), "Type y": keys("n", "ret")}
    got = boot(disks, attached, marks=marks)
    assert "Leg 0 is out of date" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_impossible_legs(shelf):
    """A missing leg and one that nobody ever had: a sentence for each, and another try."""
    disks = configured(shelf, "in-sync", "timeout = 250\n")
    got = boot(disks, (0,), marks={"Going on in": keys("m"), MENU: keys("1", "5", "a", "0")})
    assert "Leg 1 can't be booted from: on none of these disks." in got.serial, got.serial
    assert "There is no leg 5." in got.serial, got.serial
    assert "leg 0 on 80h part 1 is read, because a person chose it" in got.serial, got.serial


def test_half_rebuilt_leg(shelf):
    disks = configured(shelf, "rebuilding", "timeout = 250\n")
    got = boot(disks, marks={"Going on in": keys("m"), MENU: keys("0", "ret")})
    assert "Leg 0 can't be booted from: was being rebuilt" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_split_brain(shelf):
    """From the pause that a split brain makes, without any configuration."""
    got = boot(shelf.ready("split-brain"), marks={"Going on in 5 s": keys("m"), MENU: keys("1")})
    assert "is a split brain: leg 1 on 81h part 1 is read" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_split_brain_ask_takes_no_leftovers(shelf):
    """Who is to choose has not done so before the question: neither an old key nor Enter does."""
    disks = configured(shelf, "split-brain", "split-brain = ask\n")
    got = boot(disks, slow=True, marks={FIRST: keys("0", "ret"), MENU: keys("ret", "1")})
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_without_the_mirror(shelf):
    """x: the disk as if we had never been here, and what GRUB finds then is the stale leg."""
    disks = configured(shelf, "stale", "timeout = 250\n")
    marks = {"Going on in": keys("m"), MENU: keys("x"), "Type y": keys("y")}
    got = boot(disks, marks=marks)
    assert "Starting the boot loader of this disk." in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial


# ---- a mirror that can't be used ----

def with_unknown_feature(disks, n):
    """Disk n's superblock says something that nobody knows, under a checksum that is right."""
    at = (disks.member_lba[n] + 8) * 512
    with open(disks.paths[n], "r+b") as f:
        f.seek(at)
        sb = bytearray(f.read(4096))
        assert struct.unpack_from("<I", sb)[0] == mdmember.MAGIC
        struct.pack_into("<I", sb, 8, struct.unpack_from("<I", sb, 8)[0] | 1 << 20)
        struct.pack_into("<I", sb, 216, 0)
        size = 256 + 2 * struct.unpack_from("<I", sb, 220)[0]
        total = sum(struct.unpack_from(f"<{size // 4}I", sb))
        struct.pack_into("<I", sb, 216, (total & 0xffffffff) + (total >> 32))
        f.seek(at)
        f.write(sb)


def test_unusable_with_an_old_leg(shelf):
    """The newest leg uses what we do not know: the old one is there for who asks for it."""
    disks = shelf.copy(shelf.ready("stale"))
    with_unknown_feature(disks, 1)
    wish = "Press m to choose one of the mirror's legs."
    got = boot(disks, marks={wish: keys("m"), MENU: keys("1", "ret", "0"), "Type y": keys("y")})
    assert screen.parse(got.serial).state == "unusable"
    assert "Leg 1 can't be booted from: uses unknown features" in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
    got = boot(disks, marks={wish: keys("ret")}, until="Starting the boot loader of this disk.")
    assert not opens_at_boot(got.serial)


def test_unusable_without_choice(shelf):
    """Half a leg is all there is: nothing to choose, and a leftover key starts nothing."""
    disks = shelf.ready("rebuilding")
    got = boot(disks, (0,), until="Starting the boot loader of this disk.", slow=True,
               marks={FIRST: keys("ret"), screen.WAITS: lambda m: m.key("m")})
    assert screen.WAITS in got.marks and not opens_at_boot(got.serial), got.serial
    assert "Press m" not in got.serial, got.serial
