# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""mirrorboot-check.timer: what `make install` puts there, and what its service prints and ends with."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from disks import BUILD, TOP, grub_in_gap, mbr_disk, run

UNITS = "usr/lib/systemd/system"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["cp", "-a", BUILD, root / "build"], check=True)  # other tests run at the same time
    make(root, "install")
    return root


def make(root, target):
    subprocess.run(["make", "-s", "-C", TOP, f"O={root}/build", target, f"DESTDIR={root}", "PREFIX=/usr"],
                   check=True, capture_output=True, env=dict(os.environ, MAKEFLAGS=""))


def test_units_name_what_is_installed(installed):
    timer = (installed / UNITS / "mirrorboot-check.timer").read_text()
    assert "\nPersistent=yes\n" in timer and "\nRandomizedDelaySec=" in timer and "\nOnCalendar=" in timer
    service = (installed / UNITS / "mirrorboot-check.service").read_text()
    program = pathlib.Path(re.search(r"^ExecStart=/(\S+)$", service, re.M)[1])
    assert "@" not in service + timer + (installed / program).read_text()
    assert os.access(installed / program, os.X_OK)
    assert os.access(installed / re.search(r'"/(usr/sbin/\w+)"', (installed / program).read_text())[1], os.X_OK)
    # Nothing enables it but a person.
    assert not list(installed.rglob("*.wants"))
    scripts = [p.read_text() for p in (TOP / "tools/dist/deb").iterdir()]
    assert not any(re.search("systemctl.* enable", s) for s in scripts)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="NO SYSTEMD: no systemd-analyze; "
                    "whether systemd takes the units is not tested")
def test_systemd_takes_the_units(installed, tmp_path):
    for name in "mirrorboot-check.service", "mirrorboot-check.timer":
        text = (installed / UNITS / name).read_text()
        # verify looks for the program
        (tmp_path / name).write_text(text.replace("ExecStart=/", f"ExecStart={installed}/"))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.glob("mirrorboot*"))],
                       capture_output=True, text=True)
    said = [line for line in r.stderr.splitlines() if "mirrorboot" in line]
    assert r.returncode == 0 and not said, r.stderr
    spoilt = tmp_path / "mirrorboot-check.timer"
    spoilt.write_text(spoilt.read_text().replace("OnCalendar=daily", "OnCalendar=dialy"))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", spoilt], capture_output=True, text=True)
    assert "dialy" in r.stderr


TOOL = """#!/bin/sh
case $* in
verify) %s; exit %d ;;
"status --journal") echo "<6>HEALTHY"; exit %d ;;
esac
exit 9
"""


@pytest.mark.parametrize("verify,status,priority,want", [(0, 0, 6, 0), (1, 0, 4, 1), (3, 1, 3, 3), (0, 1, 6, 1),
                                                         (1, 3, 4, 3)])
def test_what_the_service_does(box, verify, status, priority, want):
    tool = pathlib.Path("tool")
    tool.write_text(TOOL % ('echo "/dev/sda: as installed (BIOS)"; echo "/dev/sdb: stage2 is damaged" >&2',
                            verify, status))
    tool.chmod(0o755)
    check = pathlib.Path("check")
    check.write_text((TOP / "tools/dist/check").read_text().replace("@MIRRORBOOT@", f"{box}/tool"))
    r = subprocess.run(["sh", check], capture_output=True, text=True)
    assert r.returncode == want and not r.stderr
    assert r.stdout == (f"<6>/dev/sda: as installed (BIOS)\n<{priority}>/dev/sdb: stage2 is damaged\n"
                        "<6>HEALTHY\n")


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="NO /dev/shm: nowhere to put disks of a machine "
                    "that is made up; the service's program is not run with the real tool")
def test_a_machine_that_is_made_up(installed, box, monkeypatch):
    script = (installed / "usr/lib/mirrorboot/check").read_text()
    (box / "check").write_text(script.replace("/usr/sbin/mirrorboot", f"{installed}/usr/sbin/mirrorboot"))

    def check():
        r = subprocess.run(["sh", box / "check"], capture_output=True, text=True,
                           env=dict(os.environ, MIRRORBOOT_SYSFS=str(box / "sys")))
        assert not r.stderr
        lines = r.stdout.splitlines()
        assert lines and all(re.match("<[3-6]>.", line) for line in lines), r.stdout
        return r.returncode, lines

    with tempfile.TemporaryDirectory(dir="/dev/shm") as dev:
        monkeypatch.chdir(dev)
        for x in "ab":
            mbr_disk(x, "md1.2-insync-" + x)
            folder = box / "sys/block" / f"shm!{os.path.basename(dev)}!{x}"  # as sysfs has "/"
            (folder / "device").mkdir(parents=True)
            (folder / "size").write_text("1\n")
        assert run("install", "--yes", "a", "b").returncode == 0
        status, lines = check()
        assert status == 0 and all(line.startswith("<6>") for line in lines)
        assert lines[:2] == [f"<6>{dev}/{x}: as installed (BIOS)" for x in "ab"]
        assert lines[2] == "<6>HEALTHY: all legs are up to date, and every disk has mirrorboot."
        grub_in_gap("b")
        status, lines = check()
        warnings = [line for line in lines if line[1] < "6"]
        assert status == 1 and len(warnings) == 4 and all(line.startswith("<4>") for line in warnings)
        assert f"<4>  next: mirrorboot install --bios {dev}/a {dev}/b" in warnings


def test_uninstall_takes_it_away(installed):
    make(installed, "uninstall")
    left = [p for p in installed.rglob("*") if not p.is_dir() and "build" not in p.relative_to(installed).parts[:1]]
    assert not left
