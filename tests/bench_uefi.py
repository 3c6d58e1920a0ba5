# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What mirrorboot costs on UEFI, and what it gains: bench.efi asks, QEMU counts and throttles.

One boot for each controller and question. The fallback loader of the first disk is
bench.efi: it reads a leg as the firmware has it, and starts mirrorboot, which starts
bench.efi again as its next loader; that one reads the volume, and the disk that answers
in place. Instructions are counted as on BIOS (bench_bios.py), but with the clock as it
is: this firmware's timer would take all of a slower one's time. Of equal requests the
least counts: one that no timer fell into. Requests are what QEMU's disks served. With
both disks throttled alike, a rate is the guest's own time for 16 MiB.
"""

import re
from dataclasses import dataclass

import bench_count
import bench_disks
import mdmember
import qemu
from bench_count import Unavailable
from bench_page import Row

MIB = 1 << 20
MARK = 0x3000000
LOOPS, TURNS = 10000, 8
SIZES, REQUESTS = (4096, 65536, MIB), 12
PLACES = ("leg", "volume", "disk")
COUNTED = ("virtio-blk", "nvme", "ahci")
SPREAD = ("virtio-blk", "nvme", "nvme-4kn", "ahci", "ahci-each")
BPS = 8 * MIB
READ_GOAL, SPREAD_GOAL = 1.02, 1.8
DONE = "BENCH done"


@dataclass
class Run:
    pairs: dict     # place: {bytes a request: [instructions of each]}
    requests: dict  # place: {bytes a request: of both disks, for all of them}
    cost: int       # instructions from mirrorboot's first to the next loader's
    asked: list     # (served, failed) of each disk meanwhile
    failed: dict    # place: reads that failed, up to its last request

    def least(self, place, size):
        return min(self.pairs[place][size])


def drives_of(paths, bad=()):
    """bad: {disk: sectors}."""
    return [qemu.Drive(str(p), tuple(dict(bad).get(n, ()))) for n, p in enumerate(paths)]


def boot(drives, controller, **kw):
    try:
        got = qemu.boot(drives, "uefi", controller, until=(DONE, "BENCH failed", "grub rescue>"),
                        timeout_s=400, **kw)
    except RuntimeError as e:
        if "plugin" in str(e):
            raise Unavailable(str(e)) from e
        raise
    if DONE not in got.serial or "BENCH error" in got.serial:
        raise RuntimeError(f"bench.efi did not get to its end on {controller}: {got.serial[-300:]!r}")
    return got


def run(counter, drives, controller, folder, reads=True):
    """One boot, counted. reads: bench.efi is in the mode "count", else in "start"."""
    out, seen = folder / "counts-uefi", {}

    def note(what):
        def look(monitor):
            seen[what] = monitor.reads()
        return look

    texts = ["start mirrorboot 0", "next loader 0"]
    # A whole line: 4096 would be found in 40960 otherwise.
    texts += [f"reads {place} {size}" for place in PLACES for size in (0, *SIZES) if reads]
    got = boot(drives, controller, marks={f"BENCH {t}\n": note(t) for t in texts},
               extra=bench_count.options(counter, out, (MARK,), late=True))
    at = [counts.instructions for _, counts in bench_count.read(out)]
    loop = min(b - a for a, b in zip(at[2:2 * TURNS:2], at[3:2 * TURNS:2]))
    if abs(loop - 2 * LOOPS) > 20:
        raise RuntimeError(f"{2 * LOOPS} instructions were counted as {loop}")
    at = at[2 * TURNS:]
    n = 2 * REQUESTS * len(SIZES) if reads else 0
    pairs, requests = {}, {}
    for place, first in (("leg", 0), ("volume", n + 2), ("disk", n + 2 + n)):
        mine = at[first:first + n]
        costs = [b - a for a, b in zip(mine[::2], mine[1::2])]
        pairs[place] = {size: costs[i * REQUESTS:(i + 1) * REQUESTS] for i, size in enumerate(SIZES)}
        if reads:
            counts = [sum(served for served, _ in seen[f"reads {place} {size}"]) for size in (0, *SIZES)]
            requests[place] = {size: b - a for size, a, b in zip(SIZES, counts, counts[1:])}
    asked = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(seen[texts[0]], seen[texts[1]])]
    failed = {}
    if reads:
        first = sum(f for _, f in seen[texts[1]])
        for place in PLACES[1:]:
            failed[place] = sum(f for _, f in seen[f"reads {place} {SIZES[-1]}"]) - first
    return Run(pairs, requests, at[n + 1] - at[n], asked, failed)


class Machines:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.counter = bench_count.build(build)
        self.made = {}
        self.data_s512 = mdmember.Superblock(mdmember.fixture(bench_disks.LEG[0])).data_s512

    def disks(self, mode, sector=512, app=None):
        """(paths, where the members begin), made once."""
        name = f"uefi-{mode}-{sector}{'-grub' if app else ''}"
        if name not in self.made:
            self.made[name] = bench_disks.with_uefi(self.build, self.folder / name, mode, sector, app)
        return self.made[name]

    def run(self, drives, controller, reads=True):
        return run(self.counter, drives, controller, self.folder, reads)


# ---- the sections ----------------------------------------------------------------------------

def boot_rows(machines, section):
    """From mirrorboot's first instruction to the next loader's, beside GRUB to its first file."""
    rows, grubs = [], bench_disks.grub_efi()
    for controller in COUNTED:
        shim = machines.run(drives_of(machines.disks("start")[0]), controller, reads=False)
        alone = machines.run(drives_of(machines.disks("start", app=grubs)[0]), controller, reads=False)
        rows += [Row(f"boot.uefi.{controller}.instructions", f"{controller}: instructions",
                     shim.cost, alone.cost, "GRUB, reads a file, starts one"),
                 Row(f"boot.uefi.{controller}.reads", f"{controller}: reads of both disks",
                     sum(n for n, _ in shim.asked), sum(n for n, _ in alone.asked),
                     "GRUB, reads a file, starts one")]
    return rows


def read_rows(machines, section):
    rows = []
    for controller in COUNTED:
        got = machines.run(drives_of(machines.disks("count")[0]), controller)
        for size in SIZES:
            times = MIB / size
            for place, said in (("volume", "volume"), ("disk", "in place")):
                of = f"{controller}, {size >> 10} KiB, {said}"
                rows.append(Row(f"blockio.{controller}.{size}.{place}.instructions",
                                f"{of}: instructions a MiB", round(got.least(place, size) * times),
                                round(got.least("leg", size) * times), "the leg alone", goal=READ_GOAL))
                if place == "volume":
                    rows.append(Row(f"blockio.{controller}.{size}.requests",
                                    f"{of}: requests to both disks a MiB",
                                    got.requests[place][size] * times / REQUESTS,
                                    got.requests["leg"][size] * times / REQUESTS,
                                    "the leg alone", goal=1))
    return rows


def spread_rows(machines, section, controllers=SPREAD):
    """The guest's clock for 16 MiB, both disks throttled alike."""
    def throttle(monitor):
        for n in (0, 1):
            monitor.ask("block_set_io_throttle", device=f"d{n}", bps=0, bps_rd=BPS, bps_wr=0,
                        iops=0, iops_rd=0, iops_wr=0)

    rows = []
    for controller in controllers:
        sector = 4096 if controller == "nvme-4kn" else 512
        got = boot(drives_of(machines.disks("rate", sector)[0]), controller,
                   marks={"BENCH rate leg": throttle})
        ticks = {place: int(re.search(rf"BENCH ticks {place} (\d+)", got.serial)[1])
                 for place in PLACES}
        for place, said in (("volume", "volume"), ("disk", "in place")):
            rows.append(Row(f"rate.{controller}.{place}", f"{controller}, {said}",
                            round(ticks["leg"] / ticks[place], 2), 1, "one leg alone", goal=SPREAD_GOAL,
                            at_least=True))
    return rows
