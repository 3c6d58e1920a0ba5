#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A mirrored Debian machine loses a disk, is upgraded, and gets the stale disk back: `make story`.

On BIOS and on UEFI: the package is installed in the running system, then `mirrorboot install`; reboot; disk A is
dead; the kernel is upgraded on disk B alone; A comes back, first in order, with the old kernel on it. The machine must
start the new one. Then A is put back into the mirrors, its EFI system partition is cloned, and all must be clean.
docs/story.md tells it step by step.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "images"), str(Path(__file__).resolve().parent)]

import debian
import linux
import nvram
from machine import Failed, Machine

OURS = re.compile(r"^mirrorboot \d", re.M)  # the boot screen's first line
STALE = re.compile(r"^  leg 0 .* part [34] +stale ", re.M)
KERNEL = r"Linux version (\S+) "
BOTH = "/dev/vda /dev/vdb"
IN_SYNC_S = 900


def need(found, what, text):
    if not found:
        raise Failed(f"{what}; got:\n{text}")


class Story:
    def __init__(self, firmware, build, installed, deb):
        self.firmware, self.build, self.deb = firmware, build, deb
        self.folder = build / "story" / firmware
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.disks = {}
        for name, path in zip("AB", installed):
            self.disks[name] = self.folder / f"disk-{name}.img"
            self.copy(path, self.disks[name])
        self.store = self.folder / "variables"
        # as Debian's installer leaves it
        nvram.write(self.store, nvram.entries(nvram.entry("debian", debian.esp(installed[0]), debian.LOADER)))
        self.rows, self.old, self.new = [], None, None
        self.package = self.folder / "package.tar"
        subprocess.run(["tar", "-c", "-f", str(self.package), "-C", str(deb.parent), deb.name], check=True)

    @staticmethod
    def copy(path, to):
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(path), str(to)], check=True)

    def machine(self, names, log, **kw):
        return Machine(self.firmware, {n: self.disks[n] for n in names}, self.folder / f"{log}.log", self.store, **kw)

    # ---- steps: each returns what is worth a line in the table -------------------------------

    def install(self):
        """in the running system: apt-get install mirrorboot.deb; mirrorboot install; esp clone"""
        with self.machine("AB", "1-install", extra=("story", self.package)) as m:
            m.boot()
            self.old = m.do("uname -r")
            need(self.firmware == "bios" or m.run("ls /sys/firmware/efi/efivars/Boot0000*")[0] == 0,
                 "the guest was not started by UEFI", "")
            m.do("mkdir /tmp/p && tar -x -f /dev/disk/by-id/virtio-story -C /tmp/p")
            m.do(f"apt-get install -y -q /tmp/p/{self.deb.name}")
            m.do(f"mirrorboot status {BOTH}")
            self.unmount_esp(m)
            m.do(f"mirrorboot install --yes {BOTH}")
            m.do(f"mirrorboot esp clone --yes {BOTH}")
            if self.firmware == "uefi":
                m.do("efibootmgr")
            self.all_clean(m)
            m.off()
        return f"Linux {self.old}; status, verify and esp status clean"

    def unmount_esp(self, m):
        m.do("! mountpoint -q /boot/efi || umount /boot/efi")

    def all_clean(self, m):
        m.do(f"mirrorboot verify {BOTH}")
        m.do(f"mirrorboot esp status {BOTH}")
        said = m.do(f"mirrorboot status {BOTH}")
        need(said.startswith("HEALTHY"), "status is not clean", said)

    def reboot(self):
        """both disks: mirrorboot, then GRUB, then Debian"""
        with self.machine("AB", "2-reboot") as m:
            said = m.boot()
            need(OURS.search(said), "mirrorboot did not run", said)
            kernel = m.do("uname -r")
            need(kernel == self.old, "another kernel", kernel)
            self.all_clean(m)
            m.off()
        return f"Linux {kernel}"

    def upgrade(self):
        """disk A is dead: boot from B; there the kernel and GRUB are upgraded"""
        with self.machine("B", "3-degraded") as m:
            said = m.boot()
            need(OURS.search(said), "mirrorboot did not run", said)
            need(m.do("uname -r") == self.old, "another kernel", "")
            need("[_U]" in m.do("cat /proc/mdstat"), "the mirrors are not degraded", "")
            m.do("mirrorboot status /dev/vda", status=1)
            # what an upgrade of GRUB's packages does
            if self.firmware == "bios":
                m.do("grub-install --target=i386-pc /dev/vda")
            else:
                m.do("mount /dev/vda1 /boot/efi")
                m.do("grub-install --target=x86_64-efi --efi-directory=/boot/efi --force-extra-removable")
                m.do("echo upgraded >/boot/efi/EFI/debian/upgraded.txt")
                m.do("umount /boot/efi")
            said = m.do("apt-get install -y -q /srv/upgrade/*.deb", 1800)
            need("mirrorboot install" in said, "apt's hook did not see that GRUB is where mirrorboot was", said)
            m.do("mirrorboot verify /dev/vda", status=1)
            m.do("mirrorboot install --yes /dev/vda")
            m.do("mirrorboot verify /dev/vda")
            self.stale_first(m)
            m.off()
        return "degraded; new kernel and GRUB installed; verify found that, install mended it"

    def stale_first(self, m):
        """UEFI: next time the firmware shall start A, as one does that puts a disk that is new to it in front."""
        if self.firmware == "bios":
            return
        guid = debian.esp(self.disks["A"]).guid.lower()
        entry = re.findall(rf"^Boot(\w{{4}})\* mirrorboot\b.*{guid}", m.do("efibootmgr -v"), re.M | re.I)
        need(entry, "mirrorboot on A has no boot entry", "")
        m.do(f"efibootmgr -n {entry[0]}")

    def alone(self):
        """as it would be without mirrorboot: uninstalled from copies, A first"""
        copies = {n: self.folder / f"without-{n}.img" for n in self.disks}
        for n, path in self.disks.items():
            self.copy(path, copies[n])
        # the disks have parted ways by now: each for itself
        for path in copies.values():
            subprocess.run([str(self.build / "mirrorboot"), "uninstall", "--yes", str(path)], check=True,
                           stdout=subprocess.DEVNULL)
        with Machine(self.firmware, copies, self.folder / "4-without.log", self.store, discard=True) as m:
            found, said = m.wait_for(KERNEL, 600)
        need(not OURS.search(said), "mirrorboot ran", said)
        for path in copies.values():
            path.unlink()
        need(found[1] == self.old, "without mirrorboot the stale disk's kernel should have been started", found[1])
        return f"Linux {found[1]}: the OLD kernel, of the stale disk"

    def back(self):
        """A is back, stale, first in order: boot; mdadm --add; esp clone; all clean"""
        with self.machine("AB", "5-back") as m:
            said = m.boot()
            need(OURS.search(said), "mirrorboot did not run", said)
            self.new = m.do("uname -r")
            need(self.new != self.old, "the OLD kernel was started", self.new)
            need(len(STALE.findall(said)) == 2, "the boot screen does not call both legs of A stale", said[:2000])
            said = m.do(f"mirrorboot status {BOTH}", status=1)
            need(re.search(r"leg 0 +/dev/vda part 3 +stale", said), "A's leg of /boot is not stale", said)
            for part, path in (("3", "/boot"), ("4", "/")):
                # mdadm's udev rules may have added the one with a bitmap
                m.do(f"grep -q vda{part} /proc/mdstat || mdadm $(findmnt -n -o SOURCE {path}) --add /dev/vda{part}")
            m.do("mdadm --wait /dev/md/boot; mdadm --wait /dev/md/root; true", IN_SYNC_S)
            need("_" not in "".join(re.findall(r"\[[U_]+\]", m.do("cat /proc/mdstat"))), "the mirrors are not whole",
                 m.do("cat /proc/mdstat"))
            self.unmount_esp(m)
            m.do("mirrorboot esp clone --yes /dev/vdb /dev/vda")
            m.do(f"mirrorboot install --yes {BOTH}")
            self.all_clean(m)
            m.off()
        return f"Linux {self.new}: the new kernel; then in sync, cloned, and clean"

    def swapped(self):
        """B is dead: boot from A, which was stale"""
        with self.machine("A", "6-swapped", discard=True) as m:
            found, said = m.wait_for(KERNEL, 600)
        need(OURS.search(said), "mirrorboot did not run", said)
        need(found[1] == self.new, "another kernel", found[1])
        return f"Linux {found[1]}"

    def tell(self):
        for step in (self.install, self.reboot, self.upgrade, self.alone, self.back, self.swapped):
            started = time.monotonic()
            print(f"{self.firmware}: {step.__doc__} ...", flush=True)
            try:
                said, passed = step(), True
            except (Failed, RuntimeError, subprocess.CalledProcessError) as e:
                said, passed = str(e), False
            self.rows.append((step.__doc__, passed, time.monotonic() - started))
            print(f"  {'ok' if passed else 'FAILED'} ({self.rows[-1][2]:.0f} s): {said}", flush=True)
            if not passed:
                print(f"  serial lines: {self.folder}/*.log; disks: {self.folder}/disk-*.img", flush=True)
                return False
        for path in (*self.disks.values(), self.package):
            path.unlink()
        return True


def table(stories):
    print()
    for story in stories:
        for what, passed, seconds in story.rows:
            print(f"  {story.firmware:5} {what:88} {seconds:5.0f} s  {'ok' if passed else 'FAILED'}")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=TOP / "build")
    parser.add_argument("--firmware", choices=("bios", "uefi"), help="only this one")
    args = parser.parse_args()
    build = args.build.resolve()
    deb = sorted((build / "deb").glob("mirrorboot_*.deb"))
    if not deb:
        sys.exit("story: no package in " + str(build / "deb") + ": make deb")
    try:
        tar = debian.root(build / "story", debian.depends(deb[-1]))
        installed = debian.disks(build / "story", tar)
    except (linux.Unavailable, RuntimeError) as e:
        sys.exit(f"story: {e}")
    stories = [Story(f, build, installed, deb[-1]) for f in ("bios", "uefi") if args.firmware in (None, f)]
    passed = [story.tell() for story in stories]
    table(stories)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
