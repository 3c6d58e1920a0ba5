# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots in which GRUB writes through mirrorboot, and what the disks got, in order."""

from dataclasses import dataclass, field
from pathlib import Path

import cli
import crash
import diskimage
import envdisk
import grub
import mdedit
import mdmember
import nbd
import qemu

VOLUME, PARTITION = "hd1", "hd0,msdos1"  # where GRUB finds the file system

# name -> MiB, legs, mdadm's options, more of the guest's script
ARRAYS = {
    "1.2-bitmap": (4, 2, "--metadata=1.2 --bitmap=internal", ""),
    # its bits are more than a sector; the environment block's is in the second
    "1.2-fine-bitmap": (12, 2, "--metadata=1.2 --bitmap=internal --bitmap-chunk=4K", ""),
    "1.2": (4, 2, "--metadata=1.2 --bitmap=none", ""),
    "1.1-bitmap": (4, 2, "--metadata=1.1 --bitmap=internal", ""),
    "1.0-bitmap": (4, 2, "--metadata=1.0 --bitmap=internal", ""),
    "1.0": (4, 2, "--metadata=1.0 --bitmap=none", ""),
    "0.90": (4, 2, "--metadata=0.90 --bitmap=internal", ""),
    "3-legs": (4, 3, "--metadata=1.2 --bitmap=internal", ""),
    "rebuilding": (4, 2, "--metadata=1.2 --bitmap=none", "rebuild_ 1"),
}


@dataclass
class Scene:
    """One boot, and what came of it."""
    name: str
    device: str
    before: list                 # members
    after: list = None
    writes: list = field(default_factory=list)  # mdedit.Write, sectors of the member
    elsewhere: list = field(default_factory=list)  # nbd.Write outside of the members
    serial: str = ""
    attached: tuple = ()

    @property
    def env_s512(self):
        return envdisk.env_s512(self.before[0])

    @property
    def old(self):
        return envdisk.env_of(self.before[self.attached[0]])

    def saved(self):
        """What GRUB read back, from the same boot's drive."""
        after = self.serial.split("GRUB: value is ", 1)
        return after[1].split("\n", 1)[0].strip() if len(after) == 2 else None

    def may_be_read(self, block):
        """Is each sector of this environment block one that there was, or that was written?"""
        first = mdmember.Superblock(self.before[0]).data_s512 + self.env_s512
        for n in range(len(block) // 512):
            known = {self.old[n * 512:n * 512 + 512]}
            for w in self.writes:
                if w.sector <= first + n < w.sector + len(w.data) // 512:
                    at = (first + n - w.sector) * 512
                    known.add(w.data[at:at + 512])
            if block[n * 512:n * 512 + 512] not in known:
                return False
        return True

    def cuts(self):
        """{name: members}: each state that a cut can leave (crash.py, model A)."""
        return {f"{self.name}/{cut}": members
                for cut, members in crash.cuts(self.before, self.writes).items()}

    def lost(self, window, limit):
        """{name: members}: model B."""
        return {f"{self.name}/{cut}": members
                for cut, members in crash.lost(self.before, self.writes, window, limit).items()}


def run(folder, name, members, device, values=("after",), attached=None, bad=None,
        config="volumes = yes\n", controller=None, shim=True, timeout_s=90):
    """Boot disks that have these members (their file systems too). bad: {leg: sectors of the
    member at which a write fails}."""
    machine = envdisk.make(Path(folder) / name.replace("/", "-"), members, device, values)
    attached = tuple(range(len(members))) if attached is None else tuple(attached)
    if shim:
        conf = machine.paths[0].parent / "mirrorboot.conf"
        conf.write_text(config)
        cli.install(*machine.paths, options=("--config", conf))
    scene = Scene(name, device, list(members), attached=attached)
    first, last = machine.member_lba, machine.member_lba + machine.member_s512
    with nbd.Disks([machine.paths[n] for n in attached]) as disks:
        drives = []
        for k, n in enumerate(attached):
            fails = (bad or {}).get(n, ())
            drives.append(qemu.Drive(str(machine.paths[n]), served=disks.url(k),
                                     bad_writes=tuple(first + s for s in fails)))
        got = qemu.boot(drives, "bios", controller, until=grub.DONE, timeout_s=timeout_s,
                        writable=True)
    scene.serial = got.serial
    if not got.found:
        raise RuntimeError(f"{name}: GRUB did not come to its end:\n" + got.serial[-2000:])
    for w in disks.log:
        if first <= w.sector and w.sector + len(w.data) // 512 <= last:
            scene.writes.append(mdedit.Write(attached[w.disk], w.sector - first, w.data))
        else:
            scene.elsewhere.append(w)
    scene.after = crash.apply(members, scene.writes)
    assert [scene.after[n] for n in attached] == machine.members(disks.images)
    for path in machine.paths:
        path.unlink()
    return scene


def area_is_clear_of(write, core_s512):
    """A write outside the members may be one of ours, in the gap behind GRUB's core.img."""
    return core_s512 < write.sector and \
        write.sector + len(write.data) // 512 <= diskimage.FIRST_LBA


def places(member):
    """The sectors of a member that a write of the environment block needs."""
    m, sb = mdedit.Member(member), mdmember.Superblock(member)
    lba = envdisk.env_s512(member)
    out = {"superblock": m.sb_s512, "data": sb.data_s512 + lba, "data+1": sb.data_s512 + lba + 1}
    if m.bitmap_s512 is not None:
        bit = lba * 512 // m.chunk_bytes
        out["bitmap"] = m.bitmap_s512 + (256 + bit // 8) // 512
    return out


@dataclass
class Stage:
    """All boots, and what Linux says of what they left."""
    arrays: dict = field(default_factory=dict)
    scenes: dict = field(default_factory=dict)
    failed: dict = field(default_factory=dict)    # scene -> exception
    verdicts: dict = field(default_factory=dict)

    def play(self, name, boot):
        """boot: what makes the scene. One that fails is told by the tests that ask for it."""
        if len(self.failed) > 2 and not self.scenes:
            raise next(iter(self.failed.values()))  # nothing works: don't wait for all of it
        try:
            self.scenes[name] = boot()
        except (OSError, RuntimeError, AssertionError) as why:
            self.failed[name] = why

    def scene(self, name):
        if name in self.failed:
            raise self.failed[name]
        return self.scenes[name]

    def states(self, name):
        return [s for s in self.verdicts if s.startswith(name + "/")]
