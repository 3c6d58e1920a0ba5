# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""status on dynamic disks: what is no mirror, and the advice that Microsoft's documents give."""

import json
import os
import pathlib
import sys

import pytest

from disks import gpt_disk, mbr_disk, member, put, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "images"))

import ldmdisk  # noqa: E402
from ldmdisk import Component, Disk, Group, Piece, Volume, mirror  # noqa: E402

SECTORS = 32768
S512 = 8192
HEALTHY, FAILED = 0, 3


def make(group, letters="abc"):
    names = letters[:len(group.disks)]
    for name, disk in zip(names, group.disks):
        ldmdisk.write(name, group, disk.number)
    return list(names)


def pair(sectors=(SECTORS, SECTORS), tables=("mbr", "mbr"), start=2560, size=S512):
    disks = [Disk(n, sectors[n], tables[n]) for n in (0, 1)]
    return make(Group(disks, [mirror("Volume1", size, [(0, start), (1, start)])]))


def status(*paths):
    r = run("status", "--json", *paths)
    return r.returncode, json.loads(r.stdout), r.stderr


def warnings(*paths):
    return status(*paths)[1]["warnings"]


# ---- dynamic disks without a mirror -----------------------------------------------------------

LAYOUTS = {
    "simple": ([Component([Piece(0, 4096, S512)])], S512, "gen"),
    "spanned": ([Component([Piece(0, 4096, S512), Piece(1, 4096, S512, S512)])], 2 * S512, "gen"),
    "striped": ([Component([Piece(0, 4096, S512), Piece(1, 4096, S512, column=1)], layout=1,
                           stripe_s512=128)], 2 * S512, "gen"),
    "raid5": ([Component([Piece(n, 4096, S512, column=n or None) for n in range(3)], layout=3,
                         stripe_s512=128)], 2 * S512, "raid5"),
}


def layout(name, tables=("mbr", "gpt", "mbr")):
    components, size, kind = LAYOUTS[name]
    disks = {p.disk for c in components for p in c.pieces}
    return make(Group([Disk(n, SECTORS, tables[n]) for n in sorted(disks)],
                      [Volume("Data1", size, components, kind=kind)]))


@pytest.mark.parametrize("name", LAYOUTS)
def test_volumes_that_are_no_mirrors_are_named(box, name):
    disks = layout(name)
    code, answer, err = status(*disks)
    assert (code, answer["mirrors"]) == (FAILED, [])
    for disk in disks:
        line = f"{disk}: is a dynamic disk with volumes that are not mirrors: Data1 ({name})"
        assert "mirrorboot: " + line in err.splitlines()
        assert line in answer["warnings"]
    assert "mirrorboot: a: is a dynamic disk" in run("status", *disks).stderr


def test_beside_a_mirror_too(box):
    volumes = [mirror("Volume1", S512, [(0, 2048), (1, 2048)]),
               Volume("Data1", S512, [Component([Piece(2, 4096, S512)])])]
    make(Group([Disk(n, SECTORS) for n in range(3)], volumes))
    code, answer, _ = status("a", "b", "c")
    assert code == HEALTHY and [m["name"] for m in answer["mirrors"]] == ["Volume1"]
    assert ("c: is a dynamic disk with volumes that are not mirrors: Data1 (simple)"
            in answer["warnings"])
    assert not any(w.startswith(("a: is", "b: is")) for w in answer["warnings"])


def test_dynamic_disk_without_volumes(box):
    make(Group([Disk(0, SECTORS)], []))
    code, _, err = status("a")
    assert code == FAILED and "mirrorboot: a: is a dynamic disk without volumes" in err


def test_database_that_can_not_be_trusted(box):
    layout("simple")
    put("a", SECTORS - 2048 + ldmdisk.CONFIG, bytes(512))
    code, _, err = status("a")
    assert code == FAILED
    assert "mirrorboot: a: is a dynamic disk whose database can't be read or trusted" in err


# ---- advice -----------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["ldm", "md"])
def test_disks_of_unequal_size(box, kind):
    if kind == "ldm":
        pair((SECTORS, 2 * SECTORS))
        sizes = "a (16 MiB) and b (32 MiB)"
    else:
        for x in "ab":
            mbr_disk(x, "md1.2-insync-" + x)
        os.truncate("b", 100 << 20)
        sizes = "a (50 MiB) and b (100 MiB)"
    code, answer, _ = status("a", "b")
    assert code == HEALTHY
    assert (f"{sizes} mirror each other and are of unequal size: what the larger has more of "
            "can't be mirrored") in answer["warnings"]
    assert warnings("a", "b").count(answer["warnings"][0]) == 1


def test_disks_of_equal_size(box):
    pair((SECTORS, SECTORS + 100))  # rounding
    assert not any("unequal" in w for w in warnings("a", "b"))
    for x in "cd":
        member(x, "md1.2-insync-" + "ab"["cd".index(x)])
    assert not any("unequal" in w for w in warnings("c", "d"))


def test_said_once_for_two_mirrors_on_the_same_disks(box):
    disks = [Disk(0, SECTORS), Disk(1, 2 * SECTORS)]
    make(Group(disks, [mirror(f"Volume{n}", 4096, [(0, 4096 * n), (1, 4096 * n)])
                       for n in (1, 2)]))
    assert sum("unequal size" in w for w in warnings("a", "b")) == 1


@pytest.mark.parametrize("tables", [("mbr", "gpt"), ("gpt", "mbr"), ("mbr", "mbr"), ("gpt", "gpt")])
def test_mbr_and_gpt_mixed(box, tables):
    pair(tables=tables)
    said = [w for w in warnings("a", "b") if "aligns" in w]
    if len(set(tables)) == 1:
        assert said == []
    else:
        mbr, gpt = "ab" if tables[0] == "mbr" else "ba"
        assert said == [f"{mbr} has an MBR and {gpt} a GPT: Windows aligns their partitions by "
                        "different rules, and Microsoft warns of difficulties with mirrors "
                        "across them"]


def test_mirror_that_can_not_be_extended(box):
    text = ("mirror Volume1: its disks have unallocated space, but Windows can't extend a "
            "mirrored volume")
    pair()
    assert text in warnings("a", "b")
    room = SECTORS - 2048 - 64  # all that there is
    pair(start=64, size=room)
    assert not any("extend" in w for w in warnings("a", "b"))
    pair((SECTORS, 2 * SECTORS), start=64, size=room)  # room on one of them only
    assert not any("extend" in w for w in warnings("a", "b"))


def test_md_is_not_told_what_windows_can_not_do(box):
    mbr_disk("a", "md1.2-insync-a")
    gpt_disk("b", "md1.2-insync-b")
    assert not any("Windows" in w or "Microsoft" in w for w in warnings("a", "b"))


# the last sectors but one and at the start: where vendors' anchors are, as libblkid knows them
FIRMWARE = {
    "isw_raid_member": (-2, b"Intel Raid ISM Cfg Sig. 1.3.00"),
    "hpt37x_raid_member": (9, bytes(32) + b"\xf0\x16\x78\x5a"),
}


@pytest.mark.parametrize("kind", FIRMWARE)
def test_firmware_raid_on_a_dynamic_disk(box, kind):
    pair()
    lba, anchor = FIRMWARE[kind]
    assert not any("firmware" in w for w in warnings("a", "b"))
    put("b", lba % SECTORS, anchor.ljust(512, b"\0"))
    code, answer, _ = status("a", "b")
    assert code == HEALTHY
    assert f"b: also has metadata of a firmware RAID ({kind})" in answer["warnings"]
    assert not any(w.startswith("a: also") for w in answer["warnings"])


def test_ldm_show_gives_the_same_advice(box):
    pair((SECTORS, 2 * SECTORS), ("mbr", "gpt"))
    put("a", 9, FIRMWARE["hpt37x_raid_member"][1].ljust(512, b"\0"))
    said = warnings("a", "b")
    assert len(said) == 4
    assert json.loads(run("ldm", "show", "--json", "a", "b").stdout)["warnings"] == said
    text = run("ldm", "show", "a", "b").stdout.splitlines()
    assert [line for line in text if line.startswith("warning: ")] == ["warning: " + w for w in said]
