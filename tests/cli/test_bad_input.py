# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Bad input: one clear line on stderr, the right exit status, nothing written."""

import os
import pathlib
import subprocess

import pytest

from disks import TOOL, digest, member, mbr_disk, run

COMMANDS = {
    "status": ["status"],
    "install": ["install", "--yes"],
    "verify": ["verify"],
    "uninstall": ["uninstall", "--yes"],
    "dump": ["dump", "--mirror", "boot", "-o", "out"],
    "drill": ["drill"],
}


def make(kind):
    p = pathlib.Path("bad")
    if kind == "empty file":
        p.write_bytes(b"")
    elif kind == "text file":
        p.write_text("not a disk\n")
    elif kind == "text file of whole sectors":
        p.write_text("x" * 1023 + "\n" + "y" * 131072)
    elif kind == "1-sector disk":
        p.write_bytes(bytes(510) + b"\x55\xaa")
    elif kind == "directory":
        p.mkdir()
    elif kind == "fifo":
        os.mkfifo(p)
    elif kind == "blank disk":
        p.write_bytes(bytes(1 << 20))
    elif kind == "dangling link":
        p.symlink_to("nowhere")
    elif kind == "cut in mid-sector":
        member(p, "md1.2-insync-a")
        os.truncate(p, (20 << 20) + 100)
    elif kind == "truncated image":
        member(p, "md1.2-insync-a")
        os.truncate(p, 20 << 20)
    return p


WORDS = {
    "empty file": "empty",
    "text file": "no disk image",
    "text file of whole sectors": "",
    "1-sector disk": "too small to hold a mirror",
    "directory": "directory",
    "fifo": "not a disk",
    "blank disk": "",
    "dangling link": "No such file",
    "missing file": "No such file",
    "cut in mid-sector": "not a multiple of 512",
    "truncated image": "",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", WORDS)
def test_one_clear_line(box, kind, command):
    p = make(kind)
    before = digest(p) if p.is_file() else None
    r = run(*COMMANDS[command], p, timeout=20)
    lines = r.stderr.splitlines()
    about = [x for x in lines if x.startswith("mirrorboot: bad: ")]
    if kind == "truncated image" and command == "verify":
        # A mirror is there, if not a good one: verify only looks at what is installed.
        assert r.returncode == 1
        return
    assert r.returncode == 3
    if kind != "truncated image" or command in ("status", "install", "uninstall"):
        assert len(about) == 1 and WORDS[kind] in about[0]
    assert all(x.startswith("mirrorboot: ") for x in lines) and len(lines) <= 2
    assert before is None or digest(p) == before
    assert not pathlib.Path("out").exists()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", ["same path", "symlink", "hard link", "other spelling"])
def test_disk_given_twice(box, command, how):
    mbr_disk("a", "md1.2-insync-a")
    second = {"same path": "a", "symlink": "b", "hard link": "b", "other spelling": "./a"}[how]
    if how == "symlink":
        os.symlink("a", "b")
    elif how == "hard link":
        os.link("a", "b")
    before = digest("a")
    r = run(*COMMANDS[command], "a", second)
    assert r.returncode == 2
    assert r.stderr == "mirrorboot: %s: is the same disk as a\n" % second
    assert digest("a") == before


@pytest.mark.parametrize("command", COMMANDS)
def test_more_disks_than_fit(box, command):
    r = run(*COMMANDS[command], *["d%d" % i for i in range(33)])
    assert r.returncode == 2 and "32" in r.stderr and r.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["status", "install"])
def test_no_permission(box, command):
    member("a", "md1.2-insync-a")
    os.chmod("a", 0)
    how = {}
    if os.geteuid() == 0:
        for p in [box, *box.parents]:
            if p != pathlib.Path("/") and p.stat().st_uid == 0 and p != pathlib.Path("/tmp"):
                os.chmod(p, p.stat().st_mode | 0o055)
        try:
            subprocess.run([str(TOOL), "--version"], user=65534, group=65534, check=True,
                           capture_output=True)
        except (PermissionError, subprocess.CalledProcessError):
            pytest.skip("as root this test runs the tool as user 65534, who can't reach %s" % TOOL)
        how = {"user": 65534, "group": 65534, "extra_groups": []}
    r = run(*COMMANDS[command], "a", **how)
    assert r.returncode == 3 and r.stderr == "mirrorboot: a: Permission denied\n"


def test_read_only_disk_is_not_installed_on(box):
    if os.geteuid() == 0:
        os.chmod(box, 0o755)
    mbr_disk("a", "md1.2-insync-a")
    os.chmod("a", 0o444)
    how = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    for p in box.parents:
        if os.geteuid() == 0 and p not in (pathlib.Path("/"), pathlib.Path("/tmp")):
            os.chmod(p, p.stat().st_mode | 0o055)
    try:
        r = run("install", "--yes", "a", **how)
    except PermissionError:
        pytest.skip("as root this test runs the tool as user 65534, who can't reach %s" % TOOL)
    assert r.returncode == 3 and "Permission denied" in r.stderr
    assert run("status", "a").returncode == 1


USAGE = [
    [], ["frobnicate"], ["status", "--json", "--nagios", "a"], ["status", "--frob", "a"],
    ["install"], ["verify", "--frob"], ["uninstall"],
    ["dump", "a"], ["dump", "--mirror", "x", "a"], ["dump", "-o", "x", "a"],
    ["dump", "--mirror", "", "-o", "x", "a"],
    ["drill", "--firmware", "coreboot", "a"], ["drill", "--detach", "2", "a", "b"],
    ["drill", "--detach", "x", "a", "b"], ["drill", "--detach", "0", "a"],
    ["drill", "--timeout", "0", "a"], ["status", "--sector-size", "1024", "a"],
    ["install", "--config", "missing", "a"],
]


@pytest.mark.parametrize("args", USAGE, ids=lambda a: " ".join(a) or "nothing")
def test_usage(box, args):
    r = run(*args)
    assert r.returncode == 2 and r.stderr and not r.stdout


@pytest.mark.parametrize("args", [["--help"], ["--version"]] + [[c, "--help"] for c in COMMANDS],
                         ids=" ".join)
def test_help(args):
    r = run(*args)
    assert r.returncode == 0 and r.stdout and not r.stderr


def test_full_output(box):
    member("a", "md1.2-insync-a")
    with open("/dev/full", "w") as full:
        r = subprocess.run([str(TOOL), "status", "a"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert r.returncode == 3 and "could not be written" in r.stderr
