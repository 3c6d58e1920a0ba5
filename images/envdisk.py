# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks whose GRUB writes: save_env into /boot/grub/grubenv on a mirror's file system.

GRUB knows nothing of md here (with its md modules it refuses every write): it sees the
plain file system that mirrorboot presents, as a disk of its own or, with md 1.0, as
the first partition.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import diskimage
import filesystem
import grub
import mdmember

ENV = "/boot/grub/grubenv"
NAME = "saved_entry"
OLD = "before"
MODULES = ["biosdisk", "part_msdos", "ext2", "loadenv", "echo", "serial", "terminal", "ls", "normal"]
BLOCK_BYTES = 1024

SCRIPT = """\
serial --unit=0 --speed=115200
terminal_output serial
echo
echo "GRUB: started"
{saves}
set {name}=
load_env -f ({device}){env}
echo "GRUB: value is ${name}"
echo "{done}"
"""


@lru_cache(maxsize=None)
def core_img(device, values):
    """A core.img that saves each of the values, one after the other, and reads the last back."""
    saves = "\n".join(f"set {NAME}={value}\nsave_env -f ({device}){ENV} {NAME}"
                      for value in values)
    script = SCRIPT.format(saves=saves, name=NAME, device=device, env=ENV, done=grub.DONE)
    return grub.mkimage("i386-pc", MODULES, script)


def environment(path, *arguments):
    """grub-editenv on a file; what it prints."""
    return subprocess.run(["grub-editenv", str(path), *arguments], check=True,
                          capture_output=True, text=True).stdout


def listed(block):
    """What `grub-editenv list` says of the bytes of an environment block."""
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-env-") as f:
        f.write(block)
        f.flush()
        return environment(f.name, "list").strip()


def value(text):
    return f"{NAME}={text}"


@lru_cache(maxsize=None)
def make_filesystem(size_s512):
    """(bytes, first sector of the environment block). A filler puts the block far up."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-fs-") as tmp:
        tmp = Path(tmp)
        image = tmp / "fs"
        with open(image, "wb") as f:
            f.truncate(size_s512 * 512)
        environment(tmp / "grubenv", "create")
        environment(tmp / "grubenv", "set", value(OLD))
        (tmp / "filler").write_bytes(b"filler. " * (size_s512 * 512 * 3 // 5 // 8))
        fixed = {**os.environ, "E2FSPROGS_FAKE_TIME": "1700000000", "LC_ALL": "C"}
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext2", "-b", str(BLOCK_BYTES), "-N", "64",
                        "-U", filesystem.UUID, "-E", f"hash_seed={filesystem.UUID}", str(image)],
                       check=True, env=fixed, capture_output=True)
        commands = ["mkdir /boot", "mkdir /boot/grub", f"write {tmp / 'filler'} /filler",
                    f"write {tmp / 'grubenv'} {ENV}"]
        subprocess.run(["/usr/sbin/debugfs", "-w", "-f", "-", str(image)], text=True, check=True,
                       input="\n".join(commands), capture_output=True, env=fixed)
        subprocess.run(["/usr/sbin/e2fsck", "-fn", str(image)], check=True, capture_output=True)
        blocks = filesystem.blocks_of(image, ENV)
        if len(blocks) != 1:
            raise RuntimeError(f"debugfs gave {ENV} the blocks {blocks}")
        return image.read_bytes(), blocks[0] * (BLOCK_BYTES // 512)


def with_filesystem(members):
    """The members of an array, as mdadm made them, with our file system on it."""
    out = []
    for member in members:
        sb = mdmember.Superblock(member)
        data, _ = make_filesystem(sb.size_s512)
        good = (sb.recovery_s512 if sb.rebuilding else sb.size_s512) * 512
        at = sb.data_s512 * 512
        out.append(member[:at] + data[:good] + member[at + good:])
    return out


def env_s512(member):
    """The sector of the array that the environment block starts at."""
    return make_filesystem(mdmember.Superblock(member).size_s512)[1]


def env_of(member):
    """The bytes of the environment block on one leg."""
    at = (mdmember.Superblock(member).data_s512 + env_s512(member)) * 512
    return member[at:at + 1024]


@dataclass
class Machine:
    """Disks with these members, GRUB that saves, and a place for them."""
    paths: list
    member_lba: int
    member_s512: int

    def members(self, images):
        """The members that are on these images of the disks (bytes)."""
        at = self.member_lba * 512
        return [bytes(image[at:at + self.member_s512 * 512]) for image in images]


def make(folder, members, device, values=("after",)):
    folder = Path(folder)
    folder.mkdir(parents=True)
    core, paths = core_img(device, tuple(values)), []
    for n, member in enumerate(members):
        paths.append(folder / f"{'abcd'[n]}.img")
        start = diskimage.mbr_disk(paths[n], member, core=core)
    return Machine(paths, start, len(members[0]) // 512)
