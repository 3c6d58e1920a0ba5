# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What mirrorboot costs on BIOS, in guest instructions and requests that QEMU counts.

Three machines for each controller, with the same mirror on two disks:

  raw    the reader (bench_reader.asm) is the MBR: the BIOS alone
  shim   mirrorboot is installed over it, and starts it
  GRUB   GRUB's own boot.img and core.img start it as a file in the mirror

bench_count.c counts inside QEMU, so the figures do not depend on how fast the host is.
What they do depend on is how often a guest polls: the clock of the guest (-icount)
goes on by 1 us an instruction, so that waits by the clock cost few of them; each access
to a device lets real time pass, so that the disk has answered by then; and of equal
requests the least counts. What the resident part itself runs is exact on any host.
"""

import bisect
import re
import subprocess
from dataclasses import dataclass, replace

import bench_count
import bench_disks
import cli
import qemu
import scenario
from bench_count import Unavailable
from bench_page import Row

CONTROLLERS = ("virtio-blk", "ide")
SECTORS_A_MIB = 2048

# bench_reader.asm
MARK = 0x7C10
LOOPS = 10000
SIZES = ((127, 16), (8, 16), (1, 32))  # sectors a request, requests

ENTRY = 0x7C00                    # of an MBR, and of any other boot sector
RESIDENT = (0x90000, 0xA0000)     # where stage2/present.c puts the resident part
BIOS_INT13 = (0xFE3FE, 0xFE3FF)   # F000:E3FE, the same in every PC BIOS
INT13_SEGMENT = 0x4E
BASE_KIB = 0x413
DONE = "bench: done"

READ_GOAL = 1.02
HANDOVER_GOAL = 0.1


@dataclass
class Run:
    handovers: list    # Counts at each first instruction of a boot sector; the first are zero
    pairs: list        # Counts of each request of the reader
    least: dict        # sectors a request: Counts of the cheapest of them
    profile: dict      # address: how often the instruction there ran
    resident_base: int
    base_kib: int      # what is left of base memory
    ticks: int         # TSC, from the MBR to the reader, where put_ticks() was
    served: list       # (reads served, failed) of each disk, to the end


def run(counter, drives, controller, folder, shift=10, wait_us=bench_count.WAIT_US,
        extra=(), timeout_s=240):
    """Boot until the reader has done its reads, and read what the counter wrote."""
    out, profile, words, served = folder / "counts", folder / "profile", [], []

    def note(monitor):
        for address in INT13_SEGMENT, BASE_KIB:
            said = monitor.ask("human-monitor-command",
                               **{"command-line": f"xp /1hx {address:#x}"})
            words.append(int(said.split(":")[1], 16))
        served.extend(monitor.reads())

    plugin = bench_count.options(counter, out, (ENTRY, MARK), (RESIDENT, BIOS_INT13), profile,
                                 wait_us)
    try:
        got = qemu.boot(drives, "bios", controller=controller, timeout_s=timeout_s,
                        until=(DONE, "bench: failed"), at_end=note,
                        extra=["-icount", f"shift={shift},sleep=off", *plugin, *extra])
    except RuntimeError as e:
        if "plugin" in str(e):
            raise Unavailable(str(e)) from e
        raise
    if DONE not in got.serial:
        raise RuntimeError(f"the reader did not get to its end on {controller}: "
                           f"{got.serial[-300:]!r}")
    marks = bench_count.read(out)
    at = [counts for address, counts in marks if address == MARK]
    pairs = [after - before for before, after in zip(at[::2], at[1::2])]
    calibrate(pairs.pop(0))
    ticks = re.search(r"bench: started ([0-9A-F]{16})", got.serial)
    return Run([counts for address, counts in marks if address == ENTRY], pairs, least_of(pairs),
               bench_count.read_profile(profile), words[0] << 4, words[1], int(ticks[1], 16),
               served)


def calibrate(loop):
    if loop.instructions != LOOPS + 3:
        raise RuntimeError(f"a loop of {LOOPS + 3} instructions was counted as "
                           f"{loop.instructions}: the other figures mean nothing either")


def of_size(pairs, sectors):
    at = 0
    for size, requests in SIZES:
        if size == sectors:
            return pairs[at:at + requests]
        at += requests
    raise KeyError(sectors)


def least_of(pairs):
    return {size: min(of_size(pairs, size)) for size, requests in SIZES
            if len(of_size(pairs, size)) == requests}


# ---- whose instructions ----------------------------------------------------------------------

def symbols(elf, base=0):
    out = subprocess.run(["nm", "-n", str(elf)], check=True, capture_output=True, text=True).stdout
    found = [(int(f[0], 16) + base, f[2]) for f in map(str.split, out.splitlines())
             if len(f) == 3 and f[1] in "tTrRdD"]
    return [a for a, _ in found], [name for _, name in found]


def by_function(profile, elf, first, end, base=0):
    """[(instructions, function)] of the code at first .. end, most first."""
    addresses, names = symbols(elf, base)
    sums = {}
    for address, times in profile.items():
        if first <= address < end:
            place = bisect.bisect_right(addresses, address) - 1
            name = names[place] if place >= 0 else "?"
            name = name.split(".", 1)[0]  # labels and parts belong to their function
            sums[name] = sums.get(name, 0) + times
    return sorted(((n, name) for name, n in sums.items()), reverse=True)


def hot_spots(build, got, lines=8):
    """Notes: where the instructions up to the hand-over went."""
    spent = [(n, "MBR " + name) for n, name in
             by_function(got.profile, build / "mbr.elf", 0x600, 0x7C0)]
    spent += [(n, "stage2 " + name) for n, name in
              by_function(got.profile, build / "stage2.elf", 0x6000, RESIDENT[0])]
    return [f"{n:11,} {name}" for n, name in sorted(spent, reverse=True)[:lines]]


def inside(build, got, lines=8):
    """Notes: where a request's instructions in the resident part went."""
    requests = sum(n for _, n in SIZES)
    spent = by_function(got.profile, build / "resident.elf", *RESIDENT, base=got.resident_base)
    return [f"{n / requests:6.0f} a request: {name}" for n, name in spent[:lines]]


# ---- the sections ----------------------------------------------------------------------------

class Machines:
    """The disks, made once."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.counter = bench_count.build(build)
        self.reading = self.ready(folder / "reading", reads=True)
        self.starting = self.ready(folder / "starting", reads=False)
        self.bare = bench_disks.with_reader(folder / "bare")
        self.grub = bench_disks.with_grub(folder / "grub")

    @staticmethod
    def ready(folder, reads):
        disks = bench_disks.with_reader(folder, reads)
        cli.install(*disks.paths)
        return disks

    def run(self, disks, controller, **kw):
        drives = disks if isinstance(disks, list) else disks.drives()
        return run(self.counter, drives, controller, self.folder, **kw)


def boot_rows(machines, section):
    """From the MBR's first instruction to the next loader's, beside GRUB to its first file."""
    rows = []
    for controller in CONTROLLERS:
        shim = machines.run(machines.starting, controller)
        alone = machines.run(machines.grub, controller)
        ours, grubs = shim.handovers[1], alone.handovers[1]
        rows += [Row(f"boot.bios.{controller}.instructions", f"{controller}: instructions",
                     ours.instructions, grubs.instructions, "GRUB to its first file",
                     goal=HANDOVER_GOAL),
                 Row(f"boot.bios.{controller}.int13", f"{controller}: calls of INT 13h",
                     ours.requests, grubs.requests, "GRUB to its first file"),
                 Row(f"boot.bios.{controller}.reads", f"{controller}: reads of both disks, from power-on",
                     total(shim), total(alone), "GRUB to its first file")]
        if controller == CONTROLLERS[0]:
            section.notes = ["of them, mirrorboot's on " + controller, *hot_spots(machines.build, shim)]
    return rows


def total(got):
    return sum(served for served, _ in got.served)


def clock_rows(machines, section):
    """The two ways to count, in one boot each: the plugin, and the TSC at -icount shift=0."""
    rows = []
    for name, disks in (("mirrorboot", machines.starting), ("GRUB", machines.grub)):
        folder = machines.folder / f"timed-{name}"
        timed = replace(disks, paths=[folder / p.name for p in disks.paths])
        if not folder.exists():
            scenario.copy(disks, folder)
            for path in timed.paths:
                bench_disks.put_ticks(path)
        # Without waits: a GRUB that measures how fast the TSC is looks at a port 13 million times.
        got = machines.run(timed, CONTROLLERS[0], shift=0, wait_us=0)
        rows.append(Row(f"clock.{name}", f"{name}, MBR to next loader: the plugin's count",
                        got.handovers[1].instructions, got.ticks, "TSC, -icount shift=0"))
    return rows


def read_rows(machines, section):
    rows = []
    for controller in CONTROLLERS:
        raw = machines.run(machines.bare, controller)
        shim = machines.run(machines.reading, controller)
        for sectors, _ in SIZES:
            alone, through = raw.least[sectors], shim.least[sectors]
            if 0 in (alone.requests, through.requests):
                raise RuntimeError("the BIOS's INT 13h is not at F000:E3FE")
            times = SECTORS_A_MIB / sectors
            # The BIOS's part of an equal request is the same in both: what is above the
            # lower of the two is waiting.
            bios, ours = alone.instructions, through.instructions
            if through.requests == alone.requests:
                bios = min(bios, ours - through.resident)
                ours = bios + through.resident
            of = f"{controller}, {sectors} sector{'s' * (sectors > 1)} a request"
            rows += [Row(f"int13.{controller}.{sectors}.instructions",
                         f"{of}: instructions a MiB", round(ours * times), round(bios * times),
                         "the BIOS alone", goal=READ_GOAL),
                     Row(f"int13.{controller}.{sectors}.requests",
                         f"{of}: requests to the BIOS a MiB", through.requests * times,
                         alone.requests * times, "the BIOS alone", goal=1)]
        if controller == CONTROLLERS[0]:
            section.notes = inside(machines.build, shim)
            rows.append(Row("int13.base-kib", "KiB of base memory taken, with tables and buffers",
                            raw.base_kib - shim.base_kib))
    return rows
