# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""verify: each kind of drift on a BIOS disk is seen, said, and mended by installing again."""

import struct
import zlib

import pytest

from areas import area_of, pair
from disks import put, run, sectors

DAMAGE = {
    "boot code": (0, 100, "boot code of LBA 0"),
    "header": ("area", 20, "header of the boot area"),
    "saved boot code": ("area", 512 + 5, "saved boot code"),
    "config": ("area", 1024 + 5, "config is damaged"),
    "stage2": ("area", 7 * 512 + 999, "stage2 is damaged"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_drift(box, what):
    pair()
    run("install", "--yes", "a", "b")
    where, offset, words = DAMAGE[what]
    lba = area_of("a")[0] if where == "area" else where
    at = lba + offset // 512
    s = bytearray(sectors("a", at))
    s[offset % 512] ^= 0x10
    put("a", at, bytes(s))
    r = run("verify", "a", "b")
    assert r.returncode == 1 and words in r.stdout and "b: as installed" in r.stdout
    # Mending: install again. A saved boot code that is damaged is lost, and said to be.
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0, r.stderr
    assert ("lost" in r.stdout) == (what == "saved boot code")
    assert run("verify", "a", "b").returncode == 0


def test_bad_config_in_the_area_is_drift(box):
    """As another version might have written it: whole by its CRC, and not understood."""
    pair()
    run("install", "--yes", "a", "b")
    start, _ = area_of("a")
    text = b"frobnicate = 1\n".ljust(2048, b"\0")
    put("a", start + 2, text)
    h = bytearray(sectors("a", start))
    struct.pack_into("<I", h, 24, zlib.crc32(text))
    struct.pack_into("<I", h, 508, zlib.crc32(bytes(h[:508])))
    put("a", start, bytes(h))
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "line 1: unknown key" in r.stdout
