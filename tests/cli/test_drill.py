# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""drill: real boots in QEMU with real GRUB, and never a write to the disks."""

import fcntl
import json
import os
import pathlib
import pty
import shutil
import signal
import struct
import subprocess
import time

import pytest

from areas import area_of
from disks import (GRUB_LIB, TOOL, digest, esp_put, esp_tree, gpt_disk, mbr_disk, put, real_grub_in_gap,
                   real_grub_on_esp, run, sectors, tool)

pytestmark = [
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86 is not installed"),
    pytest.mark.skipif(not (GRUB_LIB / "boot.img").exists(), reason="grub-pc-bin is not installed"),
]
needs_ovmf = pytest.mark.skipif(
    not any(map(os.path.exists, ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"])),
    reason="ovmf is not installed")


ONE = ("--detach", "none", "--unreadable", "none")  # one boot, with all disks


def bios_pair(kind="md1.2-legA-failed"):
    """An unreadable disk makes it wait; here for a second only."""
    pathlib.Path("conf").write_text("timeout = 1\n")
    for x in "ab":
        mbr_disk(x, "%s-%s" % (kind, x), code=False)
        real_grub_in_gap(x)
    assert run("install", "--yes", "--config", "conf", "a", "b").returncode == 0
    return [digest(x) for x in "ab"]


def uefi_pair():
    for x in "ab":
        gpt_disk(x, "md1.2-legA-failed-" + x, esp=True)
        real_grub_on_esp(x)
    assert run("install", "--yes", "a", "b").returncode == 0
    return [digest(x) for x in "ab"]


def cases(r):
    return json.loads(r.stdout)["cases"]


def faults(r):
    """(disk, sentence) of what is broken."""
    return [(f["disk"], f["text"]) for f in json.loads(r.stdout)["findings"] if f["fault"]]


@pytest.mark.parametrize("kind", ["md1.2-legA-failed", "md1.0-legA-failed", "md0.90-legA-failed"])
def test_bios_reads_the_newer_generation(box, kind):
    before = bios_pair(kind)
    for order in ("ab", "ba"):
        r = run("drill", "--json", *ONE, "--expect", "GEN2-after", *order)
        assert r.returncode == 0, r.stdout + r.stderr
        (case,) = cases(r)
        assert case["firmware"] == "bios" and case["detached"] is None and case["starts"]
        assert "degraded" in case["said"]
    assert [digest(x) for x in "ab"] == before
    assert not list(box.glob("mirrorboot-drill*"))


def test_each_is_the_default(box):
    before = bios_pair()
    r = run("drill", "--json", "a", "b")
    assert r.returncode == 0, r.stdout + r.stderr
    assert [c["detached"] for c in cases(r)] == [None, "a", "b", None, None]
    assert [c["unreadable"] for c in cases(r)] == [None, None, None, "a", "b"]
    assert [c["unreadable_index"] for c in cases(r)] == [None, None, None, 0, 1]
    assert all(c["only"] is None and c["fault"] is None for c in cases(r))
    assert "degraded" in cases(r)[3]["said"] and not faults(r)
    # That a's leg is old is no fault of the boot; it is told all the same.
    (stale,) = json.loads(r.stdout)["findings"]
    assert stale["disk"] == "a" and "leg of mirror" in stale["text"] and "stale" in stale["text"]
    assert [digest(x) for x in "ab"] == before


def test_an_unreadable_disk_is_not_read(box):
    """By its path: with it there would be GEN2."""
    bios_pair()
    r = run("drill", "--json", "--unreadable", "b", "--expect", "GEN1-both", "a", "b")
    assert r.returncode == 0 and len(cases(r)) == 1, r.stdout
    assert cases(r)[0]["unreadable"] == "b" and cases(r)[0]["expected_seen"]


# What is done to b, what is said of it, and the last that a machine with it alone says.
BROKEN = {
    "boot sector": (lambda: put("b", 0, bytes(440) + sectors("b", 0)[440:]),
                    "LBA 0 is not our boot code", "Booting from Hard Disk"),
    "stage2": (lambda: put("b", area_of("b")[0] + 20, b"x" * 512),
               "stage2 is damaged", "no disk has a good copy"),
    "saved boot code": (lambda: put("b", area_of("b")[0] + 1, bytes(512)),
                        "the saved boot code is damaged", ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_second_disk_is_named(box, what):
    bios_pair("md1.2-insync")
    do, sentence, last = BROKEN[what]
    do()
    before = [digest(x) for x in "ab"]
    r = run("drill", "--json", "--detach", "0", "--timeout", "3", "a", "b")
    (case,) = cases(r)
    assert r.returncode == 1 and not case["starts"] and last in case["last_lines"], r.stdout
    assert case["fault"].startswith("b: " + sentence) and "\n" not in case["fault"]
    assert case["fault"].endswith('run "mirrorboot install --bios a b"')
    assert [d for d, _ in faults(r)] == ["b"]
    # With a there nothing is to be seen of it, and it is named all the same.
    r = run("drill", *ONE, "a", "b")
    assert r.returncode == 1 and "b: " + sentence in r.stdout.split("firmware")[0]
    assert "all 1 boots got there, but only thanks to other disks" in r.stdout
    r = run("drill", "--detach", "0", "--timeout", "3", "a", "b")
    told = r.stdout.split("BIOS, without a: did not start\n")[1]
    assert told.startswith("  b: " + sentence) and last in told, r.stdout
    assert told.endswith("1 of 1 boots did not get there\n")
    assert [digest(x) for x in "ab"] == before
    # What it says to run mends it; where the next loader is lost, that is what is named then.
    assert run("install", "--yes", "--bios", "a", "b").returncode == 0
    r = run("drill", "--detach", "0", "a", "b")
    if what != "saved boot code":
        assert r.returncode == 0 and "starts" in r.stdout
    else:
        assert "  b: it has no boot loader to go on to" in r.stdout
        assert "No disk has boot code to start" in r.stdout


def test_started_by_somebody_else(box):
    """grub-install has put its boot sector back: it starts, and nobody has judged any leg."""
    for x in "ab":
        mbr_disk(x, "md1.2-insync-" + x, code=False)
        real_grub_in_gap(x)
    grub = sectors("b", 0)
    assert run("install", "--yes", "a", "b").returncode == 0
    put("b", 0, grub)
    r = run("drill", "--detach", "a", "--expect", "GRUB-DONE", "--timeout", "12", "a", "b")
    assert r.returncode == 1 and "not us" in r.stdout and "not by mirrorboot" in r.stdout
    assert "  b: LBA 0 is not our boot code" in r.stdout


def test_three_disks(box):
    """Each alone, too; but for one of a mirror that nothing is started from."""
    bios_pair("md1.2-insync")
    mbr_disk("c", "md0.90-insync-a", code=False)
    r = run("drill", "--json", *ONE, "--only", "each", "a", "b", "c")
    assert r.returncode == 0, r.stdout
    assert [(c["only"], c["only_index"]) for c in cases(r)] == [(None, None), ("a", 0), ("b", 1)]
    assert not json.loads(r.stdout)["findings"]
    r = run("drill", "--json", "--only", "2", "--timeout", "4", "a", "b", "c")
    assert r.returncode == 1 and len(cases(r)) == 1 and not cases(r)[0]["starts"]


def test_a_boot_without_the_expected_text_fails(box):
    """Without b there is only the old generation."""
    bios_pair()
    r = run("drill", "--json", "--detach", "1", "--expect", "GEN2-after", "--timeout", "6", "a", "b")
    assert r.returncode == 1
    (case,) = cases(r)
    assert case["handed_over"] and not case["expected_seen"] and not case["starts"]
    assert case["detached_index"] == 1 and case["seconds"] < 12
    assert case["fault"].startswith("a: its leg of mirror")
    r = run("drill", "--detach", "1", "--expect", "GEN1-both", "a", "b")
    assert r.returncode == 0 and "starts" in r.stdout and "without b" in r.stdout


def check_picture(path, at_least):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) > 500
    assert struct.unpack(">II", data[16:24]) >= at_least


def test_keep(box):
    bios_pair()
    r = run("drill", "--json", *ONE[2:], "--keep", "kept", "a", "b")
    assert r.returncode == 0
    names = ["bios-all", "bios-without-0", "bios-without-1"]
    assert sorted(os.listdir("kept")) == sorted(n + e for n in names for e in (".png", ".serial.txt"))
    for name, case in zip(names, cases(r)):
        assert case["screenshot"] == "kept/%s.png" % name
        check_picture(pathlib.Path(case["screenshot"]), (720, 400))
        assert "mirrorboot" in pathlib.Path(case["serial"]).read_text()


def test_machine_that_hangs_is_ended(box):
    bios_pair()
    put("a", 0, b"\xeb\xfe" + sectors("a", 0)[2:])  # jump to itself
    start = time.time()
    r = run("drill", "--firmware", "bios", *ONE, "--timeout", "3", "a", "b")
    assert r.returncode == 1 and "fails" in r.stdout and time.time() - start < 15


def test_not_installed(box):
    mbr_disk("a", "md1.2-insync-a")
    r = run("drill", "a")
    assert r.returncode == 3 and "not installed" in r.stderr


def test_no_qemu(box):
    bios_pair()
    r = run("drill", "a", "b", env=dict(os.environ, PATH="/nowhere"))
    assert r.returncode == 3 and "install qemu-system-x86" in r.stderr


def test_odd_names_and_read_only_disks(box):
    """Commas and colons have a meaning in QEMU's options; a disk we can't write is never written."""
    for x, name in zip("ab", ("a,b:c", "nbd:x")):
        mbr_disk(name, "md1.2-legA-failed-" + x, code=False)
        real_grub_in_gap(name)
    names = ["a,b:c", "./nbd:x"]
    assert run("install", "--yes", *names).returncode == 0
    for n in names:
        os.chmod(n, 0o444)
    r = run("drill", *ONE, "--expect", "GEN2", *names)
    assert r.returncode == 0, r.stdout + r.stderr


def on_terminal(*args, keys=None):
    """Run with stderr on a terminal of its own: (exit status, what came there)."""
    mine, theirs = pty.openpty()

    def own_terminal():
        os.setsid()
        fcntl.ioctl(theirs, 0x540E, 0)  # TIOCSCTTY
        for n in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(n, signal.SIG_DFL)

    p = subprocess.Popen([str(TOOL), *args], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs,
                         preexec_fn=own_terminal)
    os.close(theirs)
    said = b""
    try:
        while more := os.read(mine, 4096):
            said += more
            if keys and b": 1 s" in said:
                os.write(mine, keys)
                keys = None
    except OSError:  # the last one has closed it
        pass
    out, _ = p.communicate(timeout=60)
    os.close(mine)
    return p.returncode, said.decode(), out.decode()


def test_progress(box):
    bios_pair()
    status, said, out = on_terminal("drill", *ONE, "--expect", "never", "--timeout", "2", "a", "b")
    assert status == 1 and "boot 1 of 1: BIOS, all disks: 0 s" in said and ": 1 s" in said
    assert said.endswith(" \r") and "boot 1 of" not in out  # blanked before the table's row


def test_interrupted_from_the_keyboard(box, monkeypatch):
    before = bios_pair()
    pathlib.Path("tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(box / "tmp"))
    status, said, out = on_terminal("drill", "--expect", "never", "a", "b", keys=b"\x03")
    assert status == 3 and "interrupted" in said and "fails" not in out
    assert not os.listdir("tmp") and [digest(x) for x in "ab"] == before


def test_qemu_that_does_not_start(box):
    bios_pair()
    r = run("drill", "--memory", "1048576", "a", "b")  # a TiB
    assert r.returncode == 3 and "QEMU did not start: " in r.stderr and "memory" in r.stderr
    r = run("drill", "--memory", "1", "a", "b")
    assert r.returncode == 2


def test_no_room_for_snapshots(box, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small tmpfs")
    bios_pair()
    pathlib.Path("small").mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", "small"]).returncode:
        pytest.skip("a tmpfs can't be mounted here")
    try:
        monkeypatch.setenv("TMPDIR", str(box / "small"))
        r = run("drill", *ONE, "a", "b")
        assert r.returncode == 3 and "too little room" in r.stderr and not os.listdir("small")
    finally:
        subprocess.run(["umount", "small"], check=True)


def test_block_devices_are_only_read(box):
    """Opened for reading alone, past the cache; and one in use is told about."""
    if os.geteuid() != 0:
        pytest.skip("needs root: sets up a loop device")
    before = bios_pair()
    r = subprocess.run(["losetup", "--show", "-f", "a"], capture_output=True, text=True)
    if r.returncode:
        pytest.skip("loop devices do not work here: " + r.stderr.strip())
    dev = r.stdout.strip()
    claim = os.open(dev, os.O_RDONLY | os.O_EXCL)
    try:
        p = subprocess.Popen([str(TOOL), "drill", *ONE, "--expect", "never", "--timeout", "3", dev,
                              "b"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        modes = set()
        while p.poll() is None:
            modes |= open_modes(p.pid, dev)
            time.sleep(0.05)
        assert dev + ": is in use" in p.communicate()[1]
        assert modes == {os.O_RDONLY | os.O_DIRECT}
    finally:
        os.close(claim)
        tool("losetup", "-d", dev)
    assert [digest(x) for x in "ab"] == before


def open_modes(pid, path):
    """How QEMU, a child of this one, has it open."""
    modes = set()
    try:
        for child in pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split():
            for fd in pathlib.Path("/proc/%s/fd" % child).iterdir():
                if os.readlink(fd) == path:
                    info = pathlib.Path("/proc/%s/fdinfo/%s" % (child, fd.name)).read_text()
                    flags = int(info.split("flags:")[1].split()[0], 8)
                    modes.add(flags & (os.O_ACCMODE | os.O_DIRECT))
    except OSError:  # it has just ended
        pass
    return modes


@needs_ovmf
def test_uefi(box):
    before = uefi_pair()
    # Disk 0 is b here: what is left is the stale leg, and GRUB reads the old generation.
    r = run("drill", "--json", "--detach", "0", "--expect", "GEN1-both", "b", "a")
    assert r.returncode == 0 and cases(r)[0]["handed_over"], r.stdout + r.stderr
    r = run("drill", "--json", "--unreadable", "a", "--keep", "kept", "--expect", "GEN2-after", "b",
            "a")
    assert r.returncode == 0, r.stdout + r.stderr
    (case,) = cases(r)
    assert case["firmware"] == "uefi" and case["unreadable_index"] == 1
    check_picture(pathlib.Path("kept/uefi-unreadable-1.png"), (640, 480))
    assert [digest(x) for x in "ab"] == before


@needs_ovmf
def test_an_empty_esp_is_named(box):
    uefi_pair()
    tool("mkfs.vfat", "-F", "16", "-n", "ESP", "--offset", "2048", "b", str(32 * 1024))
    assert not esp_tree("b")
    before = [digest(x) for x in "ab"]
    r = run("drill", "--json", "--detach", "0", "a", "b")
    (case,) = cases(r)
    assert r.returncode == 1 and not case["handed_over"]
    assert "b: \\EFI\\BOOT\\BOOTX64.EFI is missing" in case["fault"]
    assert case["fault"].endswith('run "mirrorboot install --uefi a b"')
    assert {d for d, _ in faults(r)} == {"b"}
    assert [digest(x) for x in "ab"] == before
    # Now mirrorboot is on it, and nothing that it could start: told before a boot as well.
    assert run("install", "--yes", "--uefi", "a", "b").returncode == 0
    esp_put("b", "EFI/README.TXT", b"no loader")
    r = run("drill", "--json", *ONE, "--timeout", "1", "a", "b")
    assert r.returncode == 1
    assert [(d, "esp clone" in text) for d, text in faults(r)] == [("b", True)]
