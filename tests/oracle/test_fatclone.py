# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""FAT file systems cloned by common/ alone: what fsck.fat and mtools say of them."""

import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

import cli
from fatmade import ENV, MIB, WHEN, fsck, tree_of

# What test_espmatrix.py does with the tool itself is done here with sanitizers: in part, or all of it.
WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
HERE = Path(__file__).resolve().parent


def blob(seed, n):
    return random.Random(seed).randbytes(n)


def call(*args, check=True, env=None):
    done = subprocess.run(list(map(str, args)), env=env or ENV, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if check and done.returncode:
        raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@pytest.fixture(scope="module")
def cloner(tmp_path_factory):
    out = tmp_path_factory.mktemp("cloner") / "cloner"
    subprocess.run(["gcc", "-std=gnu11", "-O1", "-g", "-I.", "-D_GNU_SOURCE",
                    '-DMIRRORBOOT_VERSION="t"', "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=all", "-o", str(out), str(HERE / "cloner.c"),
                    "common/disk.c", "common/mem.c",
                    *sorted(f"common/{c.name}" for c in (cli.ROOT / "common").glob("fat*.c"))],
                   check=True, cwd=cli.ROOT)
    return out


def make(path, kind, sector, size, cluster=0):
    """kind: 12, 16, 32 by mkfs.fat."""
    path.unlink(missing_ok=True)
    with open(path, "wb") as f:
        f.truncate(size)
    more = ["-s", cluster] if cluster else []
    call("mkfs.vfat", "-F", kind, "-S", sector, *more, "-n", "BEFORE", path)


def fill(image, tree):
    for entry in sorted(tree.iterdir()):
        call("mcopy", "-o", "-m", "-s", "-i", image, entry, "::/")


def make_tree(top):
    """Names short and long, of sizes around those of clusters and sectors; deep; many in one folder."""
    files = {"SHORT.TXT": b"", "lower.txt": b"1", "Mixed.Txt": b"22", "no_extension": blob(1, 511),
             "a long name with blanks.conf": blob(2, 512), "two.dots.efi": blob(3, 513),
             "EFI/BOOT/BOOTX64.EFI": blob(4, 70000), "EFI/debian/grubx64.efi": blob(5, 65536),
             "EFI/debian/shimx64.efi": blob(6, 4096), "EFI/debian/grub.cfg": blob(7, 4095),
             "EFI/Linux/" + "x" * 240 + ".efi": blob(8, 4097),
             "loader/entries/\u00fcml\u00e4ut-\u20ac-\u4e2d.conf": blob(9, 1024),
             "loader/entries/emoji \U0001f600.conf": b"two units",
             "/".join("depth%d" % i for i in range(20)) + "/deep": b"deep"}
    for i in range(150):
        files["many/a file of many, number %d" % i] = b"%d" % i
    for name, data in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (WHEN, WHEN))
    (top / "empty folder").mkdir(exist_ok=True)
    return top


def clone(cloner, source, s_sector, target, t_sector, *options, **env):
    done = call(cloner, "clone", source, s_sector, target, t_sector, *options, check=False,
                env=dict(ENV, **env))
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def wrote(said):
    return int(re.search(r"wrote (\d+)", said).group(1))


def check_same(cloner, source, s_sector, target, t_sector, tmp):
    fsck(target)
    a, b = tree_of(source, tmp / "x"), tree_of(target, tmp / "y")
    for was, now in zip(a, b):
        assert was == now
    assert wrote(clone(cloner, source, s_sector, target, t_sector)) == 0


# type, bytes of a sector, MiB, sectors of a cluster
SYSTEMS = [(12, 512, 30, 16), (16, 512, 40, 0), (32, 512, 40, 1), (32, 512, 1024, 8),
           (12, 4096, 30, 2), (16, 4096, 64, 1), (32, 4096, 300, 1), (16, 1024, 40, 2),
           (32, 2048, 160, 1)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    tmp = tmp_path_factory.mktemp("sources")
    tree = make_tree(tmp / "tree")
    made = {}
    for system in (SYSTEMS[2], SYSTEMS[4], SYSTEMS[5]):
        image = tmp / ("%d-%d" % system[:2])
        make(image, system[0], system[1], system[2] * MIB, system[3])
        fill(image, tree)
        fsck(image)
        made[system[:2]] = image
    return made


@pytest.mark.parametrize("target", SYSTEMS if WHOLE else SYSTEMS[:1] + SYSTEMS[2:3] + SYSTEMS[5:],
                         ids=lambda s: "%d-%d-%dM" % s[:3])
def test_clone_to_each(cloner, sources, target, tmp_path):
    kind, sector, mib, cluster = target
    first = list(sources)[SYSTEMS.index(target) % len(sources)]
    image = tmp_path / "target"
    make(image, kind, sector, mib * MIB, cluster)
    said = clone(cloner, sources[first], first[1], image, sector)
    assert "keep=0+0" in said
    check_same(cloner, sources[first], first[1], image, sector, tmp_path)
    # from another: only what mtools gave other short names, or nothing, differs
    other = list(sources)[(SYSTEMS.index(target) + 1) % len(sources)]
    assert "create=0+0 replace=0+0 touch=0" in clone(cloner, sources[other], other[1], image, sector)
    fsck(image)


def test_update(cloner, sources, tmp_path):
    """Files changed, added and gone, folders that grow, names of which only the case differs."""
    for kind, sector, mib, cluster in SYSTEMS[:3] + SYSTEMS[4:6] if WHOLE else SYSTEMS[2:6:3]:
        source, target = tmp_path / "s", tmp_path / "t"
        shutil.copy(sources[(32, 512)], source)
        make(target, kind, sector, mib * MIB, cluster)
        clone(cloner, source, 512, target, sector)
        new = tmp_path / "new"
        shutil.rmtree(new, ignore_errors=True)
        for name, data in {"EFI/BOOT/BOOTX64.EFI": blob(50, 90000), "SHORT.TXT": b"no more empty",
                           "no_extension/folder now": b"1", "Linux/new kernel": blob(51, 300000),
                           "EFI/Linux/" + "y" * 250: b"long"}.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(data)
        for i in range(100):
            (new / "many").mkdir(exist_ok=True)
            (new / "many" / ("one of many others, %d" % i)).write_bytes(b"x" * i)
        call("mdel", "-i", source, "::/no_extension", "::/two.dots.efi",
             *["::/many/a file of many, number %d" % i for i in range(0, 150, 3)])
        call("mdeltree", "-i", source, "::/depth0/depth1/depth2", "::/EFI/Linux")
        fill(source, new)
        call("mren", "-i", source, "::/Mixed.Txt", "::/other")
        call("mren", "-i", source, "::/other", "::/mIXED.tXT")
        call("mattrib", "+r", "-i", source, "::/EFI/debian/grub.cfg")
        said = clone(cloner, source, 512, target, sector)
        assert "touch=2+" in said or "touch=1+" in said, said
        check_same(cloner, source, 512, target, sector, tmp_path)


def test_full_target(cloner, sources, tmp_path):
    """Refused before the first write; and one that is just large enough is not."""
    target = tmp_path / "t"
    outcomes = set()
    for kib in (200, 300, 400, 450, 500, 520, 560, 700) if WHOLE else (200, 300, 700):
        make(target, 12, 512, kib * 1024, 1)
        before = target.read_bytes()
        said = clone(cloner, sources[(32, 512)], 512, target, 512)
        outcomes.add("refused" in said)
        if "refused" in said:
            assert "has not room enough" in said and target.read_bytes() == before
        else:
            check_same(cloner, sources[(32, 512)], 512, target, 512, tmp_path)
    assert outcomes == {True, False}


def test_little_memory(cloner, sources, tmp_path):
    target = tmp_path / "t"
    make(target, 16, 512, 40 * MIB)
    before = target.read_bytes()
    for memory in (0, 4096, 30000, 50000):
        said = clone(cloner, sources[(32, 512)], 512, target, 512, CLONER_MEMORY=str(memory))
        assert "memory" in said and "refused" in said
    assert target.read_bytes() == before
    clone(cloner, sources[(32, 512)], 512, target, 512, CLONER_MEMORY="300000")
    check_same(cloner, sources[(32, 512)], 512, target, 512, tmp_path)


def test_left_alone(cloner, sources, tmp_path):
    target = tmp_path / "t"
    make(target, 16, 512, 40 * MIB)
    (tmp_path / "seed").write_bytes(b"seed of this disk")
    call("mmd", "-i", target, "::/loader", "::/gone")
    call("mcopy", "-i", target, tmp_path / "seed", "::/loader/random-seed")
    call("mcopy", "-i", target, tmp_path / "seed", "::/gone/extra")
    said = clone(cloner, sources[(32, 512)], 512, target, 512, "list",
                 CLONER_LEAVE="\\loader\\random-seed")
    assert "leave=1+0" in said and "remove=1+1" in said and "item remove folder \\gone\n" in said
    assert call("mtype", "-i", target, "::/loader/random-seed").stdout == "seed of this disk"
    fsck(target)
    call("mdel", "-i", target, "::/loader/random-seed")
    clone(cloner, sources[(32, 512)], 512, target, 512)
    check_same(cloner, sources[(32, 512)], 512, target, 512, tmp_path)


class Fat16:
    """Bytes of a FAT16 file system with 512-byte sectors, to be damaged."""

    def __init__(self, path):
        self.path, self.b = path, bytearray(path.read_bytes())
        self.reserved, self.fats, self.root = struct.unpack_from("<HBH", self.b, 14)
        self.size, = struct.unpack_from("<H", self.b, 22)
        self.root_at = (self.reserved + self.fats * self.size) * 512

    def fat(self, cluster, value, copies=(0, 1)):
        for copy in copies:
            struct.pack_into("<H", self.b, (self.reserved + copy * self.size) * 512 + 2 * cluster,
                             value)

    def entry(self, name11):
        at = self.root_at
        while bytes(self.b[at:at + 11]) != name11:
            at += 32
            assert at < self.root_at + self.root * 32
        return at

    def first(self, name11):
        return struct.unpack_from("<H", self.b, self.entry(name11) + 26)[0]

    def save(self):
        self.path.write_bytes(self.b)


def damage_crossed(f):
    struct.pack_into("<H", f.b, f.entry(b"ONE     BIN") + 26, f.first(b"TWO     BIN"))


def damage_range(f):
    f.fat(f.first(b"ONE     BIN"), 0xfff0)


def damage_loop(f):
    f.fat(f.first(b"ONE     BIN") + 1, f.first(b"ONE     BIN"))


def damage_short(f):
    f.fat(f.first(b"ONE     BIN"), 0xffff)


def damage_copies(f):
    f.fat(f.first(b"ONE     BIN"), 0xffff, (1,))


def damage_dirty(f):
    f.b[37] |= 1


def damage_marks(f):
    f.fat(1, 0x7fff)


def damage_case(f):
    at = f.entry(b"TWO     BIN")
    f.b[at:at + 11] = b"ONE     BIN"


def damage_name(f):
    f.b[f.entry(b"TWO     BIN") + 1] = 0x01


DAMAGES = {damage_crossed: "have one cluster", damage_range: "chain", damage_loop: "one cluster",
           damage_short: "chain", damage_copies: "copies", damage_dirty: "not unmounted",
           damage_marks: "not unmounted", damage_case: "of one name", damage_name: "folder"}


@pytest.mark.parametrize("damage", DAMAGES if WHOLE else [damage_marks, damage_loop],
                         ids=lambda d: d.__name__)
def test_damaged(cloner, sources, damage, tmp_path):
    """Source or target: refused, and nothing is written."""
    bad, good = tmp_path / "bad", tmp_path / "good"
    for image in (bad, good):
        make(image, 16, 512, 20 * MIB, 4)
        for n, name in enumerate(("ONE.BIN", "TWO.BIN")):
            (tmp_path / name).write_bytes(blob(n, 9000))
            call("mcopy", "-i", image, tmp_path / name, "::/")
    clone(cloner, sources[(32, 512)], 512, bad, 512, "keep-extra")
    fat = Fat16(bad)
    damage(fat)
    fat.save()
    kept = bad.read_bytes(), good.read_bytes()
    said = clone(cloner, bad, 512, good, 512)
    assert "refused: source" in said and DAMAGES[damage] in said, said
    said = clone(cloner, good, 512, bad, 512)
    assert "refused: target" in said and DAMAGES[damage] in said, said
    assert (bad.read_bytes(), good.read_bytes()) == kept


def test_tidied(cloner, sources, tmp_path):
    """Lost clusters and a wrong count of a target are put right; then nothing is written."""
    target = tmp_path / "t"
    make(target, 32, 512, 40 * MIB, 1)
    clone(cloner, sources[(32, 512)], 512, target, 512)
    image = bytearray(target.read_bytes())
    reserved, = struct.unpack_from("<H", image, 14)
    size, = struct.unpack_from("<I", image, 36)
    for copy in range(2):
        struct.pack_into("<II", image, (reserved + copy * size) * 512 + 60000 * 4, 60001, 0xfffffff)
    struct.pack_into("<I", image, 512 + 488, 7)
    target.write_bytes(image)
    said = clone(cloner, sources[(32, 512)], 512, target, 512)
    assert "tidy=1" in said and 0 < wrote(said) < 8192
    check_same(cloner, sources[(32, 512)], 512, target, 512, tmp_path)


def test_deep(cloner, tmp_path):
    """31 folders within folders; one more is refused."""
    source, target = tmp_path / "s", tmp_path / "t"
    make(source, 16, 512, 20 * MIB)
    path = "::"
    for i in range(31):
        path += "/folder %d" % i
        call("mmd", "-i", source, path)
    (tmp_path / "f").write_bytes(b"deep")
    call("mcopy", "-i", source, tmp_path / "f", path)
    make(target, 32, 512, 40 * MIB, 1)
    assert "create=1+31" in clone(cloner, source, 512, target, 512)
    check_same(cloner, source, 512, target, 512, tmp_path)
    call("mmd", "-i", source, path + "/one more")
    assert "too deep" in clone(cloner, source, 512, target, 512)


def test_put(cloner, tmp_path):
    target, file = tmp_path / "t", tmp_path / "file"
    make(target, 12, 512, 2 * MIB)
    names = ["\\EFI\\mirrorboot\\manifest", "\\EFI\\mirrorboot\\A Long Name.txt", "\\UPPER.TXT",
             "\\Mixed.Txt", "\\EFI\\mirrorbootother\\x", "\\a.b.c", "\\.hidden"]
    for n, name in enumerate(names):
        file.write_bytes(blob(n, 1000 + n))
        assert wrote(call(cloner, "put", target, 512, name, file, "5a420000").stdout) > 0
        assert wrote(call(cloner, "put", target, 512, name, file, "5a420000").stdout) == 0
        fsck(target)
    for n, name in enumerate(names):
        out = tmp_path / "out"
        call("mcopy", "-o", "-i", target, "::" + name.replace("\\", "/"), out)
        assert out.read_bytes() == blob(n, 1000 + n)
    shown = call("mdir", "-/", "-b", "-i", target, "::/").stdout.split("\n")
    assert sorted(s[2:] for s in shown if s and not s.endswith("/")) == sorted(
        n.replace("\\", "/") for n in names)


# bytes of a sector, MiB: the type that it gets
FORMATS = [(512, 2, 12), (512, 4, 16), (512, 30, 16), (512, 34, 32), (512, 40, 32), (512, 260, 32),
           (512, 1024, 32), (512, 2100, 32), (4096, 10, 12), (4096, 64, 16), (4096, 255, 16),
           (4096, 260, 32), (4096, 1024, 32), (2048, 140, 32), (1024, 80, 32)]


@pytest.mark.parametrize("sector, mib, kind", FORMATS)
def test_format(cloner, sources, sector, mib, kind, tmp_path):
    image = tmp_path / "f"
    with open(image, "wb") as f:
        f.truncate(mib * MIB)
        f.write(b"\xff" * 65536)
    call(cloner, "format", image, sector, 0, 0, "1234abcd", "MY ESP     ")
    fsck(image)
    said = call("fsck.fat", "-n", "-v", image).stdout
    assert "%d bytes per logical sector" % sector in said
    assert " %d bit entries" % kind in said, said
    assert call("blkid", "-p", "-o", "export", image).stdout.count("UUID=1234-ABCD") == 1
    assert "MY ESP" in call("mlabel", "-s", "-i", image, "::").stdout
    clone(cloner, sources[(32, 512)], 512, image, sector)
    check_same(cloner, sources[(32, 512)], 512, image, sector, tmp_path)
    (tmp_path / "n").write_bytes(blob(1, 100000))
    call("mcopy", "-i", image, tmp_path / "n", "::/from mtools")
    fsck(image)


@pytest.mark.parametrize("kind, cluster, kib", [(32, 0, 30000), (16, 512, 40000), (12, 512, 4000),
                                                (16, 0, 1000), (32, 3000, 100000), (0, 0, 16)])
def test_format_refused(cloner, kind, cluster, kib, tmp_path):
    image = tmp_path / "f"
    image.write_bytes(b"\x55" * kib * 1024)
    before = hashlib.sha256(image.read_bytes()).hexdigest()
    done = call(cloner, "format", image, 512, kind, cluster, 0, check=False)
    assert "refused" in done.stdout and done.returncode == 3
    assert hashlib.sha256(image.read_bytes()).hexdigest() == before
