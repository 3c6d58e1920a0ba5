# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What must never be written to, lost or left behind, however odd the disk or the moment."""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import zlib

import pytest

import onwrite
from areas import area_of, digests, pair
from disks import (TOOL, answer_after, digest, esp_put, esp_tree, fixture, gpt_disk, mbr_disk, put, run, sectors, tool,
                   write_sparse)

MIB = 1 << 20


def area_crc(path, start, **fields):
    """Rewrite fields of an area's header, with a right checksum."""
    offsets = {"version": 8, "area_sectors": 12}
    h = bytearray(sectors(path, start))
    for name, value in fields.items():
        struct.pack_into("<I", h, offsets[name], value)
    struct.pack_into("<I", h, 508, zlib.crc32(bytes(h[:508])))
    put(path, start, bytes(h))


# ---- descriptors ----

@pytest.mark.parametrize("closed", ["0", "1", "2", "1 2", "0 1 2"])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_closed_descriptors_are_not_disks(box, command, closed):
    """With stdout closed the first disk that is opened would be stdout."""
    before = pair()
    if command == "uninstall":
        assert run("install", "--yes", "a", "b").returncode == 0
    shut = " ".join("%s>&-" % n for n in closed.split())
    r = subprocess.run(["sh", "-c", 'exec "$0" "$@" ' + shut, str(TOOL), command, "--yes", "a", "b"],
                       stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert r.returncode in (0, 3)
    if command == "uninstall":
        assert digests() == before
    else:
        for x in "ab":
            area_of(x)
        assert run("uninstall", "--yes", "a", "b").returncode == 0 and digests() == before


# ---- between the plan and the answer ----

def new_table():
    """What fdisk or a boot loader's installer does in another window."""
    lba0 = bytearray(sectors("b", 0))
    lba0[0:4] = b"\xeb\xfe\x90\x90"
    lba0[446 + 16:446 + 32] = struct.pack("<B3sB3sII", 0, b"\0\0\0", 0x83, b"\0\0\0", 70000, 500)
    put("b", 0, bytes(lba0))


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_table_that_changes_while_it_asks_is_kept(box, command):
    pair()
    if command == "uninstall":
        run("install", "--yes", "a", "b")
    after = []

    def change():
        new_table()
        after.append(digest("b"))

    code, err = answer_after(change, command, "a", "b")
    assert code == 3 and "b: " in err and "has changed" in err
    assert digest("b") == after[0]


def test_a_gap_that_fills_while_it_asks_is_kept(box):
    pair()
    code, err = answer_after(lambda: put("a", 2000, b"mine" * 128), "install", "a", "b")
    assert sectors("a", 2000) == b"mine" * 128
    assert code == 3 and "has changed" in err and "b: was left untouched" in err


def test_an_esp_that_moves_while_it_asks_is_kept(box):
    pair(make=gpt_disk, esp=True)
    after = []

    def change():
        tool("sgdisk", "-d", "1", "-n", "1:10240:+20M", "-t", "1:EF00", "a")
        after.append(digest("a"))

    code, err = answer_after(change, "install", "--uefi", "a", "b")
    assert code == 3 and "has changed" in err and digest("a") == after[0]


# ---- areas of other versions, and LBA 0 from a backup ----

@pytest.mark.parametrize("command", [["install", "--yes"], ["uninstall", "--yes"]], ids=lambda c: c[0])
def test_an_area_of_a_newer_version_is_left_alone(box, command):
    """We can't read what it saved: neither overwrite nor "put back" anything."""
    pair()
    run("install", "--yes", "a", "b")
    area_crc("a", area_of("a")[0], version=2)
    before = digests()
    r = run(*command, "a", "b")
    assert r.returncode == 3 and "newer" in r.stderr and "nothing was written" in r.stderr
    assert digests() == before
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "newer" in r.stdout


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_lba0_from_a_backup_finds_the_saved_code(box, command):
    """LBA 0 leads to where the area once was; the saved code is in the one that is there now."""
    before = pair()
    old = sectors("a", 0)
    run("install", "--yes", "a", "b")
    backup = sectors("a", 0)
    pathlib.Path("c").write_text("timeout = 3\n")
    run("install", "--yes", "--config", "c", "a", "b")
    put("a", 0, backup)
    if command == "install":
        r = run("install", "--yes", "a", "b")
        assert r.returncode == 0, r.stderr
        assert sectors("a", area_of("a")[0] + 1) == old
    r = run("uninstall", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert digests() == before


def test_uninstall_when_all_partitions_are_gone(box):
    pair()
    old = sectors("a", 0)
    run("install", "--yes", "a")
    empty = bytearray(sectors("a", 0))
    empty[446:510] = bytes(64)
    put("a", 0, bytes(empty))
    r = run("uninstall", "--yes", "a")
    assert r.returncode == 0, r.stderr
    assert sectors("a", 0) == old[:446] + bytes(64) + old[510:]


def test_uninstall_keeps_the_table_that_is_there_now(box):
    pair()
    old = sectors("a", 0)
    run("install", "--yes", "a")
    end = os.path.getsize("a") // 512
    tool("sfdisk", "-q", "--no-reread", "--append", "a", input=b"start=%d,size=500,type=83\n" % (end - 1000))
    table = sectors("a", 0)[440:]
    assert table != old[440:]
    assert run("uninstall", "--yes", "a").returncode == 0
    assert sectors("a", 0) == old[:440] + table


# ---- tables that overlap where the area would go ----

def gpt_edit(path, edit):
    """Change the primary GPT's entries (a bytearray) and mend the checksums."""
    h = bytearray(sectors(path, 1))
    lba, count, size = struct.unpack_from("<QII", h, 72)
    entries = bytearray(sectors(path, lba, count * size // 512))
    edit(entries)
    put(path, lba, bytes(entries))
    struct.pack_into("<I", h, 88, zlib.crc32(bytes(entries)))
    struct.pack_into("<I", h, 16, 0)
    struct.pack_into("<I", h, 16, zlib.crc32(bytes(h[:92])))
    put(path, 1, bytes(h))


BIOS_BOOT = bytes.fromhex("4861682149646f6e744e656564454649")


def test_a_bios_boot_partition_over_the_gpt(box):
    """One that claims to begin in the table's own entries, and to end there."""
    pair(make=gpt_disk)
    for x in "ab":
        # 512 entries, 2..129: those that are empty are zero, and many enough for an area.
        tool("sgdisk", "-S", "512", x)

        def edit(e):
            e[128 * 100:128 * 101] = BIOS_BOOT + b"\1" * 16 + struct.pack("<QQQ", 30, 129, 0) + bytes(72)
        gpt_edit(x, edit)
    before = [sectors(x, 0, 130) for x in "ab"]
    r = run("install", "--yes", "--bios", "a", "b")
    assert [sectors(x, 0, 130) for x in "ab"] == before
    assert r.returncode == 3 and "free sectors" in r.stderr


def test_a_bios_boot_partition_that_another_overlaps(box):
    pair(make=gpt_disk, bios_boot=True)
    for x in "ab":
        def edit(e):
            e[128 * 100:128 * 101] = b"\x22" * 32 + struct.pack("<QQQ", 1990, 1999, 0) + bytes(72)
        gpt_edit(x, edit)
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 0, r.stderr
    assert sum(area_of("a")) <= 1990


def test_partitions_beyond_those_that_are_kept_count(box):
    """More than 128 partitions: the last one lies in what looks like the gap."""
    for x in "ab":
        data = fixture("md1.2-insync-" + x)
        write_sparse(x, data, 8192 * 512, 8192 * 512 + len(data) + MIB)
        args = ["sgdisk", "-a", "1", "-S", "256", "-n", "1:8192:%d" % (8192 + len(data) // 512 - 1), "-t", "1:FD00"]
        for i in range(2, 130):
            args += ["-n", "%d:%d:%d" % (i, 3000 + i, 3000 + i)]
        args += ["-n", "130:100:2999"]
        tool(*args, x)
    before = [sectors(x, 66, 3000 - 66) for x in "ab"]
    r = run("install", "--yes", "--bios", "a", "b")
    assert r.returncode == 3 and "partitions" in r.stderr
    assert [sectors(x, 66, 3000 - 66) for x in "ab"] == before


# ---- EFI system partitions ----

def test_a_fat_that_is_larger_than_its_partition(box):
    """Its free clusters are the next partition's sectors."""
    pair(make=gpt_disk, esp=True)
    for x in "ab":
        fat = sectors(x, 2048, 65536)
        tool("mkfs.vfat", "-F", "16", "-n", "ESP", "--offset", "2048", x, str(48 * 1024))
        assert fat != sectors(x, 2048, 65536)
        esp_put(x, "fill", bytes(os.urandom(1 << 16)) * 496)
    legs = [sectors(x, 2048 + 65536, 65536) for x in "ab"]
    before = digests()
    r = run("install", "--yes", "--uefi", "a", "b")
    assert [sectors(x, 2048 + 65536, 65536) for x in "ab"] == legs
    assert r.returncode == 3 and "larger than" in r.stderr and digests() == before


@pytest.mark.parametrize("command", [["install", "--yes", "--uefi"], ["uninstall", "--yes"]], ids=lambda c: c[0])
def test_an_esp_that_is_a_leg_is_not_written(box, command):
    """md 1.0 and 0.90 under an ESP: firmware reads a leg as FAT. Writing to one makes the legs differ."""
    for x in "ab":
        data = fixture("md1.0-insync-" + x)
        size = len(data) // 512
        write_sparse(x, data, 2048 * 512, 2048 * 512 + len(data) + MIB)
        tool("sgdisk", "-a", "1", "-n", "1:2048:%d" % (2048 + size - 1), "-t", "1:EF00", x)
        tool("mkfs.vfat", "-F", "16", "--offset", "2048", x, "16384")
        if command[0] == "uninstall":
            esp_put(x, "EFI/mirrorboot/mirrorboot.efi", b"\nmirrorboot,")
    # what is ours on it, but not as installed, is drift
    assert run("status", "a", "b").returncode == (command[0] == "uninstall")
    before = digests()
    r = run(*command, "a", "b")
    assert r.returncode == 3 and "member of a mirror" in r.stderr and digests() == before


def test_a_config_that_is_too_long_is_not_cut(box):
    pair(make=gpt_disk, esp=True)
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    text = b"timeout = 3\n" + b"# a remark\n" * 300
    for x in "ab":
        esp_put(x, "EFI/mirrorboot/mirrorboot.conf", text)
        esp_put(x, "EFI/mirrorboot/mirrorboot.efi", b"\nmirrorboot,1: an older one")
    r = run("install", "--yes", "--uefi", "a", "b")
    assert r.returncode == 3 and "2048" in r.stderr
    assert all(esp_tree(x)["EFI/mirrorboot/mirrorboot.conf"] == text for x in "ab")
    assert run("verify", "a", "b").returncode == 1
    assert run("uninstall", "--yes", "a", "b").returncode == 0


@pytest.mark.parametrize("sig", ["INT", "TERM", "HUP"])
def test_a_signal_while_writing_ends_after_the_disk(box, sig):
    """^C goes to the whole process group: the file that is being written is finished all the same."""
    pair(make=gpt_disk, esp=True, bios_boot=True)
    env = onwrite.env(20, getattr(signal, "SIG" + sig).value)
    r = subprocess.run([str(TOOL), "install", "--yes", "a", "b"], env=env, capture_output=True, text=True,
                       stdin=subprocess.DEVNULL, start_new_session=True)
    assert r.returncode == 3 and "b: was left untouched" in r.stderr, (r.returncode, r.stderr)
    assert run("verify", "a").returncode == 0
    assert run("verify", "b").returncode == 1


# ---- what is left behind ----

def default_signals():
    """Who runs the tests in the background, or under nohup, has these ignored, and so would the tool."""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_DFL)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_dump_leaves_no_file(box, sig):
    pair()
    pathlib.Path("out").write_text("older")
    # Stopped in mid-copy by a full pipe is not possible with a file: it is sent as soon as the file is there.
    for _ in range(20):
        p = subprocess.Popen([str(TOOL), "dump", "-m", "boot", "-o", "out", "a", "b"], stderr=subprocess.PIPE,
                             preexec_fn=default_signals)
        while p.poll() is None and not [f for f in os.listdir(".") if f.startswith("out.")]:
            pass
        p.send_signal(sig)
        p.communicate(timeout=60)
        if p.returncode:
            break
    assert p.returncode == 3 and pathlib.Path("out").read_text() == "older"
    assert sorted(os.listdir(".")) == ["a", "b", "out"]


@pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86 is not installed")
@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_leaves_nothing(box, sig):
    pair()
    run("install", "--yes", "a", "b")
    before = digests()
    old = set(pathlib.Path("/tmp").glob("mirrorboot-drill-*"))
    p = subprocess.Popen([str(TOOL), "drill", "--expect", "never", "a", "b"], stderr=subprocess.PIPE,
                         stdout=subprocess.PIPE, preexec_fn=default_signals)
    children = pathlib.Path("/proc/%d/task/%d/children" % (p.pid, p.pid))
    for _ in range(300):
        if children.read_text().split():
            break
        time.sleep(0.1)
    qemu = children.read_text().split()[0]
    time.sleep(1)
    p.send_signal(sig)
    p.communicate(timeout=60)
    assert p.returncode == 3
    assert not pathlib.Path("/proc/" + qemu).exists()
    mine = set(pathlib.Path("/tmp").glob("mirrorboot-drill-*")) - old
    assert not [d for d in mine if d.stat().st_uid == os.getuid() and list(d.glob("bios-*"))]
    assert digests() == before


def test_never_dumped_over_a_loops_image(box):
    """The image under a loop device would lose its name to the dump."""
    if os.geteuid() != 0:
        pytest.skip("needs root: sets up a loop device")
    pair()
    r = subprocess.run(["losetup", "--show", "-f", "a"], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop devices do not work here: " + r.stderr.strip())
    dev = r.stdout.strip()
    before = digest("a")
    try:
        r = run("dump", "-m", "boot", "-o", "a", dev)
    finally:
        subprocess.run(["losetup", "-d", dev], check=True)
    assert r.returncode == 3 and "is the input disk" in r.stderr and digest("a") == before


def test_a_loop_and_its_image_are_one_disk(box):
    if os.geteuid() != 0:
        pytest.skip("needs root: sets up a loop device")
    pair()
    r = subprocess.run(["losetup", "--show", "-f", "a"], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop devices do not work here: " + r.stderr.strip())
    dev = r.stdout.strip()
    before = digest("a")
    try:
        r = run("install", "--yes", "a", dev)
    finally:
        subprocess.run(["losetup", "-d", dev], check=True)
    assert r.returncode == 2 and "is the same disk as" in r.stderr and digest("a") == before


# ---- what programs and shells read ----

@pytest.mark.parametrize("name", [b"a\xffb", b'a"b\\c', b"a\nb\tc\x01\x7f", b"\xc3\xa4", b"\xed\xa0\x80",
                                  b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82"])
def test_json_of_odd_paths(box, name):
    mbr_disk("a", "md1.2-insync-a")
    os.rename("a", name)
    r = subprocess.run([str(TOOL), "status", "--json", name], capture_output=True)
    assert r.returncode == 1
    said = json.loads(r.stdout.decode("utf-8"))
    want = name.decode("utf-8", "replace")
    if want.encode() == name:
        assert said["disks"][0]["path"] == want
    else:
        assert "\ufffd" in said["disks"][0]["path"]
    assert said["mirrors"][0]["legs"][0]["disk"] == said["disks"][0]["path"]


@pytest.mark.parametrize("name", ["a b", "a'b", "a$(touch pwned)", "a;b"])
def test_the_command_that_verify_names_can_be_pasted(box, name):
    mbr_disk("x", "md1.2-insync-a")
    os.rename("x", name)
    r = run("verify", name)
    assert r.returncode == 1
    command = r.stdout.split('run "mirrorboot ')[1].rsplit('"', 1)[0].replace("install", "install --yes", 1)
    assert subprocess.run(["sh", "-c", "'%s' %s" % (TOOL, command)], capture_output=True,
                          stdin=subprocess.DEVNULL).returncode == 0
    assert not pathlib.Path("pwned").exists()
    assert run("verify", name).returncode == 0


@pytest.mark.parametrize("how", ["image", "device"])
def test_firmware_raid_is_warned_of(box, how):
    """Intel's metadata in the last two sectors; devices are read past the cache."""
    mbr_disk("a", "md1.2-insync-a")
    sb = bytearray(512)
    sb[:32] = b"Intel Raid ISM Cfg Sig. 1.0.00".ljust(32)
    struct.pack_into("<II", sb, 36, 512, 0)
    end = os.path.getsize("a") // 512
    put("a", end - 2, bytes(sb))
    path = "a"
    if how == "device":
        if os.geteuid() != 0:
            pytest.skip("needs root: sets up a loop device")
        r = subprocess.run(["losetup", "--show", "-f", "a"], capture_output=True, text=True)
        if r.returncode:
            pytest.skip("loop devices do not work here: " + r.stderr.strip())
        path = r.stdout.strip()
    try:
        r = run("status", path)
    finally:
        if how == "device":
            subprocess.run(["losetup", "-d", path], check=True)
    assert "isw_raid_member" in r.stdout, r.stdout + r.stderr


def test_a_disk_without_an_esp_is_not_called_installed(box):
    for x, esp in (("a", True), ("b", False)):
        gpt_disk(x, "md1.2-insync-" + x, esp=esp)
    before = digest("b")
    r = run("install", "--yes", "--uefi", "a", "b")
    assert r.returncode == 0, r.stderr
    assert "a: installed and verified\n" in r.stdout and "b: nothing was written\n" in r.stdout
    assert digest("b") == before


def test_a_table_that_changes_while_the_esp_is_written_is_kept(box):
    """Between the plan and LBA 0 lie the seconds that the ESP takes."""
    pair(make=gpt_disk, esp=True, bios_boot=True)
    pathlib.Path("hook.py").write_text(
        "f = open('a', 'r+b'); f.seek(440); f.write(b'\\xde\\xc0\\xad\\x0b'); f.close()\n")
    r = run("install", "--yes", "a", "b", env=onwrite.env(20, "python3 hook.py"))
    assert r.returncode == 3 and "table that has just changed" in r.stderr, r.stderr
    assert "b: was left untouched" in r.stderr
    assert sectors("a", 0)[440:444] == b"\xde\xc0\xad\x0b"
    assert not any(sectors("a", 0)[:440])
