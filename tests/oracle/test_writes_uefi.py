# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Loaders that write under UEFI, judged by Linux: no two legs in sync ever differ.

GRUB's save_env, and systemd-boot's boot counter and random seed. Every boot's writes and
flushes are recorded, over all disks in one order. For each place where the power could have
gone, and any subset of what a disk's cache had not been told to write, the members are
given to a Linux guest, assembled, resynced and checked (mismatch_cnt).

`make test` tries some of these states, MIRRORBOOT_WHOLE=1 up to 600 of each boot.
"""

import os

import pytest

import cli
import efipackages
import envdisk
import gptdisk
import guest
import mdguest
import mdmember
import uefiscene
import writescene
from test_writes import agrees, kicked, one_answer
from uefiscene import COUNTED, COUNTED_AFTER, ENTRIES, FALLBACK, OLD_SEED, PARTITION, VOLUME
from writescene import ARRAYS

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
CUTS = 600 if WHOLE else 16
NEW = envdisk.value("after")

# name -> array, where GRUB finds it, controller
PLAIN = {
    "1.2-bitmap": ("1.2-bitmap", VOLUME, "virtio-blk"),
    "1.2": ("1.2", VOLUME, "nvme"),
    "1.2-bitmap-4kn": ("1.2-bitmap", VOLUME, "nvme-4kn"),
    "1.0-bitmap": ("1.0-bitmap", VOLUME, "ahci"),
    "1.0-partition": ("1.0", PARTITION, "virtio-blk"),
}
# (array, leg, place of writescene.places(), controller): writing it fails
FAILING = [("1.2-bitmap", 0, "data", "virtio-blk"), ("1.2-bitmap", 1, "superblock", "nvme"),
           ("1.2", 1, "data", "nvme"), ("1.2-bitmap", 0, "bitmap", "virtio-blk")]
MISSING = [("1.2-bitmap", 0)]
PROTECTED = ["0.90", "writes=no", "systemd-boot"]
SYSTEMD = ["1.0", "1.2"]
# Scenes of which cuts are tried, always. Not on AHCI, where OVMF's flush does nothing.
CUT = ["plain/1.2-bitmap", "plain/1.2", "plain/1.0-partition", "failing/1.2-bitmap-0-data",
       "systemd-boot/1.0"]
NO_FLUSH = ["plain/1.0-bitmap"]
UNFLUSHED = "plain/1.2"  # of which it is tried what cuts would do if nobody had flushed


def seed_s512(member):
    """Where the random seed is, as a sector of the array."""
    return member.index(OLD_SEED) // 512 - mdmember.Superblock(member).data_s512


def run_all(stage, folder, arrays, programs):
    def run(name, members, *args, **kw):
        stage.play(name, lambda: uefiscene.run(folder, name, members, *args, **kw))

    def grub(name, array, device, config="", values=("after",), **kw):
        run(name, with_env[array], uefiscene.own(uefiscene.save_env(device, values), config), **kw)

    with_env = {name: envdisk.with_filesystem(members) for name, members in arrays.items()}
    for name, (array, device, controller) in PLAIN.items():
        grub(f"plain/{name}", array, device, controller=controller)
    for array, leg in MISSING:
        grub(f"missing/{array}-{leg}", array, VOLUME, attached=[1 - leg])
    for array, leg, place, controller in FAILING:
        sector = writescene.places(with_env[array][leg])[place]
        grub(f"failing/{array}-{leg}-{place}", array, VOLUME, values=("first", "after"),
             bad={leg: (sector,)}, controller=controller)
    grub("protected/0.90", "0.90", PARTITION)
    grub("protected/writes=no", "1.2-bitmap", VOLUME, "writes = no\n")
    run("alone", with_env["1.0"], {FALLBACK: uefiscene.save_env("hd0,gpt2")})

    def systemd(name, array, whole, config=""):
        inside = uefiscene.systemd_boot(programs["systemd-boot"])
        ours = {k: v for k, v in uefiscene.own(b"", config).items() if v}
        members = uefiscene.with_fat(arrays[array], inside | ours if whole else inside, whole)
        run(name, members, None if whole else ours, until=("SIGHT: done", "came back"),
            env_s512=seed_s512(members[0]))

    systemd("systemd-boot/1.0", "1.0-bitmap", True)
    systemd("systemd-boot/1.2", "1.2-fine-bitmap", False, "boot-disk = volume\n")
    systemd("protected/systemd-boot", "1.0-bitmap", True, "writes = no\n")


def all_states(stage):
    states = {}
    for name, scene in stage.scenes.items():
        some = scene.cuts(CUTS) if name in CUT or (WHOLE and name not in NO_FLUSH) else {}
        some[f"{name}/end"] = scene.after
        if name == UNFLUSHED:
            some |= scene.cuts(min(CUTS, 24), "unflushed", flushed=[])
        states |= {key: (scene.env_s512, members) for key, members in some.items()}
    return states


@pytest.fixture(scope="session")
def uefi(tmp_path_factory):
    folder = cli.build_folder() / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        programs = efipackages.prepare(folder)
        arrays = mdguest.make(folder, ARRAYS)
    except guest.Unavailable as why:
        pytest.skip(f"NO ORACLE: systemd-boot, or a guest with Linux and mdadm, could not be had "
                    f"({why}); no write under UEFI was judged by the operating system")
    stage = writescene.Stage()
    run_all(stage, tmp_path_factory.mktemp("uefi"), arrays, programs)
    stage.verdicts = mdguest.judge(folder, all_states(stage), work="uefi")
    return stage


# ---- what must hold ------------------------------------------------------------------------------

def assert_states(stage, name, fewest=1):
    states = stage.states(name)
    assert len(states) >= fewest, states
    bad = {s: stage.verdicts[s] for s in states
           if not agrees(stage.verdicts[s]) or not one_answer(stage.verdicts[s])}
    assert not bad, f"{len(bad)} of {len(states)} states: {bad}"


def assert_saved(stage, name):
    scene, end = stage.scene(name), stage.verdicts[f"{name}/end"]
    assert envdisk.value(scene.saved()) == NEW, scene.serial
    assert [envdisk.listed(block) for block in end.env] == [NEW] * 3, (end, scene.serial)


def assert_closed(scene):
    """Both legs alike, and but for the data everything as it was: superblocks, bitmaps."""
    assert scene.data(0) == scene.data(1) != scene.before[0][-len(scene.data(0)):]
    for before, after in zip(scene.before, scene.after):
        sb = mdmember.Superblock(before)
        first, last = sb.data_s512 * 512, (sb.data_s512 + sb.size_s512) * 512
        assert before[:first] == after[:first] and before[last:] == after[last:], scene.name
        assert before[first:last] != after[first:last], scene.name


# ---- GRUB ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", PLAIN)
def test_saved_on_both_legs(uefi, name):
    name = f"plain/{name}"
    assert_saved(uefi, name)
    assert_closed(uefi.scene(name))
    assert not kicked(uefi.verdicts[f"{name}/end"])
    assert_states(uefi, name, 12 if name in CUT else 1)


@pytest.mark.parametrize("name", [n for n in PLAIN if f"plain/{n}" not in NO_FLUSH])
def test_flushes_come_between(uefi, name):
    """Each leg is told to write its cache before data follow marks, and marks follow data."""
    scene = uefi.scene(f"plain/{name}")
    for leg in (0, 1):
        mine = sorted({n for n, which in scene.flushed if which == leg})
        assert len([n for n in mine if 0 < n < len(scene.writes)]) >= 2, scene.flushed


@pytest.mark.parametrize("array,leg", MISSING)
def test_a_leg_is_missing(uefi, array, leg):
    name = f"missing/{array}-{leg}"
    assert_saved(uefi, name)
    assert_states(uefi, name)
    assert kicked(uefi.verdicts[f"{name}/end"]) == {leg}


@pytest.mark.parametrize("array,leg,place,controller", FAILING)
def test_a_leg_fails_a_write(uefi, array, leg, place, controller):
    name = f"failing/{array}-{leg}-{place}"
    assert_saved(uefi, name)
    assert_states(uefi, name)
    assert kicked(uefi.verdicts[f"{name}/end"]) == {leg}


def test_without_flushes_legs_would_differ(uefi):
    """The same writes, no flush between them: if all of this agreed, no flush was ever tested."""
    verdicts = [uefi.verdicts[s] for s in uefi.states("unflushed")]
    assert verdicts and not all(agrees(v) for v in verdicts), verdicts


def test_grub_alone_makes_legs_differ(uefi):
    """Without us: if this ever passes the judge, the tests here prove nothing."""
    assert uefi.scene("alone").saved() == "after"
    end = uefi.verdicts["alone/end"]
    assert end.mismatch > 0 and not kicked(end), end


# ---- systemd-boot --------------------------------------------------------------------------------

def fat_of(scene, leg, tmp_path):
    """(image with the FAT file system that a leg has, where it begins)"""
    image = tmp_path / f"leg{leg}"
    data = scene.data(leg)
    image.write_bytes(data)
    return image, data.index(b"mkfs.fat") - 3


@pytest.mark.parametrize("name", SYSTEMD)
def test_systemd_boot(uefi, name, tmp_path):
    """The boot was counted and the seed is another one, the same on both legs."""
    name = f"systemd-boot/{name}"
    scene = uefi.scene(name)
    assert "SIGHT: done" in scene.serial, scene.serial
    assert_closed(scene)
    assert_states(uefi, name, 12 if name in CUT else 1)
    assert not kicked(uefi.verdicts[f"{name}/end"])
    for leg in (0, 1):
        image, at = fat_of(scene, leg, tmp_path)
        assert gptdisk.get(image, at, f"{ENTRIES}/{COUNTED_AFTER}"), scene.serial
        assert not gptdisk.has(image, at, f"{ENTRIES}/{COUNTED}")
        seed = gptdisk.get(image, at, uefiscene.SEED)
        assert len(seed) == len(OLD_SEED) and seed != OLD_SEED


# ---- none of it ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", PROTECTED)
def test_write_protected(uefi, name):
    scene = uefi.scene(f"protected/{name}")
    assert not scene.writes and scene.after == scene.before, scene.serial
    assert "is write-protected: " in scene.serial, scene.serial
    if name == "systemd-boot":  # it sees that it can't write, and goes on
        assert "SIGHT: done" in scene.serial, scene.serial
    else:
        assert "error: " in scene.serial and scene.saved() == "before", scene.serial


def test_nothing_else_is_written(uefi):
    """Not to the disks beside the members, ESPs and partition tables among that."""
    for scene in uefi.scenes.values():
        assert not scene.elsewhere, (scene.name, scene.elsewhere)
