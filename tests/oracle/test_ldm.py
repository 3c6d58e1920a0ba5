# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Windows dynamic disks against others that read them: ldmtool, Linux' own parser, ntfs-3g's tools.

Neither judges: Linux reads each disk alone, ldmtool takes the first disk that it sees. What they
know well is where things lie. Where legs differ, ldmcases.py says what is right, and ldmtool's
answer is shown beside it in a table at the end of the run (and in BUILD/oracle/ldm-cases.txt).

Disks: those that Windows wrote, where they are on this machine; ours of images/ldmdisk.py; and
what `mirrorboot ldm` itself makes and changes.
"""

import json
import shutil
import subprocess

import pytest

import asktool
import cli
import ldmcases
import ldmedit
import ldmguest
import ldmmade
import ldmtable
import linux
import windowsdisks

# state of the mirror -> exit status, and what a boot does (databases that differ: a person chooses)
EXIT = {"healthy": (0, "boot"), "degraded": (1, "boot"), "split-brain": (1, "ask"),
        "unusable": (3, "unusable"), None: (3, "no-mirror")}
REAL = [*windowsdisks.GROUPS]
BY_THE_TOOL = ["create", "create-gpt", "create-sized", "add-mirror", "add-mirror-gpt", "break",
               "remove", "repair", "repair-older"]
GROUPS = [*REAL, "layouts", *BY_THE_TOOL]
LAYOUTS = {"simple": "simple", "spanned": "spanned", "striped": "striped",  # ldmtool's words, ours
           "mirrored": "mirrored", "RAID5": "raid-5"}
PAIRS = [*REAL, "made"]


def real(group, layout=None):
    try:
        return [windowsdisks.folder() / name for name in windowsdisks.names(group, layout)]
    except windowsdisks.Unavailable as why:
        pytest.skip(f"NO REAL DYNAMIC DISKS: {why}; only disks made here were tested")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    groups = {"layouts": ldmmade.every_layout(folder), "made": ldmmade.pair(folder)}
    groups |= ldmmade.by_the_tool(folder / "tool")
    assert set(BY_THE_TOOL) < set(groups)
    return groups


@pytest.fixture(scope="session", params=GROUPS)
def group(request, made):
    """All disks of a group."""
    return made[request.param] if request.param in made else real(request.param)


@pytest.fixture(scope="session", params=PAIRS)
def pair(request, made):
    """(name, [disk of leg 0, disk of leg 1]) of a group's only mirror of two disks."""
    paths = made[request.param] if request.param in made else real(request.param, "mirrored")
    first = ldmedit.Image(paths[0])
    return request.param, paths[::-1] if ldmedit.Mirror(first).leg_of(first) else paths


@pytest.fixture(scope="session")
def ldmtool():
    if not asktool.available():
        pytest.skip("NO ORACLE: ldmtool is not installed (tools/packages.txt)")


def legs_of(mirror):
    return {(leg["disk"], leg["start_lba"], leg["sectors"]) for leg in mirror["legs"]}


# ---- the same volumes, in the same places ----------------------------------------------------

def shown(paths):
    """`ldm show --json`: {volume's name: (guid, layout, size, {(disk, start LBA, sectors)})}"""
    said = json.loads(cli.run("ldm", "show", "--json", *paths).stdout)
    (one,) = said["groups"]
    return {v["name"]: (v["guid"], v["layout"], v["size_sectors_512"],
                        {(p["disk"], p["start_lba"], p["sectors_512"])
                         for leg in v["legs"] for p in leg["pieces"]})
            for v in one["volumes"]}


def test_volumes_are_those_that_ldmtool_has(group, ldmtool):
    (theirs,), said = asktool.groups(group)
    assert not said and theirs.volumes
    assert shown(group) == {
        name: (v.guid, LAYOUTS[v.kind], v.size, {(p.path, p.start, p.size) for p in v.partitions})
        for name, v in theirs.volumes.items()}


def test_legs_are_those_that_ldmtool_has(group, ldmtool):
    (theirs,), _ = asktool.groups(group, ("mirrored",))
    ours = {m["name"]: m for m in cli.status(*group)["mirrors"]}
    assert set(ours) == set(theirs.volumes)
    for name, v in theirs.volumes.items():
        m = ours[name]
        assert (m["format"], m["state"]) == ("ldm", "healthy")
        assert m["uuid"].replace(":", "") == v.guid.replace("-", "")
        assert m["size_sectors_512"] == v.size
        assert legs_of(m) == {(p.path, p.start, p.size) for p in v.partitions}


@pytest.fixture(scope="session")
def guest(made):
    """Every disk in one guest: what Linux has on each, and what our tool said there."""
    images = [path for name in ("made", *BY_THE_TOOL, "layouts") for path in made[name]]
    try:
        images += [path for name in REAL for path in real(name)]
    except pytest.skip.Exception:
        pass  # their own tests say so
    try:
        return ldmguest.ask(cli.build_folder() / "oracle", images)
    except linux.Unavailable as why:
        pytest.skip(f"NO ORACLE: no guest with Linux could be had ({why}); nothing here was "
                    "compared with Linux' own parser")


def test_linux_has_the_partitions_where_we_have_them(group, guest):
    theirs, by_ldm = guest[0], 0
    for path in group:
        ours = {(start, n) for *_, parts in shown(group).values() for disk, start, n in parts
                if disk == str(path)}
        if theirs[path].ldm:
            assert ours == theirs[path].parts
            by_ldm += 1
        else:  # a GPT disk: Linux shows the region that all volumes are in
            assert path.read_bytes()[512:520] == b"EFI PART"
            assert all(any(at <= start and start + n <= at + size
                           for at, size in theirs[path].parts) for start, n in ours)
    assert by_ldm or group[0].name.startswith("create-gpt")


def test_linux_and_ldmtool_agree(group, ldmtool, guest):
    """No word of ours here: two that share no code. Disks made here must be right in all of it."""
    (theirs,), _ = asktool.groups(group)
    for path in group:
        parts = {(p.start, p.size) for v in theirs.volumes.values() for p in v.partitions
                 if p.path == str(path)}
        if guest[0][path].ldm:
            assert guest[0][path].parts == parts


def test_both_legs_on_one_controller(guest):
    """Only a machine has controllers: the tool ran in the guest."""
    _, said = guest
    controller = "are on one controller (0000:00:1f.2); with one for each disk (duplexing)"
    assert sum(controller in line for line in said["together"]) == 1, said["together"]
    assert any("note: all disks " + controller in line for line in said["together"])
    assert any("Volume1 is healthy" in line for line in said["apart"]), said["apart"]
    assert not any("controller" in line for line in said["apart"])
    assert any(f"note: mirror Volume1: all its disks {controller}" in line
               for line in said["beside"]), said["beside"]


# ---- what is in them -------------------------------------------------------------------------

def dump(out, *disks):
    (mirror,) = cli.status(*disks)["mirrors"]
    cli.run("dump", "--mirror", mirror["uuid"], "-o", out, *disks)
    return out.read_bytes()


def ntfs(*args):
    done = subprocess.run(list(map(str, args)), capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done
    return done.stdout


def test_dump_is_the_same_from_either_leg_and_ntfs_reads_it(pair, tmp_path):
    name, paths = pair
    volumes = [dump(tmp_path / f"leg{n}", disk) for n, disk in enumerate(paths)]
    assert volumes[0] == volumes[1] == dump(tmp_path / "both", *paths)
    (mirror,) = cli.status(*paths)["mirrors"]
    assert len(volumes[0]) == mirror["size_sectors_512"] * 512

    if not shutil.which("ntfsls"):
        pytest.skip("NO ORACLE: ntfs-3g is not installed (tools/packages.txt)")
    assert b"Volume Name: " in ntfs("ntfsinfo", "-m", tmp_path / "leg1")
    assert b"test.txt" in ntfs("ntfsls", tmp_path / "leg1").split()
    text = ntfs("ntfscat", tmp_path / "leg1", "test.txt")
    assert text == ldmmade.TEXT if name == "made" else text


# ---- damaged, outdated, half-updated ---------------------------------------------------------

def ldmtool_takes(order):
    """What ldmtool would make the mirror of, with the disks scanned in this order: "ab", "a", "-"."""
    if not asktool.available():
        return "?"
    found, _ = asktool.groups([p for _, p in order], ("mirrored",))
    letter = {str(p): x for x, p in order}
    taken = {letter[p.path] for group in found for volume in group.volumes.values()
             for p in volume.partitions if p.path}
    return "".join(sorted(taken)) or "-"


def judged(order):
    """The tool's answer: (exit status, what is done), state, the disk chosen, each disk's verdict."""
    letter = {str(p): x for x, p in order}
    done = cli.run("status", "--json", *(p for _, p in order), check=False)
    said = json.loads(done.stdout)
    outcome = done.returncode, said["boot"]["action"]
    if not said["mirrors"]:
        return outcome, None, None, {}
    (mirror,) = said["mirrors"]
    legs = {letter[leg["disk"]]: (leg["verdict"], leg["reason_code"])
            for leg in mirror["legs"] if leg["disk"]}
    chosen = cli.chosen_leg(mirror)
    return outcome, mirror["state"], chosen and letter[chosen["disk"]], legs


def their_fault(taken, good):
    """What ldmtool's choice would do to a machine, in a few words."""
    if taken in ("?", good):
        return ""
    bad = set(taken) - set(good)
    if bad - {"-"}:
        return f"reads {'+'.join(sorted(bad))}"
    return "refuses" if taken == "-" else "leaves a good leg out"


@pytest.mark.parametrize("case", ldmcases.CASES, ids=lambda c: c.name)
def test_verdict_in_both_orders(pair, case, tmp_path):
    source, paths = pair
    a, b = (windowsdisks.copy(p, tmp_path / x) for p, x in zip(paths, "ab"))
    case.make(ldmedit.Image(a), ldmedit.Image(b))
    orders = [[("a", a), ("b", b)], [("b", b), ("a", a)]]
    right = {x: v for x, v in (("a", case.a), ("b", case.b)) if v}
    ours = [judged(order) for order in orders]
    theirs = [ldmtool_takes(order) for order in orders]

    good = "".join(x for x in "ab" if right.get(x, ("",))[0] == "in-sync") or "-"
    faults = [their_fault(taken, good) for taken in theirs]
    ldmtable.add(source, case.name, case.state or "no mirror", case.chosen or "-",
                 *(right[x][0] if x in right else "-" for x in "ab"), *theirs,
                 faults[0] if faults[0] == faults[1]
                 else f"{faults[0] or 'right'} / {faults[1] or 'right'}")
    status, action = EXIT[case.state]
    for order, answer in zip(orders, ours):
        assert answer == ((status, case.action or action), case.state, case.chosen, right), [x for x, _ in order]
    if case.name == "unchanged":
        assert theirs in (["ab", "ab"], ["?", "?"])
