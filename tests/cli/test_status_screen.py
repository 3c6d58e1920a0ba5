# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What status shows a person: the verdict first, colour on a terminal only, what to type last."""

import json
import os
import pathlib
import pty
import re
import subprocess
import sys

import pytest

from disks import TOOL, TOP, gpt_disk, mbr_disk, member, put, run, sectors, tool, write_sparse

sys.path.insert(0, str(TOP / "tests" / "oracle"))
import ldmedit  # noqa: E402

COLOUR = re.compile(r"\033\[[0-9;]*m")
VERDICTS = {
    "insync": ("HEALTHY: all legs are up to date. mirrorboot is not installed here.", "32", "healthy", 0),
    "legA-failed": ("DEGRADED: mirror t:boot has 1 of 2 legs up to date.", "33", "degraded", 1),
    "splitbrain": ("SPLIT BRAIN: mirror t:boot: the legs ran apart from each other.", "31", "split-brain", 1),
    "recovering": ("DEGRADED: mirror t:boot has 1 of 2 legs up to date.", "33", "degraded", 1),
}


def pair(kind):
    for x in "ab":
        mbr_disk(x, f"md1.2-{kind}-{x}")


def answer(*args, **kw):
    r = run("status", "--json", *args, **kw)
    return json.loads(r.stdout)


def next_of(*args, **kw):
    return [a["next"] for a in answer(*args, **kw)["advice"] if a["level"] != "note"]


def on_terminal(*args, **env):
    mine, theirs = pty.openpty()
    r = subprocess.Popen([TOOL, "status", *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                         env={"TERM": "xterm", **env})
    os.close(theirs)
    out = b""
    try:
        while more := os.read(mine, 4096):
            out += more
    except OSError:  # the other end is closed
        pass
    r.wait()
    os.close(mine)
    return out.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("kind", VERDICTS)
def test_the_verdict_comes_first(box, kind):
    pair(kind)
    text, _, state, status = VERDICTS[kind]
    r = run("status", "a", "b")
    assert r.returncode == status and r.stdout.startswith(text + "\n\n")
    verdict = answer("a", "b")["verdict"]
    assert verdict == {"state": state, "text": text, "exit_status": status}
    # 80 columns, but for what has the names of disks in it
    assert all(len(line) <= 80 for line in r.stdout.splitlines() if not line.startswith(("warning", "note")))


def test_unusable(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
        os.truncate(x, 20 << 20)
    r = run("status", "a", "b")
    assert r.returncode == 3 and r.stdout.startswith("UNUSABLE: mirror t:boot: no leg that could be booted.\n")
    assert answer("a", "b")["verdict"]["state"] == "unusable"


def test_no_mirror(box):
    write_sparse("a", b"", 0, 1 << 20)
    assert answer("a")["verdict"] == {"state": "no-mirror", "exit_status": 3,
                                      "text": "NO MIRROR: none was found on these disks."}


def test_two_mirrors(box):
    for x in "ab":
        member(x, "md1.2-legA-failed-" + x)
        member(x + "0", "md0.90-legA-failed-" + x)
    assert re.match(r"DEGRADED: 2 mirrors \(.+, .+\) lack a leg that is up to date\.\n",
                    run("status", "a", "b", "a0", "b0").stdout)


@pytest.mark.parametrize("kind", ["insync", "legA-failed", "splitbrain"])
def test_colour_on_a_terminal_only(box, kind):
    pair(kind)
    said, colour, _, _ = VERDICTS[kind]
    plain = run("status", "a", "b").stdout
    assert "\033" not in plain
    shown = on_terminal("a", "b")
    assert shown.startswith(f"\033[1;{colour}m{said}\033[0m\n")
    assert COLOUR.sub("", shown) == plain
    assert len(COLOUR.findall(shown)) >= 8
    assert on_terminal("a", "b", NO_COLOR="1") == plain
    assert on_terminal("a", "b", TERM="dumb") == plain
    assert "\033" in on_terminal("a", "b", NO_COLOR="")  # no-color.org: when it is not empty
    for args in ["--json"], ["--nagios"], ["--journal"]:
        assert "\033" not in on_terminal(*args, "a", "b")


def test_what_to_type_stands_last(box):
    pair("legA-failed")
    os.truncate("b", 100 << 20)  # a note, too
    lines = run("status", "a", "b").stdout.splitlines()
    assert lines[-1].startswith("  next: ") and lines[-2].startswith("warning: mirror t:boot: leg 0 on a part 1 is")
    notes = [i for i, line in enumerate(lines) if line.startswith("note: ")]
    warnings = [i for i, line in enumerate(lines) if line.startswith("warning: ")]
    assert notes and max(notes) < min(warnings)


@pytest.mark.parametrize("kind,priority", [("insync", 6), ("legA-failed", 4), ("splitbrain", 3)])
def test_journal(box, kind, priority):
    pair(kind)
    r = run("status", "--journal", "a", "b")
    lines = r.stdout.splitlines()
    assert r.returncode == VERDICTS[kind][3] and not r.stderr
    assert lines[0] == f"<{priority}>" + VERDICTS[kind][0]
    assert all(re.match("<[3-6]>.", line) for line in lines)
    said = [line for line in run("status", "a", "b").stdout.splitlines() if line]
    assert [line[3:] for line in lines] == said
    assert all(line[1] == "4" for line in lines if line[3:].startswith(("warning: ", "  next: mdadm")))


# ---- what to type, by what is wrong ---------------------------------------------------------------

def sysfs(arrays, number=1):
    """As Linux shows a running machine: partition `number` of each disk, and the arrays over it."""
    root = pathlib.Path("sys/class/block")
    for x, array in arrays.items():
        part = root / x / f"{x}{number}"
        part.mkdir(parents=True, exist_ok=True)
        (part / "partition").write_text(f"{number}\n")
        (root / f"{x}{number}" / "holders").mkdir(parents=True, exist_ok=True)
        for name in array:
            (root / f"{x}{number}" / "holders" / name).mkdir(exist_ok=True)
    return dict(os.environ, MIRRORBOOT_SYSFS="sys")


@pytest.mark.parametrize("a,b,command", [
    ([], ["md127"], "mdadm /dev/md127 --add /dev/a1"),
    (["md127"], ["md127"], "mdadm /dev/md127 --remove /dev/a1 --add /dev/a1"),
    ([], ["dm-0", "md_d1"], "mdadm /dev/md_d1 --add /dev/a1"),
    ([], [], "mdadm --assemble --scan"),
    (["md9"], ["md5"], "mdadm /dev/md5 --add /dev/a1"),
])
def test_stale_leg_of_a_running_array(box, a, b, command):
    pair("legA-failed")
    env = sysfs({"a": a, "b": b})
    assert next_of("a", "b", env=env) == [command]
    assert f"\n  next: {command}\n" in run("status", "b", "a", env=env).stdout


def test_stale_leg_that_the_system_does_not_see(box):
    pair("legA-failed")
    assert next_of("a", "b") == ["losetup --find --show --partscan a"]
    (pathlib.Path("it's a")).symlink_to("a")
    assert next_of("it's a", "b") == ["losetup --find --show --partscan 'it'\\''s a'"]


def test_not_closed_because_it_is_in_use(box):
    pair("unclean")
    note = 'note: mirror t:boot is in use here, as /dev/md7: while it is, "not closed" is as it should'
    assert note in run("status", "a", "b", env=sysfs({"a": ["md7"], "b": ["md7"]})).stdout
    assert "is in use here" not in run("status", "a", "b").stdout
    pair("insync")
    assert "is in use here" not in run("status", "a", "b", env=sysfs({"a": ["md7"], "b": []})).stdout


def test_rebuilding_is_waited_for(box):
    pair("recovering")
    assert next_of("a", "b", env=sysfs({"a": ["md0"], "b": ["md0"]})) == ["cat /proc/mdstat"]


def test_missing_leg_and_split_brain_are_for_reading(box):
    pair("splitbrain")
    sections = (TOP / "docs/failures.md").read_text().upper()
    said = next_of("a", "b") + next_of("a")
    assert said == ['man mirrorboot-messages  # "SPLIT BRAIN"',
                    'man mirrorboot-messages  # "REPLACING A DISK"', None]
    assert "\n## SPLIT BRAIN\n" in sections and "\n## REPLACING A DISK\n" in sections
    assert "\n## VERDICTS OF A LEG\n" in sections


def test_damaged_superblock_is_added_again(box):
    pair("insync")
    sb = bytearray(sectors("a", 2048 + 8))
    sb[33] ^= 1  # a letter of the name: the checksum is wrong
    put("a", 2048 + 8, bytes(sb))
    assert next_of("a", "b", env=sysfs({"a": [], "b": ["md0"]})) == ["mdadm /dev/md0 --add /dev/a1"]


def test_the_command_for_a_stale_leg_of_a_dynamic_disk_mends_it(box):
    for x in "ab":
        write_sparse(x, b"", 0, 12 << 20)
    r = run("ldm", "create", "--yes", "--size", "3M", "--name", "Data", "a", "b")
    assert r.returncode == 0, r.stderr
    image = ldmedit.Image("b")  # went on alone
    image.vmdb(committed=image.committed + 1, pending=image.committed + 1)
    (command,) = next_of("a", "b")
    assert command == "mirrorboot ldm repair Data a b"
    r = run(*command.split()[1:], "--yes")
    assert r.returncode == 0 and answer("a", "b")["verdict"]["state"] == "healthy", r.stderr
    assert next_of("a")[0] == 'man mirrorboot-messages  # "REPLACING A DISK"'


def test_a_copy_of_a_leg(box):
    pair("insync")
    pathlib.Path("c").write_bytes(pathlib.Path("a").read_bytes())
    assert "lsblk -o NAME,SIZE,MODEL,SERIAL" in next_of("a", "b", "c")


def test_the_command_for_a_damaged_gpt_mends_it(box):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x)
    put("a", 1, bytes(512))
    (command,) = next_of("a", "b")
    assert command == "sgdisk -e a"
    tool("sh", "-c", command)
    assert next_of("a", "b") == [] and answer("a", "b")["disks"][0]["table"] == "gpt"
    put("b", 1, bytes(512))
    put("b", os.path.getsize("b") // 512 - 1, bytes(512))
    assert "gdisk -l b" in next_of("a", "b")


def test_controls_in_a_name_do_not_reach_the_terminal(box):
    """A path is a person's own; what a superblock says is not."""
    pair("legA-failed")
    for x in "ab":
        sb = bytearray(sectors(x, 2048 + 8, 8))
        sb[32:40] = b"\033[31mevil"[:8]
        total = 0
        sb[216:220] = bytes(4)
        for i in range(0, 256 + 2 * int.from_bytes(sb[220:224], "little"), 4):
            total += int.from_bytes(sb[i:i + 4], "little")
        sb[216:220] = ((total & 0xffffffff) + (total >> 32) & 0xffffffff).to_bytes(4, "little")
        put(x, 2048 + 8, bytes(sb))
    r = run("status", "a", "b")
    assert r.returncode == 1 and "\033" not in r.stdout + r.stderr


# ---- for programs ---------------------------------------------------------------------------------

def keys(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()


def test_each_field_is_documented(box):
    for x in "ab":
        gpt_disk(x, "md1.2-legA-failed-" + x, esp=True)
    doc = (TOP / "docs/status.md").read_text()
    found = keys(answer("a", "b"))
    assert len(found) > 45 and not [k for k in found if f"`{k}`" not in doc and f"`{k}[]`" not in doc]
