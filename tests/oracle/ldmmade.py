# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Dynamic disks made here, for oracles to look at: by images/ldmdisk.py, and by the tool itself."""

import shutil
import subprocess

import cli
import ldmedit
import windowsdisks
from ldmdisk import Component, Disk, Group, Piece, Volume, mirror, write

SECTORS = 65536  # 32 MiB a disk
VOLUME_S512 = 16384
TEXT = b"both legs have this\n"
STRIPED, RAID5 = 1, 3


def ntfs(path, start_lba):
    """An NTFS of VOLUME_S512 with a file test.txt in it; None without ntfs-3g."""
    if not shutil.which("mkntfs"):
        return None
    with open(path, "wb") as f:
        f.truncate(VOLUME_S512 * 512)
    text = path.with_suffix(".txt")
    text.write_bytes(TEXT)
    for args in (["mkntfs", "-q", "-F", "-f", "-s", "512", "-p", start_lba, "-H", 255, "-S", 63,
                  "-L", "MADE", path],
                 ["ntfscp", "-q", path, text, "test.txt"]):
        subprocess.run(list(map(str, args)), check=True, capture_output=True)
    return path.read_bytes()


def pair(folder):
    """An MBR and a GPT disk with one mirror, its legs at different sectors."""
    folder.mkdir(parents=True, exist_ok=True)
    group = Group([Disk(0, SECTORS), Disk(1, SECTORS, "gpt")],
                  [mirror("Volume1", VOLUME_S512, [(0, 2048), (1, 6144)])])
    data = ntfs(folder / "ntfs", 2048)
    paths = [folder / f"made-{d.number}.img" for d in group.disks]
    for path, disk in zip(paths, group.disks):
        write(path, group, disk.number, {"Volume1": data} if data else {})
    return paths


def every_layout(folder):
    """Three disks with a volume of each kind that LDM knows, mirrors of two kinds among them."""
    folder.mkdir(parents=True, exist_ok=True)
    disks = [Disk(0, SECTORS), Disk(1, SECTORS, "gpt"), Disk(2, SECTORS)]
    s512 = 4096

    def columns(size, offset=0):
        return [Piece(n, 8192 + offset, size, 0, column=k or None) for k, n in enumerate((0, 2))]

    volumes = [
        mirror("Mirror", s512, [(0, 2048), (2, 2048)]),
        mirror("Skewed", s512, [(0, 16384), (1, 16384)]),
        Volume("Simple", s512, [Component([Piece(1, 24576, s512)])]),
        Volume("Spanned", 2 * s512, [Component([Piece(0, 24576, s512),
                                                Piece(2, 24576, s512, s512)])]),
        Volume("Striped", 2 * s512, [Component(columns(s512), layout=STRIPED, stripe_s512=128)]),
        Volume("Raid5", 2 * s512, [Component([Piece(n, 32768, s512, column=n or None) for n in range(3)],
                                             layout=RAID5, stripe_s512=128)], kind="raid5"),
        # one leg in one piece, the other in two on two disks
        Volume("MirrorSpanned", 2 * s512,
               [Component([Piece(1, 40960, 2 * s512)]),
                Component([Piece(0, 40960, s512), Piece(2, 40960, s512, s512)])]),
    ]
    group = Group(disks, volumes)
    paths = [folder / f"layouts-{d.number}.img" for d in disks]
    for path, disk in zip(paths, disks):
        write(path, group, disk.number)
    return paths


# ---- made and changed by the tool --------------------------------------------------------------

def _empty(path, sectors):
    with open(path, "wb") as f:
        f.truncate(sectors * 512)
    return path


def _copies(paths, folder, name):
    return [windowsdisks.copy(p, folder / f"{name}-{n}.img") for n, p in enumerate(paths)]


def _ldm(verb, *args):
    done = cli.run("ldm", verb, "--yes", *args, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"ldm {verb}: exit status {done.returncode}\n{done.stdout}{done.stderr}")


def by_the_tool(folder):
    """{what was done: images}, each made by `mirrorboot ldm`."""
    folder.mkdir(parents=True, exist_ok=True)
    out = {}

    def new(name):
        return [_empty(folder / f"{name}-{n}.img", 4 * SECTORS) for n in (0, 1)]

    for name, options in (("create", []), ("create-gpt", ["--gpt"]),
                          ("create-sized", ["--size", "8M", "--name", "Boot", "--letter", "E"])):
        out[name] = new(name)
        _ldm("create", *options, *out[name])
    simple = Group([Disk(0, SECTORS)],
                   [Volume("Simple", VOLUME_S512, [Component([Piece(0, 2048, VOLUME_S512)])])])
    for name, options in (("add-mirror", []), ("add-mirror-gpt", ["--gpt"])):
        out[name] = new(name)
        write(out[name][0], simple, 0)
        _ldm("add-mirror", *options, "Simple", *out[name])
    out["break"] = _copies(out["create-sized"], folder, "break")
    _ldm("break", "Boot", *out["break"])
    out["remove"] = _copies(out["create-sized"], folder, "remove")
    _ldm("remove", "--leg", "0", "Boot", *out["remove"])
    out["repair"] = _copies(pair(folder), folder, "repair")
    for path in out["repair"]:
        image = ldmedit.Image(path)
        image.change(ldmedit.Mirror(image).components[1], "state", "STALE")
    _ldm("repair", "Volume1", *out["repair"])
    out["repair-older"] = _copies(pair(folder), folder, "repair-older")
    older = ldmedit.Image(out["repair-older"][0])
    older.vmdb(committed=older.committed - 1, pending=older.committed - 1)
    _ldm("repair", "Volume1", *out["repair-older"])
    return out
