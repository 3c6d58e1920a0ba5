# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""EFI system partitions for the tests of `esp clone` and its like: made, and looked at."""

import hashlib
import mmap
import os
import pathlib
import re
import subprocess
import sys

from disks import TOP, digest, esp_put, esp_tree, run, tool, write_sparse

sys.path.insert(0, str(TOP / "images"))

import gptdisk  # noqa: E402

MIB = 1 << 20
MANIFEST = "EFI/mirrorboot/manifest"
FALLBACK = "EFI/BOOT/BOOTX64.EFI"
GRUB = "EFI/debian/grubx64.efi"
CONF = "loader/loader.conf"
FILES = {
    FALLBACK: b"MZ fallback" * 20000,
    GRUB: b"MZ grub " * 50000,
    CONF: b"timeout 3\n",
    "loader/entries/a long name of an entry, with blanks.conf": b"title A\n",
    "EFI/Linux/\u00e4\u03b1\u4e2d.txt": "Names of the world\n".encode(),
    "empty": b"",
}
OTHERS = {
    FALLBACK: b"MZ fallback" * 20000,  # the same
    GRUB: b"MZ old grub" * 999,
    "EFI/old/gone.efi": b"MZ gone" * 5000,
    "EFI/old/deeper/gone too.efi": b"MZ gone" * 5000,
}


def fat(size_bytes, bits, sector, files, cluster=None):
    """A FAT file system of this type, as mkfs.vfat makes it."""
    image = pathlib.Path("fs.tmp")
    with open(image, "wb") as f:
        f.truncate(size_bytes)
    if sector == 4096 and not cluster:
        cluster = 4096
    if sector == 4096 and not cluster:
        cluster = 4096
    args = ["-s", str(cluster // sector)] if cluster else []
    tool("mkfs.vfat", "-F", bits, "-S", sector, "-n", "ESP", *args, image)
    for name, data in files.items():
        esp_put(str(image), name, data, 0)
    data = image.read_bytes()
    image.unlink()
    return data


def disk(path, files, mib=34, bits=16, sector=512, number=None, spare_mib=1, cluster=None, esps=1):
    """A GPT disk whose partition 1 (and 2, ...) is an ESP with these files."""
    number = ord(path[0]) if number is None else number
    parts, at = [], MIB
    for k in range(esps):
        part = gptdisk.Part(k + 1, gptdisk.ESP, gptdisk.guid_of(number, k + 1), at // sector,
                            mib * MIB // sector, at)
        parts.append(part)
        write_sparse(path, fat(mib * MIB, bits, sector, files, cluster), at)
        at += mib * MIB
    table(path, parts, number, sector, at + spare_mib * MIB)
    return path


def table(path, parts, number, sector, size):
    with open(path, "a+b") as f:
        f.truncate(size)
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        gptdisk.put_table(m, parts, number, sector)


def empty_disk(path, mib, sector=512, number=None):
    table(path, [], ord(path[0]) if number is None else number, sector, mib * MIB)
    return path


def tree(path, at=MIB):
    """As a person sees it: names as spelled, without what is each ESP's own."""
    t = esp_tree(path, at)
    t.pop(MANIFEST, None)
    return {n: d for n, d in t.items() if n not in ("EFI/mirrorboot/",)}


def fsck(path, at=MIB, mib=34):
    part = pathlib.Path("fsck.tmp")
    with open(path, "rb") as f:
        f.seek(at)
        write_sparse(part, f.read(mib * MIB))
    r = subprocess.run(["fsck.fat", "-n", part], capture_output=True, text=True)
    part.unlink()
    lines = [x for x in r.stdout.splitlines()
             if not re.match(r"fsck\.fat \d|.*: \d+ files, \d+/\d+ clusters$", x)]
    assert r.returncode == 0 and not lines, r.stdout + r.stderr


def manifest(path, at=MIB):
    text = esp_tree(path, at)[MANIFEST]
    body, end = text[:-69], text[-69:]
    assert end == b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n"
    lines = body.decode().split("\n")[1:-1]
    head = dict(x.split(" ") for x in lines if not x.startswith("file "))
    files = {}
    for line in lines:
        m = re.fullmatch(r"file ([0-9a-f]{64}) (\d+) ([0-9a-f]{8}) \\(.+)", line)
        if m:
            files[m[4].replace("\\", "/")] = m[1]
    return dict(head, generation=int(head["generation"]), files=files)


def is_clone(source, target, generation=None, mib=34):
    """The same trees, a whole file system, and a manifest that says so."""
    want = tree(source)
    assert tree(target) == want
    fsck(target, mib=mib)
    m = manifest(target)
    assert m["state"] == "complete"
    assert m["files"] == {n: hashlib.sha256(d).hexdigest() for n, d in want.items()
                          if d is not None}
    if generation is not None:
        assert m["generation"] == generation
    guid = tool("sgdisk", "-i", "1", target).decode() if is_512(target) else None
    if guid:
        assert m["source"] == re.search(r"unique GUID: (\S+)", guid)[1].lower()
    return m


def is_512(path):
    with open(path, "rb") as f:
        f.seek(512)
        return f.read(8) == b"EFI PART"


def state(*paths):
    return [(digest(p), os.stat(p).st_mtime_ns) for p in paths]


def clone(*args):
    r = run("esp", "clone", "--yes", *args)
    assert r.returncode == 0, r.stdout + r.stderr
    return r


def refused(*args, says, paths="ab"):
    before = state(*paths)
    r = run("esp", "clone", "--yes", *args)
    assert r.returncode == 3 and says in r.stderr, r.stdout + r.stderr
    assert "nothing was written" in r.stderr and state(*paths) == before
    return r
