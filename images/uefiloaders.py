# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""UEFI loaders that others wrote, on pairs of disks with a stale leg: one recipe a row.

What comes from the mirror tells its generation all the way down, as in loaders.py. What
comes from a plain EFI system partition, of which each disk has its own, tells the disk;
Linux then assembles the mirror and says which generation it finds there.
"""

from dataclasses import dataclass
from pathlib import Path

import cli
import efipackages
import filesystem
import gptdisk
import grub
import linux
import loaders
import mdmember
import nvram
import scenario

MIB = 1 << 20
FALLBACK, REPLACED = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTX64.REPLACED.EFI"
VOLUME = "boot-disk = volume\n"
MD_MODULES = loaders.MD_MODULES
ESP_BYTES = 40 * MIB
VOLUME_DISK = 2  # the number of the disk that a volume is, for its GUIDs
# The kernel that is started by its EFI stub, and what it is told.
STUB, STUB_INITRD = "/EFI/debian/vmlinuz.efi", "/EFI/debian/initrd"

APPEND = ("console=ttyS0,115200 quiet panic=-1 nokaslr mitigations=off no_timer_check "
          "raid=noautodetect mirrorboot.generation={generation}")
DONE = loaders.LINUX_DONE

MODULES = ["virtio_pci", "virtio_blk", "nvme", "ahci", "sd_mod", "raid1", "ext4",
           "crc32c_generic"]
INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /mnt /run/mdadm
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "LINUX: no $m"; done
echo
echo "LINUX: command line $(cat /proc/cmdline)"
echo "LINUX: marker $(cat /marker)"
echo "LINUX: payload $(sha256sum </payload)"
legs_()
{
	for d in /sys/class/block/*/partition; do
		[ -f $d ] && [ "$(cat $d)" = MEMBER ] && d=${d%/partition} && echo "/dev/${d##*/}"
	done
}
tries=0
while [ -z "$(legs_)" ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
sleep 0.5
echo "LINUX: partitions" $(legs_)
mdadm --assemble --readonly --run /dev/md0 $(legs_) 2>&1 | sed "s/^/LINUX: md /"
echo "LINUX: legs" $(cat /sys/block/md0/md/dev-*/slot)
mount -t ext4 -o ro,noload /dev/md0 /mnt && echo "LINUX: mirror $(cat /mnt/marker)"
echo "LINUX: done"
while :; do sleep 100; done
"""


@dataclass(frozen=True)
class Row:
    """A row of the table."""
    name: str
    pair: str            # of scenario.PAIRS
    lives: str           # "esp": each disk's own; "member": the ESP is the mirror; "volume":
                         # the mirror holds a GPT, and that an ESP
    loader: str          # "grub", "shim", "systemd-boot", "stub"
    kernel: str          # "mirror" or "esp": where the kernel comes from
    config: str = ""     # mirrorboot's
    md_aware: bool = True

    @property
    def from_mirror(self):
        return self.kernel == "mirror"

    @property
    def member_number(self):
        return 1 if self.lives == "member" else 2


ROWS = {row.name: row for row in (
    Row("GRUB, md-aware, /boot on md 1.2", "stale", "esp", "grub", "mirror"),
    Row("GRUB, md-aware, volumes = no, /boot on md 1.2", "stale", "esp", "grub", "mirror",
        "volumes = no\n"),
    Row("GRUB, not md-aware, /boot on md 1.2", "stale", "esp", "grub", "mirror", md_aware=False),
    Row("GRUB, not md-aware, /boot on md 1.0", "stale-1.0", "esp", "grub", "mirror",
        md_aware=False),
    Row("GRUB, md-aware, /boot on md 0.90", "stale-0.90", "esp", "grub", "mirror"),
    Row("shim, GRUB as Debian signs it, /boot on md 1.2", "stale", "esp", "shim", "mirror"),
    Row("systemd-boot, entries and kernel on the ESP", "stale", "esp", "systemd-boot", "esp"),
    Row("systemd-boot, the ESP is on md 1.0", "stale-1.0", "member", "systemd-boot", "mirror"),
    Row("systemd-boot, an ESP inside of md 1.2", "stale", "volume", "systemd-boot", "mirror",
        VOLUME),
    Row("Linux EFI stub, kernel and initrd on the ESP", "stale", "esp", "stub", "esp"),
    Row("Linux EFI stub, the ESP is on md 1.0", "stale-1.0", "member", "stub", "mirror"),
    Row("Linux EFI stub, an ESP inside of md 1.2", "stale", "volume", "stub", "mirror",
        VOLUME),
)}


@dataclass
class Made(scenario.Disks):
    """Two images, and the UEFI variables that go with them."""
    variables: Path = None
    parts: list = None    # of each disk, its gptdisk.Parts


class Workshop:
    """Makes the disks of a row; what the rows share is made once. Raises linux.Unavailable."""

    def __init__(self, folder):
        self.root = linux.prepare(folder)
        self.programs = efipackages.prepare(folder)
        self.kernel = linux.kernel(self.root).read_bytes()
        self._initrd, self._contents, self.inner = {}, {}, None

    def initrd(self, generation, member_number):
        key = generation, member_number
        if key not in self._initrd:
            script = INIT.replace("MEMBER", str(member_number))
            self._initrd[key] = linux.initramfs(
                self.root, script, MODULES, [linux.program(self.root, "mdadm")],
                {"marker": filesystem.marker(generation).encode() + b"\n",
                 "payload": filesystem.payload(generation)})
        return self._initrd[key]

    # ---- what is where -------------------------------------------------------------------------

    def grub_files(self, row, generation):
        """/boot on the mirror."""
        text = (f'echo "GRUB: grub.cfg of generation {generation}"\n'
                f"linux /vmlinuz {APPEND.format(generation=generation)}\ninitrd /initrd\nboot\n")
        return {"/vmlinuz": self.kernel, "/initrd": self.initrd(generation, row.member_number),
                "/boot/grub/grub.cfg": text.encode()}

    def esp_files(self, row, generation):
        """The EFI system partition, apart from mirrorboot."""
        files = {}
        if row.loader == "grub":
            modules = [m for m in grub.MODULES if row.md_aware or m not in MD_MODULES]
            files[FALLBACK] = grub.mkimage("x86_64-efi", [*modules, "linux", "boot"],
                                           grub.script(uefi=True))
        elif row.loader == "shim":
            files["/EFI/debian/shimx64.efi"] = self.programs["shim"]
            files["/EFI/debian/grubx64.efi"] = self.programs["grub"]
            files["/EFI/debian/grub.cfg"] = SIGNED_GRUB_CFG.encode()
        elif row.loader == "systemd-boot":
            files[FALLBACK] = self.programs["systemd-boot"]  # as bootctl install does
            files["/EFI/systemd/systemd-bootx64.efi"] = self.programs["systemd-boot"]
            files["/loader/loader.conf"] = b"timeout 0\n"
            files["/loader/entries/linux.conf"] = (
                "title Linux\nlinux /EFI/Linux/vmlinuz\ninitrd /EFI/Linux/initrd\noptions "
                f"{APPEND.format(generation=generation)}\n").encode()
            files["/EFI/Linux/vmlinuz"] = self.kernel
            files["/EFI/Linux/initrd"] = self.initrd(generation, row.member_number)
        else:
            files[STUB] = self.kernel
            files[STUB_INITRD] = self.initrd(generation, row.member_number)
        return files

    def contents(self, row, size_s512, generation, sector):
        """The mirror's data."""
        key = (row.loader if row.from_mirror else "", row.lives, row.pair, generation, sector)
        if key not in self._contents:
            self._contents[key] = self._make_contents(row, size_s512, generation, sector)
        return self._contents[key]

    def _make_contents(self, row, size_s512, generation, sector):
        size = size_s512 * 512
        if row.lives == "esp":
            files = self.grub_files(row, generation) if row.from_mirror else {}
            return filesystem.make(size_s512, generation, files)
        files = self.esp_files(row, generation)
        files["/marker.txt"] = filesystem.marker(generation).encode() + b"\n"
        if row.lives == "member":
            files |= self.own(row, files)
            return gptdisk.fat(size // 4096 * 4096, files, sector).ljust(size, b"\0")
        esp = gptdisk.fat((size - 3 * MIB) // MIB * MIB, files, sector)
        data, self.inner = gptdisk.contents([(gptdisk.ESP, esp)], VOLUME_DISK, sector, size)
        return data

    @staticmethod
    def own(row, files):
        """mirrorboot, where `mirrorboot install` does not put it."""
        own = {FALLBACK: (cli.build_folder() / "mirrorboot.efi").read_bytes()}
        if FALLBACK in files:
            own[REPLACED] = files[FALLBACK]
        if row.config:
            own["/EFI/mirrorboot/mirrorboot.conf"] = row.config.encode()
        return own

    # ---- disks ---------------------------------------------------------------------------------

    def make(self, row, folder, sector=512):
        """The pair of disks, with mirrorboot."""
        pair = scenario.PAIRS[row.pair]
        folder = Path(folder)
        folder.mkdir(parents=True)
        paths, parts = [], []
        for n, (fixture, generation) in enumerate(((pair.a, pair.gen_a), (pair.b, pair.gen_b))):
            sb = mdmember.Superblock(mdmember.fixture(fixture))
            member = mdmember.compose(fixture, self.contents(row, sb.size_s512, generation,
                                                             sector))
            if row.lives == "member":
                layout = [(gptdisk.ESP, member)]
            else:
                # one disk's ESP is a copy of the other's
                files = self.esp_files(row, 2) if row.lives == "esp" else {}
                files |= self.own(row, files)
                layout = [(gptdisk.ESP, gptdisk.fat(ESP_BYTES, files, sector, 0x6D620000 + n)),
                          (gptdisk.RAID, member)]
            paths.append(folder / f"{'ab'[n]}.img")
            parts.append(gptdisk.write(paths[n], layout, n, sector))
        starts = [p[row.member_number - 1].start_bytes // 512 for p in parts]
        made = Made(pair, paths, starts, sb.data_s512, sb.size_s512, parts=parts)
        made.variables = self.variables(row, made, folder / "variables")
        return made

    def variables(self, row, made, path):
        """Boot entries for mirrorboot on both disks, then for a loader that wants options."""
        if row.loader != "stub":
            return None
        text = f"initrd={STUB_INITRD} ".replace("/", "\\") + APPEND.format(generation=2)
        options = [nvram.entry(f"mirrorboot {n}", parts[0], FALLBACK)
                   for n, parts in enumerate(made.parts)]
        esps = [self.inner[0]] if row.lives == "volume" else [p[0] for p in made.parts]
        options += [nvram.entry(f"Linux {n}", esp, STUB, text) for n, esp in enumerate(esps)]
        nvram.write(path, nvram.entries(*options))
        return path


SIGNED_GRUB_CFG = f"""\
terminal_output console
echo
echo "GRUB: started"
search --no-floppy --fs-uuid --set=root {filesystem.UUID}
echo "GRUB: root is ($root)"
configfile ($root)/boot/grub/grub.cfg
"""
