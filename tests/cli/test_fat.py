# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Our FAT reader, through "esp list", against file systems that mkfs.fat and mtools made."""

import calendar
import hashlib
import os
import pathlib
import random
import re
import struct
import subprocess

import pytest

from disks import SECTOR, put, run, tool

ENV = dict(os.environ, MTOOLS_SKIP_CHECK="1", LC_ALL="C.UTF-8", TZ="UTC")
WHEN = calendar.timegm((2024, 2, 29, 13, 14, 16))
START = 8  # sectors before the ESP


def blob(seed, n):
    return random.Random(seed).randbytes(n)


def make_tree(top):
    """Files with names short and long, of sizes around those of clusters and sectors, deep and many."""
    files = {"SHORT.TXT": b"", "lower.txt": b"1", "Mixed.Txt": b"22", "no_extension": blob(1, 511),
             "a long name with blanks.conf": blob(2, 512), "two.dots.efi": blob(3, 513),
             "EFI/BOOT/BOOTX64.EFI": blob(4, 70000), "EFI/debian/grubx64.efi": blob(5, 65536),
             "EFI/debian/shimx64.efi": blob(6, 4096), "EFI/debian/grub.cfg": blob(7, 4095),
             "EFI/Linux/" + "x" * 240 + ".efi": blob(8, 4097),
             "loader/entries/\u00fcml\u00e4ut-\u20ac-\u4e2d.conf": blob(9, 1024),
             "/".join("depth%d" % i for i in range(20)) + "/deep": b"deep"}
    for i in range(300):  # more than one cluster of folder, whatever the cluster
        files["many/a file of many, number %d" % i] = b"%d" % i
    for name, data in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (WHEN, WHEN))
    (top / "empty folder").mkdir()
    return files


def mtool(*args):
    subprocess.run(list(map(str, args)), env=ENV, check=True, capture_output=True,
                   stdin=subprocess.DEVNULL)


def fragment(fs, files):
    """Clusters freed here and there, then a file over all of them."""
    for i in range(24):
        pathlib.Path("t%d" % i).write_bytes(blob(i, 9000))
    mtool("mcopy", "-i", fs, *["t%d" % i for i in range(24)], "::/")
    mtool("mdel", "-i", fs, *["::/t%d" % i for i in range(0, 24, 2)])
    pathlib.Path("big").write_bytes(blob("big", 300000))
    mtool("mcopy", "-m", "-i", fs, "big", "::/EFI")
    files["EFI/big"] = blob("big", 300000)
    for i in range(1, 24, 2):
        files["t%d" % i] = blob(i, 9000)


def make_disk(path, fs, disk_sector):
    size = os.path.getsize(fs)
    m = bytearray(512)
    struct.pack_into("<B3xB3xII", m, 446, 0, 0xef, START, size // disk_sector)
    m[510:] = b"\x55\xaa"
    with open(path, "wb") as f:
        f.write(m)
    subprocess.run(["dd", "if=" + fs, "of=" + path, "bs=%d" % disk_sector, "seek=%d" % START,
                    "conv=sparse,notrunc"], check=True, capture_output=True)
    with open(path, "r+b") as f:
        f.truncate(START * disk_sector + size)


def listed(*args):
    r = run("esp", "list", *args, env=ENV)
    found = {}
    for line in r.stdout.splitlines()[1:]:
        m = re.fullmatch(r"([0-9a-f]{64}) +(\d+) (\S+ \S+) (\\.*)", line)
        found[m[4][1:].replace("\\", "/")] = (m[1], int(m[2]), m[3])
    return r, found


KINDS = [(12, 512, 4, 2), (12, 4096, 12, 1), (16, 512, 20, 1), (16, 512, 64, 8), (16, 4096, 40, 1),
         (16, 2048, 40, 2), (32, 512, 40, 1), (32, 4096, 300, 1)]


@pytest.mark.parametrize("kind,sector,mib,per_cluster", KINDS)
def test_same_tree(box, kind, sector, mib, per_cluster):
    (box / "tree").mkdir()
    files = make_tree(box / "tree")
    tool("mkfs.fat", "-F", kind, "-S", sector, "-s", per_cluster, "-C", "fs", mib * 1024)
    mtool("mcopy", "-s", "-m", "-i", "fs", *sorted((box / "tree").iterdir()), "::/")
    fragment("fs", files)
    make_disk("d", "fs", SECTOR)
    runs = [["d"]]
    if sector == 4096:
        make_disk("d4k", "fs", 4096)
        runs.append(["--sector-size", "4096", "d4k"])
    for args in runs:
        r, found = listed(*args)
        assert r.returncode == 0 and r.stderr == "", r.stderr
        assert r.stdout.splitlines()[0] == "%s: partition 1, FAT%d" % (args[-1], kind)
        assert found.keys() == files.keys()
        for name, data in files.items():
            assert found[name][:2] == (hashlib.sha256(data).hexdigest(), len(data)), name
        assert found["SHORT.TXT"][2] == "2024-02-29 13:14:16"
        assert found["EFI/debian/grub.cfg"][2] == "2024-02-29 13:14:16"


def small(files):
    tool("mkfs.fat", "-F", 16, "-s", 1, "-C", "fs", 8192)
    for name, data in files.items():
        pathlib.Path("x").write_bytes(data)
        mtool("mcopy", "-i", "fs", "x", "::/" + name)


def test_damaged_chain_is_said(box):
    small({"A": b"a" * 5000, "B": b"b" * 5000})
    fs = bytearray(pathlib.Path("fs").read_bytes())
    at = fs.index(b"b" * 5000)
    reserved, fats, root, _, _, fat = struct.unpack_from("<HBHHBH", fs, 14)
    cluster = at // 512 - reserved - fats * fat - root // 16 + 2
    for i in range(fats):
        struct.pack_into("<H", fs, (reserved + i * fat) * 512 + (cluster + 3) * 2, 0)
    pathlib.Path("fs").write_bytes(fs)
    make_disk("d", "fs", SECTOR)
    r, found = listed("d")
    assert r.returncode == 3 and list(found) == ["A"]
    assert r.stderr == "mirrorboot: d: \\B is damaged in the file system\n"


def test_not_a_fat(box):
    pathlib.Path("fs").write_bytes(bytes(1 << 20))
    make_disk("d", "fs", SECTOR)
    r = run("esp", "list", "d")
    assert r.returncode == 3 and "no FAT file system" in r.stderr
    make_disk("e", "fs", SECTOR)
    put("e", 0, bytes(512))
    r = run("esp", "list", "e")
    assert r.returncode == 3 and "it has no EFI system partition" in r.stderr
