# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""install: applications that their owner signed (--efi-file), and 32-bit firmware (--ia32)."""

import pathlib
import subprocess

import pytest

from disks import BUILD, digest, esp_put, esp_tree, gpt_disk, run

APP, FALLBACK = "EFI/mirrorboot/mirrorboot.efi", "EFI/BOOT/BOOTX64.EFI"
REPLACED = "EFI/BOOT/BOOTX64.REPLACED.EFI"
APP32, FALLBACK32 = "EFI/mirrorboot/mirrorbootia32.efi", "EFI/BOOT/BOOTIA32.EFI"
REPLACED32 = "EFI/BOOT/BOOTIA32.REPLACED.EFI"
KEY, CERT = "/usr/share/ovmf/PkKek-1-snakeoil.key", "/usr/share/ovmf/PkKek-1-snakeoil.pem"


def ours(name="mirrorboot.efi"):
    return (BUILD / name).read_bytes()


@pytest.fixture
def ia32():
    if not ours("mirrorbootia32.efi"):
        pytest.skip("32-BIT UEFI NOT TESTED: this machine's gnu-efi can't make mirrorbootia32.efi")


def pair(**files):
    for x in "ab":
        gpt_disk(x, "md1.2-insync-" + x, esp=True)
        esp_put(x, FALLBACK, b"MZ a loader" * 1000)
        for name, data in files.items():
            esp_put(x, f"EFI/BOOT/{name}.EFI", data)
    return trees()


def trees():
    return [esp_tree(x) for x in "ab"]


def files(tree):
    """Without what a later version of the tool may keep beside."""
    return {name: tree[name] for name in (APP, FALLBACK, REPLACED, APP32, FALLBACK32, REPLACED32)
            if name in tree}


def signed(data=None, out="signed.efi"):
    subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", "pass:snakeoil", "-out", "key"],
                   check=True, capture_output=True)
    pathlib.Path("plain").write_bytes(data or ours())
    subprocess.run(["sbsign", "--key", "key", "--cert", CERT, "--output", out, "plain"],
                   check=True, capture_output=True)
    return pathlib.Path(out).read_bytes()


def other_version():
    """A build of a later version, as far as the tool can tell."""
    old = b"mirrorboot," + run("--version").stdout.split()[-1].encode() + b",mirrorboot\n"
    assert ours().count(old) == 1
    return ours().replace(old, b"mirrorboot,9.8,mirrorboot\n".ljust(len(old), b"\0"))


# ---- signed ------------------------------------------------------------------------------------

def test_signed_file_is_installed_kept_and_removed(box):
    before = pair()
    data = signed()
    r = run("install", "--yes", "--efi-file", "signed.efi", "a", "b")
    assert r.returncode == 0, r.stderr
    version = run("--version").stdout.strip()
    assert f"BOOTX64.EFI: signed.efi ({version}, signed)" in r.stdout
    for tree in trees():
        assert tree[APP] == tree[FALLBACK] == data
        assert tree[REPLACED] == before[0][FALLBACK]
    # The same program but for the signature: nothing that verify would call a change.
    assert run("verify", "a", "b").returncode == 0
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "nothing was written" in r.stdout
    assert all(t[FALLBACK] == data for t in trees())
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_signed_replaces_unsigned(box):
    pair()
    assert run("install", "--yes", "a", "b").returncode == 0
    data = signed()
    assert run("install", "--yes", "--efi-file", "signed.efi", "a", "b").returncode == 0
    assert all(t[APP] == t[FALLBACK] == data for t in trees())


def test_unsigned_never_replaces_signed_by_itself(box):
    """An update that forgets to sign would leave a machine that does not start."""
    pair()
    signed(other_version())
    assert run("install", "--yes", "--efi-file", "signed.efi", "a", "b").returncode == 0
    before = digest("a"), digest("b")
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "not this version's" in r.stdout
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 3 and "is signed, and this build is not" in r.stderr
    assert "nothing was written" in r.stderr and (digest("a"), digest("b")) == before
    # Its owner may.
    assert run("install", "--yes", "--efi-file", BUILD / "mirrorboot.efi", "a", "b").returncode == 0
    assert all(t[APP] == t[FALLBACK] == ours() for t in trees())


def test_changed_behind_its_signature_is_not_ours_as_built(box):
    pair()
    data = bytearray(signed())
    data[len(ours()) // 2] ^= 1
    for x in "ab":
        run("install", "--yes", "a", "b")
        esp_put(x, FALLBACK, bytes(data))
    assert "not this version's" in run("verify", "a", "b").stdout


def test_version_is_told(box):
    pair()
    pathlib.Path("x.efi").write_bytes(other_version())
    r = run("install", "--efi-file", "x.efi", "a", "b")
    assert r.returncode == 2 and "x.efi (mirrorboot 9.8, not signed)" in r.stdout


@pytest.mark.parametrize("data, word", [
    (b"", "is not an EFI application"),
    (b"MZ" * 400, "is not an EFI application"),
    ("cut", "is not an EFI application"),
    ("foreign", "is not a mirrorboot"),
    ("arm", "is not made for a machine that mirrorboot knows"),
    (None, "No such file"),
])
def test_other_files_are_refused(box, data, word):
    pair()
    at = int.from_bytes(ours()[0x3C:0x40], "little")
    if data == "cut":
        data = signed()[:-8]
    elif data == "foreign":
        data = ours().replace(b"\nmirrorboot,", b"\nsomebody__,")
    elif data == "arm":
        data = ours()[:at + 4] + b"\x64\xaa" + ours()[at + 6:]
    if data is not None:
        pathlib.Path("x.efi").write_bytes(data)
    before = digest("a"), digest("b")
    r = run("install", "--yes", "--efi-file", "x.efi", "a", "b")
    assert r.returncode == 2 and f"x.efi: {word}" in r.stderr and "nothing was written" in r.stderr
    assert (digest("a"), digest("b")) == before


def test_two_files_for_one_machine(box):
    pair()
    signed()
    r = run("install", "--yes", "--efi-file", "signed.efi", "--efi-file", "plain", "a", "b")
    assert r.returncode == 2 and "second --efi-file for the same machine" in r.stderr


# ---- 32-bit firmware ---------------------------------------------------------------------------

def test_ia32_only_where_it_is_wanted(box):
    pair()
    assert run("install", "--yes", "a", "b").returncode == 0
    assert all(set(files(t)) == {APP, FALLBACK, REPLACED} for t in trees())


def test_ia32_where_there_is_a_fallback(box, ia32):
    """Firmware of 32 bits starts BOOTIA32.EFI: left as it was, it would go round us."""
    loader = b"MZ 32 bits" * 500
    before = pair(BOOTIA32=loader)
    r = run("install", "--yes", "a", "b")
    assert r.returncode == 0 and "the loader there is kept as BOOTIA32.REPLACED.EFI" in r.stdout
    for tree in trees():
        assert tree[APP32] == tree[FALLBACK32] == ours("mirrorbootia32.efi")
        assert tree[APP] == tree[FALLBACK] == ours() and tree[REPLACED32] == loader
    assert run("verify", "a", "b").returncode == 0
    esp_put("a", FALLBACK32, b"MZ another")
    r = run("verify", "a", "b")
    assert r.returncode == 1 and "BOOTIA32.EFI is not ours" in r.stdout
    esp_put("a", FALLBACK32, ours("mirrorbootia32.efi"))
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_ia32_when_asked(box, ia32):
    before = pair()
    assert run("install", "--yes", "--ia32", "a", "b").returncode == 0
    for tree in trees():
        assert tree[FALLBACK32] == ours("mirrorbootia32.efi") and REPLACED32 not in tree
    assert "nothing was written" in run("install", "--yes", "a", "b").stdout
    assert run("uninstall", "--yes", "a", "b").returncode == 0
    assert trees() == before


def test_ia32_signed(box, ia32):
    pair()
    data64, data32 = signed(), signed(ours("mirrorbootia32.efi"), "signed32.efi")
    r = run("install", "--yes", "--ia32", "--efi-file", "signed.efi", "--efi-file", "signed32.efi",
            "a", "b")
    assert r.returncode == 0, r.stderr
    assert all(t[FALLBACK] == data64 and t[FALLBACK32] == data32 for t in trees())
    assert run("verify", "a", "b").returncode == 0
