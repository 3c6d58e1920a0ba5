# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""status on what mdadm wrote: the right leg, in any order, with one missing, and when damaged."""

import itertools
import json
import os
import pathlib
import re
import struct
import tempfile

import pytest

from disks import fixture, gpt_disk, mbr_disk, member, put, run, sectors, write_sparse

SB = 4096  # a 1.2 superblock's place on a member
HEALTHY, DEGRADED, FAILED = 0, 1, 3

# members; exit status; state; the disk chosen; the verdict of each disk
CASES = [
    (["md1.2-insync-a", "md1.2-insync-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
    (["md1.0-insync-a", "md1.0-insync-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
    (["md0.90-insync-a", "md0.90-insync-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
    (["md1.2-legA-failed-a", "md1.2-legA-failed-b"], DEGRADED, "degraded", 1, ["stale", "in-sync"]),
    (["md1.0-legA-failed-a", "md1.0-legA-failed-b"], DEGRADED, "degraded", 1, ["stale", "in-sync"]),
    (["md0.90-legA-failed-a", "md0.90-legA-failed-b"], DEGRADED, "degraded", 1, ["stale", "in-sync"]),
    (["md1.2-splitbrain-a", "md1.2-splitbrain-b"], DEGRADED, "split-brain", 0, ["in-sync", "conflict"]),
    (["md1.2-unclean-a", "md1.2-unclean-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
    (["md1.2-recovering-a", "md1.2-recovering-b"], DEGRADED, "degraded", 1, ["rebuilding", "in-sync"]),
    (["md1.2-recovering-freshdisk-a", "md1.2-recovering-b"], DEGRADED, "degraded", 1,
     ["rebuilding", "in-sync"]),
    (["md1.2-replaced-c", "md1.2-replaced-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
    (["md1.2-replaced-c", "md1.2-replaced-b", "md1.2-legA-failed-a"], HEALTHY, "healthy", 0,
     ["in-sync", "in-sync", "stale"]),
    (["md1.2-3way-badblock-wm-ff-a", "md1.2-3way-badblock-wm-ff-b", "md1.2-3way-badblock-wm-ff-c"],
     HEALTHY, "healthy", 0, ["in-sync", "in-sync", "in-sync"]),
    (["md1.2-gpt-inside-a", "md1.2-gpt-inside-b"], HEALTHY, "healthy", 0, ["in-sync", "in-sync"]),
]


def status(*paths):
    r = run("status", "--json", *paths)
    return r.returncode, json.loads(r.stdout), r.stderr


def by_disk(mirror):
    return {leg["disk"]: leg for leg in mirror["legs"] if leg["disk"]}


def chosen_disk(mirror):
    return None if mirror["chosen"] is None else mirror["legs"][mirror["chosen"]]["disk"]


@pytest.mark.parametrize("case", CASES, ids=lambda c: "+".join(c[0]))
def test_fixture_in_every_order(box, case):
    names, exit_status, state, chosen, verdicts = case
    for n in names:
        member(n, n)
    for order in itertools.permutations(names):
        code, answer, _ = status(*order)
        (mirror,) = answer["mirrors"]
        legs = by_disk(mirror)
        assert code == exit_status
        assert mirror["state"] == state
        assert mirror["format"] == "md-" + names[0][2:].split("-")[0]
        assert chosen_disk(mirror) == names[chosen]
        assert [legs[n]["verdict"] for n in names] == verdicts
        assert all(leg["reason"] and leg["reason_code"] for leg in mirror["legs"])
        assert [leg["index"] for leg in mirror["legs"]] == list(range(len(mirror["legs"])))
        assert [d["path"] for d in answer["disks"]] == list(order)


@pytest.mark.parametrize("name", ["md1.2-insync-a", "md1.0-insync-b", "md0.90-insync-a",
                                  "md1.2-legA-failed-a", "md1.2-legA-failed-b"])
def test_alone_is_degraded_and_boots(box, name):
    member(name, name)
    code, answer, _ = status(name)
    (mirror,) = answer["mirrors"]
    assert (code, mirror["state"], chosen_disk(mirror)) == (DEGRADED, "degraded", name)
    (other,) = [leg for leg in mirror["legs"] if leg["disk"] != name]
    if name == "md1.2-legA-failed-b":
        assert other["verdict"] in ("missing", "faulty")
    else:
        assert other["verdict"] == "missing"
    assert other["disk"] is None and other["start_lba"] is None and other["sectors"] is None
    assert answer["boot"]["mirror"] == 0


def test_text_says_the_same(box):
    for x in "ab":
        member(x, "md1.2-legA-failed-" + x)
    r = run("status", "a", "b")
    assert r.returncode == DEGRADED
    assert "degraded" in r.stdout and "missed writes" in r.stdout and "\033" not in r.stdout
    assert [line[0] for line in r.stdout.splitlines() if " leg " in line[:8]] == [" ", "*"]


def test_partitions(box):
    mbr_disk("a", "md1.2-legA-failed-a")
    gpt_disk("b", "md1.2-legA-failed-b", esp=True)
    code, answer, _ = status("b", "a")
    (mirror,) = answer["mirrors"]
    assert code == DEGRADED and chosen_disk(mirror) == "b"
    assert by_disk(mirror)["a"]["start_lba"] == 2048
    assert by_disk(mirror)["b"]["start_lba"] == 2048 + 65536
    assert [d["table"] for d in answer["disks"]] == ["gpt", "mbr"]


def test_backup_gpt_is_used_and_said(box):
    gpt_disk("a", "md1.2-insync-a")
    gpt_disk("b", "md1.2-insync-b")
    put("a", 1, bytes(512))
    code, answer, _ = status("a", "b")
    assert code == HEALTHY
    assert any("backup" in w for w in answer["warnings"])


def test_wrong_checksum_is_not_trusted(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
    sb = bytearray(sectors("a", SB // 512, 8))
    sb[32] ^= 0x20  # a letter of the name
    put("a", SB // 512, bytes(sb))
    code, answer, _ = status("a", "b")
    (mirror,) = answer["mirrors"]
    legs = by_disk(mirror)
    assert code == DEGRADED and chosen_disk(mirror) == "b"
    assert legs["a"]["verdict"] == "faulty" and "checksum" in legs["a"]["reason"]


def checksum(sb):
    """As md computes it: the sum of the words, the carry added in."""
    n = 256 + 2 * struct.unpack_from("<I", sb, 220)[0]
    b = bytearray(sb[:n])
    struct.pack_into("<I", b, 216, 0)
    total = sum(struct.unpack("<%dI" % (n // 4), bytes(b[:n // 4 * 4])))
    if n % 4:
        total += struct.unpack_from("<H", b, n - 2)[0]
    return ((total & 0xffffffff) + (total >> 32)) & 0xffffffff


def change(path, offset, fmt, value):
    sb = bytearray(sectors(path, SB // 512, 8))
    struct.pack_into(fmt, sb, offset, value)
    struct.pack_into("<I", sb, 216, checksum(sb))
    put(path, SB // 512, bytes(sb))


def test_unknown_feature_is_not_used(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
    change("a", 8, "<I", 0x80000001)
    code, answer, _ = status("a", "b")
    (mirror,) = answer["mirrors"]
    leg = by_disk(mirror)["a"]
    assert code == DEGRADED and chosen_disk(mirror) == "b"
    assert leg["verdict"] == "unsupported" and "feature" in leg["reason"]


def test_both_unusable(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
        change(x, 8, "<I", 0x80000001)
    code, answer, err = status("a", "b")
    (mirror,) = answer["mirrors"]
    assert code == FAILED and mirror["state"] == "unusable" and mirror["chosen"] is None
    assert err.count("\n") == 2 and "mirrorboot: a: " in err and "mirrorboot: b: " in err


def test_truncated_member_is_not_used(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
    with open("a", "r+b") as f:
        f.truncate(20 << 20)
    code, answer, _ = status("a", "b")
    (mirror,) = answer["mirrors"]
    assert code == DEGRADED and chosen_disk(mirror) == "b"
    assert by_disk(mirror)["a"]["verdict"] == "faulty"
    code, _, err = status("a")
    assert code == FAILED and err.count("\n") == 1


def test_newer_events_win_over_utime(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
    change("b", 200, "<Q", 21)  # events: two more than a's
    change("b", 256, "<H", 0xfffe)  # device 0 has failed, says b
    code, answer, _ = status("a", "b")
    (mirror,) = answer["mirrors"]
    assert code == DEGRADED and chosen_disk(mirror) == "b"
    assert by_disk(mirror)["a"]["verdict"] == "stale"


def test_unequal_partitions_are_warned_of(box):
    member("a", "md1.2-insync-a")
    write_sparse("b", fixture("md1.2-insync-b"), 0, 64 << 20)
    code, answer, _ = status("a", "b")
    assert code == HEALTHY
    assert any("unequal" in w for w in answer["warnings"])


def test_firmware_raid_is_warned_of(box):
    """An Intel Matrix anchor in the last sectors but one, as libblkid knows it."""
    for x in "ab":
        mbr_disk(x, "md1.2-insync-" + x)
    end = len(open("a", "rb").read()) // 512
    put("a", end - 2, b"Intel Raid ISM Cfg Sig. 1.3.00".ljust(512, b"\0"))
    _, answer, _ = status("a", "b")
    assert any("firmware RAID" in w and w.startswith("a:") for w in answer["warnings"])


def test_nothing_is_written(box):
    for x in "ab":
        member(x, "md1.2-splitbrain-" + x)
    before = [open(x, "rb").read() for x in "ab"]
    status("a", "b")
    assert [open(x, "rb").read() for x in "ab"] == before


def test_json_without_mirror_is_still_json(box):
    write_sparse("a", b"", 0, 1 << 20)
    code, answer, err = status("a")
    assert code == FAILED and answer["mirrors"] == [] and answer["boot"]["mirror"] is None
    assert "mirrorboot: a: " in err


@pytest.mark.parametrize("pair,status,words", [
    ("insync", 0, "OK - mirror t:boot healthy"),
    ("legA-failed", 1, "WARNING - mirror t:boot degraded (leg 0 on a stale: missed writes"),
    ("splitbrain", 2, "CRITICAL - mirror t:boot split-brain (leg 1 on b conflict: ran alone"),
])
def test_nagios(box, pair, status, words):
    for x in "ab":
        mbr_disk(x, f"md1.2-{pair}-{x}")
    r = run("status", "--nagios", "a", "b")
    lines = r.stdout.splitlines()
    assert lines[0].startswith("MIRRORBOOT " + words) and not r.stderr, (r.stdout, r.stderr)
    assert r.returncode == status
    advice = json.loads(run("status", "--json", "a", "b").stdout)["advice"]
    assert lines[1:] == [line for a in advice for line in
                         [a["warning"]] + ["next: " + a["next"]] * (a["next"] is not None)]


def test_nagios_can_not_tell(box):
    write_sparse("a", bytes(512), 0, 8 << 20)
    for args in ["a"], ["nowhere"]:
        r = run("status", "--nagios", *args)
        assert r.returncode == 3 and r.stdout.startswith("MIRRORBOOT UNKNOWN - "), r.stdout


def test_all_disks_of_this_machine():
    """What hardware Linux knows, by another way; reading it may not be allowed here."""
    disks = [d for d in sorted(pathlib.Path("/sys/block").glob("*")) if (d / "device").exists()
             and int((d / "size").read_text()) and not re.match("sr|fd|nbd|mtd", d.name)]
    got = run("status")
    if not disks:
        assert got.returncode == 3 and "no disk that could be read" in got.stderr
        return
    want = run("status", *sorted(("/dev/" + d.name.replace("!", "/") for d in disks),
                                 key=lambda p: [int(x) if x.isdigit() else x
                                                for x in re.split(r"(\d+)", p)]))
    # Of a disk that was named it is said that it is no mirror's.
    others = [line for line in want.stdout.splitlines(True) if line.endswith(": holds no member of a mirror\n")]
    assert got.stdout == "".join(line for line in want.stdout.splitlines(True) if line not in others)
    assert (got.returncode, got.stderr) == (want.returncode, want.stderr)


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="NO /dev/shm: nowhere to put disks of a machine "
                    "that is made up; status without names is tested on this machine's only")
def test_data_disks_of_this_machine_are_no_concern(box, monkeypatch):
    """Named, a disk without a mirror is a mistake, perhaps; found, it is none."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as dev:
        monkeypatch.chdir(dev)
        for x in "ab":
            mbr_disk(x, "md1.2-insync-" + x)
        write_sparse("c", b"", 0, 8 << 20)
        for x in "abc":  # as sysfs shows them: "!" for "/"
            folder = box / "sys/block" / f"shm!{os.path.basename(dev)}!{x}"
            (folder / "device").mkdir(parents=True)
            (folder / "size").write_text("1\n")
        assert "note: c: holds no member of a mirror\n" in run("status", "a", "b", "c").stdout
        r = run("status", env=dict(os.environ, MIRRORBOOT_SYSFS=str(box / "sys")))
        assert r.returncode == 0 and f"* leg 0  {dev}/a part 1 " in r.stdout and not r.stderr
        assert f"  next: mirrorboot install {dev}/a {dev}/b\n" in r.stdout
        assert "note" not in r.stdout and f"{dev}/c" not in r.stdout
