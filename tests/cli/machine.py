# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A machine whose disks are images: for commands that are given no disk.

MIRRORBOOT_SYSFS names a folder in place of /sys. The images are in /dev/shm: names of disks are those
of devices, below /dev.
"""

import os
import pathlib
import shutil
from contextlib import contextmanager

from disks import run, tool

DEV = pathlib.Path("/dev")
SHM = DEV / "shm"


def copy(old, new):
    tool("cp", "--sparse=always", old, new)


@contextmanager
def machine(*images):
    """Gives a function that runs the tool on it, and the paths of the disks there."""
    folder = SHM / f"mirrorboot-{os.getpid()}"
    sysfs = folder / "sys/block"
    try:
        paths = []
        for image in images:
            path = folder / pathlib.Path(image).name
            node = sysfs / str(path.relative_to(DEV)).replace("/", "!")
            (node / "device").mkdir(parents=True)
            (node / "size").write_text("%d\n" % (os.path.getsize(image) // 512))
            copy(image, path)
            paths.append(str(path))
        sysfs.mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, MIRRORBOOT_SYSFS=str(folder / "sys"))

        def do(*args):
            return run(*args, env=env)
        do.env = env
        yield do, paths
        for image, path in zip(images, paths):
            if os.path.exists(path):
                copy(path, image)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
