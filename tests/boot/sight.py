# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks on which each sector tells its generation, and what a loader said that it saw of them."""

import re
from dataclasses import dataclass

import cli
import filesystem
import gptdisk
import grub
import mdmember
import nvram
import scenario

FALLBACK, REPLACED = "/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTX64.REPLACED.EFI"
PROGRAM = "/EFI/sight/sight.efi"
MODULES = [*grub.MODULES, "regexp", "search_label", "fat", "minicmd"]
MD_MODULES = ["diskfilter", "mdraid09", "mdraid1x"]
SECTORS = 2048
# `(*)` is each device that GRUB sees.
GRUB_SCRIPT = """\
serial --port=0x3f8 --speed=115200
terminal_output serial
echo
echo "GRUB: started"
function look {{
	echo "SIGHT: begin $1"
	ls
	for d in (*); do
		echo "SIGHT: device $d"
		ls $d/
		if [ -f $d/marker ]; then cat $d/marker; hashsum --hash sha256 $d/payload; fi
		if [ -f $d/marker.txt ]; then cat $d/marker.txt; fi
	done
	echo "SIGHT: file"
	search --file /marker
	search --set=found --file /marker
	cat ($found)/marker
	echo "SIGHT: label"
	search --set=found --label boot
	cat ($found)/marker
	echo "SIGHT: fs-uuid"
	search --set=found --fs-uuid {uuid}
	cat ($found)/marker
	echo "SIGHT: end $1"
}}
look plain
for m in {md}; do
	insmod $cmdpath/$m.mod
done
look md
echo "GRUB: done"
"""


def field(generation):
    """A file each sector of which tells its generation."""
    return b"".join(f"generation {generation} sector {n:08d}\n".encode().ljust(512, b".")
                    for n in range(SECTORS))


def grub_files():
    """GRUB that looks around, without the md modules at first."""
    modules = [m for m in MODULES if m not in MD_MODULES]
    script = GRUB_SCRIPT.format(uuid=filesystem.UUID, md=" ".join(MD_MODULES))
    # What is embedded in an image gets a parser that knows no loops.
    files = {REPLACED: grub.mkimage("x86_64-efi", modules, "normal $cmdpath/sight.cfg\n"),
             "/EFI/BOOT/sight.cfg": script.encode()}
    for name in MD_MODULES:
        path = grub.LIB / "x86_64-efi" / f"{name}.mod"
        files[f"/EFI/BOOT/{name}.mod"] = path.read_bytes()
    return files


def make(pair_name, folder, esp_files, fat=False, sector=512):
    """A pair of disks: an ESP with these files, and mirrorboot; a member, ext4 or FAT."""
    pair = scenario.PAIRS[pair_name]
    folder.mkdir(parents=True)
    paths, parts = [], []
    for n, (fixture, generation) in enumerate(((pair.a, pair.gen_a), (pair.b, pair.gen_b))):
        sb = mdmember.Superblock(mdmember.fixture(fixture))
        if fat:
            data = gptdisk.fat(sb.size_s512 // 8 * 4096, {
                "/field": field(generation),
                "/marker.txt": filesystem.marker(generation).encode() + b"\n"}, sector)
            data = data.ljust(sb.size_s512 * 512, b"\0")
        else:
            data = filesystem.make(sb.size_s512, generation, {"/field": field(generation)})
        files = {FALLBACK: (cli.build_folder() / "mirrorboot.efi").read_bytes(), **esp_files}
        esp = gptdisk.fat(16 << 20, files, sector, 0x6D620000 + n)
        paths.append(folder / f"{'ab'[n]}.img")
        parts.append(gptdisk.write(paths[n], [(gptdisk.ESP, esp),
                                              (gptdisk.RAID, mdmember.compose(fixture, data))],
                                   n, sector))
    starts = [p[1].start_bytes // 512 for p in parts]
    return scenario.Disks(pair, paths, starts, sb.data_s512, sb.size_s512), parts


def variables(path, part):
    """The firmware starts the program, then mirrorboot, then the program again, from this ESP."""
    nvram.write(path, nvram.entries(*(nvram.entry(name, part, file, name) for name, file in (
        ("before", PROGRAM), ("mirrorboot", FALLBACK), ("after", PROGRAM)))))
    return path


@dataclass(frozen=True)
class Blocks:
    """A Block I/O handle as it was read: sectors of generations 1, 2, 3, and failed reads."""
    io: tuple
    io2: tuple


_BLOCKS = re.compile(r"SIGHT: blocks \[(.*?)\] io (\d+) (\d+) (\d+) failed (\d+)"
                     r"(?: io2 (\d+) (\d+) (\d+) failed (\d+))? end", re.S)
_FILES = re.compile(r"SIGHT: files \[(.*?)\] (.*?)end", re.S)


def looks(serial):
    """What the program said each time: [({path: Blocks}, {path: what \\marker.txt says}), ...]"""
    out = []
    for said in re.findall(r"SIGHT: begin\n(.*?)SIGHT: done", serial, re.S):
        blocks, files = {}, {}
        for path, *numbers in _BLOCKS.findall(said):
            values = tuple(int(n) if n else None for n in numbers)
            blocks[path.replace("\n", "")] = Blocks(values[:4], values[4:])
        for path, text in _FILES.findall(said):
            files[path.replace("\n", "")] = text.replace("\n", "").strip()
        assert len(blocks) == said.count("SIGHT: blocks"), said
        out.append((blocks, files))
    return out
