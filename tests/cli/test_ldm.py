# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""mirrorboot ldm, from outside: disks made and changed, beside ldmtool and an independent reader."""

import json
import os
import random
import shutil
import subprocess
import sys

import pytest

from disks import TOP, digest, put, run, sectors, tool

sys.path[:0] = [str(TOP / "images"), str(TOP / "tests" / "oracle")]

import asktool  # noqa: E402
import ldmedit  # noqa: E402
import windowsdisks  # noqa: E402

HEALTHY, DEGRADED, USAGE, FAILED = 0, 1, 2, 3
MIB = 2048  # sectors
SIZE = 3 * MIB


def blank(path, mib=12):
    with open(path, "wb") as f:
        f.truncate(mib << 20)
    return path


def ldm(verb, *args, expect=HEALTHY):
    r = run("ldm", verb, *args)
    assert r.returncode == expect, (verb, args, r.stdout, r.stderr)
    return r


def show(*paths, expect=HEALTHY):
    return json.loads(ldm("show", "--json", *paths, expect=expect).stdout)


def volumes(*paths, expect=HEALTHY):
    (group,) = show(*paths, expect=expect)["groups"]
    return {v["name"]: v for v in group["volumes"]}


def places(volume):
    """(disk, LBA) of each leg; each in one piece."""
    return [(leg["pieces"][0]["disk"], leg["pieces"][0]["start_lba"]) for leg in volume["legs"]]


def status(*paths):
    r = run("status", "--json", *paths)
    return json.loads(r.stdout)["mirrors"]


def noise(seed, n=SIZE):
    return random.Random(seed).randbytes(n * 512)


def fill(volume, data):
    for disk, lba in places(volume):
        put(disk, lba, data)


def has(volume, data):
    return [sectors(disk, lba, len(data) // 512) == data for disk, lba in places(volume)]


def as_ldmtool(*paths):
    """What ldmtool takes for the mirrors and simple volumes: {name: (type, size, [(disk, LBA)])}."""
    if not asktool.available():
        pytest.skip("NO ORACLE: ldmtool is not installed (tools/packages.txt)")
    (group,), _ = asktool.groups(paths)
    return {name: (v.kind.lower(), v.size, sorted((str(p.path), p.start) for p in v.partitions))
            for name, v in group.volumes.items()}


def as_shown(*paths):
    return {name: (v["layout"], v["size_sectors_512"], sorted(places(v)))
            for name, v in volumes(*paths).items()}


@pytest.fixture
def mirror(box):
    """Two disks of 12 and 14 MiB with a mirror of 3 MiB that has data."""
    blank("a"), blank("b", 14)
    ldm("create", "--yes", "--size", "3M", "--name", "Data", "--letter", "k", "a", "b")
    fill(volumes("a", "b")["Data"], noise(1))
    return "a", "b"


# ---- create and show

@pytest.mark.parametrize("gpt", [False, True], ids=["mbr", "gpt"])
def test_create(box, gpt):
    blank("a", 48), blank("b", 50)
    put("b", 0, b"\x5a" * 440)  # boot code stays
    ldm("create", "--yes", *["--gpt"] * gpt, "a", "b")
    answer = show("a", "b")
    assert [(d["path"], d["kind"], d["status"], d["name"]) for d in answer["disks"]] == [
        ("a", "dynamic", "Online", "Disk1"), ("b", "dynamic", "Online", "Disk2")]
    (volume,) = answer["groups"][0]["volumes"]
    assert (volume["layout"], volume["status"]) == ("mirrored", "Healthy")
    assert all(lba % MIB == 0 for _, lba in places(volume))
    (m,) = status("a", "b")
    assert (m["format"], m["state"], len(m["legs"])) == ("ldm", "healthy", 2)
    # Everything but GPT's own sectors and what comes first, to the MiB.
    assert volume["size_sectors_512"] >= (48 - 32 if gpt else 48) * MIB - 3 * MIB
    assert as_ldmtool("a", "b") == as_shown("a", "b")
    table = tool("sfdisk", "-d", "a").decode()
    if gpt:
        assert table.count("LDM ") == 2 and "E3C9E316" in table
        assert tool("sgdisk", "-v", "a").decode().count("No problems found") == 1
    else:
        assert "start=          63" in table and "type=42" in table
        assert sectors("b", 0)[:440] == b"\x5a" * 440
    # Both legs hold the same, and a second run has nothing to do.
    (_, start_a), (_, start_b) = places(volume)
    n = volume["size_sectors_512"]
    assert sectors("a", start_a, n) == sectors("b", start_b, n)
    before = digest("a"), digest("b")
    assert "nothing was written" in ldm("create", "--yes", *["--gpt"] * gpt, "a", "b").stdout
    assert before == (digest("a"), digest("b"))


def test_create_makes_the_legs_alike(box):
    for name, seed in (("a", 1), ("b", 2)):
        blank(name)
        put(name, MIB, noise(seed))
    ldm("create", "--yes", "--size", "3M", "a", "b")
    assert has(volumes("a", "b")["Volume1"], noise(1)) == [True, True]


def test_what_create_writes_is_as_documented(mirror):
    """Read with code that shares nothing with the tool's."""
    a, b = (ldmedit.Image(p) for p in mirror)
    assert a.read(a.config, a.config_size) == b.read(b.config, b.config_size)
    assert a.read(a.log, a.log_size) == b.read(b.log, b.log_size)
    for image in (a, b):
        for lba in [*image.heads(), *(image.private + toc for toc in image.tocs)]:
            block = image.read(lba)
            assert block == ldmedit.with_sum(block)
        assert image.private + 2048 == image.sectors
        assert image.public + image.public_size == image.private
    (volume,) = a.find(ldmedit.VOLUME)
    assert (volume["name"], volume["type"], volume["state"], volume["size"], volume["components"],
            volume["part_type"]) == ("Data", "gen", "ACTIVE", SIZE, 2, 7)
    assert volume.data.endswith(b"\x02K:")


@pytest.mark.parametrize("label", ["fs", "table"])
def test_create_refuses_what_is_not_empty(box, label):
    blank("a"), blank("b")
    if label == "fs":
        tool("mkfs.vfat", "b")
    else:
        tool("sfdisk", "-q", "--no-reread", "b", input=b"label: dos\n2048,4096,83\n")
    before = digest("a"), digest("b")
    r = ldm("create", "--yes", "a", "b", expect=FAILED)
    assert "b: is not empty" in r.stderr and "nothing was written" in r.stderr
    assert before == (digest("a"), digest("b"))
    ldm("create", "--yes", "--force", "a", "b")
    assert as_ldmtool("a", "b") == as_shown("a", "b")


@pytest.mark.parametrize("label", ["dos", "gpt"])
def test_create_takes_disks_that_are_only_initialised(box, label):
    for path in (blank("a", 48), blank("b", 48)):
        table = "label: %s\n" % label
        if label == "gpt":
            table += "first-lba: 34\n34,32734,E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n"
        tool("sfdisk", "-q", "--no-reread", path, input=table.encode())
    ldm("create", "--yes", "a", "b")
    assert as_ldmtool("a", "b") == as_shown("a", "b")


def test_create_says_how_much_is_missing_at_the_end(box):
    blank("a"), blank("b")
    end = 12 * MIB
    tool("sfdisk", "-q", "--no-reread", "b",
         input=b"label: dos\n2048,%d,83\n" % (end - 2048 - 100))
    r = ldm("create", "--yes", "a", "b", expect=FAILED)
    assert "1948 sectors are missing" in r.stderr


def test_create_on_what_had_a_gpt(box):
    """Its headers must not be believed afterwards."""
    blank("a"), blank("b")
    tool("sgdisk", "-n", "1:2048:4095", "b")
    ldm("create", "--yes", "--force", "a", "b")
    assert len(status("a", "b")[0]["legs"]) == 2
    assert as_ldmtool("a", "b") == as_shown("a", "b")


def test_refusals(box, mirror):
    blank("c"), blank("small", 1)
    before = {p: digest(p) for p in ("a", "b", "c", "small")}
    for args, text in [
            (("create", "--yes", "a", "c"), "a: is a dynamic disk already"),
            (("create", "--yes", "c", "small"), "small: is too small"),
            (("create", "--yes", "--size", "20M", "c", "small"), "small: is too small"),
            (("add-mirror", "--yes", "Other", "a", "b"), 'no volume "Other"'),
            (("break", "--yes", "Data", "c"), "no database of dynamic disks"),
            (("break", "--yes", "--leg", "2", "Data", "a", "b"), "no leg 2"),
            (("remove", "--yes", "--leg", "5", "Data", "a", "b"), "no leg 5")]:
        assert text in ldm(*args, expect=FAILED).stderr, args
    for args in [("create", "c"), ("create", "--size", "1x", "c", "small"), ("break", "Data"),
                 ("remove", "--yes", "Data", "a", "b"), ("remove", "--leg", "x", "Data", "a", "b"),
                 ("create", "--letter", "7", "c", "small"), ("create", "--name", "a b", "c", "c"),
                 ("break", "Data", "a", "b")]:
        ldm(*args, expect=USAGE)
    assert before == {p: digest(p) for p in before}


def test_show_reads_only(box, mirror):
    before = digest("a"), digest("b")
    text = ldm("show", "a", "b").stdout
    assert "Disk1" in text and "mirrored" in text and "Healthy" in text and "K:" in text
    assert before == (digest("a"), digest("b"))
    blank("c")
    ldm("show", "c", expect=FAILED)


def test_show_with_a_disk_missing(box, mirror):
    answer = show("a", expect=DEGRADED)
    assert [(d["path"], d["name"], d["status"]) for d in answer["disks"]] == [
        ("a", "Disk1", "Online"), (None, "Disk2", "Missing")]
    (volume,) = answer["groups"][0]["volumes"]
    assert volume["status"] == "Failed Redundancy"
    assert [leg["health"] for leg in volume["legs"]] == ["healthy", "missing"]


# ---- break, remove, add-mirror

def test_break(mirror):
    ldm("break", "--yes", "K:", *mirror)
    found = volumes(*mirror)
    assert sorted(found) == ["Data", "Volume1"]
    assert {n: (v["layout"], v["letter"], v["status"]) for n, v in found.items()} == {
        "Data": ("simple", "K:", "Healthy"), "Volume1": ("simple", None, "Healthy")}
    assert found["Data"]["guid"] != found["Volume1"]["guid"]
    assert [has(v, noise(1)) for v in found.values()] == [[True], [True]]
    assert status(*mirror) == []
    assert as_ldmtool(*mirror) == as_shown(*mirror)
    assert "nothing was written" in ldm("break", "--yes", "Data", *mirror).stdout


def test_break_off_the_first_leg(mirror):
    ldm("break", "--yes", "--leg", "0", "--name", "Old", "Data", *mirror)
    assert {n: places(v)[0][0] for n, v in volumes(*mirror).items()} == {"Data": "b", "Old": "a"}


@pytest.mark.parametrize("leg", [0, 1])
def test_remove_and_add_again(mirror, leg):
    ldm("remove", "--yes", "--leg", leg, "Data", *mirror)
    (volume,) = volumes(*mirror).values()
    assert volume["layout"] == "simple"
    assert places(volume)[0][0] == mirror[not leg]
    fill(volume, noise(5))
    ldm("add-mirror", "--yes", "Data", *mirror)
    (volume,) = volumes(*mirror).values()
    assert (volume["layout"], volume["status"]) == ("mirrored", "Healthy")
    assert has(volume, noise(5)) == [True, True]
    (m,) = status(*mirror)
    assert (m["state"], [leg["verdict"] for leg in m["legs"]]) == ("healthy", ["in-sync"] * 2)
    assert as_ldmtool(*mirror) == as_shown(*mirror)
    before = digest("a"), digest("b")
    assert "nothing was written" in ldm("add-mirror", "--yes", "Data", *mirror).stdout
    assert before == (digest("a"), digest("b"))


@pytest.mark.parametrize("gpt", [False, True], ids=["mbr", "gpt"])
def test_add_mirror_on_a_new_disk(mirror, gpt):
    """A MBR disk and a GPT one: the legs' places differ."""
    ldm("remove", "--yes", "--leg", "0", "Data", *mirror)
    blank("c", 50)
    ldm("add-mirror", "--yes", *["--gpt"] * gpt, "Data", *mirror, "c")
    (volume,) = volumes(*mirror, "c").values()
    assert [disk for disk, _ in places(volume)] == ["b", "c"]
    assert has(volume, noise(1)) == [True, True]
    assert [d["status"] for d in show(*mirror, "c")["disks"]] == ["Online"] * 3
    assert as_ldmtool(*mirror, "c") == as_shown(*mirror, "c")


def test_add_mirror_needs_room(mirror):
    ldm("remove", "--yes", "--leg", "1", "Data", *mirror)
    blank("c", 3)
    before = digest("a"), digest("b"), digest("c")
    r = ldm("add-mirror", "--yes", "Data", *mirror, "c", expect=FAILED)
    assert "c: is too small: the volume has 3 MiB (6144 sectors)" in r.stderr
    r = ldm("add-mirror", "--yes", "--to", "a", "Data", *mirror, expect=FAILED)
    assert "both legs would be lost together" in r.stderr
    assert before == (digest("a"), digest("b"), digest("c"))


# ---- copies that are not alike

def test_a_disk_that_missed_updates(mirror):
    """Only repair touches such a group; the old disk is overwritten, the newer one is not."""
    shutil.copy("b", "old")
    ldm("break", "--yes", "Data", *mirror)
    r = ldm("remove", "--yes", "--leg", "0", "Data", "a", "old", expect=FAILED)
    assert "old: its database is of transaction" in r.stderr
    answer = show("a", "old", expect=DEGRADED)
    assert [d["status"] for d in answer["disks"]] == ["Online", "Outdated"]
    ldm("repair", "--yes", "Data", "a", "old")
    assert [d["status"] for d in show("a", "old")["disks"]] == ["Online", "Online"]


def bump(path):
    """The other disk went on alone: a transaction later."""
    image = ldmedit.Image(path)
    image.vmdb(committed=image.committed + 1, pending=image.committed + 1)


def test_repair_a_stale_leg(mirror):
    (volume,) = volumes(*mirror).values()
    bump("b")
    put(*places(volume)[1], noise(9))
    (m,) = status(*mirror)
    assert sorted(leg["verdict"] for leg in m["legs"]) == ["in-sync", "stale"]
    (shown,) = volumes(*mirror, expect=DEGRADED).values()
    assert shown["status"] == "Failed Redundancy"
    assert [leg["health"] for leg in shown["legs"]] == ["stale", "healthy"]
    before = digest("b")
    ldm("repair", "--yes", "Data", *mirror)
    assert before == digest("b")
    (volume,) = volumes(*mirror).values()
    assert volume["status"] == "Healthy" and has(volume, noise(9)) == [True, True]
    assert status(*mirror)[0]["state"] == "healthy"
    assert as_ldmtool(*mirror) == as_shown(*mirror)


@pytest.mark.parametrize("how", ["stale", "iofail", "recover", "kdetach", "failing"])
def test_repair_a_leg_that_the_database_calls_bad(mirror, how):
    for path in mirror:
        image = ldmedit.Image(path)
        m = ldmedit.Mirror(image)
        if how == "stale":
            image.change(m.components[1], "state", "STALE")
        elif how in ("iofail", "recover"):
            image.change(m.components[1], "flags", 4 if how == "iofail" else 2)
        elif how == "kdetach":
            image.change(m.partitions[1], "flags", 0x10)
        else:
            image.change(m.disks[1], "flags", 4)
    (volume,) = volumes(*mirror, expect=DEGRADED).values()
    assert volume["status"] == ("Regenerating" if how == "recover" else "Failed Redundancy")
    assert [leg["health"] for leg in volume["legs"]] == [
        "healthy", "regenerating" if how == "recover" else "failed"]
    put(*places(volume)[0], noise(3))
    ldm("repair", "--yes", "Data", *mirror)
    (volume,) = volumes(*mirror).values()
    assert volume["status"] == "Healthy" and has(volume, noise(3)) == [True, True]
    assert status(*mirror)[0]["state"] == "healthy"


def test_repair_a_torn_database(mirror):
    for lba in (0, 3):  # its header, its records
        image = ldmedit.Image("b")
        image.write(image.config + lba, noise(4, 1))
        assert [d["status"] for d in show(*mirror, expect=DEGRADED)["disks"]] == [
            "Online", "Unreadable"]
        r = ldm("remove", "--yes", "--leg", "1", "Data", *mirror, expect=FAILED)
        assert "b: its database can't be used" in r.stderr
        ldm("repair", "--yes", "Data", *mirror)
        assert status(*mirror)[0]["state"] == "healthy"


def test_remove_a_leg_that_is_gone(mirror):
    r = ldm("remove", "--yes", "--leg", "0", "Data", "a", expect=FAILED)
    assert "the leg that would stay is not healthy" in r.stderr
    ldm("remove", "--yes", "--leg", "1", "Data", "a")
    (volume,) = volumes("a", expect=DEGRADED).values()  # Disk2 is missing, and known
    assert (volume["layout"], volume["status"]) == ("simple", "Healthy")
    # The disk comes back: it is old, and gets the database; then it can have the leg again.
    assert [d["status"] for d in show(*mirror, expect=DEGRADED)["disks"]] == ["Online", "Outdated"]
    ldm("add-mirror", "--yes", "Data", *mirror, expect=FAILED)
    ldm("repair", "--yes", "Data", *mirror)
    ldm("add-mirror", "--yes", "Data", *mirror)
    assert has(volumes(*mirror)["Data"], noise(1)) == [True, True]


def test_keep_is_for_equals_only(mirror):
    bump("b")
    r = ldm("repair", "--yes", "--keep", "a", "Data", *mirror, expect=FAILED)
    assert "there is a newer one" in r.stderr


def test_repair_with_a_new_disk(mirror):
    blank("c", 16)
    ldm("repair", "--yes", "Data", "a", "c")
    (volume,) = volumes("a", "c", expect=DEGRADED).values()  # Disk2 is missing, and known
    assert volume["status"] == "Healthy" and has(volume, noise(1)) == [True, True]
    assert [disk for disk, _ in places(volume)] == ["a", "c"]
    # The old disk comes back: it holds no leg any more.
    (m,) = status("a", "b", "c")
    assert {leg["disk"]: leg["verdict"] for leg in m["legs"]}.get("b") != "in-sync"
    assert m["legs"][m["chosen"]]["disk"] != "b"


def test_databases_that_differ(mirror):
    """The same transaction, and not the same: a person must say which."""
    for n, path in enumerate(mirror):
        image = ldmedit.Image(path)
        bump(path)
        image.change(ldmedit.Mirror(image).volume, "part_type", 7 + n)
        put(*places(volumes(path, expect=DEGRADED)["Data"])[n], noise(20 + n))
    assert show(*mirror, expect=DEGRADED)["groups"][0]["conflict"] is True
    before = digest("a"), digest("b")
    for args in [("remove", "--leg", "0"), ("break",), ("repair",)]:
        assert "differ" in ldm(args[0], "--yes", *args[1:], "Data", *mirror, expect=FAILED).stderr
    assert before == (digest("a"), digest("b"))
    ldm("repair", "--yes", "--keep", "b", "Data", *mirror)
    assert before[1] == digest("b")
    (volume,) = volumes(*mirror).values()
    assert has(volume, noise(21)) == [True, True]


# ---- an update that was cut

def cut(path, state):
    """As the power went: the volume's new record is there, beside the old one."""
    image = ldmedit.Image(path)
    volume = ldmedit.Mirror(image).volume
    new = volume.with_field("part_type", 0x0C)
    image.mark(volume, 1)
    image.add(b"\0\2" + new[2:])
    image.vmdb(status=state, pending=image.committed + 1)
    image.write(image.config, image.read(image.config)[0x85:0x95], 0xA1)


@pytest.mark.parametrize("states,after", [((2, 2), "undo"), ((3, 3), "finish"), ((3, 2), "finish"),
                                          ((2, 3), "finish"), ((2, None), "undo")])
def test_a_cut_update(mirror, states, after):
    for path, state in zip(mirror, states):
        if state:
            cut(path, state)
    (group,) = show(*mirror, expect=DEGRADED)["groups"]
    assert group["unfinished"] == after and group["conflict"] is False
    ldm("repair", "--yes", "Data", *mirror)
    (group,) = show(*mirror)["groups"]
    assert group["unfinished"] is None
    for path in mirror:
        image = ldmedit.Image(path)
        assert [r.status for r in image.records()] == [0] * len(image.records())
        (volume,) = image.find(ldmedit.VOLUME)
        assert volume["part_type"] == (0x0C if after == "finish" else 7)
    a, b = (ldmedit.Image(p) for p in mirror)
    assert a.read(a.config, a.config_size) == b.read(b.config, b.config_size)
    assert status(*mirror)[0]["state"] == "healthy"


# ---- real disks

@pytest.fixture
def windows(box, request):
    """Copies of all disks of a group that Windows made."""
    try:
        folder = windowsdisks.folder()
    except windowsdisks.Unavailable as why:
        pytest.skip("NO REAL DYNAMIC DISKS: %s; only disks made here were tested" % why)
    names = windowsdisks.names(request.param)
    for name in names:
        windowsdisks.copy(folder / name, name)
    return names


def others(paths, but):
    """The raw records of everything that is not about this volume, by identity."""
    return {r["id"]: r.data for r in ldmedit.Image(paths[0]).records()
            if r.type in ldmedit.FIELDS and not r["name"].startswith(but)}


@pytest.mark.parametrize("windows", ["2003r2", "2008r2"], indirect=True)
def test_windows_groups(windows):
    """Broken, mirrored again on a new disk, and the leg that was left removed."""
    assert as_mirrors(windows) == as_ldmtool_mirrors(windows)
    data = {n: sectors(d, lba, v["size_sectors_512"]) for n, v in volumes(*windows).items()
            if v["layout"] == "mirrored" for d, lba in places(v)}
    (name,) = data
    untouched = {p: digest_outside(p) for p in windows}
    kept = others(windows, name)

    ldm("break", "--yes", "--name", "Second", name, *windows)
    found = volumes(*windows)
    assert has(found[name], data[name]) == has(found["Second"], data[name]) == [True]
    assert as_mirrors(windows) == as_ldmtool_mirrors(windows)
    now = others(windows, (name, "Second"))
    assert {i: d for i, d in kept.items() if i in now} == now

    with open("new", "wb") as f:
        f.truncate(100 << 20)
    ldm("add-mirror", "--yes", name, *windows, "new")
    found = volumes(*windows, "new")
    assert (found[name]["layout"], found[name]["status"]) == ("mirrored", "Healthy")
    assert has(found[name], data[name]) == [True, True]
    assert as_mirrors([*windows, "new"]) == as_ldmtool_mirrors([*windows, "new"])
    assert version("new") == version(windows[0])

    ldm("remove", "--yes", "--leg", "0", name, *windows, "new")
    assert has(volumes(*windows, "new")[name], data[name]) == [True]
    assert as_mirrors([*windows, "new"]) == as_ldmtool_mirrors([*windows, "new"])
    assert untouched == {p: digest_outside(p) for p in windows}


def version(path):
    image = ldmedit.Image(path)
    return {image.read(lba)[12:16] for lba in image.heads()}


def digest_outside(path):
    """All but the database and its log."""
    image = ldmedit.Image(path)
    copy = path + ".copy"
    subprocess.run(["cp", "--sparse=always", path, copy], check=True)
    put(copy, image.config, bytes(image.config_size * 512))
    put(copy, image.log, bytes(image.log_size * 512))
    try:
        return digest(copy)
    finally:
        os.remove(copy)


def as_mirrors(paths):
    return {n: v for n, v in as_shown(*paths).items() if v[0] in ("mirrored", "simple")}


def as_ldmtool_mirrors(paths):
    return {n: v for n, v in as_ldmtool(*paths).items() if v[0] in ("mirrored", "simple")}
