# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""status and the boot record that UEFI firmware keeps: a folder as efivarfs would show it."""

import os
import struct

import pytest

from areas import pair
from disks import run
from test_last_boot import (BOOTED, DEGRADED, IN_SYNC, LEGS, MISSED_WRITES, STALE, UP_TO_DATE, ab, events,  # noqa: F401
                            leave, mirror, record, status, uuid)

FILE = "MirrorbootRecord-e0ba060e-72b2-4292-9796-cda85b243c89"
ATTRIBUTES = struct.pack("<I", 7)
NO_DISK = 255


@pytest.fixture(autouse=True)
def variables(tmp_path, monkeypatch):
    folder = tmp_path / "efivars"
    folder.mkdir()
    monkeypatch.setenv("MIRRORBOOT_EFIVARS", str(folder))
    return folder


def trimmed(data):
    return data[:32 + 56 * data[29]]


def keep(folder, data):
    (folder / FILE).write_bytes(ATTRIBUTES + data)


def test_there_is_none(ab, variables):  # noqa: F811
    for folder in (variables, variables / "no-such-folder", "/dev/null"):
        os.environ["MIRRORBOOT_EFIVARS"] = str(folder)  # monkeypatch puts it back
        code, answer = status("a", "b")
        assert code == 0 and answer["uefi"] == {"boot_record": "absent", "last_boot": None}
        assert "boot (no." not in run("status", "a", "b").stdout


def test_the_last_boot_is_told(ab, variables):  # noqa: F811
    who, now = ab
    keep(variables, trimmed(record(7, mirror(who, now, 7, legs=LEGS), disk=NO_DISK)))
    code, answer = status("a", "b")
    assert code == 0 and answer["uefi"]["boot_record"] == "ok"
    last = answer["uefi"]["last_boot"]
    assert (last["boot"], last["latest"], last["source"]) == (7, True, "uefi-variable")
    assert "bios_disk" not in last and last["failovers"] == 0 and last["failed_disks"] == []
    (m,) = last["mirrors"]
    assert m["booted"] and m["disk"] == "disk 0" and [leg["disk"] for leg in m["legs"]] == ["disk 0", "disk 1"]
    assert answer["mirrors"][0]["seen"] == now
    text = run("status", "a", "b").stdout
    assert "Last boot (no. 7, recorded in the firmware):\n" in text
    assert "was healthy; booted from leg 0 on disk 0\n  no failovers\n" in text


def test_failovers(ab, variables):  # noqa: F811
    who, now = ab
    name = status("a", "b")[1]["mirrors"][0]["name"]
    keep(variables, trimmed(record(7, mirror(who, now, 7, legs=LEGS), disk=NO_DISK, failovers=1, failed=2)))
    code, answer = status("a", "b")
    assert code == 1 and answer["uefi"]["last_boot"]["failed_disks"] == ["disk 1"]
    said = f"the disk that was disk 1 (leg 1 of {name}) in the last boot failed reads: replace it"
    assert said in answer["warnings"]
    assert f"  1 failover; failed reads: disk 1 (leg 1 of {name})\n" in run("status", "b", "a").stdout


def test_a_stale_leg_alone(box, variables):
    pair("md1.2-legA-failed")
    who, now, here = uuid("b"), events("b"), events("a")
    legs = [(0, STALE, MISSED_WRITES), (1, IN_SYNC, UP_TO_DATE)]
    assert not status("a")[1]["mirrors"][0]["behind"]
    keep(variables, trimmed(record(2, mirror(who, now, 2, state=DEGRADED, chosen=1, disk=1, legs=legs), disk=NO_DISK)))
    code, answer = status("a")
    assert code == 1 and answer["mirrors"][0]["behind"] and answer["boot"]["action"] == "pause"
    text = run("status", "a").stdout
    assert f"was seen before; the newest here is {here}:" in text
    assert "    leg 0 on disk 0 was stale (missed-writes)\n" in text
    assert not status("a", "b")[1]["mirrors"][0]["behind"]


@pytest.mark.parametrize("number, uefi_is_last", [(6, False), (7, True), (8, True)])
def test_with_records_on_disks(ab, variables, number, uefi_is_last):  # noqa: F811
    """The higher number is the later boot; of two alike the firmware's."""
    who, now = ab
    for i, x in enumerate("ab"):
        leave(x, record(7, mirror(who, now, 7, legs=LEGS), disk=i))
    keep(variables, trimmed(record(number, mirror(who, now, number, legs=LEGS), disk=NO_DISK, failovers=1, failed=1)))
    code, answer = status("a", "b")
    assert answer["uefi"]["last_boot"]["latest"] == uefi_is_last
    assert answer["disks"][0]["last_boot"]["latest"] != uefi_is_last
    assert answer["disks"][0]["last_boot"]["source"] == "disk"
    assert code == (1 if uefi_is_last else 0)  # only the last boot's failures count
    text = run("status", "a", "b").stdout
    first = text.index("Last boot (no.")
    assert (text.index("recorded in the firmware") < text.index("recorded on a, b")) == uefi_is_last
    assert text.index("Earlier boot (no.") > first and text.count(" boot (no.") == 2


def test_what_disks_still_remember(ab, variables):  # noqa: F811
    """A whole mirror, of which a BIOS boot saw more: told until a UEFI boot has told it, too."""
    who, now = ab
    leave("a", record(3, mirror(who, now + 50, 3, legs=LEGS)))
    assert status("a", "b")[1]["mirrors"][0]["behind"]
    keep(variables, trimmed(record(4, mirror(who, now, 4, legs=LEGS), disk=NO_DISK)))
    assert not status("a", "b")[1]["mirrors"][0]["behind"]
    assert status("a")[1]["mirrors"][0]["behind"]  # of a lone leg nothing is forgotten


def test_another_machines_disks(ab, variables):  # noqa: F811
    """These disks are not the ones that this machine boots from: its firmware has nothing to say of them."""
    keep(variables, trimmed(record(9, mirror(b"\x77" * 16, 5, 9, legs=LEGS), disk=NO_DISK, failovers=1, failed=3)))
    code, answer = status("a", "b")
    assert code == 0 and answer["uefi"] == {"boot_record": "absent", "last_boot": None}


@pytest.mark.parametrize("kind, change", [
    ("damaged", lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:]),
    ("damaged", lambda d: b"X" + d[1:]),
    ("damaged", lambda d: d[:-1]),
    ("damaged", lambda d: d + bytes(600)),
    ("damaged", lambda d: b""),
    ("unsupported", lambda d: record(1, version=2)),
])
def test_variables_that_are_not_believed(ab, variables, kind, change):  # noqa: F811
    who, now = ab
    keep(variables, change(trimmed(record(1, mirror(who, now + 99, 1, legs=LEGS), disk=NO_DISK))))
    code, answer = status("a", "b")
    assert code == 0 and answer["uefi"] == {"boot_record": kind, "last_boot": None}
    assert answer["mirrors"][0]["seen"] is None
    assert any("firmware's boot record is damaged" in w for w in answer["warnings"]) == (kind == "damaged")


def test_too_short_for_attributes(ab, variables):  # noqa: F811
    for n in range(4):
        (variables / FILE).write_bytes(ATTRIBUTES[:n])
        assert status("a", "b")[1]["uefi"]["boot_record"] == "damaged"


def test_unreadable(ab, variables):  # noqa: F811
    (variables / FILE).mkdir()
    code, answer = status("a", "b")
    assert code == 0 and answer["uefi"]["boot_record"] == "unreadable"


def test_numbers_that_mean_nothing(ab, variables):  # noqa: F811
    who, now = ab
    wild = struct.pack("<16sQQI6B2x", who, 2**64 - 1, 2**64 - 1, 9, 3, 99, 255, 255, 254, 253) + bytes([200] * 12)
    other = struct.pack("<16sQQI6B2x", b"\xff" * 16, 5, 5, 9, 77, 1, BOOTED, 4, 9, 31) + bytes([255] * 12)
    keep(variables, record(9, wild, other, disk=255, failovers=2**32 - 1, failed=2**32 - 1))
    code, answer = status("a", "b")
    # Of a mirror that is whole the firmware's word counts: what it says is seen is believed, and no more.
    assert code == 1 and answer["mirrors"][0]["behind"] and answer["mirrors"][0]["chosen"] == 0
    assert run("status", "a", "b").returncode == 1
