# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The EFI applications as files: what firmware, shim and signing tools ask of a PE image.

Read here byte by byte, with no code shared with tools/pe-nx.py.
"""
import os
import shutil
import struct
import subprocess

import pytest

from disks import BUILD, TOP

MACHINE = {"mirrorboot.efi": 0x8664, "mirrorbootia32.efi": 0x014C}
EXECUTE, WRITE = 0x20000000, 0x80000000
NX_COMPAT, RELOCS_STRIPPED = 0x0100, 0x0001
EFI_APPLICATION = 10
KEY, CERT = "/usr/share/ovmf/PkKek-1-snakeoil.key", "/usr/share/ovmf/PkKek-1-snakeoil.pem"


class Image:
    """A PE image, taken apart (Microsoft's PE format, revision 8.3)."""

    def __init__(self, data):
        self.data = data
        assert data[:2] == b"MZ"
        pe, = struct.unpack_from("<I", data, 0x3C)
        assert data[pe:pe + 4] == b"PE\0\0"
        self.machine, count = struct.unpack_from("<HH", data, pe + 4)
        optional_bytes, self.characteristics = struct.unpack_from("<HH", data, pe + 20)
        self.optional = o = pe + 24
        self.magic, = struct.unpack_from("<H", data, o)
        plus = self.magic == 0x20B
        self.entry, = struct.unpack_from("<I", data, o + 16)
        self.section_align, self.file_align = struct.unpack_from("<II", data, o + 32)
        self.image_bytes, self.header_bytes, self.checksum = struct.unpack_from("<III", data, o + 56)
        self.subsystem, self.dll = struct.unpack_from("<HH", data, o + 68)
        directories = o + (112 if plus else 96)
        count_at = directories - 4
        assert struct.unpack_from("<I", data, count_at)[0] >= 6
        self.directory = [struct.unpack_from("<II", data, directories + 8 * i) for i in range(6)]
        self.sections = {}
        for i in range(count):
            row = o + optional_bytes + 40 * i
            name = data[row:row + 8].rstrip(b"\0").decode()
            size, start, raw_bytes, raw = struct.unpack_from("<IIII", data, row + 8)
            flags, = struct.unpack_from("<I", data, row + 36)
            self.sections[name] = (start, size, raw, raw_bytes, flags)

    def bytes_of(self, name):
        _, size, raw, raw_bytes, _ = self.sections[name]
        return self.data[raw:raw + min(size, raw_bytes)]


@pytest.fixture(params=MACHINE)
def image(request):
    path = BUILD / request.param
    if path.stat().st_size == 0:
        pytest.skip(f"{request.param} NOT TESTED: this machine's gnu-efi could not make it")
    return Image(path.read_bytes())


def test_headers(image):
    assert image.machine in MACHINE.values() and image.subsystem == EFI_APPLICATION
    assert image.magic == (0x20B if image.machine == 0x8664 else 0x10B)
    assert not image.characteristics & RELOCS_STRIPPED
    assert image.dll & NX_COMPAT
    start, size, _, _, flags = image.sections[".text"]
    assert start <= image.entry < start + size and flags & EXECUTE


def test_checksum(image):
    """Microsoft's: the sum of 16-bit words, carries folded in, and the length."""
    data = bytearray(image.data)
    struct.pack_into("<I", data, image.optional + 64, 0)
    total = sum(struct.unpack(f"<{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert image.checksum == total + len(data)


def test_sections(image):
    """Pages of their own, in order, without holes, none both writable and executable."""
    end, file_end = image.header_bytes, image.header_bytes
    assert image.section_align == 4096
    for name, (start, size, raw, raw_bytes, flags) in image.sections.items():
        assert not (flags & WRITE and flags & EXECUTE), name
        assert bool(flags & EXECUTE) == (name == ".text"), name
        assert start % 4096 == 0 and 0 <= start - end < 4096, name
        assert raw == file_end and raw_bytes % image.file_align == 0 and size <= raw_bytes, name
        end, file_end = start + size, raw + raw_bytes
    assert image.image_bytes == -(-end // 4096) * 4096
    assert len(image.data) == file_end, "bytes behind the last section: signing tools warn of them"
    assert {n for n, s in image.sections.items() if s[4] & WRITE} == {".data", ".dynamic"}
    assert image.directory[4] == (0, 0), "not signed yet"


def test_relocations(image):
    """One block with nothing to do, so that the firmware may load us anywhere.

    What has to be moved, crt0 moves by the ELF relocations: all of them in pages that can be
    written.
    """
    start, size, _, _, _ = image.sections[".reloc"]
    assert image.directory[5] == (start, size)
    page, block = struct.unpack_from("<II", image.bytes_of(".reloc"))
    assert block == size and page < image.image_bytes
    for entry in struct.unpack_from(f"<{(size - 8) // 2}H", image.bytes_of(".reloc"), 8):
        assert entry >> 12 == 0  # IMAGE_REL_BASED_ABSOLUTE
    low, room = image.sections[".data"][:2]
    if image.machine == 0x8664:
        found = [(at, kind) for at, kind, _ in struct.iter_unpack("<QQq", image.bytes_of(".rela"))]
        relative = 8
    else:
        found = list(struct.iter_unpack("<II", image.bytes_of(".rel")))
        relative = 8
    assert found
    for at, kind in found:
        assert kind == relative and low <= at < low + room, hex(at)


def test_sbat(image):
    """As shim's SBAT.md has it: lines of six fields, the first about SBAT itself, ASCII, LF."""
    text = image.bytes_of(".sbat").rstrip(b"\0").decode("ascii")
    assert text.endswith("\n") and "\r" not in text and '"' not in text
    rows = [line.split(",") for line in text.splitlines()]
    assert all(len(row) == 6 and all(row) for row in rows)
    assert rows[0] == ["sbat", "1", "SBAT Version", "sbat", "1",
                       "https://github.com/rhboot/shim/blob/main/SBAT.md"]
    version = subprocess.run([str(BUILD / "mirrorboot"), "--version"], capture_output=True,
                             text=True, check=True).stdout.split()[-1]
    assert [row[:2] for row in rows[1:]] == [["mirrorboot", "1"]]
    assert rows[1][4] == version


@pytest.mark.parametrize("section, flag", [(".data", EXECUTE), (".text", WRITE)])
def test_pe_nx_refuses_writable_code(box, section, flag):
    """tools/pe-nx.py is the build's own check: it must be able to fail."""
    data = bytearray((BUILD / "mirrorboot.efi").read_bytes())
    row = data.index(section.encode().ljust(8, b"\0"))
    flags, = struct.unpack_from("<I", data, row + 36)
    struct.pack_into("<I", data, row + 36, flags | flag)
    (box / "x.efi").write_bytes(data)
    r = subprocess.run(["/usr/bin/python3", str(TOP / "tools/pe-nx.py"), "x.efi"],
                       capture_output=True, text=True)
    assert r.returncode == 1 and "writable and executable" in r.stderr
    assert (box / "x.efi").read_bytes() == data


# ---- make sign ---------------------------------------------------------------------------------

def sign(build, key="", cert="", path=None):
    env = dict(os.environ, PATH=path or os.environ["PATH"])
    return subprocess.run([str(TOP / "tools/sign"), str(build), str(key), str(cert)],
                          capture_output=True, text=True, env=env)


@pytest.fixture
def build(box):
    for name in MACHINE:
        shutil.copy(BUILD / name, box / name)
    return box


@pytest.fixture
def key(box):
    subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", "pass:snakeoil", "-out", "key"],
                   check=True, capture_output=True)
    return box / "key"


def signed(box):
    return sorted(p.name for p in box.glob("*.signed.efi*"))


def test_sign(build, key):
    r = sign(build, key, CERT)
    assert r.returncode == 0, r.stderr
    for name in MACHINE:
        if (build / name).stat().st_size:
            out = name.replace(".efi", ".signed.efi")
            assert f"signed and verified: {build}/{out}" in r.stdout
            subprocess.run(["sbverify", "--cert", CERT, out], check=True, capture_output=True)
            assert Image((build / out).read_bytes()).directory[4][1] > 0
    assert len(signed(build)) == r.stdout.count("signed and verified")


def test_sign_says_what_is_missing(build, key):
    for args, word in (((), "KEY="), ((key,), "KEY="), (("", CERT), "KEY="),
                       (("no-such", CERT), "can't read the key no-such"),
                       ((key, "no-such"), "can't read the certificate no-such")):
        r = sign(build, *args)
        assert r.returncode == 2 and word in r.stderr and "nothing was signed" in r.stderr
    r = sign(build, key, CERT, path="/nowhere:/bin/nowhere")
    assert r.returncode == 2 and "apt-get install sbsigntool" in r.stderr
    assert signed(build) == []


def test_sign_with_a_key_of_another_certificate(build, key):
    """sbsign itself may not notice: the check of what came out must."""
    subprocess.run(["openssl", "genrsa", "-out", "other", "2048"], check=True, capture_output=True)
    r = sign(build, "other", CERT)
    assert r.returncode == 1 and "could not be signed" in r.stderr and signed(build) == []


def test_sign_refuses_an_image_with_gaps(build, key):
    """Bytes that no section covers are not what was built; sbsign only warns."""
    with open(build / "mirrorboot.efi", "ab") as f:
        f.write(b"x" * 512)
    r = sign(build, key, CERT)
    assert r.returncode == 1 and "could not be signed" in r.stderr and signed(build) == []
