# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""`mirrorboot esp clone` from each kind of FAT file system to each, by fsck.fat and mtools.

With MIRRORBOOT_WHOLE=1 all of them, otherwise a sample in which each kind is a source and a target.
"""

import hashlib
import itertools
import os
import re
import shutil
import subprocess

import pytest

import cli
import fatmade
from fatmade import ARCHIVE, HIDDEN, MIB, READ_ONLY, SYSTEM, WHEN, fsck, tree_of

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
MANIFEST = "EFI/mirrorboot/manifest"

# type, bytes of a sector, MiB, sectors of a cluster
KINDS = [(12, 512, 30, 16), (12, 4096, 30, 2), (16, 512, 30, 4), (16, 512, 1024, 64),
         (16, 4096, 64, 1), (16, 4096, 500, 4), (32, 512, 40, 1), (32, 512, 100, 1),
         (32, 512, 1024, 8), (32, 512, 1024, 16), (32, 4096, 300, 1), (32, 4096, 1024, 1)]
# to itself, larger, smaller, another type, another sector size
SAMPLE = [(0, 1), (1, 10), (2, 0), (4, 2), (6, 2), (10, 6), (7, 4), (8, 8)]


def name_of(kind):
    return "FAT%d-%d-%dM-%d" % kind


def blob(seed, n):
    return hashlib.shake_128(b"%d" % seed).digest(n)


def plain_files():
    """Names short and long, sizes around those of sectors and clusters, deep folders."""
    files = {"SHORT.TXT": b"", "lower.txt": b"1", "Mixed.Txt": b"22", "no_extension": blob(1, 511),
             "LOWEXT.txt": blob(20, 512), "lowbase.TXT": blob(21, 513), "A B.C": b"blank",
             "a long name with blanks.conf": blob(2, 4095), "two.dots.efi": blob(3, 4096),
             "EFI/BOOT/BOOTX64.EFI": blob(4, 70000), "EFI/debian/grubx64.efi": blob(5, 65536),
             "EFI/debian/shimx64.efi": blob(6, 4097), "EFI/debian/grub.cfg": blob(7, 8192),
             "EFI/Linux/" + "x" * 240 + ".efi": blob(8, 32768),
             "EFI/Linux/large.efi": blob(9, 3 * MIB + 17),
             "loader/entries/\u00fcml\u00e4ut-\u20ac-\u4e2d.conf": blob(10, 1024),
             "loader/entries/emoji \U0001f600.conf": b"two units",
             "loader/loader.conf": b"timeout 3\n",
             "/".join("depth%d" % i for i in range(25)) + "/deep": b"deep"}
    for i in range(120):
        files["many/a file of many, number %d" % i] = b"%d" % i
    return files


BITS = {"SHORT.TXT": ARCHIVE | READ_ONLY, "lower.txt": ARCHIVE | HIDDEN,
        "EFI/debian/shimx64.efi": READ_ONLY | HIDDEN | SYSTEM, "two.dots.efi": 0}


def old_files():
    """What a target holds of before: the same, changed, gone, other case, a folder for a file."""
    files = plain_files()
    for n, name in enumerate(sorted(files)):
        if n % 3 == 0:
            files[name] = blob(100 + n, len(files[name]) + n % 700)
        elif n % 3 == 1:
            del files[name]
    files.pop("no_extension", None)
    files.update({"no_extension/was a folder": b"1", "MIXED.tXT": b"22",
                  "EFI/old/gone.efi": blob(50, 40000), "EFI/old/deeper/gone too.efi": b"gone",
                  "depth0/depth1/of long ago": b"gone"})
    files.pop("Mixed.Txt", None)
    return files


def image(path, kind, files, **kw):
    fatmade.make(path, kind[0], kind[1], kind[2] * MIB, kind[3], files, **kw)
    fsck(path)
    return path


def boot_sector(path):
    with open(path, "rb") as f:
        return f.read(512)


def run(*args):
    return subprocess.run([str(cli.build_folder() / "mirrorboot"), "esp", *map(str, args)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)


def clone(*args):
    done = run("clone", "--yes", *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digest(path):
    """Of what is in it, holes left out, and when it was last written."""
    h = hashlib.sha256()
    with open(path, "rb") as f:
        at = 0
        while True:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA)
            except OSError:
                return h.hexdigest(), os.path.getsize(path), os.stat(path).st_mtime_ns
            end = os.lseek(f.fileno(), at, os.SEEK_HOLE)
            f.seek(at)
            h.update(b"%d" % at + f.read(end - at))
            at = end


def refused(source, target, says):
    before = digest(source), digest(target)
    done = run("clone", "--yes", source, target)
    assert done.returncode == 3 and says in done.stderr, done.stdout + done.stderr
    assert "nothing was written" in done.stderr
    assert (digest(source), digest(target)) == before


def without_alias(lines):
    """A file that was on the target, by its long name, keeps the short one that it had there."""
    return sorted(line[12:] if len(line) > 42 else line for line in lines)


def check(source, target, out, alias=True):
    """The same trees; and a run that has nothing to do writes nothing."""
    fsck(source)
    fsck(target)
    a, b = (tree_of(x, out, but=MANIFEST) for x in (source, target))
    assert a[0] == b[0]
    assert a[1] == b[1] if alias else without_alias(a[1]) == without_alias(b[1])
    assert a[2] == b[2]
    before = digest(source), digest(target)
    assert "nothing was written" in clone(source, target)
    assert (digest(source), digest(target)) == before


PAIRS = list(itertools.product(range(len(KINDS)), repeat=2)) if WHOLE else SAMPLE


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: "-to-".join(name_of(KINDS[k]) for k in p))
@pytest.mark.parametrize("there", ["empty", "others"])
def test_kinds(pair, there, tmp_path):
    s, t = (KINDS[k] for k in pair)
    source = image(tmp_path / "s", s, plain_files(), attributes=BITS, folders=["empty folder"])
    target = image(tmp_path / "t", t, old_files() if there == "others" else {}, when=WHEN - 86400,
                   folders=["gone folder"])
    before = boot_sector(target)
    clone(source, target)
    check(source, target, tmp_path / "out", there == "empty")
    assert boot_sector(target) == before  # serial number, label, layout


# ---- many files ----

def ten_thousand(folder, n=10000):
    return {f"{folder}/a file of many, number {i:05}.efi": b"%d" % i * (i % 50) for i in range(n)}


LOADER = {"EFI/BOOT/BOOTX64.EFI": blob(4, 70000)}


@pytest.mark.parametrize("kind", [KINDS[6], KINDS[10]] if WHOLE else [KINDS[6]], ids=name_of)
def test_many_in_one_folder(kind, tmp_path):
    """All new, then changed, then renamed in part, then gone: never more than seconds."""
    source, target = tmp_path / "s", tmp_path / "t"
    files = {**LOADER, **ten_thousand("many")}
    image(source, kind, files)
    image(target, (32, 512, 60, 1), {})
    clone(source, target)
    check(source, target, None)
    for i in range(0, 10000, 3):
        files["many/a file of many, number %05d.efi" % i] += b"changed"
    for i in range(1, 10000, 7):
        name = "many/a file of many, number %05d.efi" % i
        files[name + " with a tail"] = files.pop(name)
    image(source, kind, files, when=WHEN + 3600)
    clone(source, target)
    check(source, target, None, False)
    there = tree_of(target, tmp_path / "out", but=MANIFEST)[0]
    assert {name: about for name, about in there.items() if about != "folder"} == {
        name: (len(data), WHEN + 3600, hashlib.sha256(data).hexdigest())
        for name, data in files.items()}
    image(source, kind, LOADER)
    clone(source, target, "--force")
    check(source, target, tmp_path / "out")


def test_many_that_have_the_others_short_names(tmp_path):
    """4,000 names of the target's have the first letters of 4,000 others: each needs a new tail."""
    source = image(tmp_path / "s", KINDS[6], {**LOADER, **ten_thousand("many", 4000)})
    others = {k.replace("of many", "of another"): v for k, v in ten_thousand("many", 4000).items()}
    target = image(tmp_path / "t", KINDS[6], {**LOADER, **others})
    clone(source, target, "--keep-extra")
    fsck(target)
    names = subprocess.run(["mdir", "-b", "-i", str(target), "::/many"], capture_output=True,
                           text=True, check=True, env=fatmade.ENV).stdout.split("\n")
    assert len(set(names)) == 8001  # and one that is empty


def test_many_counted_entries(tmp_path):
    """10,000 entries with boot counters: each keeps the target's."""
    kinds = KINDS[6]
    source = image(tmp_path / "s", kinds, {**LOADER, **{
        "loader/entries/e%05d+3.conf" % i: b"%d" % i for i in range(10000)}})
    target = image(tmp_path / "t", kinds, {**LOADER, **{
        "loader/entries/e%05d+2-1.conf" % i: b"%d" % i for i in range(10000)}})
    names = re.compile(r"e\d{5}\+\d\S* *\d*\.conf")
    before = names.findall("".join(tree_of(target, None)[2]))
    clone(source, target)
    fsck(target)
    assert names.findall("".join(tree_of(target, None)[2])) == before and len(before) == 10000


# ---- what is refused ----

@pytest.mark.parametrize("kind", KINDS if WHOLE else KINDS[:3] + KINDS[6:7], ids=name_of)
def test_full_target(kind, tmp_path):
    """3 MiB where 2 are free: refused before the first write. 1 MiB is not."""
    free = fatmade.make(tmp_path / "t", *kind[:2], kind[2] * MIB, kind[3]).clusters
    cluster = kind[1] * kind[3]
    shared = {"keep": blob(1, 100000)}
    # On the target, all but about 2 MiB is taken by what --keep-extra keeps.
    full = (free - 2 * MIB // cluster) * cluster
    image(tmp_path / "s", KINDS[8], {**shared, "new": blob(2, 3 * MIB)})
    image(tmp_path / "s2", KINDS[8], {**shared, "new": blob(2, MIB)})
    image(tmp_path / "t", kind, {"full": Zeroes(full)})
    before = digest(tmp_path / "t")
    done = run("clone", "--yes", "--keep-extra", tmp_path / "s", tmp_path / "t")
    assert done.returncode == 3 and "the target has not room enough" in done.stderr, done.stderr
    assert re.search(r"about \d+ KiB more would do", done.stderr)
    assert digest(tmp_path / "t") == before
    done = run("clone", "--yes", "--keep-extra", tmp_path / "s2", tmp_path / "t")
    assert done.returncode == 0, done.stderr
    fsck(tmp_path / "t")


class Zeroes(bytes):
    """So many: a hole in the image."""

    def __new__(cls, size):
        self = super().__new__(cls)
        self.size = size
        return self

    def __len__(self):
        return self.size


def test_old_and_new_at_once(tmp_path):
    """Both must fit for a while: an old kernel goes after the new one is there, or not at all."""
    source = image(tmp_path / "s", (32, 512, 64, 1), {**LOADER, "kernel-2": blob(2, 9 * MIB),
                                                      "loader/loader.conf": b"default kernel-2"})
    old = {**LOADER, "kernel-1": blob(1, 9 * MIB), "loader/loader.conf": b"default kernel-1"}
    target = image(tmp_path / "t", (16, 512, 16, 2), old)
    refused(source, target, "the target has not room enough")
    target = image(tmp_path / "t", (16, 512, 20, 2), old)
    clone(source, target)
    check(source, target, tmp_path / "out")


def damage(path, kind, how):
    """kind: with root folder at a known place (FAT16). Two files, ONE.BIN and TWO.BIN, are in it."""
    made = fatmade.Image(path)
    b = bytearray(path.read_bytes())
    at = {n: b.index(n.ljust(8) + b"BIN", made.root_at) for n in (b"ONE", b"TWO")}
    first = {n: int.from_bytes(b[a + 26:a + 28], "little") for n, a in at.items()}

    def fat(cluster, value, copies=(0, 1)):
        for copy in copies:
            where = made.fat_at + copy * made.fat_bytes + 2 * cluster
            b[where:where + 2] = value.to_bytes(2, "little")

    if how == "crossed":
        b[at[b"ONE"] + 26:at[b"ONE"] + 28] = first[b"TWO"].to_bytes(2, "little")
    elif how == "out of range":
        fat(first[b"ONE"], 0xfff0)
    elif how == "loop":
        fat(first[b"ONE"] + 1, first[b"ONE"])
    elif how == "short":
        fat(first[b"ONE"], 0xffff)
    elif how == "copies":
        fat(first[b"ONE"], 0xffff, (1,))
    elif how == "dirty":
        b[37] |= 1
    elif how == "case":
        b[at[b"TWO"]:at[b"TWO"] + 11] = b"ONE     BIN"
    elif how == "name":
        b[at[b"TWO"] + 1] = 1
    path.write_bytes(b)


# On a source; on a target, where what a cut run of ours leaves (the mark, copies) is put right.
DAMAGES = {"crossed": "have one cluster", "out of range": "chain", "loop": "one cluster",
           "short": "chain", "copies": "the copies of its FAT differ", "dirty": "was not unmounted",
           "case": "two files of one name", "name": "a folder is damaged"}
MENDED = ("copies", "dirty")


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged(how, tmp_path):
    files = {**LOADER, "ONE.BIN": blob(1, 9000), "TWO.BIN": blob(2, 9000)}
    source, target = (image(tmp_path / n, (16, 512, 30, 4), f)
                      for n, f in (("s", files), ("t", {**LOADER, "x": b"old"})))
    damage(source, 16, how)
    refused(source, target, DAMAGES[how])
    source = image(tmp_path / "s", (16, 512, 30, 4), {**files, "new": b"1"})
    target = image(tmp_path / "t", (16, 512, 30, 4), files)
    damage(target, 16, how)
    if how in MENDED:
        clone(source, target)
        check(source, target, tmp_path / "out")
    else:
        refused(source, target, DAMAGES[how])


# ---- a disk that lies ----

@pytest.fixture(scope="module")
def lying(tmp_path_factory):
    out = tmp_path_factory.mktemp("lying") / "lying.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(out),
                    str(cli.ROOT / "tests/oracle/lying.c"), "-ldl"], check=True)
    return out


@pytest.mark.parametrize("how", ["bit", "nothing"])
def test_disk_that_lies(lying, how, tmp_path):
    """A write that is answered as done, and is not what was written: said, exit status 3."""
    kind, files = (16, 512, 30, 4), {**LOADER, "old": b"1", "changed": blob(1, 5000)}
    source = image(tmp_path / "s", kind, {**files, "changed": blob(2, 2 * MIB), "new": blob(3, 9000),
                                          "loader/entries/a.conf": b"title A\n"})
    clean = image(tmp_path / "clean", kind, files)
    target, count = tmp_path / "t", tmp_path / "count"
    before = tree_of(clean, tmp_path / "out", but=MANIFEST)[0]

    def run_with(at):
        shutil.copy(clean, target)
        return subprocess.run([str(cli.build_folder() / "mirrorboot"), "esp", "clone", "--yes",
                               "--leave-source", str(source), str(target)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, LD_PRELOAD=str(lying), LIE_TO=str(target),
                                       LIE_AT=str(at), LIE_HOW=how, LIE_COUNT=str(count)))

    assert run_with(0).returncode == 0
    after = tree_of(target, tmp_path / "out", but=MANIFEST)[0]
    writes, noticed = int(count.read_text().split()[0]), 0
    assert writes > 20
    for at in range(1, writes + 1) if WHOLE else range(1, writes + 1, 3):
        done = run_with(at)
        assert done.returncode in (0, 3), done.stderr
        if done.returncode == 3:
            noticed += 1
            assert "what is read back is not what was written" in done.stderr, done.stderr
            assert "is not finished: run this again" in done.stderr
            # Beside what it was to change there may be other files in a sector that came out wrong.
            again = run("clone", "--yes", "--leave-source", source, target)
            if again.returncode:
                assert "nothing was written" in again.stderr, again.stderr
                continue
        # That it was done means that nothing is left to do.
        fsck(target)
        assert tree_of(target, tmp_path / "out", but=MANIFEST)[0] == after
    assert noticed > (writes if WHOLE else writes / 3) / 2
