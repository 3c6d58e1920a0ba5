# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The story with a system of a few megabytes: a kernel, busybox, mdadm, and mirrorboot from its package.

/boot is a md mirror; the system itself is the initramfs on it. What it does when it starts depends on which
disks are there and on how new it is.
"""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import gptdisk
import grub
import linux

BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
MIB = 1 << 20
BOOT_MIB, ESP_MIB = 64, 12
UUID = "6d620000-0000-4000-8000-0000000b0075"
MODULES = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic", "raid1", "vfat", "nls_cp437", "nls_ascii",
           "nls_iso8859_1", "nls_utf8"]
END = "STORY end"

# A second archive behind the first, with a newer /generation, is what the upgrade brings.
INIT = f"""\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /boot /esp /run/mdadm /tmp /usr/bin /usr/sbin
/bin/busybox --install -s /bin
export PATH=/bin:/sbin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m || echo "STORY-FAILED insmod $m"; done
generation=$(cat /generation)
set -- $(ls /dev/vd?)
echo "STORY generation $generation of the system, $(sed 's/.*story=\\([0-9]*\\).*/\\1/' /proc/cmdline) of grub.cfg"
echo "STORY disks $#"

do_() # STATUS COMMAND...: it must end with that
{{
	expected=$1; shift
	echo "$ $*"
	"$@" 2>&1
	got=$?
	[ $got = $expected ] || echo "STORY-FAILED exit status $got, not $expected: $*"
}}

clean_()
{{
	do_ 0 mirrorboot verify $*
	do_ 0 mirrorboot esp status $*
	do_ 0 mirrorboot status $*
}}

# The package is installed in a system that uses the mirror.
install_()
{{
	do_ 0 mdadm --create /dev/md0 --run --homehost=any --name=boot --metadata=1.2 --level=1 --raid-devices=2 \\
		--assume-clean --bitmap=none /dev/vda3 /dev/vdb3
	do_ 0 /sbin/mke2fs -q -t ext4 -U {UUID} /dev/md0
	do_ 0 mount /dev/md0 /boot
	do_ 0 tar -x -f /dev/vdc -C /boot
	do_ 0 mirrorboot status /dev/vda /dev/vdb
	do_ 0 mount -t vfat /dev/vda1 /esp
	do_ 3 mirrorboot install --yes /dev/vda /dev/vdb
	do_ 0 umount /esp
	do_ 0 mirrorboot install --yes /dev/vda /dev/vdb
	do_ 0 mirrorboot esp clone --yes /dev/vda /dev/vdb
	clean_ /dev/vda /dev/vdb
	do_ 0 umount /boot
	do_ 0 mdadm --stop /dev/md0
}}

upgrade_()
{{
	do_ 0 mdadm --assemble --run /dev/md0 /dev/vda3
	do_ 0 mount /dev/md0 /boot
	do_ 1 mirrorboot status /dev/vda
	do_ 0 cp /boot/grub/new.cfg /boot/grub/grub.cfg
	do_ 0 mount -t vfat /dev/vda1 /esp
	echo new >/esp/EFI/upgraded.txt
	do_ 0 umount /esp
	do_ 1 mirrorboot verify /dev/vda
	do_ 0 mirrorboot install --yes /dev/vda
	do_ 0 mirrorboot verify /dev/vda
	do_ 0 umount /boot
	do_ 0 mdadm --stop /dev/md0
}}

back_()
{{
	do_ 0 mdadm --assemble --run /dev/md0 /dev/vda3 /dev/vdb3
	do_ 0 mount /dev/md0 /boot
	do_ 1 mirrorboot status /dev/vda /dev/vdb
	do_ 0 mdadm /dev/md0 --add /dev/vda3
	while [ "$(cat /sys/block/md0/md/degraded)" != 0 ]; do sleep 0.2; done
	do_ 0 mirrorboot esp clone --yes /dev/vdb /dev/vda
	clean_ /dev/vda /dev/vdb
	do_ 0 umount /boot
	do_ 0 mdadm --stop /dev/md0
}}

case $generation.$# in
0.3) install_ ;;
1.1) upgrade_ ;;
2.2) back_ ;;
esac
sync
echo "{END}"
poweroff -f
"""

GRUB_CFG = """\
linux /vmlinuz console=ttyS0 quiet panic=-1 no_timer_check story={0}
initrd /initrd /generation-{0}
boot
"""
GRUB_SCRIPT = f"search --no-floppy --fs-uuid --set=root {UUID}\nconfigfile /grub/grub.cfg\n"
GRUB_MODULES = ["part_gpt", "ext2", "diskfilter", "mdraid1x", "search", "search_fs_uuid", "configfile", "linux",
                "boot", "normal", "echo", "gzio"]


def _program(name):
    path = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    if not path:
        raise linux.Unavailable(f"there is no {name}")
    return Path(path).resolve()


class System:
    """Kernel, initramfs, and the two disks; all in `folder`. packages: where linux.prepare() keeps its files."""

    def __init__(self, folder, packages, deb):
        self.folder = folder
        self.root = linux.prepare(packages)
        unpacked = folder / "package"
        subprocess.run(["dpkg-deb", "-x", str(deb), str(unpacked)], check=True)
        programs = [linux.program(self.root, "mdadm"), unpacked / "usr/sbin/mirrorboot", _program("mke2fs")]
        self.initrd = linux.initramfs(self.root, INIT, MODULES, programs)
        self.disks = [self._disk(n) for n in range(2)]

    def _disk(self, n):
        path = self.folder / f"{'ab'[n]}.img"
        core = grub.mkimage("i386-pc", ["biosdisk", *GRUB_MODULES], GRUB_SCRIPT)
        files = {"/EFI/BOOT/BOOTX64.EFI": grub.mkimage("x86_64-efi", GRUB_MODULES, GRUB_SCRIPT)} if n == 0 else {}
        esp, bios, _ = gptdisk.write(path, [
            (gptdisk.ESP, gptdisk.fat(ESP_MIB * MIB, files, serial=0x6D620011 + n)),
            (BIOS_BOOT, bytes(MIB)), (gptdisk.RAID, bytes(BOOT_MIB * MIB))], n)
        with open(path, "r+b") as f:
            f.write(grub.boot_code(bios.start_lba))
            f.seek(bios.start_bytes)
            f.write(grub.place_core(core, bios.start_lba))
        return path

    def files(self):
        """What /boot is to hold, as a tar archive."""
        boot = self.folder / "boot"
        (boot / "grub").mkdir(parents=True)
        shutil.copy(linux.kernel(self.root), boot / "vmlinuz")
        (boot / "initrd").write_bytes(gzip.compress(self.initrd, 6))
        for generation in ("1", "2"):
            (boot / f"generation-{generation}").write_bytes(self.generation(generation))
        (boot / "grub/grub.cfg").write_text(GRUB_CFG.format(1))
        (boot / "grub/new.cfg").write_text(GRUB_CFG.format(2))
        tar = self.folder / "boot.tar"
        subprocess.run(["tar", "-c", "-f", str(tar), "-C", str(boot), "."], check=True)
        return tar

    @staticmethod
    def generation(text):
        return linux._cpio([("generation", 0o100644, text.encode())])

    def install(self, timeout_s=900):
        """The first start: QEMU loads the system itself. The serial line."""
        drives = [*(f"cache=unsafe,file={d}" for d in self.disks), f"snapshot=on,file={self.files()}"]
        return linux.run(self.root, self.initrd + self.generation("0"), END, drives, timeout_s,
                         "no_timer_check story=0")

    def copy(self, name):
        folder = self.folder / name
        folder.mkdir()
        for disk in self.disks:
            subprocess.run(["cp", "--sparse=always", str(disk), str(folder)], check=True)
        return [folder / d.name for d in self.disks]


def package(build):
    """The package, made when it is not there yet or older than the tool."""
    tool = build / "mirrorboot"
    with linux.lock(build / "deb-lock"):
        made = sorted((build / "deb").glob("mirrorboot_*.deb"))
        if not made or made[-1].stat().st_mtime < tool.stat().st_mtime:
            top = Path(__file__).resolve().parents[2]
            subprocess.run([str(top / "tools/mkdeb"), str(build)], check=True, capture_output=True, cwd=top,
                           env={**os.environ, "MAKEFLAGS": ""})
            made = sorted((build / "deb").glob("mirrorboot_*.deb"))
    return made[-1]
