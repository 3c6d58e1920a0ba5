# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A Linux guest with the tool in it, for EFI system partitions that are really mounted.

The tool, fsck.fat and their libraries are this system's; kernel and busybox come from the
distribution's packages (images/linux.py).
"""

import re
import shutil
from pathlib import Path

import cli
import linux

MODULES = ["virtio_pci", "virtio_blk", "nls_cp437", "nls_ascii", "nls_iso8859_1", "vfat"]

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt /run /tmp /var /usr/bin /usr/sbin /boot/efi
/bin/busybox --install -s /bin
export PATH=/sbin:/bin:/usr/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
mount -t tmpfs run /run
for m in $(cat /modules/order); do insmod /modules/$m || echo "ORACLE-ERROR insmod $m"; done
echo "ORACLE kernel $(uname -r)"

# say_ KEY: what comes in, a line each
say_() { sed "s|^|ORACLE $1 |"; }

# do_ KEY COMMAND...: its output and exit status
do_() {
	key=$1; shift
	"$@" >/tmp/out 2>/tmp/err; rc=$?
	say_ $key.out </tmp/out; say_ $key.err </tmp/err
	echo "ORACLE $key.rc $rc"
}

# tree_ KEY FOLDER: name and SHA-256 of each file, but for what is each ESP's own
tree_() {
	( cd $2 && find . -type d ! -path ./EFI/mirrorboot | sort
	  find . -type f ! -path ./EFI/mirrorboot/manifest -print0 | sort -z | xargs -0r sha256sum ) | say_ $1
}

# written_ KEY DISK: sectors written to it since it is there
written_() { set -- $1 $(cat /sys/block/$2/stat); echo "ORACLE $1 $8"; }

# fsck_ KEY DEVICE
fsck_() {
	fsck.fat -n $2 >/tmp/out 2>&1; rc=$?
	grep -v "^fsck.fat \\|files, .* clusters$\\|onver[ts]" /tmp/out | say_ $1.out
	echo "ORACLE $1.rc $rc"
}
"""

Unavailable = linux.Unavailable


class Answers:
    """What the guest said, by key."""

    def __init__(self, serial):
        self.serial = serial

    def lines(self, key):
        return re.findall(r"^ORACLE %s (.*)$" % re.escape(key), self.serial, re.M)

    def one(self, key):
        found = self.lines(key)
        assert len(found) == 1, f"{key}: {found}\n{self.serial[-3000:]}"
        return found[0]

    def rc(self, key):
        return int(self.one(key + ".rc"))

    def out(self, key):
        return "\n".join(self.lines(key + ".out"))

    def err(self, key):
        return "\n".join(self.lines(key + ".err"))


def program(name):
    path = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not path:
        raise Unavailable(f"there is no {name}")
    return Path(path).resolve()


def drive(path, sector=512):
    """QEMU's options for one; in the order in which they are given, vda, vdb ..."""
    name = "disk" + Path(path).name
    return ["-drive", f"if=none,id={name},format=raw,cache=unsafe,file={path}", "-device",
            f"virtio-blk-pci,drive={name},logical_block_size={sector},physical_block_size={sector}"]


def boot(folder, init, drives, programs, files=(), timeout_s=600):
    """Boot once with this /init. drives: of drive()."""
    root = linux.prepare(folder)
    initrd = linux.initramfs(root, init, MODULES,
                             [cli.build_folder() / "mirrorboot", *programs], files)
    serial = linux.run(root, initrd, "ORACLE end", (), timeout_s, "no_timer_check",
                       [option for d in drives for option in d])
    assert "ORACLE-ERROR" not in serial, serial
    return Answers(serial)


def run(folder, script, drives):
    """Boot once and run `script` (busybox sh)."""
    return boot(folder, INIT + script + "\nsync\necho ORACLE end\npoweroff -f\n", drives,
                [program("fsck.fat")])
