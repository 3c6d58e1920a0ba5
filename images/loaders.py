# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Loaders that others wrote, on pairs of disks with a stale leg: one recipe a row.

Each row says which loader lives where, what it starts, and from which view of
mirrorboot. What it has to read tells its generation all the way down: the loader's
configuration, the command line in it, a marker and a payload of known SHA-256.
"""

import re
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import diskimage
import extlinux
import filesystem
import grub
import linux
import mdmember
import scenario

MD_MODULES = {"diskfilter", "mdraid1x", "mdraid09"}
NEXT_MODULES = ["linux", "linux16", "boot"]
CORE = "/boot/grub/core.img"

# The guest looks at no disk and no bus: its kernel is up the sooner for it.
APPEND = ("console=ttyS0,115200 quiet panic=-1 acpi=off pci=off noapic nokaslr mitigations=off "
          "mirrorboot.generation={generation}")
MEMTEST_APPEND = "console=ttyS0,115200 nosmp mirrorboot.generation={generation}"
LINUX_DONE = "LINUX: done"
MEMTEST_DONE = "[Address test"  # the first of its tests has begun

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys
for m in $(cat /modules/order); do insmod /modules/$m; done
echo
echo "LINUX: command line $(cat /proc/cmdline)"
echo "LINUX: marker $(cat /marker)"
echo "LINUX: payload $(sha256sum </payload)"
dmesg | sed -n 's/^.*\\(BIOS EDD.*\\)/LINUX: dmesg \\1/p'
for f in /sys/firmware/edd/int13_dev*/*; do
	[ -f $f ] && case ${f##*/} in
	raw_data) ;;
	*) echo "LINUX: edd ${f#*int13_dev} $(cat $f | tr '\\n' ';')" ;;
	esac
done
echo "LINUX: done"
while :; do sleep 100; done
"""


@dataclass(frozen=True)
class Loader:
    name: str             # a row of the table
    starts: str           # "Linux", "memtest86+", "" for nothing but the loader itself
    lives: str            # "gap": GRUB behind the MBR; "file": GRUB in the volume itself;
                          # "fat", "ext": syslinux, extlinux in the member's file system
    pair: str             # of scenario.PAIRS
    config: str = ""      # mirrorboot's
    md_aware: bool = False
    verb: str = "linux16"  # GRUB's, to load a kernel with
    root: str = ""        # what GRUB has to name as its root

    @property
    def volume(self):
        return "boot-disk = volume" in self.config

    @property
    def is_grub(self):
        return self.lives in ("gap", "file")

    @property
    def edd(self):
        """Linux asks the BIOS for its drives when it is entered in real mode."""
        return self.starts == "Linux" and not (self.is_grub and self.verb == "linux")

    @property
    def done(self):
        return {"Linux": LINUX_DONE, "memtest86+": MEMTEST_DONE, "": grub.DONE}[self.starts]


VOLUME = "boot-disk = volume\nvolumes = yes\n"

LOADERS = (
    Loader("GRUB, md-aware, md 1.2", "", "gap", "stale", md_aware=True, root="md/"),
    Loader("GRUB, not md-aware, md 1.0", "", "gap", "stale-1.0", root="hd0,msdos1"),
    Loader("GRUB, not md-aware, md 0.90", "", "gap", "stale-0.90", root="hd0,msdos1"),
    Loader("GRUB, not md-aware, md 1.2: volume is 81h", "", "gap", "stale",
           config="volumes = yes\n", root="hd1"),
    Loader("GRUB, not md-aware, md 1.2: volume is 80h, core.img a file in it", "", "file", "stale",
           config=VOLUME, root="hd0"),
    Loader("GRUB, md-aware, md 1.2: linux16", "Linux", "gap", "stale", md_aware=True, root="md/"),
    Loader("GRUB, not md-aware, md 1.0: linux", "Linux", "gap", "stale-1.0", verb="linux",
           root="hd0,msdos1"),
    Loader("GRUB, md-aware, md 1.2: linux", "memtest86+", "gap", "stale", md_aware=True,
           verb="linux", root="md/"),
    Loader("syslinux, mbr.bin, FAT on md 1.0", "Linux", "fat", "stale-1.0"),
    Loader("syslinux, FAT on md 1.2: volume is 80h", "memtest86+", "fat", "stale", config=VOLUME),
    Loader("extlinux, mbr.bin, ext4 on md 1.0", "memtest86+", "ext", "stale-1.0"),
    Loader("extlinux, ext4 on md 1.2: volume is 80h", "Linux", "ext", "stale", config=VOLUME),
)


class Workshop:
    """Makes the disks of a row; what the rows share is made once. Raises linux.Unavailable."""

    def __init__(self, packages_folder):
        self.root = linux.prepare(packages_folder)
        self.kernel, self.memtest = (find(self.root).read_bytes()
                                     for find in (linux.kernel, linux.memtest))
        self._initrd, self._ext = {}, {}

    def initrd(self, generation):
        if generation not in self._initrd:
            self._initrd[generation] = linux.initramfs(
                self.root, INIT, ["edd"],
                files={"marker": filesystem.marker(generation).encode() + b"\n",
                       "payload": filesystem.payload(generation)})
        return self._initrd[generation]

    def next_files(self, loader, generation):
        """What the loader is to start: {path: bytes}"""
        if loader.starts == "Linux":
            return {"/vmlinuz": self.kernel, "/initrd": self.initrd(generation)}
        if loader.starts == "memtest86+":
            return {f"/memtest.{generation}": self.memtest}
        return {}

    def _files(self, loader, generation):
        files = self.next_files(loader, generation)
        append = APPEND if loader.starts == "Linux" else MEMTEST_APPEND
        append = append.format(generation=generation)
        kernel = next(iter(files), None)
        initrd = "/initrd" if "/initrd" in files else None
        if not loader.is_grub:
            files |= extlinux.config(kernel, append, initrd)
        elif loader.starts:
            text = (f'echo "GRUB: grub.cfg of generation {generation}"\n'
                    f"{loader.verb} {kernel} {append}\n")
            if initrd:
                text += f"{loader.verb.replace('linux', 'initrd')} {initrd}\n"
            files["/boot/grub/grub.cfg"] = (text + "boot\n").encode()
        return files

    def _make_all_ext(self):
        """The guest that runs extlinux boots once for all rows."""
        wanted = {}
        for loader in (x for x in LOADERS if x.lives == "ext"):
            pair = scenario.PAIRS[loader.pair]
            size = mdmember.Superblock(mdmember.fixture(pair.b)).size_s512
            start = 0 if loader.volume else diskimage.FIRST_LBA
            for generation in (pair.gen_a, pair.gen_b):
                wanted[loader, generation] = (size, start, generation,
                                              self._files(loader, generation))
        self._ext = dict(zip(wanted, extlinux.ext(self.root, wanted.values())))

    def contents(self, loader, size_s512, generation):
        """The mirror's data."""
        if loader.lives == "ext":
            if not self._ext:
                self._make_all_ext()
            return self._ext[loader, generation]
        files = self._files(loader, generation)
        if loader.lives == "fat":
            return extlinux.fat(size_s512, 0 if loader.volume else diskimage.FIRST_LBA, files)
        if loader.lives == "file":
            files[CORE] = core_img(loader)
            return boot_from_file(filesystem.make(size_s512, generation, files),
                                  len(files[CORE]))
        return filesystem.make(size_s512, generation, files)

    def make(self, loader, folder):
        """The pair of disks, as they are before mirrorboot is installed."""
        pair = scenario.PAIRS[loader.pair]
        folder = Path(folder)
        folder.mkdir(parents=True)
        paths, starts = [], []
        for fixture, generation, name in ((pair.a, pair.gen_a, "a"), (pair.b, pair.gen_b, "b")):
            sb = mdmember.Superblock(mdmember.fixture(fixture))
            member = mdmember.compose(fixture, self.contents(loader, sb.size_s512, generation))
            path = folder / f"{name}.img"
            starts.append(diskimage.mbr_disk(path, member, "grub" if loader.is_grub else None,
                                             core=core_img(loader) if loader.is_grub else None))
            if not loader.is_grub:
                with open(path, "r+b") as f:
                    f.write(extlinux.mbr_code())
            paths.append(path)
        return scenario.Disks(pair, paths, starts, sb.data_s512, sb.size_s512)


def core_img(loader):
    modules = ["biosdisk", *(m for m in grub.MODULES if loader.md_aware or m not in MD_MODULES),
               *NEXT_MODULES]
    return grub.mkimage("i386-pc", modules, grub.script(uefi=False))


def boot_from_file(image, core_bytes):
    """GRUB's boot.img in the first sector of a file system that has core.img as a file.

    As grub-install --force does on a partition: the blocks of the file are written down.
    """
    image = bytearray(image)
    with tempfile.NamedTemporaryFile(prefix="mirrorboot-fs-") as f:
        f.write(image)
        f.flush()
        blocks = filesystem.blocks_of(f.name, CORE)
    if blocks != list(range(blocks[0], blocks[0] - (-core_bytes // filesystem.BLOCK_BYTES))):
        raise RuntimeError("core.img is in pieces")
    lba = blocks[0] * filesystem.BLOCK_BYTES // 512
    core = bytes(image[lba * 512:lba * 512 + len(blocks) * filesystem.BLOCK_BYTES])
    image[lba * 512:lba * 512 + len(core)] = grub.place_core(core, lba)
    code = grub.boot_code(lba)
    image[:len(code)] = code
    struct.pack_into("<H", image, 510, 0xAA55)
    return bytes(image)


def told(serial, what):
    """What the guest printed behind "LINUX: what", None when it did not."""
    found = re.search(rf"^LINUX: {what} (.*)$", serial, re.M)
    return found and found[1].strip()


def what_linux_got(serial):
    """(generation on the command line, marker, payload) of the kernel and initramfs that run.

    ("2", "generation 2", "ok"); the payload is ok when its hash is that of the marker's
    generation. None: the guest did not come that far.
    """
    generation = re.search(r"mirrorboot\.generation=(\d+)", told(serial, "command line") or "")
    marker, digest = told(serial, "marker"), told(serial, "payload")
    if not generation or not marker or not digest:
        return None
    good = [filesystem.payload_sha256(n) for n in (1, 2) if marker == filesystem.marker(n)]
    return generation[1], marker, "ok" if digest.split()[0] in good else "BAD"
