# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The boot record on UEFI: what a boot leaves in the firmware, and what the next one makes of it.

The variable store is a file that outlives the machine; it is read here by nvram.py.
"""

import os
import struct

import pytest

import cli
import grub
import nvram
import qemu
import screen
import test_record as on_disks
from test_menu_uefi import configured
from test_record import BEHIND, PAUSE, Record

KEY = "MirrorbootRecord", "e0ba060e-72b2-4292-9796-cda85b243c89"
ATTRIBUTES = 7  # non-volatile, for boot services and at runtime
UNKEPT = "the firmware can't keep the boot record"


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "vars.fd"
    nvram.write(path, {})
    return path


def boot(disks, store, attached=(0, 1), bad_leg=None, **kw):
    kw.setdefault("marks", {}).setdefault("Going on in", lambda m: m.key("ret"))
    drives = kw.pop("drives", disks.drives(attached, bad_leg))
    got = qemu.boot(drives, "uefi", until=grub.DONE, timeout_s=180, variables=store,
                    keep_variables=True, **kw)
    assert got.found, got.serial
    return got


def parse(data):
    assert len(data) == 32 + 56 * data[29]
    return Record(data.ljust(512, b"\0"))


def read(store):
    attributes, data = nvram.read(store)[KEY]
    assert attributes == ATTRIBUTES
    return parse(data)


def written(store):
    """The records that the firmware was given, in order; the last one counts."""
    all_ = [(data, counts) for key, _, data, counts in nvram.history(store) if key == KEY]
    assert [counts for _, counts in all_] == [False] * (len(all_) - 1) + [True] * bool(all_)
    return [parse(data) for data, _ in all_]


def lying(shelf):
    """A whole record that has seen what no leg has."""
    (mirror,) = cli.status(*shelf.ready("in-sync", "gpt").paths)["mirrors"]
    who = bytes.fromhex(mirror["uuid"].replace(":", ""))
    entry = struct.pack("<16sQQI6B14x", who, 2**64 - 1, 2**64 - 1, 7, 3, 0, 1, 2, 0, 0)
    data = bytearray(struct.pack("<8sIIIIIBB2x", b"MIRRBREC", 1, 0, 7, 0, 0, 255, 1) + entry)
    struct.pack_into("<I", data, 12, -sum(struct.unpack("<22I", data)) & 0xffffffff)
    return bytes(data)


def test_written_when_it_says_something_new(shelf, store):
    """And a stale leg that comes alone is recognised by it; the disks themselves are not written."""
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    before = on_disks.contents(disks)
    for _ in range(2):  # the second has nothing to add
        got = boot(disks, store, writable=True)
        assert grub.what_it_read(got.serial) == ("2", "ok") and BEHIND not in got.serial, got.serial
        (r,) = written(store)
        assert (r.sequence, r.this_disk, r.count, r.failovers, r.failed) == (1, 255, 1, 0, 0)
        (m,) = r.mirrors
        assert m.seen == m.generation > 0 and (m.state, m.flags, m.chosen, m.disk) == (1, 1, 1, 1)
        assert m.legs[0][:2] == (0, 1) and m.legs[1][:2] == (1, 0)
    assert on_disks.contents(disks) == before

    got = boot(disks, store, (0,))
    said = " ".join(screen.text(got.serial).split())
    assert f"Generation {m.seen} of mirror" in said and BEHIND in said, got.serial
    assert PAUSE in got.serial and screen.parse(got.serial).state == "degraded"
    assert grub.what_it_read(got.serial) == ("1", "ok"), got.serial
    r = read(store)
    assert (r.sequence, r.mirrors[0].seen, r.mirrors[0].flags) == (2, m.seen, 3)
    assert r.mirrors[0].generation < m.seen - 1

    got = boot(disks, store, (1,))
    assert BEHIND not in got.serial and grub.what_it_read(got.serial) == ("2", "ok"), got.serial


def test_the_tool_tells_of_it(shelf, store, tmp_path, monkeypatch):
    """The very bytes that the firmware has, as Linux's efivarfs shows them."""
    disks = shelf.ready("in-sync", "gpt")
    got = boot(disks, store, bad_leg=0)
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    attributes, data = nvram.read(store)[KEY]
    (tmp_path / "-".join(KEY)).write_bytes(struct.pack("<I", attributes) + data)
    monkeypatch.setenv("MIRRORBOOT_EFIVARS", str(tmp_path))
    answer = cli.status(*disks.paths)
    assert answer["uefi"]["boot_record"] == "ok" and answer["uefi"]["last_boot"]["failed_disks"] == ["disk 0"]
    assert any("disk 0 (leg 0 of " in w and "failed reads" in w for w in answer["warnings"])


def test_a_failed_disk_is_noted_once(shelf, store):
    """Before the loader reads: one write. When a leg fails in mid-file: one more, however much is read after."""
    disks = shelf.ready("in-sync", "gpt")
    failed = []
    got = boot(disks, store, bad_leg=0, at_end=lambda m: failed.append(m.reads()[0][1]))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"
    first, second = written(store)
    assert (first.failovers, first.failed) == (0, 0)
    assert (second.failovers, second.failed, second.sequence) == (1, 1, first.sequence)
    # The next boot, with a good disk in its place, has no failure to tell of.
    boot(disks, store)
    r = read(store)
    assert (r.failovers, r.failed, r.sequence) == (0, 0, 2)


def test_a_disk_that_answers_nothing(shelf, store):
    """It is noted before the hand-over; loaders get errors at once, and the disk is not asked again."""
    disks = configured(shelf, "in-sync", "volumes = no\n")  # GRUB searches the disks, this one first
    asked = []
    drives = [qemu.Drive(str(disks.paths[0]), bad=(-1,)), qemu.Drive(str(disks.paths[1]))]
    got = boot(disks, store, drives=drives,
               marks={"Welcome to GRUB": lambda m: asked.append(m.reads()[0])},
               at_end=lambda m: asked.append(m.reads()[0]))
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert asked[0] == asked[1] and asked[0][1] > 0, asked
    (r,) = written(store)
    assert r.failed == 2  # ours is disk 0
    seen = screen.parse(got.serial)
    assert seen.legs[0].verdict == "unreadable" and PAUSE in got.serial


def test_writes_no_writes_nothing(shelf, store):
    disks = configured(shelf, "stale", "writes = no\n")
    got = boot(disks, store, bad_leg=1)
    assert "GRUB: started" in got.serial and written(store) == []


def test_disks_bring_their_memory(shelf, store):
    """A BIOS machine has booted both disks; the stale one comes to this machine alone."""
    disks = shelf.copy(shelf.ready("stale", "gpt"))
    got = qemu.boot(disks.drives(), "bios", until=grub.DONE, timeout_s=180, writable=True)
    assert got.found, got.serial
    newest = on_disks.read(disks.paths[0]).mirrors[0].seen
    got = boot(disks, store, (0,))
    assert f"Generation {newest} of mirror" in " ".join(screen.text(got.serial).split()), got.serial
    r = read(store)
    assert (r.sequence, r.mirrors[0].seen) == (2, newest)


@pytest.mark.parametrize("kind", ["sum", "long", "attributes"])
def test_what_is_not_believed_is_replaced(shelf, store, kind):
    """A generation beyond everything, in a variable that is not as ours are. Nobody hears of it."""
    data = lying(shelf)
    if kind == "sum":
        data = data[:40] + bytes([data[40] ^ 1]) + data[41:]
    elif kind == "long":
        data = data.ljust(600, b"\0")
    if kind == "attributes":  # whole, and kept until the next start only: it must not stay in the way
        data = data[:-1]
        nvram.write(store, {KEY: data}, attributes=3)
    else:
        nvram.write(store, {KEY: data})
    got = boot(shelf.ready("in-sync", "gpt"), store)
    assert BEHIND not in got.serial and UNKEPT not in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    r = read(store)
    assert r.sequence == 1 and r.mirrors[0].seen == r.mirrors[0].generation


def test_one_that_lies_causes_no_more_than_a_pause(shelf, store):
    """Said once, and the same leg boots. The mirror is whole: forgotten."""
    nvram.write(store, {KEY: lying(shelf)})
    got = boot(shelf.ready("in-sync", "gpt"), store)
    assert BEHIND in got.serial and PAUSE in got.serial, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok") and screen.parse(got.serial).chosen == 0
    r = read(store)
    assert r.sequence == 8 and r.mirrors[0].seen == r.mirrors[0].generation
    got = boot(shelf.ready("in-sync", "gpt"), store)
    assert BEHIND not in got.serial and screen.parse(got.serial).state == "healthy", got.serial


@pytest.mark.skipif("MIRRORBOOT_WHOLE" not in os.environ, reason="the firmware cleans up its memory for a "
                    "minute; `make test-whole` runs it")
def test_no_room(shelf, store):
    """Firmware whose variables are nearly full: one line, and the boot goes on."""
    disks = shelf.ready("in-sync", "gpt")
    boot(disks, store)  # the firmware's own have come, and what it writes now is little
    assert len(written(store)) == 1
    fill(store, leave=4096)
    got = boot(disks, store)
    assert UNKEPT in " ".join(screen.text(got.serial).split()), got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert written(store) == []


def fill(store, leave):
    """Our record out, and large variables of somebody else's in, until so much room is left."""
    made = nvram.read(store)
    del made[KEY]
    for size in (8000, 512):
        while True:
            more = {**made, (f"Ballast{len(made)}", KEY[1]): bytes(size)}
            try:
                nvram.write(store, {**more, ("Room", KEY[1]): bytes(leave)})
            except ValueError:
                break
            made = more
    nvram.write(store, made)
