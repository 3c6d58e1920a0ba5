# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""drill: real boots in QEMU with real GRUB, and never a write to the disks."""

import json
import os
import pathlib
import shutil
import time

import pytest

from disks import (GRUB_LIB, digest, gpt_disk, mbr_disk, put, real_grub_in_gap, real_grub_on_esp, run,
                   sectors)

pytestmark = [
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86 is not installed"),
    pytest.mark.skipif(not (GRUB_LIB / "boot.img").exists(), reason="grub-pc-bin is not installed"),
]
needs_ovmf = pytest.mark.skipif(
    not any(map(os.path.exists, ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"])),
    reason="ovmf is not installed")


def bios_pair(kind="md1.2-legA-failed"):
    for x in "ab":
        mbr_disk(x, "%s-%s" % (kind, x), code=False)
        real_grub_in_gap(x)
    assert run("install", "--yes", "a", "b").returncode == 0
    return [digest(x) for x in "ab"]


def cases(r):
    return json.loads(r.stdout)["cases"]


@pytest.mark.parametrize("kind", ["md1.2-legA-failed", "md1.0-legA-failed", "md0.90-legA-failed"])
def test_bios_reads_the_newer_generation(box, kind):
    before = bios_pair(kind)
    for order in ("ab", "ba"):
        r = run("drill", "--json", "--detach", "none", "--expect", "GEN2-after", *order)
        assert r.returncode == 0, r.stdout + r.stderr
        (case,) = cases(r)
        assert case["firmware"] == "bios" and case["detached"] is None and case["starts"]
        assert "degraded" in case["said"]
    assert [digest(x) for x in "ab"] == before
    assert not list(box.glob("mirrorboot-drill*"))


def test_each_is_the_default(box):
    bios_pair()
    r = run("drill", "--json", "a", "b")
    assert r.returncode == 0, r.stdout + r.stderr
    assert [c["detached"] for c in cases(r)] == [None, "a", "b"]


def test_a_boot_without_the_expected_text_fails(box):
    """Without b there is only the old generation."""
    bios_pair()
    r = run("drill", "--json", "--detach", "1", "--expect", "GEN2-after", "--timeout", "8", "a", "b")
    assert r.returncode == 1
    (case,) = cases(r)
    assert case["handed_over"] and not case["expected_seen"] and not case["starts"]
    assert case["detached_index"] == 1 and case["seconds"] < 12
    r = run("drill", "--detach", "1", "--expect", "GEN1-both", "a", "b")
    assert r.returncode == 0 and "starts" in r.stdout and "without b" in r.stdout


def test_keep(box):
    bios_pair()
    r = run("drill", "--detach", "0", "--keep", "kept", "a", "b")
    assert r.returncode == 0
    kept = sorted(p.name for p in pathlib.Path("kept").iterdir())
    assert len(kept) == 2 and kept[0].startswith("bios-without-0.p") and kept[1].endswith(".serial.txt")
    assert pathlib.Path("kept", kept[0]).stat().st_size > 500
    assert "mirrorboot" in pathlib.Path("kept", kept[1]).read_text()


def test_machine_that_hangs_is_ended(box):
    bios_pair()
    put("a", 0, b"\xeb\xfe" + sectors("a", 0)[2:])  # jump to itself
    start = time.time()
    r = run("drill", "--firmware", "bios", "--detach", "none", "--timeout", "3", "a", "b")
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
    r = run("drill", "--detach", "none", "--expect", "GEN2", *names)
    assert r.returncode == 0, r.stdout + r.stderr


@needs_ovmf
def test_uefi(box):
    for x in "ab":
        gpt_disk(x, "md1.2-legA-failed-" + x, esp=True)
        real_grub_on_esp(x)
    assert run("install", "--yes", "a", "b").returncode == 0
    before = [digest(x) for x in "ab"]
    r = run("drill", "--json", "--detach", "0", "--expect", "GEN2-after",
            "--timeout", "14", "b", "a")
    # Disk 0 is b here: what is left is the stale leg, and GRUB reads the old generation.
    assert r.returncode == 1 and cases(r)[0]["handed_over"]
    r = run("drill", "--json", "--detach", "none", "--expect", "GEN2-after", "b", "a")
    assert r.returncode == 0, r.stdout + r.stderr
    assert cases(r)[0]["firmware"] == "uefi"
    assert [digest(x) for x in "ab"] == before
