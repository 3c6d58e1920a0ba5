# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""File systems that boot with syslinux (FAT) or extlinux (ext4).

syslinux installs into an image file. extlinux wants a mounted file system, so it does its
work in a Linux guest, once for all images that are needed.
"""

import struct
import subprocess
import tempfile
from pathlib import Path

import filesystem
import linux

FOLDER = "/boot/syslinux"
CONFIG = """\
SERIAL 0 115200
PROMPT 0
DEFAULT next
LABEL next
  KERNEL {kernel}
  APPEND {append}
{initrd}"""
MBR_BIN = ("/usr/lib/syslinux/mbr/mbr.bin", "/usr/lib/SYSLINUX/mbr.bin")
MTOOLS = {"MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

GUEST = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m; done
for d in {devices}; do
	mount -t ext4 /dev/$d /mnt
	# where debugfs left holes; extlinux can't read those
	for f in {files}; do
		[ -f /mnt$f ] && cat /mnt$f >/whole && cat /whole >/mnt$f
	done
	extlinux --install /mnt{folder} && umount /mnt && echo "EXTLINUX installed $d"
done
sync
echo "EXTLINUX end"
poweroff -f
"""


def config(kernel, append, initrd=None):
    """Its configuration, {path: bytes}: start the one thing that there is."""
    text = CONFIG.format(kernel=kernel, append=append,
                         initrd=f"  INITRD {initrd}\n" if initrd else "")
    return {FOLDER + "/syslinux.cfg": text.encode()}


def mbr_code():
    """syslinux's MBR: starts the partition that is marked active."""
    code = next(Path(p) for p in MBR_BIN if Path(p).exists()).read_bytes()
    if len(code) > 440:
        raise ValueError("mbr.bin does not fit before the disk signature")
    return code


def fat(size_s512, hidden_s512, files):
    """A FAT file system with syslinux; hidden_s512: the LBA that its partition starts at."""
    with tempfile.TemporaryDirectory(prefix="mirrorboot-fat-") as tmp:
        image = Path(tmp) / "fs"
        with open(image, "wb") as f:
            f.truncate(size_s512 * 512)
        subprocess.run(["/usr/sbin/mkfs.vfat", "-F", "16", "-s", "4", "-i", "6d62fa70",
                        "-h", str(hidden_s512), str(image)], check=True, capture_output=True)
        for path, data in files.items():
            name = Path(tmp) / "file"
            name.write_bytes(data)
            folder = "/".join(path.split("/")[:-1])
            for n in range(2, folder.count("/") + 2):
                subprocess.run(["mmd", "-D", "s", "-i", str(image),
                                "::" + "/".join(folder.split("/")[:n])],
                               env=MTOOLS, stdin=subprocess.DEVNULL, capture_output=True)
            subprocess.run(["mcopy", "-i", str(image), str(name), "::" + path], check=True,
                           env=MTOOLS, capture_output=True)
        subprocess.run(["syslinux", "--install", str(image)], check=True, capture_output=True,
                       env=MTOOLS)
        return image.read_bytes()


def ext(root, wanted):
    """ext4 file systems with extlinux: wanted is [(size, start LBA, generation, files), ...].

    A start of 0 is a file system with no partition table around it. root: linux.prepare().
    """
    with tempfile.TemporaryDirectory(prefix="mirrorboot-ext-") as tmp:
        disks, devices = [], []
        for n, (size_s512, start, generation, files) in enumerate(wanted):
            disk = Path(tmp) / str(n)
            data = filesystem.make(size_s512, generation, files)
            with open(disk, "wb") as f:
                f.truncate((start + size_s512) * 512)
                if start:
                    f.seek(446)
                    f.write(struct.pack("<4xB3xII", 0x83, start, size_s512))
                    f.seek(510)
                    f.write(b"\x55\xaa")
                f.seek(start * 512)
                f.write(data)
            disks.append(disk)
            devices.append(f"vd{'abcdefgh'[n]}" + ("1" if start else ""))
        script = GUEST.format(devices=" ".join(devices), folder=FOLDER, files=" ".join(
            sorted({path for *_, files in wanted for path in files})))
        initrd = linux.initramfs(root, script,
                                 ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic"],
                                 [Path("/usr/bin/extlinux")])
        serial = linux.run(root, initrd, "EXTLINUX end",
                           [f"cache=unsafe,file={disk}" for disk in disks],
                           append="no_timer_check")
        for device in devices:
            if f"EXTLINUX installed {device}\n" not in serial:
                raise RuntimeError(f"extlinux was not installed on {device}:\n" + serial[-3000:])
        made = []
        for disk, (_, start, _, _) in zip(disks, wanted):
            made.append(disk.read_bytes()[start * 512:])
        return made
