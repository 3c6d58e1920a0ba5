# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The /boot file system on the mirrors: ext4 that tells its generation.

One uuid for all generations, as for one file system at different times, and the
same layout, so that reads which mix two legs give a payload with a wrong hash:

    /boot/grub/grub.cfg   /filler (to 6.5 MiB)   /marker   /payload (3 MiB)

The filler pushes marker and payload above the 6 MiB that the half-rebuilt
fixture has been copied up to.
"""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

UUID = "b007ab1e-0000-4000-8000-6d6972726f72"
PAYLOAD_BYTES = 3 << 20
FILLER_BYTES = 13 << 19
BLOCK_BYTES = 4096


def payload(generation):
    return hashlib.shake_256(b"payload of generation %d" % generation).digest(PAYLOAD_BYTES)


def payload_sha256(generation):
    return hashlib.sha256(payload(generation)).hexdigest()


def marker(generation):
    return f"generation {generation}"


def _debugfs(image, commands, write=False):
    args = ["/usr/sbin/debugfs", *(["-w"] if write else []), "-f", "-", str(image)]
    done = subprocess.run(args, input="\n".join(commands), text=True, check=True,
                          capture_output=True, env=_environment())
    return done.stdout


def _environment():
    # Same bytes on every run: mke2fs and debugfs take the time from here.
    return {**os.environ, "E2FSPROGS_FAKE_TIME": "1700000000", "LC_ALL": "C"}


def make(size_s512, generation, more=None):
    """The bytes of the file system. more: further files, {path: bytes}, or others' contents."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-fs-") as tmp:
        tmp = Path(tmp)
        image = tmp / "fs"
        with open(image, "wb") as f:
            f.truncate(size_s512 * 512)
        # Only features that every GRUB with ext4 reads, whatever mke2fs.conf says.
        subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK_BYTES), "-N", "128",
                        "-O", "none,ext_attr,filetype,extents,sparse_super,large_file,dir_nlink",
                        "-U", UUID, "-L", "boot", "-E", f"hash_seed={UUID},lazy_itable_init=0",
                        str(image)], check=True, env=_environment(), capture_output=True)
        files = {"/filler": b"filler. " * (FILLER_BYTES // 8),
                 "/boot/grub/grub.cfg":
                     f'echo "GRUB: grub.cfg of generation {generation}"\n'.encode(),
                 "/marker": marker(generation).encode() + b"\n",
                 "/payload": payload(generation),
                 **(more or {})}
        commands = ["mkdir /boot", "mkdir /boot/grub"]
        if any(path.startswith("/boot/syslinux/") for path in files):
            commands.append("mkdir /boot/syslinux")
        for n, (path, data) in enumerate(files.items()):
            (tmp / str(n)).write_bytes(data)
            commands.append(f"write {tmp / str(n)} {path}")
        # debugfs says nothing in its exit status: look at what is there afterwards
        _debugfs(image, commands, write=True)
        subprocess.run(["/usr/sbin/e2fsck", "-fn", str(image)], check=True, capture_output=True,
                       env=_environment())
        _debugfs(image, [f"dump {path} {tmp / 'back'}{n}" for n, path in enumerate(files)])
        for n, (path, data) in enumerate(files.items()):
            if (tmp / f"back{n}").read_bytes() != data:
                raise RuntimeError(f"debugfs did not write {path}")
        return image.read_bytes()


def blocks_of(image, path):
    """The blocks of a file, in the file's order."""
    return [int(word) for line in _debugfs(image, [f"blocks {path}"]).splitlines()
            for word in line.split() if word.isdigit()]


def middle_s512(size_s512, generation=2):
    """A sector in the middle of /payload, counted from the start of the file system."""
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-fs-") as f:
        f.write(make(size_s512, generation))
        f.flush()
        blocks = blocks_of(f.name, "/payload")
    return blocks[len(blocks) // 2] * (BLOCK_BYTES // 512) + 3
