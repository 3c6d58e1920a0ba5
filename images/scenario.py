# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Pairs of disks in the states that matter, and the right answer for each.

The answers here come from how each scenario is made (which leg was given which
generation, which fixture, which sector fails), never from what the tool printed.
"""

import subprocess
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import diskimage
import filesystem
import mdmember
import qemu



@dataclass(frozen=True)
class Pair:
    """A mirror's two members: fixture and generation of the data for each leg."""
    name: str
    a: str
    b: str
    gen_a: int
    gen_b: int
    verdict_a: str  # as `mirrorboot status --json` names verdicts
    verdict_b: str
    chosen: int     # the leg that Linux reads: index by role order, which is a, b here
    state: str


PAIRS = {p.name: p for p in (
    Pair("in-sync", "md1.2-insync-a", "md1.2-insync-b", 2, 2, "in-sync", "in-sync", 0, "healthy"),
    Pair("stale", "md1.2-legA-failed-a", "md1.2-legA-failed-b", 1, 2, "stale", "in-sync", 1,
         "degraded"),
    Pair("stale-1.0", "md1.0-legA-failed-a", "md1.0-legA-failed-b", 1, 2, "stale", "in-sync", 1,
         "degraded"),
    Pair("stale-0.90", "md0.90-legA-failed-a", "md0.90-legA-failed-b", 1, 2, "stale", "in-sync",
         1, "degraded"),
    Pair("rebuilding", "md1.2-recovering-a", "md1.2-recovering-b", 2, 2, "rebuilding", "in-sync",
         1, "degraded"),
    Pair("split-brain", "md1.2-splitbrain-a", "md1.2-splitbrain-b", 3, 2, "in-sync", "conflict",
         0, "split-brain"),
    Pair("unclean", "md1.2-unclean-a", "md1.2-unclean-b", 2, 1, "in-sync", "in-sync", 0,
         "healthy"),
)}


@lru_cache(maxsize=None)
def _filesystem(size_s512, generation):
    return filesystem.make(size_s512, generation)


def member(fixture, generation):
    size = mdmember.Superblock(mdmember.fixture(fixture)).size_s512
    return mdmember.compose(fixture, _filesystem(size, generation))


@dataclass
class Disks:
    """Two images on disk and where their members start."""
    pair: Pair
    paths: list
    member_lba: list
    data_s512: int
    size_s512: int

    def middle_of_payload(self):
        """The sector of the disk that holds the middle of /payload."""
        return (self.member_lba[0] + self.data_s512
                + filesystem.middle_s512(self.size_s512))

    def drives(self, attached=(0, 1), bad_leg=None):
        """qemu.Drive of each disk attached, in that order; bad_leg fails in mid-payload."""
        return [qemu.Drive(str(self.paths[n]),
                           (self.middle_of_payload(),) if n == bad_leg else ())
                for n in attached]


def make(pair_name, folder, table="mbr", loader="grub", tail_s512=diskimage.TAIL_S512):
    """Write the two images of a pair; table is "mbr" or "gpt"."""
    pair = PAIRS[pair_name]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths, starts = [], []
    for n, (fixture, generation) in enumerate(((pair.a, pair.gen_a), (pair.b, pair.gen_b))):
        path = folder / f"{'ab'[n]}.img"
        data = member(fixture, generation)
        if table == "mbr":
            start = diskimage.mbr_disk(path, data, loader, tail_s512=tail_s512)
        else:
            start = diskimage.gpt_disk(path, data, n, loader)
        paths.append(path)
        starts.append(start)
    sb = mdmember.Superblock(mdmember.fixture(pair.b))
    return Disks(pair, paths, starts, sb.data_s512, sb.size_s512)


def copy(disks, folder):
    """A copy of the images, to change."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    paths = [folder / p.name for p in disks.paths]
    for old, new in zip(disks.paths, paths):
        subprocess.run(["cp", "--sparse=always", str(old), str(new)], check=True)
    return replace(disks, paths=paths)
