# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Real dynamic disks: what Windows Server 2003 R2 and 2008 R2 wrote.

They are the test data of libldm (github.com/mdbooth/libldm, test/data), which says nothing of
a licence for them, so that they are not part of this project: ldm-data.tar.xz, or the 19 images
unpacked, in the folder that MIRRORBOOT_WINDOWS_DISKS names, or in shared/fixtures/ldm beside
the checkout. Images are never changed: copy one first.
"""

import os
import shutil
import subprocess
from pathlib import Path

import cli

DEFAULT = cli.ROOT.parent / "shared" / "fixtures" / "ldm"
ARCHIVE = "ldm-data.tar.xz"

# group -> layout -> how many disks; "ldm-GROUP-LAYOUT-N.img". All disks of a group belong together.
GROUPS = {
    "2003r2": {"mirrored": 2, "raid5": 3, "simple": 1, "spanned": 2, "striped": 2},
    "2008r2": {"mirrored": 2, "raid5": 3, "spanned": 2, "striped": 2},
}


class Unavailable(Exception):
    """They are not on this machine."""


def names(group, layout=None):
    return [f"ldm-{group}-{which}-{n}.img" for which, count in GROUPS[group].items()
            for n in range(1, count + 1) if layout in (None, which)]


def _all_in(folder):
    return all((folder / name).exists() for group in GROUPS for name in names(group))


def folder():
    """The folder with the images, unpacked once per build. Raises Unavailable."""
    given = os.environ.get("MIRRORBOOT_WINDOWS_DISKS")
    source = Path(given) if given else DEFAULT
    if _all_in(source):
        return source
    if not (source / ARCHIVE).exists():
        raise Unavailable(f"no {ARCHIVE} and no images in {source}; MIRRORBOOT_WINDOWS_DISKS "
                          "can name a folder that has them")
    out = cli.build_folder() / "windows-disks"
    if not _all_in(out):
        part = out.with_name(f"{out.name}.{os.getpid()}")
        part.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-xJf", str(source / ARCHIVE), "-C", str(part)], check=True)
        if not _all_in(part):
            raise Unavailable(f"{source / ARCHIVE} does not hold the images that it should")
        try:
            part.rename(out)
        except OSError:  # another process was as quick
            shutil.rmtree(part)
    return out


def copy(source, to):
    """A copy to be changed; holes stay holes."""
    subprocess.run(["cp", "--sparse=always", "--no-preserve=mode", str(source), str(to)], check=True)
    return Path(to)
