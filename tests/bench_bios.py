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
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cli
import diskimage
import filesystem
import grub
import mdmember
import qemu
import scenario

TESTS = Path(__file__).resolve().parent
CONTROLLERS = ("virtio-blk", "ide")
SECTORS_A_MIB = 2048

# bench_reader.asm
MARK = 0x7C10
LOOPS = 10000
SIZES = ((127, 16), (8, 16), (1, 32))  # sectors a request, requests

ENTRY = 0x7C00                    # of an MBR, and of any other boot sector
RESIDENT = (0x90000, 0xA0000)     # where stage2/present.c puts the resident part
BIOS_INT13 = (0xFE3FE, 0xFE3FF)   # F000:E3FE, the same in every PC BIOS
WAIT_US = 200
INT13_SEGMENT = 0x4E
BASE_KIB = 0x413

READ_GOAL = 1.02
HANDOVER_GOAL = 0.1

# As little of GRUB as finds a file in the mirror. It starts it as a boot sector.
GRUB_MODULES = ["biosdisk", "part_msdos", "ext2", "mdraid1x", "search_fs_uuid", "chain", "boot"]
GRUB_SCRIPT = f"""\
search.fs_uuid {filesystem.UUID} root
chainloader --force /reader
boot
"""


class Unavailable(Exception):
    """This QEMU can't count."""


@dataclass(frozen=True)
class Counts:
    instructions: int
    resident: int  # of them, in the resident part
    requests: int  # calls that reached the BIOS's INT 13h

    def __sub__(self, other):
        return Counts(self.instructions - other.instructions, self.resident - other.resident,
                      self.requests - other.requests)

    def __lt__(self, other):
        return self.instructions < other.instructions


@dataclass
class Run:
    handovers: list    # Counts at each first instruction of a boot sector; the first are zero
    least: dict        # sectors a request: Counts of the cheapest of them
    profile: dict      # address: how often the instruction there ran
    resident_base: int
    base_kib: int      # what is left of base memory


def build_counter(build):
    out = build / "bench_count.so"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-shared", "-fPIC", "-o", str(out),
                    str(TESTS / "bench_count.c")], check=True)
    return out


def build_reader(folder, first_lba):
    out = folder / "reader"
    subprocess.run(["nasm", "-f", "bin", "-Wall", "-Werror", f"-DFIRST_LBA={first_lba}",
                    "-o", str(out), str(TESTS / "bench_reader.asm")], check=True)
    return out.read_bytes()


def run(counter, disks, controller, folder, until):
    """Boot, and read what the counter wrote."""
    out, profile, words = folder / "counts", folder / "profile", []

    def note_words(monitor):
        for address in INT13_SEGMENT, BASE_KIB:
            said = monitor.ask("human-monitor-command",
                               **{"command-line": f"xp /1hx {address:#x}"})
            words.append(int(said.split(":")[1], 16))

    options = [str(counter), f"out={out}", f"profile={profile}", f"wait_us={WAIT_US}",
               f"mark={ENTRY}", f"mark={MARK}",
               *(f"range={lo}-{hi}" for lo, hi in (RESIDENT, BIOS_INT13))]
    try:
        got = qemu.boot(disks.drives(), "bios", controller=controller, timeout_s=180,
                        until=(until, "bench: failed"), at_end=note_words,
                        extra=["-icount", "shift=10,sleep=off", "-plugin", ",".join(options)])
    except RuntimeError as e:
        if "plugin" in str(e):
            raise Unavailable(str(e)) from e
        raise
    if until not in got.serial:
        raise RuntimeError(f"the reader did not get to '{until}' on {controller}: "
                           f"{got.serial[-300:]!r}")

    marks = [(int(a, 16), Counts(*map(int, counts))) for a, *counts in
             (line.split() for line in out.read_text().splitlines())]
    at = [counts for address, counts in marks if address == MARK]
    pairs = [after - before for before, after in zip(at[::2], at[1::2])]
    calibrate(pairs.pop(0))
    return Run([counts for address, counts in marks if address == ENTRY], least_of(pairs),
               read_profile(profile), words[0] << 4, words[1])


def calibrate(loop):
    if loop.instructions != LOOPS + 3:
        raise RuntimeError(f"a loop of {LOOPS + 3} instructions was counted as "
                           f"{loop.instructions}: the other figures mean nothing either")


def least_of(pairs):
    least, at = {}, 0
    for sectors, requests in SIZES:
        mine, at = pairs[at:at + requests], at + requests
        if len(mine) == requests:
            least[sectors] = min(mine)
            if least[sectors].requests == 0:
                raise RuntimeError("the BIOS's INT 13h is not at F000:E3FE")
    return least


def read_profile(path):
    return {int(address, 16): int(times) for address, times in
            (line.split() for line in path.read_text().splitlines())}


# ---- the disks -------------------------------------------------------------------------------

def put_boot_code(disks, code):
    for path in disks.paths:
        with open(path, "r+b") as f:
            f.write(code[:440])


def reader_disks(folder):
    """The reader as the MBR of both disks; it reads the mirror's data."""
    disks = scenario.make("in-sync", folder, loader=None)
    put_boot_code(disks, build_reader(folder, disks.member_lba[0] + disks.data_s512))
    return disks


def grub_disks(folder):
    """GRUB on both disks, the reader as a file in the mirror."""
    disks = scenario.make("in-sync", folder)
    boot_sector = build_reader(folder, 1).ljust(510, b"\0") + b"\x55\xaa"
    core = grub.mkimage("i386-pc", GRUB_MODULES, GRUB_SCRIPT)
    for path, fixture in zip(disks.paths, (disks.pair.a, disks.pair.b)):
        files = filesystem.make(disks.size_s512, disks.pair.gen_a, {"/reader": boot_sector})
        diskimage.mbr_disk(path, mdmember.compose(fixture, files), core=core)
    return disks


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


# ---- the tables ------------------------------------------------------------------------------

def verdict(good):
    return "OK" if good else "OVER"


def print_reads(raw, shim):
    print(f"\nreads through the shim against the raw BIOS drive, a MiB (goal {READ_GOAL - 1:.0%}): "
          "instructions, and INT 13h requests to the BIOS")
    head = ("", "sectors", "BIOS alone", "", "mirrorboot", "", "", "added a", "")
    head2 = ("", "a request", "instr.", "requests", "instr.", "requests", "ratio", "request", "")
    widths = (12, 11, 11, 10, 11, 10, 8, 9, 5)
    for cells in (head, head2):
        print("  " + "".join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
    for controller in CONTROLLERS:
        for sectors, _ in SIZES:
            alone, through = raw[controller].least[sectors], shim[controller].least[sectors]
            times = SECTORS_A_MIB / sectors
            # The BIOS's part of an equal request is the same in both: what is above the
            # lower of the two is waiting.
            bios, added = alone.instructions, through.instructions - alone.instructions
            if through.requests == alone.requests:
                bios = min(bios, through.instructions - through.resident)
                added = through.resident
            ratio = (bios + added) / bios
            good = ratio <= READ_GOAL and through.requests <= alone.requests
            cells = (controller, sectors, f"{bios * times:.0f}", f"{alone.requests * times:.1f}",
                     f"{(bios + added) * times:.0f}", f"{through.requests * times:.1f}",
                     f"{ratio:.3f}", added, verdict(good))
            print("  " + "".join(str(c).ljust(w) for c, w in zip(cells, widths)).rstrip())


def print_handovers(shim, alone):
    print(f"\nfrom the MBR's first instruction to the next loader's, against GRUB from boot.img to "
          f"its first file on the same mirror (goal {HANDOVER_GOAL})")
    widths = (12, 13, 13, 8, 7, 13, 13, 8, 5)
    head = ("", "instructions", "", "", "", "INT 13h calls", "", "", "")
    head2 = ("", "mirrorboot", "GRUB", "ratio", "", "mirrorboot", "GRUB", "ratio", "")
    for cells in (head, head2):
        print("  " + "".join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
    for controller in CONTROLLERS:
        ours, grubs = shim[controller].handovers[1], alone[controller].handovers[1]
        cells = [controller]
        for a, b in ((ours.instructions, grubs.instructions), (ours.requests, grubs.requests)):
            cells += [a, b, f"{a / b:.3f}", verdict(a / b <= HANDOVER_GOAL)]
        print("  " + "".join(str(c).ljust(w) for c, w in zip(cells, widths)).rstrip())


def print_hot_spots(build, shim, lines=8):
    got = shim[CONTROLLERS[0]]
    spent = [(n, "MBR " + name) for n, name in
             by_function(got.profile, build / "mbr.elf", 0x600, 0x7C0)]
    spent += [(n, "stage2 " + name) for n, name in
              by_function(got.profile, build / "stage2.elf", 0x6000, RESIDENT[0])]
    served = sum(requests for _, requests in SIZES)
    inside = by_function(got.profile, build / "resident.elf", *RESIDENT, base=got.resident_base)
    print("\nwhere they are spent: up to the hand-over" + " " * 16
          + "in the resident part, a request")
    for left, right in zip(sorted(spent, reverse=True)[:lines], inside[:lines]):
        print(f"  {left[0]:9} {left[1]:44} {right[0] / served:6.0f} {right[1]}")


def bench(build, tmp):
    """Print the tables, or why there are none."""
    try:
        counter = build_counter(build)
        raw, shim, alone = {}, {}, {}
        bare = reader_disks(tmp / "bare")
        ready = scenario.copy(bare, tmp / "ready")
        cli.install(*ready.paths)
        grubs = grub_disks(tmp / "grub")
        for controller in CONTROLLERS:
            raw[controller] = run(counter, bare, controller, tmp, "bench: done")
            shim[controller] = run(counter, ready, controller, tmp, "bench: done")
            alone[controller] = run(counter, grubs, controller, tmp, "bench: started")
    except Unavailable as e:
        print(f"\nBIOS instructions: SKIPPED, this QEMU does not load the counter: {e}")
        return
    print("\nbase memory that the resident part took, with its tables and buffers: " + ", ".join(
        f"{raw[c].base_kib - shim[c].base_kib} KiB ({c})" for c in CONTROLLERS))
    print_reads(raw, shim)
    print_handovers(shim, alone)
    print_hot_spots(build, shim)
