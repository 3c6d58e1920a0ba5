# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""status and the boot records: written here byte by byte, as stage2 would have."""

import json
import struct

import pytest

from areas import area_of, config_of, pair
from disks import put, run, sectors

RECORD = 6  # in the boot area
IN_SYNC, STALE, MISSING = 0, 1, 4
HEALTHY, DEGRADED = 0, 1
BOOTED, BEHIND = 1, 2
MISSED_WRITES, ON_NO_DISK, UP_TO_DATE = 7, 15, 1


def uuid(path):
    return sectors(path, 2048 + 8)[16:32]


def events(path):
    return struct.unpack_from("<Q", sectors(path, 2048 + 8), 200)[0]


def mirror(who, seen, sequence, generation=None, state=HEALTHY, flags=BOOTED, chosen=0, disk=0, legs=()):
    """legs: (disk, verdict, reason) of each."""
    data = struct.pack("<16sQQI6B2x", who, seen, seen if generation is None else generation, sequence, 3, state,
                       flags, len(legs), chosen, disk)
    return (data + b"".join(bytes(leg) for leg in legs)).ljust(56, b"\0")


def record(sequence, *mirrors, disk=0, failovers=0, failed=0, version=1):
    data = bytearray(struct.pack("<8sIIIIIBB2x", b"MIRRBREC", version, 0, sequence, failovers, failed, disk,
                                 len(mirrors)) + b"".join(mirrors)).ljust(512, b"\0")
    struct.pack_into("<I", data, 12, -sum(struct.unpack("<128I", bytes(data))) & 0xffffffff)
    return bytes(data)


def leave(path, data):
    put(path, area_of(path)[0] + RECORD, data)


def left(path):
    return sectors(path, area_of(path)[0] + RECORD)


def status(*paths):
    done = run("status", "--json", *paths)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def ab(box):
    pair()
    assert run("install", "--yes", "a", "b").returncode == 0
    return uuid("a"), events("a")


LEGS = [(0, IN_SYNC, UP_TO_DATE), (1, IN_SYNC, UP_TO_DATE)]


def test_install_leaves_an_empty_one(ab):
    assert left("a") == bytes(512)
    code, answer = status("a", "b")
    assert code == 0 and [d["boot_record"] for d in answer["disks"]] == ["absent", "absent"]
    assert [d["last_boot"] for d in answer["disks"]] == [None, None]
    (m,) = answer["mirrors"]
    assert m["seen"] is None and m["behind"] is False
    assert "boot (no." not in run("status", "a", "b").stdout


def test_the_last_boot_is_told(ab):
    who, now = ab
    for i, x in enumerate("ab"):
        leave(x, record(7, mirror(who, now, 7, legs=LEGS), disk=i))
    code, answer = status("a", "b")
    assert code == 0 and not any("boot" in w for w in answer["warnings"])
    (m,) = answer["mirrors"]
    assert m["state"] == "healthy" and m["seen"] == now and not m["behind"]
    last = answer["disks"][1]["last_boot"]
    assert (last["boot"], last["latest"], last["bios_disk"]) == (7, True, 0x81)
    assert last["failovers"] == 0 and last["failed_disks"] == []
    (m,) = last["mirrors"]
    assert m["booted"] and m["chosen"] == 0 and m["disk"] == "a" and m["format"] == "md-1.2"
    assert m["uuid"] == answer["mirrors"][0]["uuid"]
    assert [leg["disk"] for leg in m["legs"]] == ["a", "b"]
    assert [leg["reason_code"] for leg in m["legs"]] == ["up-to-date"] * 2
    text = run("status", "b", "a").stdout
    assert "Last boot (no. 7, recorded on b, a):\n" in text
    assert "was healthy; booted from leg 0 on a\n  no failovers\n" in text


def test_failovers(ab):
    """The disk is named by its path, whichever record knows of it and whatever order they are given in."""
    who, now = ab
    leave("a", record(7, mirror(who, now, 7, legs=LEGS), disk=0))
    leave("b", record(7, mirror(who, now, 7, legs=LEGS), disk=1, failovers=1, failed=1))
    for order in ("ab", "ba"):
        code, answer = status(*order)
        assert code == 1 and "a: failed reads during the last boot: replace it" in answer["warnings"]
        assert [d["last_boot"]["failed_disks"] for d in answer["disks"]] == [["a"], ["a"]]
        assert "  1 failover; failed reads: a\n" in run("status", *order).stdout
    # The failed disk was taken away, and is 80h of the boot that is told of.
    code, answer = status("b")
    assert "the disk that was 80h in the last boot failed reads: replace it" in answer["warnings"]


def test_two_boots_apart(ab):
    """Each disk was booted alone: two stories, the later one first, and no disk taken for another."""
    who, now = ab
    alone = [(0, IN_SYNC, UP_TO_DATE), (255, MISSING, ON_NO_DISK)]
    leave("a", record(4, mirror(who, now, 4, state=DEGRADED, legs=alone), failovers=1, failed=1))
    leave("b", record(5, mirror(who, now, 5, state=DEGRADED, chosen=1, legs=alone[::-1])))
    code, answer = status("a", "b")
    assert code == 0 and not any("failed reads" in w for w in answer["warnings"])
    assert [d["last_boot"]["latest"] for d in answer["disks"]] == [False, True]
    text = run("status", "a", "b").stdout
    last, earlier = text.index("Last boot (no. 5, recorded on b)"), text.index("Earlier boot (no. 4, recorded on a)")
    assert last < text.index("booted from leg 1 on b\n    leg 0 was missing\n  no failovers") < earlier
    assert earlier < text.index("1 failover; failed reads: a")


def test_a_stale_leg_alone(box):
    pair("md1.2-legA-failed")
    assert run("install", "--yes", "a", "b").returncode in (0, 1)
    who, now = uuid("b"), events("b")
    here = events("a")
    assert now > here + 1
    legs = [(0, STALE, MISSED_WRITES), (1, IN_SYNC, UP_TO_DATE)]
    leave("a", record(2, mirror(who, now, 2, state=DEGRADED, chosen=1, disk=1, legs=legs)))
    code, answer = status("a")
    (m,) = answer["mirrors"]
    assert code == 1 and m["state"] == "degraded" and m["behind"] and m["seen"] == now
    assert m["legs"][m["chosen"]]["verdict"] == "in-sync"
    assert answer["boot"]["action"] == "pause"
    said = f"Generation {now} of mirror {m['name']} was seen before; the newest here is {here}:"
    assert said in answer["boot"]["text"]
    assert any("out of date" in w and str(now) in w and str(here) in w for w in answer["warnings"])
    text = run("status", "a").stdout
    assert "degraded, behind" in text and said in text
    assert "    leg 0 on a was stale (missed-writes)\n" in text and "leg 1 on 81h (not here)" in text
    # With the other disk it is plain who is newer.
    code, answer = status("a", "b")
    assert not answer["mirrors"][0]["behind"] and answer["boot"]["action"] == "boot"


@pytest.mark.parametrize("seen, behind", [(0, False), (1, False), (2, True), (1000, True)])
def test_one_event_back_is_nothing(ab, seen, behind):
    who, now = ab
    leave("a", record(1, mirror(who, now + seen, 1, legs=LEGS)))
    code, answer = status("a", "b")
    assert (code, answer["mirrors"][0]["behind"]) == (1 if behind else 0, behind)


@pytest.mark.parametrize("kind, change", [
    ("damaged", lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:]),
    ("absent", lambda d: b"X" + d[1:]),
])
def test_records_that_are_not_believed(ab, kind, change):
    who, now = ab
    leave("a", change(record(1, mirror(who, now + 99, 1, legs=LEGS))))
    code, answer = status("a", "b")
    assert code == 0 and answer["disks"][0]["boot_record"] == kind
    assert answer["mirrors"][0]["seen"] is None
    assert any("boot record is damaged" in w for w in answer["warnings"]) == (kind == "damaged")


def test_another_versions_record(ab):
    who, now = ab
    leave("a", record(1, mirror(who, now + 99, 1), version=2))
    code, answer = status("a", "b")
    assert code == 0 and answer["disks"][0]["boot_record"] == "unsupported"
    assert answer["disks"][0]["last_boot"] is None and answer["mirrors"][0]["seen"] is None


def test_numbers_that_mean_nothing(ab):
    """A record that is whole and says impossible things: told as far as it goes, and no harm."""
    who, now = ab
    wild = struct.pack("<16sQQI6B2x", who, 2**64 - 1, 2**64 - 1, 9, 3, 99, 255, 255, 254, 253) + bytes([200] * 12)
    other = struct.pack("<16sQQI6B2x", b"\xff" * 16, 5, 5, 9, 77, 1, 0, 4, 9, 31) + bytes([255] * 12)
    leave("a", record(9, wild, other, disk=255, failovers=2**32 - 1, failed=2**32 - 1))
    code, answer = status("a", "b")
    assert code == 1 and answer["mirrors"][0]["behind"] and answer["mirrors"][0]["chosen"] == 0
    assert run("status", "a", "b").returncode == 1


def test_verify_and_install_leave_it_alone(ab):
    who, now = ab
    mine = record(3, mirror(who, now, 3, legs=LEGS))
    for x in "ab":
        leave(x, mine)
    assert run("verify", "a", "b").returncode == 0
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout and left("a") == mine
    # A new configuration moves the area: the record goes with it.
    before = area_of("a")
    (open("c", "w")).write("timeout = 3\n")
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert area_of("a") != before and "timeout = 3" in config_of("a")
    assert left("a") == mine and left("b") == mine
    assert run("verify", "a", "b").returncode == 0


def test_what_is_no_record_is_not_kept(ab):
    leave("a", b"\x5a" * 512)
    assert "nothing was written" in run("install", "--yes", "a", "b").stdout
    (open("c", "w")).write("timeout = 3\n")
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert left("a") == bytes(512)
