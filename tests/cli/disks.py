# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks for the tests of the tool: sparse images with real tables and real mirrors in them."""

import functools
import hashlib
import lzma
import os
import pathlib
import pty
import struct
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = TOP / "tests" / "fixtures" / "md"
BUILD = pathlib.Path(os.environ.get("MIRRORBOOT_BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = TOP / BUILD
TOOL = BUILD / "mirrorboot"
SECTOR = 512
ZEROES = bytes(65536)
GRUB_LIB = pathlib.Path("/usr/lib/grub/i386-pc")


def run(*args, **kw):
    """The tool, with its output as text; never a terminal."""
    kw.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([str(TOOL), *map(str, args)], capture_output=True, text=True, **kw)


def tool(*args, **kw):
    """Some other program that must succeed."""
    return subprocess.run(list(map(str, args)), check=True, capture_output=True, **kw).stdout


def answer_after(change, *args):
    """Run on a terminal; do something while it asks; say yes."""
    mine, theirs = pty.openpty()
    p = subprocess.Popen([str(TOOL), *args], stdin=theirs, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    os.close(theirs)
    out = b""
    while not out.endswith(b"[y/N] "):
        more = os.read(p.stdout.fileno(), 4096)
        assert more, p.stderr.read()
        out += more
    change()
    os.write(mine, b"y\n")
    _, err = p.communicate(timeout=60)
    os.close(mine)
    return p.returncode, err.decode()


@functools.lru_cache(maxsize=4)
def fixture(name):
    """The bytes of a member that mdadm wrote."""
    with lzma.open(FIXTURES / (name + ".img.xz")) as f:
        return f.read()


def write_sparse(path, data, at=0, size=None):
    with open(path, "r+b" if os.path.exists(path) else "w+b") as f:
        for off in range(0, len(data), 65536):
            chunk = data[off:off + 65536]
            if chunk != ZEROES[:len(chunk)]:
                f.seek(at + off)
                f.write(chunk)
        f.truncate(max(size or 0, at + len(data), os.path.getsize(path)))


def member(path, name):
    """A whole-disk member."""
    write_sparse(path, fixture(name))
    return path


def sectors(path, lba, n=1):
    with open(path, "rb") as f:
        f.seek(lba * SECTOR)
        return f.read(n * SECTOR)


def put(path, lba, data):
    with open(path, "r+b") as f:
        f.seek(lba * SECTOR)
        f.write(data)


def digest(path):
    """Of its contents; whether zeroes are a hole or written does not count."""
    h = hashlib.sha256(b"%d" % os.path.getsize(path))
    with open(path, "rb") as f:
        at = 0
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) // 4096 * 4096
            except OSError:  # no data after this
                return h.hexdigest()
            f.seek(at)
            chunk = f.read(4096)
            if chunk != ZEROES[:len(chunk)]:
                h.update(b"%d:" % at + chunk)
            at += 4096


def mbr_disk(path, name, start=2048, code=True, signature=0x12345678):
    """One MBR partition with a member in it; boot code that says nothing and is not zero."""
    data = fixture(name)
    write_sparse(path, data, start * SECTOR, start * SECTOR + len(data) + (1 << 20))
    tool("sfdisk", "-q", "--no-reread", path, input=(
        "label: dos\nlabel-id: 0x%08x\nunit: sectors\n%d,%d,fd,*\n"
        % (signature, start, len(data) // SECTOR)).encode())
    if code:
        put(path, 0, bytes((i * 3 + 1) & 0xff for i in range(440)))
    return path


def gpt_disk(path, name, esp=False, bios_boot=False, sector_size=512, esp_start=None):
    """GPT: an optional BIOS boot partition (34..2047), an optional ESP, the member."""
    data = fixture(name)
    start = 2048 + (65536 if esp else 0)
    size = start * SECTOR + len(data) + (1 << 20)
    write_sparse(path, data, start * SECTOR, size)
    args = ["sgdisk", "-a", "1"]
    if bios_boot:
        args += ["-n", "3:34:2047", "-t", "3:EF02"]
    if esp:
        args += ["-n", "1:2048:+32M", "-t", "1:EF00"]
    args += ["-n", "2:%d:%d" % (start, start + len(data) // SECTOR - 1), "-t", "2:FD00"]
    tool(*args, path)
    if esp:
        tool("mkfs.vfat", "-F", "16", "-n", "ESP", "--offset", "2048", path, str(32 * 1024))
    return path


def esp_tree(path, offset=2048 * SECTOR):
    """The files of the ESP: path -> contents (None: a folder), as spelled."""
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    image = "%s@@%d" % (path, offset)
    # Without any file this mdir fails; a damaged file system is found by the next command.
    listing = subprocess.run(["mdir", "-/", "-ab", "-i", image, "::/"], env=env,
                             capture_output=True, text=True).stdout
    subprocess.run(["mdir", "-i", image, "::/"], env=env, capture_output=True, check=True)
    tree = {}
    for line in listing.splitlines():
        name = line[3:]
        if name.endswith("/"):
            tree[name] = None
        else:
            tree[name] = subprocess.run(["mcopy", "-i", image, line, "-"], env=env, check=True,
                                        capture_output=True).stdout
    return tree


def esp_put(path, name, data, offset=2048 * SECTOR):
    env = dict(os.environ, MTOOLS_SKIP_CHECK="1")
    image = "%s@@%d" % (path, offset)
    folder = ""
    for part in name.split("/")[:-1]:
        folder += "/" + part
        subprocess.run(["mmd", "-i", image, "::" + folder], env=env, capture_output=True)
    subprocess.run(["mcopy", "-o", "-i", image, "-", "::/" + name], env=env, input=data, check=True)


def grub_in_gap(path, at=1, n_sectors=60):
    """GRUB's real boot.img and diskboot.img with a core.img of random-like sectors at LBA `at`.

    Set up as grub-bios-setup does: kernel_sector at 5Ch, the block list at the end of
    diskboot.img. Nothing of it has to start for tests that only look at sectors.
    """
    boot = (GRUB_LIB / "boot.img").read_bytes()
    core = bytearray((GRUB_LIB / "diskboot.img").read_bytes()[:SECTOR].ljust(SECTOR, b"\0"))
    struct.pack_into("<QHH", core, 0x1f4, at + 1, n_sectors - 1, 0x820)
    # The last sectors are zero: only the block list tells that they are GRUB's.
    for i in range(1, n_sectors):
        core += bytes(SECTOR) if i > n_sectors - 6 else hashlib.sha512(b"%d" % i).digest() * 8
    lba0 = bytearray(sectors(path, 0))
    lba0[:440] = boot[:440]
    struct.pack_into("<Q", lba0, 0x5c, at)
    put(path, 0, bytes(lba0))
    put(path, at, bytes(core))
    return at, n_sectors


GRUB_SAYS = """
search --no-floppy --file /marker --set=root
echo GRUB-READ
cat ($root)/marker
echo GRUB-DONE
sleep 60
"""


def grub_core(fmt, out, modules, prefix):
    cfg = pathlib.Path(str(out) + ".cfg")
    cfg.write_text(GRUB_SAYS)
    tool("grub-mkimage", "-O", fmt, "-o", out, "-p", prefix, "-c", cfg, *modules)
    return pathlib.Path(out).read_bytes()


def real_grub_in_gap(path, start=1):
    """A GRUB that starts, and reads /marker from where `search` finds it."""
    core = bytearray(grub_core("i386-pc", path + ".core",
                               ["biosdisk", "part_msdos", "part_gpt", "ext2", "mdraid1x",
                                "mdraid09", "search", "echo", "cat", "sleep"], "/boot/grub"))
    core += bytes(-len(core) % SECTOR)
    n = len(core) // SECTOR
    struct.pack_into("<QHH", core, 0x1f4, start + 1, n - 1, 0x820)
    boot = (GRUB_LIB / "boot.img").read_bytes()
    lba0 = bytearray(sectors(path, 0))
    lba0[:440] = boot[:440]
    struct.pack_into("<Q", lba0, 0x5c, start)
    # What grub-bios-setup patches, too: boot from the drive that the BIOS says (FFh), no jump over it.
    lba0[0x64] = 0xff
    put(path, 0, bytes(lba0))
    put(path, start, bytes(core))
    return n


def real_grub_on_esp(path):
    efi = grub_core("x86_64-efi", path + ".efi",
                    ["part_msdos", "part_gpt", "ext2", "mdraid1x", "mdraid09", "search", "echo",
                     "cat", "sleep"], "/boot/grub")
    esp_put(path, "EFI/BOOT/BOOTX64.EFI", efi)
    return efi
