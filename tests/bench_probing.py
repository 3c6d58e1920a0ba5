# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What probing costs, from 2 disks to 16: each pair of them is a mirror, the first is booted from.

The requests a disk that common/ makes are counted on the host by the same code (bench_probe.c);
what firmware, MBR and hand-over add to them is in the boots.
"""

import subprocess

import bench_disks
import cli
import scenario
from bench_bios import CONTROLLERS, total
from bench_page import Row
from bench_uefi import drives_of

COUNTS = (2, 4, 8, 16)
BUDGET = 16  # requests a disk
KINDS = (("in-sync", "mbr", "MBR, md 1.2"), ("stale", "mbr", "MBR, md 1.2, one leg stale"),
         ("stale-1.0", "mbr", "MBR, md 1.0, one leg stale"),
         ("stale-0.90", "mbr", "MBR, md 0.90, one leg stale"), ("in-sync", "gpt", "GPT, md 1.2"))


def build_probe(build):
    out = build / "bench_probe"
    subprocess.run(["gcc", "-std=gnu11", "-O2", f"-I{cli.ROOT}", '-DMIRRORBOOT_VERSION="bench"',
                    "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-o", str(out),
                    str(cli.ROOT / "tests" / "bench_probe.c"), *cli.common_sources()], check=True)
    return out


def of_disks(probe, paths):
    """Requests that each disk got."""
    out = subprocess.run([str(probe), *map(str, paths)], check=True, text=True,
                         capture_output=True).stdout
    return [int(line.split()[0]) for line in out.splitlines()]


def host_rows(build, folder):
    probe, rows = build_probe(build), []
    for pair, table, said in KINDS:
        disks = scenario.make(pair, folder / f"{pair}-{table}", table)
        rows.append(Row(f"probe.{table}.{pair}", f"{said}: requests, the disk with most",
                        max(of_disks(probe, disks.paths)), limit=BUDGET))
    many = [*scenario.make("in-sync", folder / "first").paths,
            *bench_disks.more_disks(folder / "more", COUNTS[-1])]
    for n in COUNTS[1:]:
        rows.append(Row(f"probe.mbr.{n}", f"MBR, md 1.2, {n} disks: requests, the disk with most",
                        max(of_disks(probe, many[:n])), limit=BUDGET))
    return rows


def bios_rows(machines, section):
    """Boots on virtio-blk, where a request of the BIOS's is one of the disk's."""
    more = bench_disks.more_disks(machines.folder / "more", COUNTS[-1])
    rows = []
    for n in COUNTS:
        shim, alone = (machines.run([*d.drives(), *map(str, more[:n - 2])], CONTROLLERS[0])
                       for d in (machines.starting, machines.grub))
        ours, grubs = shim.handovers[1], alone.handovers[1]
        beside = "GRUB to its first file"
        rows += [Row(f"disks.bios.{n}.instructions", f"{n} disks: instructions", ours.instructions,
                     grubs.instructions, beside),
                 Row(f"disks.bios.{n}.int13", f"{n} disks: calls of INT 13h", ours.requests,
                     grubs.requests, beside),
                 Row(f"disks.bios.{n}.reads", f"{n} disks: reads of all disks, from power-on",
                     total(shim), total(alone), beside)]
    return rows


def uefi_rows(machines, section):
    more = bench_disks.more_disks(machines.folder / "more", COUNTS[-1], gpt=True)
    grub, rows = bench_disks.grub_efi(), []
    for n in COUNTS:
        shim, alone = (machines.run(drives_of([*machines.disks("start", app=app)[0], *more[:n - 2]]),
                                    CONTROLLERS[0], reads=False) for app in (None, grub))
        beside = "GRUB, reads a file, starts one"
        rows += [Row(f"disks.uefi.{n}.instructions", f"{n} disks: instructions", shim.cost, alone.cost,
                     beside),
                 Row(f"disks.uefi.{n}.reads", f"{n} disks: reads of all disks",
                     sum(served for served, _ in shim.asked), sum(served for served, _ in alone.asked),
                     beside)]
    return rows
