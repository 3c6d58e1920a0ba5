# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Which sectors of a disk a loader reads, to let one of them fail: chosen by a seed."""

import random
import tempfile

import filesystem

SEED = 20260101
BLOCK_S512 = filesystem.BLOCK_BYTES // 512


def sectors_of(image, paths):
    """Sectors of the files, counted from the start of the file system (bytes)."""
    sectors = []
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-fs-") as f:
        f.write(image)
        f.flush()
        for path in paths:
            for block in filesystem.blocks_of(f.name, path):
                sectors += range(block * BLOCK_S512, (block + 1) * BLOCK_S512)
    return sectors


def choose(image, paths, count, data_lba):
    """LBAs of `count` different sectors of these files, the same on every run.

    The first and the last sector are among them. More of them begin with fewer of them.
    """
    sectors = sectors_of(image, paths)
    ends = [sectors[0], sectors[-1]]
    rest = [s for s in sectors if s not in ends]
    return [data_lba + s for s in (ends + random.Random(SEED).sample(rest, len(rest)))[:count]]
