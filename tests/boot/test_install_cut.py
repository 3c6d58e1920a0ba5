# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install, upgrade and uninstall, cut in the middle: the disk boots, the old way or the new.

The real command is ended at its nth write (tests/cli/onwrite.c), and the disk that it was writing to
is booted, alone. What was there before is a boot sector that needs another sector, or a loader on the
ESP: in each state it is reached, with mirrorboot before it or without. tests/sim has all states.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cli
import diskimage
import espdisk
import ldmboot
import mdmember
import older
import qemu

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

import onwrite  # noqa: E402

WHOLE = bool(os.environ.get("MIRRORBOOT_WHOLE"))
SAID = "CUT: the loader from before, all of it. "
OURS = "mirrorboot 0."
BIOS_LBA = diskimage.FIRST_LBA + diskimage.ESP_S512
CONFIG = "# of the test\n"


def old_loader(path, needs_lba):
    """A boot sector that prints what the sector needs_lba says."""
    code = ldmboot.assemble("ldm_hidden.asm", HIDDEN=needs_lba - 1)
    with open(path, "r+b") as f:
        f.write(code[:440])
        f.seek(needs_lba * 512)
        f.write(SAID.encode().ljust(512, b"\0"))


def mbr_pair(folder, first_lba=2048):
    paths = []
    for x in "ab":
        path = folder / f"{x}.img"
        diskimage.mbr_disk(path, mdmember.fixture(f"md1.2-insync-{x}"), None, first_lba=first_lba)
        old_loader(path, 1)
        paths.append(path)
    return paths


def gpt_pair(folder):
    paths = []
    for n, x in enumerate("ab"):
        path = folder / f"{x}.img"
        diskimage.gpt_disk(path, mdmember.fixture(f"md1.2-insync-{x}"), n, None)
        old_loader(path, BIOS_LBA)
        diskimage.put_on_esp(path, espdisk.FALLBACK, espdisk.child("before"))
        paths.append(path)
    return paths


def stage2_sectors():
    return -(-(cli.build_folder() / "stage2.bin").stat().st_size // 512)


class Cuts:
    """A command on copies of two disks, ended at each of its writes."""

    def __init__(self, folder, paths, *command):
        self.folder, self.paths, self.command = folder, paths, command
        self.run(0)
        self.writes = int((folder / "writes").read_text())

    def run(self, write, how="cut"):
        """The disks after that."""
        copies = [self.folder / f"cut-{p.name}" for p in self.paths]
        for path, copy in zip(self.paths, copies):
            subprocess.run(["cp", "--sparse=always", path, copy], check=True)
        env = dict(onwrite.env(write, how), ON_WRITE_COUNT=str(self.folder / "writes"))
        done = subprocess.run([cli.build_folder() / "mirrorboot", *self.command, *copies], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == (1 if write and write <= getattr(self, "writes", write) else 0), done
        return copies


def is_same(a, b):
    return subprocess.run(["cmp", "-s", a, b]).returncode == 0


def boots(path):
    """With us before it (True) or without (False)."""
    got = qemu.boot([path], "bios", until=SAID, timeout_s=60)
    assert got.found, got.serial
    return OURS in got.serial


def bios_states(cuts):
    """Every state of the first disk, and of the second, which goes the same way, if MIRRORBOOT_WHOLE is
    set. With a torn write where there is one of more than a sector. Gives how each of them booted.
    """
    half = cuts.writes // 2
    seen = [], []
    for n in range(1, (cuts.writes if WHOLE else half) + 2):
        for how in ("cut", "tear"):
            disks = cuts.run(n, how)
            which = 0 if n <= half + 1 else 1
            if which == 0 and (n <= half or how == "cut"):
                assert is_same(disks[1], cuts.paths[1]), "the second disk is written to"
            last = cuts.folder / f"last-{which}"
            if last.exists() and is_same(disks[which], last):
                continue  # a torn write of one sector is none; nor is this state new
            seen[which].append(boots(disks[which]))
            shutil.copy(disks[which], last)
    return [disk for disk in seen if disk]


def prepared(folder, paths, *options):
    cli.install(*paths, options=("--bios", *options))
    return paths


def test_install(tmp_path):
    for seen in bios_states(Cuts(tmp_path, mbr_pair(tmp_path), "install", "--yes", "--bios")):
        assert len(seen) >= 4 and True in seen and False in seen
        assert seen == sorted(seen), "once it is new, it is not old again"


def test_install_gpt(tmp_path):
    """Into a BIOS boot partition, behind what is at its beginning."""
    cuts = Cuts(tmp_path, gpt_pair(tmp_path), "install", "--yes", "--bios")
    assert not boots(cuts.run(3)[0])
    assert boots(cuts.run(cuts.writes // 2 + 1)[0])


def test_upgrade(tmp_path):
    """Over another build's: ours is there all the time."""
    paths = prepared(tmp_path, mbr_pair(tmp_path))
    for path in paths:
        older.make(path)
    assert boots(paths[0]), "the older one has to work"
    for seen in bios_states(Cuts(tmp_path, paths, "install", "--yes", "--bios")):
        assert len(seen) >= 6 and all(seen)


def test_upgrade_in_place(tmp_path):
    """No room for two: in between the disk boots as it did before the first install."""
    paths = prepared(tmp_path, mbr_pair(tmp_path, first_lba=2 + 7 + stage2_sectors() + 8))
    for path in paths:
        older.make(path)
    for seen in bios_states(Cuts(tmp_path, paths, "install", "--yes", "--bios")):
        assert len(seen) >= 6 and seen[-1] and False in seen


def test_uninstall(tmp_path):
    paths = prepared(tmp_path, mbr_pair(tmp_path))
    for seen in bios_states(Cuts(tmp_path, paths, "uninstall", "--yes")):
        assert len(seen) >= 3 and False in seen
        assert seen == sorted(seen, reverse=True)


# ---- UEFI ----------------------------------------------------------------------------------------

def fallback(path):
    return diskimage.get_from_esp(path, espdisk.FALLBACK)


def switch(cuts):
    """The first cut after which the first disk's fallback loader is another."""
    before, low, high = fallback(cuts.paths[0]), 1, cuts.writes // 2 + 1
    while low < high:
        middle = (low + high) // 2
        if fallback(cuts.run(middle)[0]) == before:
            low = middle + 1
        else:
            high = middle
    return low


def boots_uefi(path):
    got = qemu.boot([path], "uefi", until=espdisk.DONE, timeout_s=180)
    assert espdisk.label(got.serial) == "before", got.serial
    return OURS in got.serial


def uefi_states(cuts):
    """Right before the loader is switched, and right behind; the second one alone unless WHOLE."""
    at = switch(cuts)
    seen = [boots_uefi(cuts.run(n)[0]) for n in ((at - 1, at) if WHOLE else (at,))]
    assert is_same(cuts.run(at)[1], cuts.paths[1]), "the second disk is written to"
    return seen


def test_install_uefi(tmp_path):
    cuts = Cuts(tmp_path, gpt_pair(tmp_path), "install", "--yes", "--uefi")
    assert uefi_states(cuts) == ([False, True] if WHOLE else [True])


def test_upgrade_uefi(tmp_path):
    paths = gpt_pair(tmp_path)
    file = tmp_path / "older.efi"
    file.write_bytes(older.application(espdisk.application()))
    cli.install(*paths, options=("--uefi", "--efi-file", str(file)))
    assert fallback(paths[0]) == file.read_bytes()
    cuts = Cuts(tmp_path, paths, "install", "--yes", "--uefi")
    assert all(uefi_states(cuts))
    assert fallback(cuts.run(0)[0]) == espdisk.application()


def test_uninstall_uefi(tmp_path):
    paths = gpt_pair(tmp_path)
    cli.install(*paths, options=("--uefi",))
    cuts = Cuts(tmp_path, paths, "uninstall", "--yes")
    assert uefi_states(cuts) == ([True, False] if WHOLE else [False])
