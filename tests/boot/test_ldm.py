# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Mirrored volumes of Windows dynamic disks: boots from either leg, wherever it lies.

syslinux' boot sector and a test's own one that trusts its BPB, as Windows' do; the same disks
without mirrorboot show which of these boots are our doing.
"""

from dataclasses import replace

import pytest

import cli
import diskimage
import extlinux
import gptdisk
import ldmboot
import ldmdisk
import mdmember
import qemu
import scenario
import screen
import sight
from ldmboot import Pair, boot, what_booted

FRESH = ("2", "ok")
AT_START = "Its volume is shown where its boot sector says, at LBA 2048."

# Legs start where the others do, later on an MBR disk that has no entry for them, or on GPT.
ALIKE = Pair()
SKEWED = Pair(starts=(2048, 4096))
GPT = Pair(starts=(2048, 8192), tables=("mbr", "gpt"), code=(True, False))


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    """Disks of a pair, made once: as they are (bare), and with mirrorboot."""
    made = {}

    def get(pair, bare=False, config=""):
        key = (repr(pair), bare, config)
        if key not in made:
            folder = tmp_path_factory.mktemp("ldm")
            made[key] = pair.write(folder)
            if not bare:
                (folder / "config").write_text(config)
                cli.install("--bios", *made[key], options=("--config", folder / "config"))
        return made[key]
    return get


@pytest.mark.parametrize("attached", [(0, 1), (1, 0), (0,), (1,)])
@pytest.mark.parametrize("pair", [ALIKE, SKEWED, GPT], ids=["alike", "skewed", "gpt"])
def test_boots(disks, pair, attached):
    """With both disks in either order, and with each alone."""
    paths = disks(pair)
    got = boot([paths[n] for n in attached])
    assert what_booted(got.serial) == FRESH, got.serial
    assert ldmboot.active_lba(got.serial) == pair.starts[0], got.serial
    # The first disk can be started as it is; without it, the volume is put in its place.
    made_up = attached == (1,)
    assert (AT_START in got.serial) == made_up, got.serial
    assert ("(mirror Volume1) as 80h" in screen.text(got.serial)) == made_up, got.serial


@pytest.mark.parametrize("pair", [ALIKE, SKEWED, GPT], ids=["alike", "skewed", "gpt"])
def test_second_disk_alone_does_not_boot_without_us(disks, tmp_path, pair):
    """If it did, the tests above would prove nothing. Even with boot code that looks for it."""
    paths = disks(replace(pair, code=(True, True)), bare=True)
    assert what_booted(boot(paths[:1]).serial) == FRESH
    got = ldmboot.boot_or_next(paths[1], tmp_path)
    assert what_booted(got.serial) is None and ldmboot.DID_NOT_START in got.serial, got.serial


# ---- a boot sector that trusts its BPB, as Windows' do ------------------------------------------

def trusting(generation):
    """Such a boot sector of a volume that should start at LBA 2048, and the sector behind it."""
    said = f"TRUST: generation {generation} payload ok.".encode()
    return (ldmboot.assemble("ldm_hidden.asm", HIDDEN=2048) + said.ljust(512, b" ")).ljust(
        ldmboot.VOLUME_S512 * 512, b"\0")


# The second leg has an active entry of its own, and code that starts it.
TRUSTING = Pair(starts=(2048, 4096), active=(True, True), data={2: trusting(2)})


def test_boot_sector_that_trusts_itself(disks):
    paths = disks(TRUSTING)
    for attached in (paths, paths[1:]):
        got = boot(attached)
        assert "TRUST: generation 2 payload ok." in got.serial, got.serial


def test_boot_sector_that_trusts_itself_fails_without_us(disks):
    paths = disks(TRUSTING, bare=True)
    assert "TRUST: generation 2" in boot(paths[:1]).serial
    with open(paths[1], "r+b") as f:
        f.seek(2049 * 512)
        f.write(b"TRUST: not of this volume.".ljust(512))
    got = boot(paths[1:], until=(*ldmboot.DONE, "not of this volume."))
    assert "TRUST: generation" not in got.serial and "not of this" in got.serial, got.serial


# ---- stale legs ---------------------------------------------------------------------------------

OLD_FIRST = {"generations": (1, 2), "committed": (39, 40)}
OLD_SECOND = {"generations": (2, 1), "committed": (40, 39)}


@pytest.mark.parametrize("attached", [(0, 1), (1, 0)])
@pytest.mark.parametrize("pair", [
    Pair(**OLD_FIRST), Pair(starts=(2048, 4096), **OLD_FIRST),
    Pair(starts=(2048, 4096), **OLD_SECOND),
    Pair(starts=(2048, 8192), tables=("mbr", "gpt"), **OLD_FIRST),
], ids=["alike", "skewed", "skewed, the second is old", "gpt"])
def test_stale_leg(disks, pair, attached):
    """The leg whose database has missed a transaction is not what boots, in either order."""
    paths = disks(pair)
    got = boot([paths[n] for n in attached])
    assert what_booted(got.serial) == FRESH, got.serial
    assert "stale" in screen.text(got.serial), got.serial


def test_stale_leg_boots_without_us(disks):
    got = boot(disks(Pair(**OLD_FIRST), bare=True))
    assert what_booted(got.serial) == ("1", "ok"), got.serial


# ---- what starts it -----------------------------------------------------------------------------

def test_no_boot_code_in_the_mbr(disks):
    """Windows writes none to the shadow disk: the volume's own boot sector is started."""
    paths = disks(Pair(active=(True, True), code=(False, False)))
    for path in paths:
        got = boot([path])
        assert what_booted(got.serial) == FRESH, got.serial
        assert AT_START not in got.serial, got.serial


@pytest.mark.parametrize("value, made_up", [("disk", False), ("volume", True)])
def test_boot_disk(disks, value, made_up):
    paths = disks(ALIKE, config=f"boot-disk = {value}\n")
    got = boot(paths)
    assert what_booted(got.serial) == FRESH, got.serial
    assert (AT_START in got.serial) == made_up, got.serial


def test_failover(disks, tmp_path):
    """A bad sector in the payload, on the leg that is read, while syslinux loads it."""
    paths = disks(SKEWED)
    image = paths[0].read_bytes()
    at = image.index(ldmboot.kernel(2)[-512:]) // 512 - 100
    failed = []
    got = boot([qemu.Drive(str(paths[0]), (at,)), paths[1]],
               at_end=lambda m: failed.append(m.reads()[0][1]))
    assert what_booted(got.serial) == FRESH, got.serial
    assert failed[0] >= 1, "the bad sector was not met: nothing was proved"


# ---- a stage2 of one family, where there is no room for all formats -----------------------------

def sectors_for(name):
    """Of a boot area with this stage2."""
    return 7 + -(-(cli.build_folder() / name).stat().st_size // 512)


@pytest.mark.parametrize("attached", [(0, 1), (1,)])
def test_ldm_only(disks, attached):
    """Legs at the end of the smallest gap, and later on the second disk, for which one is made up."""
    first = sectors_for("stage2-ldm.bin") + 7  # LDM has LBA 6
    paths = disks(Pair(starts=(first, first + 999), first_lba=first, **OLD_FIRST))
    assert "stage2 for LDM only" in cli.run("verify", *paths).stdout
    got = boot([paths[n] for n in attached])
    assert what_booted(got.serial) == FRESH, got.serial


def md_pair(folder, first, name="stale-1.0"):
    """FAT with syslinux on md, the first disk's leg stale; partitions begin there."""
    pair, paths = scenario.PAIRS[name], [folder / "a.img", folder / "b.img"]
    for path, fixture, generation in zip(paths, (pair.a, pair.b), (1, 2)):
        size = mdmember.Superblock(mdmember.fixture(fixture)).size_s512
        data = ldmboot.volume(generation, first, size)
        diskimage.mbr_disk(path, mdmember.compose(fixture, data), None, first_lba=first)
        with open(path, "r+b") as f:
            f.write(extlinux.mbr_code())
    return paths


def test_md_only(tmp_path):
    """The same of md."""
    paths = md_pair(tmp_path, sectors_for("stage2-md.bin") + 1)
    assert "stage2 for md only:" in cli.install(*paths).stdout
    got = boot(paths)
    assert what_booted(got.serial) == FRESH and "stale" in got.serial, got.serial


@pytest.mark.skipif(sectors_for("stage2-small.bin") > 62, reason="SKIPPED disks whose partitions "
                    "begin at LBA 63: this compiler's stage2 is too large for them")
def test_partitions_at_lba_63(tmp_path):
    """62 sectors in front, and nothing else in them."""
    paths = md_pair(tmp_path, 63)
    assert "without the leg menu, which writes nothing" in cli.install(*paths).stdout
    for attached in (0, 1), (1, 0), (1,):
        got = boot([paths[n] for n in attached])
        assert what_booted(got.serial) == FRESH, got.serial


@pytest.mark.skipif(sectors_for("stage2-small.bin") > 62, reason="SKIPPED as above")
def test_no_menu_but_a_question(tmp_path):
    """split-brain = ask, where the menu had no room: nothing goes on without a person."""
    paths = md_pair(tmp_path, 63, "split-brain")
    (tmp_path / "conf").write_text("split-brain = ask\n")
    cli.install(*paths, options=("--config", tmp_path / "conf"))
    asks, goes = "no room for the leg menu", "Starting the boot loader"
    assert goes not in qemu.boot(paths, "bios", until=(goes,), timeout_s=8).serial
    got = boot(paths, until=(goes,), marks={asks: lambda m: m.key("ret")})
    assert asks in got.serial and goes in got.serial, got.serial


# ---- UEFI: volumes of data, and an ESP on each disk ---------------------------------------------

BOOTMGFW = "/EFI/Microsoft/Boot/bootmgfw.efi"


def esp_files():
    """mirrorboot, and in the place of Windows' loader a program that looks at all there is."""
    build = cli.build_folder()
    return {sight.FALLBACK: (build / "mirrorboot.efi").read_bytes(),
            BOOTMGFW: (build / "sight.efi").read_bytes()}


def fields(generation):
    """A volume each sector of which tells its generation, in a FAT file system."""
    return gptdisk.fat(ldmboot.VOLUME_S512 * 512, {
        "/field": sight.field(generation),
        "/marker.txt": f"generation {generation}\n".encode()})


def test_uefi(tmp_path):
    """Windows' loader of an ESP is started; whatever it reads of the volume is of the newer leg."""
    parts = tuple([(gptdisk.ESP, gptdisk.fat(16 << 20, esp_files(), serial=0x6D620000 + n))]
                  for n in (0, 1))
    first = 2048 + (16 << 20) // 512 + ldmdisk.PRIVATE
    pair = Pair(starts=(first + 2048, first + 4096), tables=("gpt", "gpt"), code=(False, False),
                active=(False, False), partitions=parts,
                data={1: fields(1), 2: fields(2)}, **OLD_FIRST)
    paths = pair.write(tmp_path)
    got = qemu.boot(paths, "uefi", until="SIGHT: done", timeout_s=300)
    assert got.found, got.serial
    (blocks, files), = sight.looks(got.serial)
    assert "bootmgfw.efi" in got.serial, got.serial
    assert screen.parse(got.serial).chosen == 1, got.serial
    # Both physical disks, one LDM data partition each, and the volume: all of generation 2.
    seen = {path: b.io[:2] for path, b in blocks.items() if any(b.io[:2])}
    assert len(seen) >= 4 and set(seen.values()) == {(0, sight.SECTORS + 1)}, (seen, got.serial)
    assert {text for text in files.values() if text} == {"generation 2"}, (files, got.serial)
