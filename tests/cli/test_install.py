# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install, verify, uninstall on BIOS disks: what is written, what is kept, what is refused."""

import fcntl
import os
import pathlib
import pty
import struct
import subprocess

import pytest

from areas import area_of, config_of, digests, pair
from disks import (BUILD, GRUB_LIB, TOOL, digest, fixture, gpt_disk, grub_in_gap, mbr_disk, member, put,
                   run, sectors, tool, write_sparse)

KINDS = ["md1.2-legA-failed", "md1.0-legA-failed", "md0.90-legA-failed"]


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(box, kind):
    before = pair(kind)
    old = [sectors(x, 0) for x in "ab"]
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    for x, lba0 in zip("ab", old):
        start, total = area_of(x)
        assert start + total == 2048  # the end of the gap
        assert sectors(x, start + 1) == lba0
        assert sectors(x, 0)[440:] == lba0[440:]
        assert sectors(x, 0)[:420] == (BUILD / "mbr.bin").read_bytes()[:420]
        assert sectors(x, 1, start - 1).count(0) == (start - 1) * 512
    assert run("verify", "a", "b").returncode == 0
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert digests() == before


def test_installing_again_changes_nothing(box):
    pair()
    run("install", "--yes", "a", "b")
    after = digests()
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout
    assert digests() == after


def test_config_is_installed_kept_and_replaced(box):
    before = pair()
    old = sectors("a", 0)
    pathlib.Path("one").write_text("timeout = 3\n")
    pathlib.Path("two").write_text("timeout = 4\n")
    assert run("install", "--yes", "--config", "one", "a", "b").returncode == 0
    assert config_of("a") == config_of("b") == "timeout = 3\n"
    assert run("install", "--yes", "--config", "two", "a", "b").returncode == 0
    assert config_of("a") == "timeout = 4\n"
    assert run("install", "--yes", "a", "b").returncode == 0
    assert config_of("a") == "timeout = 4\n"
    assert sectors("a", area_of("a")[0] + 1) == old  # never our own code
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_a_disk_that_joins_gets_the_config(box):
    pair()
    pathlib.Path("one").write_text("timeout = 3\n")
    assert run("install", "--yes", "--config", "one", "a").returncode == 0
    assert run("verify", "a", "b").returncode == 1
    assert run("install", "--yes", "b", "a").returncode == 0
    assert config_of("b") == "timeout = 3\n"
    assert run("verify", "a", "b").returncode == 0


@pytest.mark.parametrize("text, words", [
    ("timeout = 3\nfrobnicate = 1\n", "line 2: unknown key"),
    ("timeout = soon\n", "line 1: "),
    ("\n\ntimeout\n", "line 3: "),
    ("timeout = 1\ntimeout = 1\n", "line 2: "),
    ("#" * 3000, "longer than 2048"),
    ("timeout = 3\0\n", "not a text"),
])
def test_bad_config(box, text, words):
    before = pair()
    pathlib.Path("c").write_bytes(text.encode())
    r = run("install", "--yes", "--config", "c", "a", "b")
    assert r.returncode == 2 and r.stderr.startswith("mirrorboot: c: ") and words in r.stderr
    assert r.stderr.count("\n") == 1 and "nothing was written" in r.stderr
    assert digests() == before


def test_upgrade_goes_beside_the_old_area(box):
    pair()
    run("install", "--yes", "a", "b")
    old, total = area_of("a")
    pathlib.Path("c").write_text("timeout = 3\n")
    r = run("install", "--yes", "--config", "c", "a", "b")
    new, _ = area_of("a")
    assert r.returncode == 0 and new == old - total
    assert sectors("a", old, total).count(0) == total * 512


def test_tight_gap_is_upgraded_in_place(box):
    total = 7 + -(-len((BUILD / "stage2.bin").read_bytes()) // 512)
    before = pair(start=total + 3)
    assert run("install", "--yes", "a", "b").returncode == 0
    pathlib.Path("c").write_text("timeout = 3\n")
    r = run("install", "--yes", "--config", "c", "a", "b")
    assert r.returncode == 0 and "put back until" in r.stdout
    assert config_of("a") == "timeout = 3\n" and area_of("a") == (3, total)
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_no_room_says_how_much(box):
    before = pair(start=40)
    r = run("install", "--yes", "a", "b")
    total = 7 + -(-len((BUILD / "stage2.bin").read_bytes()) // 512)
    assert r.returncode == 3 and digests() == before
    line = r.stderr.splitlines()[0]
    assert "%d free sectors" % total in line and "39 were found" in line
    assert "nothing was written" in r.stderr


needs_grub = pytest.mark.skipif(not (GRUB_LIB / "boot.img").exists(), reason="grub-pc-bin is not installed")


@needs_grub
def test_grubs_core_is_kept_clear_of(box):
    pair()
    # Its last sectors are zero, and where we would go: only its block list says whose they are.
    core = [grub_in_gap(x, at=2048 - 60 - 10) for x in "ab"]
    before = digests()
    there = sectors("a", *core[0])
    assert run("install", "--yes", "a", "b").returncode == 0
    for x in "ab":
        start, total = area_of(x)
        assert start + total <= core[0][0]
    assert sectors("a", *core[0]) == there
    # Also after LBA 0 is ours, and the list has to be found through what was saved.
    pathlib.Path("c").write_text("timeout = 3\n")
    assert run("install", "--yes", "--config", "c", "a", "b").returncode == 0
    assert sectors("a", *core[0]) == there
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


@needs_grub
def test_grub_installed_over_ours(box):
    pair()
    run("install", "--yes", "a", "b")
    grub_in_gap("a")
    after = digests()
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "LBA 0 is not our boot code" in r.stdout
    assert 'run "mirrorboot install --bios a b"' in r.stdout
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 3 and "LBA 0 is not ours any more" in r.stderr and digests() == after
    grub = sectors("a", 0)
    assert run("install", "--yes", "a", "b").returncode == 0
    assert sectors("a", area_of("a")[0] + 1) == grub
    assert run("verify", "a", "b").returncode == 0


def test_data_in_the_gap_is_kept_clear_of(box):
    pair()
    for x in "ab":
        put(x, 2000, b"somebody's".ljust(512))
    assert run("install", "--yes", "a", "b").returncode == 0
    assert sum(area_of("a")) == 2000
    assert sectors("a", 2000).startswith(b"somebody's")


def test_gpt_bios_boot_partition(box):
    before = pair(make=gpt_disk, bios_boot=True)
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 0 and "BIOS boot partition 3" in r.stdout
    assert "no disk has boot code" in r.stdout
    assert sum(area_of("a")) == 2048 and run("verify", "a", "b").returncode == 0
    again = run("install", "--yes", "--bios", "a", "b").stdout
    assert again.count("installed already") == 3 and again.count("BIOS boot partition 3") == 2
    tool("sgdisk", "-v", "a")
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_gpt_gap(box):
    before = pair(make=gpt_disk)
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 0, r.stderr
    start, total = area_of("a")
    assert start >= 34 and start + total == 2048
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert digests() == before


def test_gpt_without_anything_is_not_guessed(box):
    before = pair(make=gpt_disk)
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "--bios or --uefi" in r.stderr and digests() == before


def test_damaged_gpt_is_refused(box):
    pair(make=gpt_disk, bios_boot=True)
    put("a", 1, bytes(512))
    before = digests()
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 3 and "damaged" in r.stderr and digests() == before


def test_logical_partitions_count(box):
    """The extended container starts before its logical partitions, and its first sector is a table."""
    for x in "ab":
        data = fixture("md1.2-insync-" + x)
        write_sparse(x, data, 4096 * 512, 4096 * 512 + len(data) + (1 << 20))
        tool("sfdisk", "-q", "--no-reread", x, input=(
            "label: dos\nunit: sectors\nstart=1000,type=5\nstart=4096,size=%d,type=fd\n"
            % (len(data) // 512)).encode())
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert sum(area_of("a")) == 1000


def test_whole_disk_members_are_refused(box):
    for x in "ab":
        member(x, "md1.2-insync-" + x)
    before = digests()
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 3 and "whole disk" in r.stderr and digests() == before


def test_strangers_are_refused(box):
    mbr_disk("a", "md1.2-insync-a")
    mbr_disk("b", "md1.0-insync-a")
    before = digests()
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "members of one mirror" in r.stderr and digests() == before


def test_unusable_mirror_is_refused(box):
    pair()
    for x in "ab":
        put(x, 2048 + 8, b"\xff" + sectors(x, 2048 + 8)[1:])
    before = digests()
    assert run("install", "--yes", "a", "b").returncode == 3
    assert digests() == before


def test_4kn_disks_are_refused_for_bios(box):
    data = fixture("md1.2-insync-a")
    write_sparse("a", data, 256 * 4096, 256 * 4096 + len(data) + (1 << 20))
    # A 4Kn MBR disk: the table counts in sectors of 4096 bytes.
    m = bytearray(512)
    m[446:462] = struct.pack("<B3sB3sII", 0x80, b"\0\2\0", 0xFD, b"\xff\xff\xff", 256, len(data) // 4096)
    m[510:] = b"\x55\xaa"
    put("a", 0, bytes(m))
    before = digest("a")
    assert run("status", "--sector-size", "4096", "a").returncode == 1
    r = run("install", "--yes", "--bios", "--sector-size", "4096", "a")
    assert r.returncode == 3 and "4096" in r.stderr and digest("a") == before


def test_without_terminal_it_does_not_write(box):
    before = pair()
    r = run("install", "a", "b")
    assert r.returncode == 2 and "--yes" in r.stderr and digests() == before
    assert "boot area" in r.stdout  # the plan was shown
    run("install", "--yes", "a", "b")
    after = digests()
    r = run("uninstall", "a", "b")
    assert r.returncode == 2 and "--yes" in r.stderr and digests() == after


def on_terminal(answer, *args):
    mine, theirs = pty.openpty()
    p = subprocess.Popen([str(TOOL), *args], stdin=theirs, stdout=subprocess.PIPE, text=True)
    os.close(theirs)
    os.write(mine, answer)
    out, _ = p.communicate(timeout=30)
    os.close(mine)
    return p.returncode, out


def test_question(box):
    before = pair()
    code, out = on_terminal(b"n\n", "install", "a", "b")
    assert code == 3 and "[y/N]" in out and digests() == before
    code, _ = on_terminal(b"\n", "install", "a", "b")
    assert code == 3 and digests() == before
    code, _ = on_terminal(b"y\n", "install", "a", "b")
    assert code == 0 and run("verify", "a", "b").returncode == 0


@pytest.mark.parametrize("how", ["flock", "range lock"])
def test_locked_disk_is_refused(box, how):
    before = pair()
    with open("b", "r+b") as f:
        if how == "flock":
            fcntl.flock(f, fcntl.LOCK_EX)
        else:
            fcntl.lockf(f, fcntl.LOCK_EX)
        r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and r.stderr.startswith("mirrorboot: b: is ") and digests() == before
    assert run("install", "--yes", "a", "b").returncode == 0


def test_nothing_installed(box):
    before = pair()
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "not installed" in r.stdout
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 3 and "LBA 0 is not ours" in r.stderr and digests() == before


def test_uninstall_passes_over_a_disk_that_has_nothing(box):
    """As a run leaves it that was cut between two disks: the same command finishes it."""
    before = pair()
    run("install", "--yes", "a")
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 0 and "b\n  nothing of ours is on it\n" in r.stdout, r.stdout
    assert digests() == before


def test_cut_uninstall_is_finished(box):
    before = pair()
    run("install", "--yes", "a", "b")
    saved = sectors("a", area_of("a")[0] + 1)
    put("a", 0, saved)  # the first write of an uninstall, then the power went
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 0 and "interrupted" in r.stdout and digests() == before


def test_second_disk_is_untouched_when_the_first_fails(box):
    """The first disk is a file that can't grow its hole: no space left."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small tmpfs")
    pair()
    os.mkdir("m")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", "m"]).returncode:
        pytest.skip("a tmpfs can't be mounted here")
    try:
        # Sparse copy without its data: only the table, the superblock, and no room for an area.
        big = os.path.getsize("a")
        write_sparse("m/a", sectors("a", 0), 0, big)
        put("m/a", 2048 + 8, sectors("a", 2048 + 8, 8))
        try:
            with open("m/fill", "wb", buffering=0) as f:
                while True:
                    f.write(bytes(4096))
        except OSError:
            pass
        before = digest("b"), sectors("m/a", 0)
        r = run("install", "--yes", "m/a", "b")
        assert r.returncode == 3
        assert "its LBA 0 is as it was before" in r.stderr and "b: was left untouched" in r.stderr
        assert (digest("b"), sectors("m/a", 0)) == before
    finally:
        subprocess.run(["umount", "-l", "m"], check=True)
