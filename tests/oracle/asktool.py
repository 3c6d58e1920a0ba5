# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What ldmtool (libldm) says of dynamic disks."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Partition:
    disk: str     # its name in the group
    path: object  # the image that ldmtool takes for that disk, or None
    start: int    # LBA on the disk, or None when the disk is not there
    size: int


@dataclass
class Volume:
    guid: str
    kind: str  # "simple", "spanned", "striped", "mirrored", "RAID5"
    size: int
    partitions: list


@dataclass
class Group:
    guid: str
    name: str
    volumes: dict


def available():
    return shutil.which("ldmtool") is not None


def _ask(paths, *command):
    args = ["ldmtool"]
    for path in paths:
        args += ["-d", str(path)]
    done = subprocess.run([*args, *command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    said = "\n".join(line for line in done.stderr.splitlines() if "sector size" not in line)
    return done.stdout, said


def _show(paths, *command):
    out, said = _ask(paths, "show", *command)
    try:
        return json.loads(out)
    except ValueError:
        raise RuntimeError(f"ldmtool show {' '.join(command)}: {out}{said}") from None


def groups(paths, kinds=()):
    """All groups that it finds on these disks, and what it says on stderr meanwhile.

    kinds: of volumes that are wanted; all when empty.
    """
    out, said = _ask(paths, "scan")
    found = []
    for guid in _GUID.findall(out):
        shown = _show(paths, "diskgroup", guid)
        volumes, disks = {}, {}
        for name in shown["volumes"]:
            v = _show(paths, "volume", guid, name)
            if kinds and v["type"] not in kinds:
                continue
            parts = [_partition(paths, guid, part, disks) for part in v["partitions"]]
            volumes[name] = Volume(v["guid"], v["type"], v["size"], parts)
        found.append(Group(guid, shown["name"], volumes))
    return found, said


def _partition(paths, guid, name, disks):
    part = _show(paths, "partition", guid, name)
    if part["disk"] not in disks:
        disks[part["disk"]] = _show(paths, "disk", guid, part["disk"])
    disk = disks[part["disk"]]
    here = disk["present"]
    return Partition(part["disk"], disk.get("device") if here else None,
                     disk["data-start"] + part["start"] if here else None, part["size"])
