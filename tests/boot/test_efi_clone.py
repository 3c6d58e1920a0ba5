# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""`mirrorboot.efi clone` and `status`, from the UEFI shell and from the leg menu.

What they write is compared, byte by byte, with what the tool writes on Linux.
"""

import hashlib
import os
import random
import re
import shutil
import subprocess
import time

import pytest

import cli
import diskimage
import efishell
import fatread
import gptdisk
import mdmember
from efishell import ABORTED, INVALID_PARAMETER, MEDIA_CHANGED, MIB, SUCCESS
from test_menu import FIRST, MENU, keys
from test_menu_uefi import boot, grub, one_line

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
LOADER, CONFIG = "/EFI/debian/grubx64.efi", "/EFI/debian/grub.cfg"
CAT = "type fs{}:{}"
OLD = {LOADER: b"MZ old loader " * 30000, CONFIG: b"old\n", "/EFI/debian/gone.efi": b"MZ gone" * 900,
       "/loader/entries/an entry with a long name.conf": b"title A\n", "/loader/random-seed": b"a" * 32,
       "/EFI/Linux/kernel+3.efi": b"MZ kernel" * 70, "/EFI/debian/grubenv": b"# source's\n"}
NEW = {LOADER: b"MZ new loader, longer " * 40000, CONFIG: b"a newer one\n", "/EFI/new/folder/file.txt": b"added\n"}
OTHER = {"/EFI/other/gone.efi": b"MZ other" * 999, CONFIG: b"another\n", "/loader/random-seed": b"b" * 32,
         "/EFI/Linux/kernel+2-1.efi": b"MZ kernel" * 70, "/EFI/debian/grubenv": b"# target's\n"}


def programs(lines):
    found = efishell.programs(lines)
    if not found:
        pytest.skip("NO SHELL: this OVMF has none inside; the commands were not run from one")
    return found


def squeezed(text):
    """The console breaks lines anywhere."""
    return "".join(text.split())


def digests(paths):
    return [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths]


def copies(paths, folder):
    folder.mkdir(exist_ok=True)
    return [shutil.copy(p, folder / p.name) for p in paths]


def files(path):
    disk = fatread.Fat(path, MIB)
    return {name: disk.read(f) for name, f in disk.files().items()}


def remove(path, name):
    subprocess.run(["mdel", "-i", f"{path}@@{MIB}", f"::{name}"], check=True, env=gptdisk.MTOOLS)


def change(path):
    gptdisk.put(path, MIB, NEW)
    remove(path, "/EFI/debian/gone.efi")


def throttle(monitor, **limit):
    """Disk 1 is slow from now on: so that a bar is to be seen, or there is time for a cut."""
    none = dict.fromkeys(("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"), 0)
    monitor.ask("block_set_io_throttle", device="d1", **{**none, **limit})


def on_linux(paths, folder):
    """The same disks, cloned by the tool: the first onto the others."""
    there = copies(paths, folder)
    done = cli.run("esp", "clone", "--yes", *there, check=False)
    assert done.returncode == 0, done.stderr
    return there


def leg(folder, number):
    """An ESP in an md mirror whose metadata is at the end: each leg looks like an ESP by itself."""
    name = "md1.0-insync-a"
    size = mdmember.Superblock(mdmember.fixture(name)).size_s512 * 512
    with_files = efishell.fat(size // MIB, 16, OTHER)
    return efishell.disk(folder / "e.img", number, mdmember.compose(name, with_files.ljust(size, b"\0")))


def test_same_bytes_as_from_linux(tmp_path):
    lines = [":status", "mirrorboot.efi status",
             ":usage", "mirrorboot.efi clone --yse",
             ":nobody", "mirrorboot clone 9",
             ":itself", "mirrorboot.efi clone 1 2 1 --yes",
             ":newer", f"mirrorboot.efi clone 1 {gptdisk.guid_of(3, 1)} --yes",
             ":leg", "mirrorboot.efi clone 1 2 5 --yes",
             ":full", "mirrorboot.efi clone 1 2 6 --yes",
             # what the firmware then has in memory is what it must not go on with
             ":read", CAT.format(1, CONFIG.replace("/", "\\")),
             ":read own", CAT.format(0, r"\EFI\mirrorboot\manifest"),
             ":clone", r"fs0:\EFI\mirrorboot\mirrorboot.efi clone 1 2 3 --yes",
             ":firmware", CAT.format(1, CONFIG.replace("/", "\\")),
             ":own", CAT.format(0, r"\EFI\mirrorboot\manifest"),
             ":again", "mirrorboot.efi clone 1 2 3 --yes",
             ":after", "mirrorboot.efi status",
             ":help", "mirrorboot.efi help"]
    a = efishell.disk(tmp_path / "a.img", 0, efishell.fat(40, 16, {**programs(lines), **OLD}))
    b = efishell.disk(tmp_path / "b.img", 1, efishell.fat(60, 32, OTHER, serial=2))
    c = efishell.disk(tmp_path / "c.img", 2, efishell.fat(34, 16, {}, serial=3))
    assert cli.run("esp", "clone", "--yes", a, c, check=False).returncode == 0
    d = efishell.disk(tmp_path / "d.img", 3, efishell.fat(20, 16, OTHER, serial=4))
    cli.run("esp", "clone", "--yes", a, d)
    for text in ("the second\n", "and the third\n"):  # generations 2 and 3, of other sizes
        gptdisk.put(d, MIB, {CONFIG: text.encode()})
        e = efishell.disk(tmp_path / "scratch.img", 9, efishell.fat(20, 16, {}, serial=9))
        assert cli.run("esp", "clone", "--yes", d, e, check=False).returncode == 0
    change(a)
    e = leg(tmp_path, 4)
    f = efishell.disk(tmp_path / "f.img", 5, efishell.fat(1, 12, {}, serial=6))
    disks = [a, b, c, d, e, f]
    refused = digests([d, e, f])
    expected = on_linux([a, b, c], tmp_path / "linux")
    count = {}
    got = efishell.run(disks, marks={"T: clone": lambda m: throttle(m, bps_wr=600000),
                                     "T: again": lambda m: count.update(before=efishell.writes(m))},
                       at_end=lambda m: count.update(after=efishell.writes(m)))
    assert got.found, got.serial
    said = efishell.parts(got.serial)

    def check(name, code, *words):
        assert said[name][1] == code, (name, got.serial)
        for word in words:
            assert squeezed(word) in squeezed(said[name][0]), (word, got.serial)

    check("status", MEDIA_CHANGED, "ESP 1 (this one): disk 0, partition 1, " + gptdisk.guid_of(0, 1),
          "40 MiB, FAT16", "generation 1 complete", "ESP 2: its EFI system partition has no manifest",
          "ESP 5: is a member of a mirror", "ESP 3: it is older than ESP 4 (generation 1, there 3)",
          "md-1.0")
    check("usage", INVALID_PARAMETER, "Usage: mirrorboot.efi clone [FROM] [TO...]")
    check("nobody", INVALID_PARAMETER, "There is no ESP 9")
    check("itself", INVALID_PARAMETER, "ESP 1: is the same EFI system partition as ESP 1")
    check("newer", ABORTED, "ESP 4: is newer than ESP 1 (generation 3, there 1): clone the other way, or "
          "say --force", "Nothing was written.")
    check("leg", ABORTED, "ESP 5: is a member of a mirror: writing to one leg would make the legs differ")
    check("full", ABORTED, "ESP 6: the target has not room enough")
    check("read", SUCCESS, "another")
    check("read own", SUCCESS, "generation 1")
    check("clone", SUCCESS, "deleted \\EFI\\other\\", "changed \\EFI\\debian\\grubx64.efi",
          "generation 2; that of the source first", "ESP 2: cloned and verified (generation 2)",
          "ESP 3: cloned and verified (generation 2)")
    assert re.search(r"writing +\[#+\.*\] \d+ %", said["clone"][0]), got.serial
    # the firmware reads what was written, on the target and on the source
    check("firmware", SUCCESS, "a newer one")
    check("own", SUCCESS, "generation 2 state complete")
    check("again", SUCCESS, "All are in step; nothing was written.")
    check("after", MEDIA_CHANGED)  # disk 3 has another set's
    check("help", SUCCESS, "mirrorboot.efi status")
    assert count["before"] == count["after"], got.serial
    assert count["before"][3:] == [0, 0, 0], got.serial
    assert digests([d, e, f]) == refused
    for mine, other in zip((a, b, c), expected):
        assert mine.read_bytes() == other.read_bytes(), f"{mine.name}: other bytes than from Linux"
    assert files(b)[LOADER.lower()] == NEW[LOADER] and files(b)["/loader/random-seed"] == b"b" * 32


def test_sectors_of_4096_and_the_question(tmp_path):
    """Own ESP to all others, which is what is meant when none is named."""
    lines = [":no", "mirrorboot.efi clone", ":yes", "mirrorboot clone --yes --keep-extra",
             ":after", "mirrorboot.efi status", ":all", "mirrorboot.efi clone --yes",
             ":last", "mirrorboot.efi status"]
    a = efishell.disk(tmp_path / "a.img", 0, efishell.fat(40, 16, {**programs(lines), **OLD}, 4096), 4096)
    b = efishell.disk(tmp_path / "b.img", 1, efishell.fat(34, 16, OTHER, 4096, serial=2), 4096)
    there = copies([a, b], tmp_path / "linux")
    got = efishell.run([a, b], "nvme-4kn", marks={"Write this?": lambda m: m.type("n")})
    assert got.found, got.serial
    said = efishell.parts(got.serial)
    assert said["no"][1] == ABORTED and "Nothing was written." in said["no"][0], got.serial
    assert said["yes"][1] == SUCCESS and "ESP 2: cloned and verified (generation 1)" in said["yes"][0], got.serial
    assert said["after"][1] == MEDIA_CHANGED, got.serial
    assert "it has 1 file that is not on ESP 1" in said["after"][0], got.serial
    assert said["all"][1] == SUCCESS and "generation 2" not in said["all"][0], got.serial
    assert said["last"][1] == SUCCESS and "All are in step." in said["last"][0], got.serial
    # There was no manifest: the set is a new one, and so is all that names it.
    assert cli.run("esp", "status", a, b).returncode == 0
    assert cli.run("esp", "clone", "--yes", *there).returncode == 0
    mine, other = files(b), files(there[1])
    assert mine.pop("/efi/mirrorboot/manifest") != other.pop("/efi/mirrorboot/manifest") and mine == other


# ---- a power cut ----

SEEDS = range(12) if WHOLE else (1, 2)


def cut_after(count):
    """The power goes when disk 1 has got so many writes."""
    def cut(monitor):
        throttle(monitor, iops_wr=50)
        start = efishell.writes(monitor)[1]
        end = time.monotonic() + 60
        while efishell.writes(monitor)[1] < start + count and time.monotonic() < end:
            time.sleep(0.002)
        monitor.ask("quit")
    return cut


@pytest.mark.parametrize("seed", SEEDS)
def test_power_cut(tmp_path, seed):
    a = efishell.disk(tmp_path / "a.img", 0,
                      efishell.fat(34, 16, {**programs([":clone", "mirrorboot.efi clone --yes"]), **OLD}))
    b = efishell.disk(tmp_path / "b.img", 1, efishell.fat(34, 16, {}, serial=2))
    assert cli.run("esp", "clone", "--yes", a, b).returncode == 0
    change(a)
    count = random.Random(seed).randrange(2, 40)
    got = efishell.run([a, b], marks={"T: clone": cut_after(count)})
    assert not got.found and "cloned and verified" not in got.serial, got.serial
    there = files(b)
    for name in (LOADER, CONFIG):
        assert there[name.lower()] in (OLD[name], NEW[name])
    if WHOLE and seed % 2:  # from the firmware again
        assert efishell.run([a, b]).found
    assert cli.run("esp", "clone", "--yes", a, b).returncode == 0
    assert cli.run("esp", "diff", a, b).returncode == 0 and cli.run("esp", "verify", a, b).returncode == 0
    fsck = subprocess.run(["/usr/sbin/fsck.fat", "-n", _partition(b, tmp_path)], capture_output=True, text=True)
    assert fsck.returncode == 0, fsck.stdout


def _partition(path, folder):
    data = path.read_bytes()[MIB:MIB + 34 * MIB]
    (folder / "fs").write_bytes(data)
    return folder / "fs"


# ---- the leg menu ----

def test_from_the_leg_menu(shelf):
    disks = shelf.copy(shelf.ready("in-sync", "gpt"))
    cli.run("esp", "manifest", *disks.paths)
    diskimage.put_on_esp(disks.paths[0], "/EFI/BOOT/new.efi", b"MZ new" * 5000)
    assert cli.run("esp", "diff", *disks.paths).returncode == 1
    got = boot(disks, slow=True, writable=True,
               marks={FIRST: keys("m"), "c: clone this disk's EFI": keys("c"), "Write this?": keys("y"),
                      "cloned and verified": keys("ret")})
    said = one_line(got)
    assert said.count(MENU) == 2 and "Going on with leg 0." in said, got.serial
    assert grub.what_it_read(got.serial) == ("2", "ok"), got.serial
    assert cli.run("esp", "diff", *disks.paths).returncode == 0
    assert cli.run("esp", "verify", *disks.paths).returncode == 0
