# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Real block devices: loop devices over the same images, 512 and 4096-byte sectors."""

import contextlib
import fcntl
import os
import subprocess

import pytest

from areas import area_of, pair
from disks import digest, member, run


@contextlib.contextmanager
def loops(*paths, sector_size=512):
    if os.geteuid() != 0:
        pytest.skip("needs root: sets up loop devices")
    made = []
    try:
        for p in paths:
            r = subprocess.run(["losetup", "--show", "-f", "-b", str(sector_size), p],
                               capture_output=True, text=True)
            if r.returncode:
                pytest.skip("loop devices do not work here: " + r.stderr.strip())
            made.append(r.stdout.strip())
        yield made
    finally:
        for dev in made:
            subprocess.run(["losetup", "-d", dev], check=True)


def test_install_and_uninstall(box):
    before = pair()
    with loops("a", "b") as devs:
        assert run("status", *devs).returncode == 0
        r = run("install", "--yes", *devs)
        assert r.returncode == 0, r.stderr
        assert run("verify", *devs).returncode == 0
        area_of("a")
        assert run("uninstall", "--yes", *devs).returncode == 0
    assert [digest(x) for x in "ab"] == before


def test_device_given_twice(box):
    pair()
    with loops("a") as (dev,):
        os.symlink(dev, "link")
        os.mknod("node", 0o660 | 0o060000, os.stat(dev).st_rdev)
        for other in (dev, "link", "node"):
            r = run("status", dev, other)
            assert r.returncode == 2 and "is the same disk as" in r.stderr


def test_locked_device(box):
    pair()
    with loops("a", "b") as devs:
        fd = os.open(devs[1], os.O_RDONLY)
        fcntl.flock(fd, fcntl.LOCK_EX)
        r = run("install", "--yes", *devs)
        os.close(fd)
        assert r.returncode == 3 and "is locked" in r.stderr


def test_never_dumped_onto(box):
    pair()
    with loops("a") as (dev,):
        r = run("dump", "-m", "boot", "-o", dev, dev)
        assert r.returncode == 3 and "is the input disk" in r.stderr
        member("c", "md1.2-insync-a")
        r = run("dump", "-m", "boot", "-o", dev, "c")
        assert r.returncode == 3 and "not a regular file" in r.stderr


def test_4096_byte_sectors_are_the_devices(box):
    member("a", "md1.2-legA-failed-a")
    member("b", "md1.2-legA-failed-b")
    with loops("a", "b", sector_size=4096) as devs:
        r = run("status", *devs)
        assert r.returncode == 1 and "* leg 1  " + devs[1] in r.stdout
        r = run("install", "--yes", "--bios", *devs)
        assert r.returncode == 3
