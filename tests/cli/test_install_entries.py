# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install and uninstall: a boot entry for each EFI system partition, before all others."""

import os
import re
import struct
import subprocess

import pytest

import onwrite
from areas import digests
from disks import esp_put, gpt_disk, mbr_disk, run, tool
from test_entries import SHELL, Store, option, parsed

FILE = "\\EFI\\mirrorboot\\mirrorboot.efi"


def part_of(x, number=1):
    """HD() of a partition, as sgdisk has it."""
    said = tool("sgdisk", "-i", str(number), x).decode()
    guid = re.search(r"unique GUID: (\S+)", said)[1].lower()
    first, size = (int(re.search(rf"{what}: (\d+)", said)[1]) for what in ("First sector", "Partition size"))
    return number, first, size, guid


@pytest.fixture
def pair(box):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
        esp_put(x, "EFI/BOOT/BOOTX64.EFI", b"MZ before")
    return [part_of(x) for x in "ab"]


@pytest.fixture
def store(box):
    """Two entries of others."""
    s = Store()
    s.entries(option("UEFI Shell", SHELL), option("another", SHELL))
    s.order(1, 0)
    return s


def install(*args, command="install", **kw):
    return run(command, "--yes", "--efivars", "vars", *args, **kw)


def of(store, number):
    return parsed(store.get(number))


def test_install_and_uninstall(pair, store):
    before, order = store.contents(), store.read_order()
    r = install("--uefi", "a", "b")
    assert r.returncode == 0, r.stderr
    assert "mirrorboot before all others" in r.stdout and 'Boot0002 "mirrorboot", for a: is added' in r.stdout
    assert store.read_order() == [2, 3, 1, 0] and store.numbers() == [0, 1, 2, 3]
    for number, part in zip((2, 3), pair):
        assert of(store, number) == ("mirrorboot", part, FILE, b"")
        assert struct.unpack_from("<I", store.get(number))[0] == 1
    after = store.all()
    r = install("--uefi", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout and store.all() == after
    r = install("a", "b", command="uninstall")
    assert r.returncode == 0 and 'Boot0003 "mirrorboot", for b: is removed' in r.stdout
    assert store.contents() == before and store.read_order() == order


def test_before_all_others_again(pair, store):
    """An installer has put another in front: the files are there, the order is mended."""
    assert install("--uefi", "a", "b").returncode == 0
    store.set("Boot0007", option("debian", SHELL))
    store.order(7, 2, 3, 1, 0)
    before = digests()
    r = install("--uefi", "a", "b")
    assert r.returncode == 0 and "boot order" in r.stdout and store.read_order() == [2, 3, 7, 1, 0]
    assert digests() == before
    store.order(3, 2, 7, 1, 0)  # somebody prefers the other disk: as well
    r = install("--uefi", "a", "b")
    assert "nothing was written" in r.stdout and store.read_order() == [3, 2, 7, 1, 0]


def test_add(pair, store):
    assert install("--uefi", "a").returncode == 0
    assert store.read_order() == [2, 1, 0]
    assert install("--add", "a", "b").returncode == 0
    assert store.read_order() == [2, 3, 1, 0] and of(store, 3)[1] == pair[1]


def test_uninstall_takes_only_its_own(pair, store):
    """Of the disks given, and by file: entries of others on the same ESP stay."""
    assert install("--uefi", "a", "b").returncode == 0
    path = store.get(2)[6 + len("mirrorboot") * 2 + 2:]
    store.set("Boot0009", option("grub", path.replace(FILE.encode("utf-16-le"),
                                                      "\\EFI\\grubgrubgr\\grubgrubg.efi".encode("utf-16-le"))))
    store.order(9, 2, 3, 1, 0)
    assert install("a", command="uninstall").returncode == 0
    assert store.read_order() == [9, 3, 1, 0] and store.numbers() == [0, 1, 3, 9]


def test_left_alone(pair, store):
    """Not wanted; images without --efivars; BIOS."""
    before = store.all()
    assert install("--uefi", "--no-entries", "a", "b").returncode == 0 and store.all() == before
    assert install("--no-entries", "a", "b", command="uninstall").returncode == 0
    env = dict(os.environ, MIRRORBOOT_EFIVARS="vars")
    assert run("install", "--yes", "--uefi", "a", "b", env=env).returncode == 0 and store.all() == before
    for x in "cd":
        mbr_disk(x, "md1.2-insync-" + {"c": "a", "d": "b"}[x])
    assert install("--bios", "c", "d").returncode == 0 and store.all() == before


@pytest.fixture
def devices(pair):
    made = []
    try:
        for x in "ab":
            r = subprocess.run(["losetup", "--show", "-f", x], capture_output=True, text=True)
            if r.returncode:
                pytest.skip("SKIPPED: loop devices do not work here: " + r.stderr.strip())
            made.append(r.stdout.strip())
        yield made
    finally:
        for device in made:
            tool("losetup", "-d", device)


def test_devices(devices, store):
    """They are of this machine: the firmware's variables are, too. verify looks at both."""
    env = dict(os.environ, MIRRORBOOT_EFIVARS="vars")
    command = f'run "mirrorboot install --uefi {" ".join(devices)}"'
    assert run("install", "--yes", "--uefi", *devices, env=env).returncode == 0
    assert store.read_order() == [2, 3, 1, 0]
    assert run("verify", *devices, env=env).returncode == 0
    store.order(1, 2, 3, 0)
    r = run("verify", *devices, env=env)
    last = r.stdout.splitlines()[-1]
    assert r.returncode == 1 and "has others before mirrorboot" in last and last.endswith(command)
    r = run("verify", "--quick", "--quiet", *devices, env=env)
    assert r.returncode == 1 and r.stdout == f"mirrorboot: {last}\n"
    store.file("Boot0003").unlink()
    store.order(2, 1, 0)
    assert "has no boot entry for" in run("verify", *devices, env=env).stdout
    store.file("Boot0002").unlink()
    store.order(1, 0)
    assert run("verify", *devices, env=env).returncode == 0, "none at all: --no-entries"


@pytest.mark.skipif(os.geteuid() != 0, reason="SKIPPED: needs root, mounts a small tmpfs")
def test_full(pair, store):
    """No room in the firmware: said; what is on the disks is installed, and starts by its fallback."""
    os.mkdir("full")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "nr_inodes=5", "none", "full"]).returncode:
        pytest.skip("SKIPPED: a tmpfs can't be mounted here")
    try:
        for p in store.path.iterdir():
            tool("cp", p, "full")
        full = Store("full")
        before = full.contents()
        r = run("install", "--yes", "--efivars", "full", "--uefi", "a", "b")
        assert r.returncode == 3 and "what is on the disks is installed; the boot entries are not" in r.stderr
        assert "No space left on device" in r.stderr and full.contents() == before
        assert run("verify", "a", "b").returncode == 0
    finally:
        subprocess.run(["umount", "full"], check=True)


def test_no_such_folder(pair):
    before = digests()
    r = run("install", "--yes", "--efivars", "nowhere", "--uefi", "a", "b")
    assert r.returncode == 3 and "nowhere: No such file" in r.stderr and digests() == before


def test_files_first(pair, store):
    """Cut in the middle of the second disk: no entry leads to what is not there."""
    before = store.contents()
    r = install("--uefi", "a", "b", env=onwrite.env(60))
    assert r.returncode == 1 and store.contents() == before
    assert install("--uefi", "a", "b").returncode == 0 and store.read_order() == [2, 3, 1, 0]
