# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Stale legs are out of sight: whoever looks at all there is finds nothing of the old generation.

GRUB lists every device it knows and reads each; tests/efi/sight.c reads every Block I/O
handle from its first to its last sector, by both protocols, and every file system. On the
same disks, before mirrorboot runs and after it has come back, the old generation is there:
what the firmware had is untouched, and the test would see it.
"""

import re

import pytest

import cli
import filesystem
import grub
import qemu
import screen
import sight
import uefishell

TIMEOUT_S = 300
BOTH, SWAPPED = (0, 1), (1, 0)
ROOM = sight.SECTORS + 1  # and the marker


# ---- GRUB's own enumeration ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def grub_disks(tmp_path_factory):
    """Disks of a pair, with GRUB that looks around; made once."""
    made, folder, files = {}, tmp_path_factory.mktemp("grub"), sight.grub_files()

    def get(pair):
        if pair not in made:
            made[pair], _ = sight.make(pair, folder / pair, files)
        return made[pair]
    return get


def part_of(serial, name):
    return serial.split(f"SIGHT: begin {name}\n", 1)[1].split(f"SIGHT: end {name}", 1)[0]


def seen_by_grub(said):
    """{device: what was printed for it}"""
    pieces = re.split(r"SIGHT: device (\(.*?\)) *\n", said.split("SIGHT: file")[0])
    return dict(zip(pieces[1::2], pieces[2::2]))


def check_searches(said):
    for what in ("file", "label", "fs-uuid"):
        piece = said.split(f"SIGHT: {what}", 1)[1].split("SIGHT: ")[0]
        assert "generation 2" in piece, said


@pytest.mark.parametrize("attached", [BOTH, SWAPPED])
@pytest.mark.parametrize("pair", ["stale", "stale-1.0", "stale-0.90"])
def test_grub_sees_one_generation(grub_disks, pair, attached):
    got = qemu.boot(grub_disks(pair).drives(attached), "uefi", until=grub.DONE,
                    timeout_s=TIMEOUT_S)
    assert got.found and screen.parse(got.serial).chosen == 1, got.serial
    assert "generation 1" not in got.serial, got.serial
    for name in ("plain", "md"):
        said = part_of(got.serial, name)
        devices = seen_by_grub(said)
        # both disks, with two partitions each, are there to be looked at
        assert sum(",gpt2" in d for d in devices) == 2, said
        good = [d for d, text in devices.items() if "generation 2" in text]
        assert good and all(filesystem.payload_sha256(2) in devices[d] for d in good), said
        assert any("md/" in d for d in devices) == (name == "md"), said
        check_searches(said)


def test_grub_alone_sees_the_old_one(grub_disks, tmp_path):
    """Without mirrorboot: if this ever fails, the test above proves nothing."""
    disks = grub_disks("stale-1.0")
    files = {sight.FALLBACK: sight.grub_files()[sight.REPLACED]}
    bare, _ = sight.make("stale-1.0", tmp_path / "bare", {**sight.grub_files(), **files})
    assert disks.paths != bare.paths
    got = qemu.boot(bare.drives(), "uefi", until=grub.DONE, timeout_s=TIMEOUT_S)
    assert got.found and screen.parse(got.serial) is None, got.serial
    assert "generation 1" in got.serial and "generation 2" in got.serial, got.serial


# ---- all that the firmware shows, before, under us, and after ------------------------------------

def is_ours(path):
    return path.startswith("VenMedia(")


def generations(blocks):
    """Sectors of generations 1 and 2 by path, as both protocols gave them; all reads succeed."""
    for path, b in blocks.items():
        assert b.io[3] == 0 and b.io2[3] in (0, None), (path, b)
        assert b.io2[0] is None or b.io == b.io2, (path, b)
    return {path: b.io[:2] for path, b in blocks.items()}


@pytest.mark.parametrize("pair,fat,controller,attached", [
    ("stale", False, "virtio-blk", BOTH),
    ("stale-1.0", True, "nvme", SWAPPED),
    ("stale-1.0", True, "ahci", BOTH),
    ("stale", True, "nvme-4kn", BOTH),
])
def test_firmware_sees_one_generation(tmp_path, pair, fat, controller, attached):
    program = (cli.build_folder() / "sight.efi").read_bytes()
    disks, parts = sight.make(pair, tmp_path / "disks", {sight.PROGRAM: program}, fat,
                              4096 if controller.endswith("4kn") else 512)
    variables = sight.variables(tmp_path / "variables", parts[attached[0]][0])
    got = qemu.boot(disks.drives(attached), "uefi", controller, timeout_s=TIMEOUT_S,
                    variables=variables, until="SIGHT: done after")
    assert got.found, got.serial
    before, under, after = sight.looks(got.serial)
    # Each leg's disk and partition show what they hold.
    found = generations(before[0])
    assert sorted(found.values()).count((ROOM, 0)) == 2, got.serial
    assert sorted(found.values()).count((0, ROOM)) == 2, got.serial
    # Under us: everything that shows anything shows the newer one, and so does the volume.
    now = generations(under[0])
    assert not any(old for old, _ in now.values()), got.serial
    assert {p for p in now if not is_ours(p)} == set(found), got.serial
    assert [n for p, (_, n) in now.items() if is_ours(p)] == [ROOM], got.serial
    assert all(now[p] == (0, ROOM) for p, n in found.items() if n != (0, 0)), got.serial
    if fat:
        markers = list(under[1].values())
        assert "generation 1" not in markers and "generation 2" in markers, got.serial
        if pair == "stale-1.0":  # the file system is in plain sight in both partitions
            assert sorted(before[1].values()).count("generation 1") == 1, got.serial
            assert markers.count("generation 2") == 3, got.serial
    # And back with the firmware it is as if we had never been there.
    assert after == before, got.serial


# ---- the UEFI shell ------------------------------------------------------------------------------

# Every file system that it maps.
LOOK = """\
map -r
for %i in 0 1 2 3 4 5 6 7 8 9
  if exist fs%i:\\marker.txt then
    type fs%i:\\marker.txt
  endif
endfor
"""
AGAIN = f"reconnect -r\necho SHELL: again\n{LOOK}"
SCRIPT = f"@echo -off\necho SHELL: first\n{LOOK}echo SHELL: end\n"


@pytest.mark.parametrize("pair,controller,attached,systems", [
    ("stale-1.0", "virtio-blk", BOTH, 3),  # two partitions and the volume
    ("stale", "nvme", SWAPPED, 1),
])
def test_shell_sees_one_generation(tmp_path, pair, controller, attached, systems):
    program = uefishell.program()
    if not program:
        pytest.skip("NO SHELL: this OVMF has none inside; what it would see was not looked at")
    files = {sight.REPLACED: program, "/startup.nsh": SCRIPT.replace("\n", "\r\n").encode()}
    disks, _ = sight.make(pair, tmp_path / "disks", files, fat=True)
    got = qemu.boot(disks.drives(attached), "uefi", controller, until="SHELL: end",
                    timeout_s=TIMEOUT_S, marks={"startup.nsh or any": lambda m: m.type(" ")})
    assert got.found and screen.parse(got.serial).chosen == 1, got.serial
    said = got.serial.split("SHELL: first", 1)[1]
    assert said.count("generation 2") == systems and "generation 1" not in said, got.serial
    assert "VenMedia(" in said, got.serial  # it maps the volume


@pytest.mark.parametrize("controller", ["virtio-blk", "nvme", "ahci"])
def test_shell_restarts_all_drivers(tmp_path, controller):
    """A driver that is stopped and started makes a new Block I/O, which would not be ours."""
    program = uefishell.program()
    if not program:
        pytest.skip("NO SHELL: this OVMF has none inside; what it would see was not looked at")
    script = SCRIPT.replace("echo SHELL: end", AGAIN + "echo SHELL: end")
    files = {sight.REPLACED: program, "/startup.nsh": script.replace("\n", "\r\n").encode()}
    disks, _ = sight.make("stale-1.0", tmp_path / "disks", files, fat=True)
    got = qemu.boot(disks.drives(), "uefi", controller, timeout_s=TIMEOUT_S,
                    until=("SHELL: end", "X64 Exception Type"),
                    marks={"startup.nsh or any": lambda m: m.type(" ")})
    assert got.found and "X64 Exception Type" not in got.serial, got.serial
    again = got.serial.split("SHELL: again", 1)[1]
    assert again.count("generation 2") == 3 and "generation 1" not in again, got.serial
