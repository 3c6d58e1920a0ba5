# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots under UEFI in which a loader writes through mirrorboot: what the disks got, in order.

GRUB saves its environment in the file system of a mirror. systemd-boot counts a boot by
renaming an entry, and renews its random seed, on an ESP that is a mirror (md 1.0), or
that lies inside of one (md 1.2).
"""

from dataclasses import dataclass, field
from pathlib import Path

import cli
import crash
import envdisk
import gptdisk
import grub
import mdedit
import mdmember
import nbd
import qemu

FALLBACK, REPLACED = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTX64.REPLACED.EFI"
CONFIG = "/EFI/mirrorboot/mirrorboot.conf"
MODULES = ["part_gpt", *(m for m in envdisk.MODULES if m not in ("biosdisk", "part_msdos"))]
VOLUME, PARTITION = "hd0", "hd1,gpt2"  # as GRUB numbers them, the mirror's volume being there
SD_BOOT = "/EFI/systemd/systemd-bootx64.efi"
SEED = "/loader/random-seed"
ENTRIES = "/loader/entries"
COUNTED, COUNTED_AFTER = "next+3.conf", "next+2-1.conf"
OLD_SEED = bytes(range(32))
MIB = 1 << 20


@dataclass
class Scene:
    """One boot, and what came of it."""
    name: str
    before: list
    after: list = None
    writes: list = field(default_factory=list)     # mdedit.Write, sectors of the member
    flushed: list = field(default_factory=list)    # (number of writes by then, leg)
    elsewhere: list = field(default_factory=list)  # nbd.Write outside of the members
    serial: str = ""
    attached: tuple = ()
    env_s512: int = 0                              # what Linux is asked for

    def saved(self):
        """What GRUB read back in the same boot."""
        after = self.serial.split("GRUB: value is ", 1)
        return after[1].split("\n", 1)[0].strip() if len(after) == 2 else None

    def data(self, leg):
        """The mirror's data as a leg has it."""
        sb = mdmember.Superblock(self.before[leg])
        return self.after[leg][sb.data_s512 * 512:(sb.data_s512 + sb.size_s512) * 512]

    def cuts(self, limit, name=None, flushed=None):
        """{name: members}: crash.py, model C. flushed: other flushes than there were."""
        flushed = self.flushed if flushed is None else flushed
        return {f"{name or self.name}/{cut}": members for cut, members in crash.unflushed(
            self.before, self.writes, flushed, limit).items()}


def save_env(device, values=("after",)):
    """GRUB that saves each of the values, and reads the last back."""
    saves = "\n".join(f"set {envdisk.NAME}={value}\nsave_env -f ({device}){envdisk.ENV} "
                      f"{envdisk.NAME}" for value in values)
    script = envdisk.SCRIPT.replace("--unit=0", "--port=0x3f8").format(
        saves=saves, name=envdisk.NAME, device=device, env=envdisk.ENV, done=grub.DONE)
    return grub.mkimage("x86_64-efi", MODULES, script)


def own(loader, config=""):
    """Files of an ESP: mirrorboot, and this as the fallback loader of before."""
    files = {FALLBACK: (cli.build_folder() / "mirrorboot.efi").read_bytes(), REPLACED: loader}
    if config:
        files[CONFIG] = config.encode()
    return files


def systemd_boot(program):
    """Files of systemd-boot: one entry with three tries left, and a seed."""
    sight = (cli.build_folder() / "sight.efi").read_bytes()
    return {SD_BOOT: program, SEED: OLD_SEED,
            "/loader/loader.conf": b"timeout 0\nrandom-seed-mode always\n",
            f"{ENTRIES}/{COUNTED}": b"title next\nefi /EFI/next.efi\n", "/EFI/next.efi": sight}


def with_fat(members, files, whole):
    """The members of a synced array with a FAT file system, or a GPT disk with one as its ESP."""
    sb = mdmember.Superblock(members[0])
    size = sb.size_s512 * 512
    if whole:
        data = gptdisk.fat(size // 4096 * 4096, files).ljust(size, b"\0")
    else:
        esp = gptdisk.fat((size - 3 * MIB) // MIB * MIB, files)
        data, _ = gptdisk.contents([(gptdisk.ESP, esp)], 2, size_bytes=size)
    at = [mdmember.Superblock(m).data_s512 * 512 for m in members]
    return [m[:a] + data + m[a + size:] for m, a in zip(members, at)]


def run(folder, name, members, esp_files, controller="virtio-blk", until=grub.DONE, attached=None,
        bad=None, env_s512=None, timeout_s=300):
    """Boot disks that have these members. esp_files None: the member itself is the ESP.

    bad: {leg: sectors of the member at which a write fails}.
    """
    folder = Path(folder) / name.replace("/", "-")
    folder.mkdir(parents=True)
    paths, sector = [], 4096 if controller.endswith("4kn") else 512
    for n, member in enumerate(members):
        parts = [(gptdisk.RAID if esp_files else gptdisk.ESP, member)]
        if esp_files:
            parts.insert(0, (gptdisk.ESP, gptdisk.fat(8 * MIB, esp_files, sector)))
        paths.append(folder / f"{'abcd'[n]}.img")
        first = gptdisk.write(paths[n], parts, n, sector)[-1].start_bytes // 512
    last = first + len(members[0]) // 512
    attached = tuple(range(len(members))) if attached is None else tuple(attached)
    scene = Scene(name, list(members), attached=attached)
    scene.env_s512 = envdisk.env_s512(members[0]) if env_s512 is None else env_s512
    with nbd.Disks([paths[n] for n in attached]) as disks:
        drives = [qemu.Drive(str(paths[n]), served=disks.url(k),
                             bad_writes=tuple(first + s for s in (bad or {}).get(n, ())))
                  for k, n in enumerate(attached)]
        got = qemu.boot(drives, "uefi", controller, until=until, timeout_s=timeout_s,
                        writable=True)
    scene.serial = got.serial
    if not got.found:
        raise RuntimeError(f"{name}: the loader did not come to its end:\n" + got.serial[-3000:])
    at = [0]  # of each number of requests, how many of them went to members
    for w in disks.log:
        if first <= w.sector and w.sector + len(w.data) // 512 <= last:
            scene.writes.append(mdedit.Write(attached[w.disk], w.sector - first, w.data))
        else:
            scene.elsewhere.append(w)
        at.append(len(scene.writes))
    scene.flushed = [(at[n], attached[disk]) for n, disk in disks.flushed]
    scene.after = crash.apply(members, scene.writes)
    start = first * 512
    assert [scene.after[n] for n in attached] == \
        [bytes(image[start:start + len(members[0])]) for image in disks.images]
    for path in paths:
        path.unlink()
    return scene
