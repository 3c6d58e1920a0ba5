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
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "images"))

import cli  # noqa: E402
import gptdisk  # noqa: E402
import qemu  # noqa: E402
import scenario  # noqa: E402
from bench_bios import WAIT_US, Unavailable, build_counter, verdict  # noqa: E402

MIB = 1 << 20
MARK = 0x3000000
LOOPS, TURNS = 10000, 8
SIZES, REQUESTS = (4096, 65536, MIB), 12
PLACES = ("leg", "volume", "disk")
COUNTED = ("virtio-blk", "nvme", "ahci")
SPREAD = ("virtio-blk", "nvme", "nvme-4kn", "ahci", "ahci-each")
BPS = 8 * MIB
READ_GOAL, SPREAD_GOAL = 1.02, 1.8
MODE = re.compile(rb"BENCH-MODE:\.{8}")
DONE = "BENCH done"


def application(build, mode):
    return MODE.sub(b"BENCH-MODE:" + mode.encode().ljust(8, b"."), (build / "bench.efi").read_bytes())


def make_disks(build, folder, mode, sector):
    folder.mkdir(parents=True)
    pair, paths, bench = scenario.PAIRS["in-sync"], [], application(build, mode)
    for n, (fixture, generation) in enumerate(((pair.a, pair.gen_a), (pair.b, pair.gen_b))):
        esp = gptdisk.fat(20 * MIB, {
            "/EFI/BOOT/BOOTX64.EFI": bench, "/EFI/test/bench.efi": bench,
            "/EFI/mirrorboot/app.efi": (build / "mirrorboot.efi").read_bytes(),
            "/EFI/mirrorboot/mirrorboot.conf": b"next = /EFI/test/bench.efi\n"}, sector)
        paths.append(folder / f"{'ab'[n]}.img")
        gptdisk.write(paths[-1], [(gptdisk.ESP, esp),
                                  (gptdisk.RAID, scenario.member(fixture, generation))], n, sector)
    return paths


def boot(build, folder, mode, controller, **kw):
    sector = 4096 if controller == "nvme-4kn" else 512
    paths = make_disks(build, folder, mode, sector)
    try:
        got = qemu.boot([str(p) for p in paths], "uefi", controller, until=(DONE, "BENCH failed"),
                        timeout_s=900, **kw)
    except RuntimeError as e:
        if "plugin" in str(e):
            raise Unavailable(str(e)) from e
        raise
    if DONE not in got.serial or "BENCH error" in got.serial:
        raise RuntimeError(f"bench.efi did not get to its end on {controller}: {got.serial[-300:]!r}")
    return got


# ---- instructions, requests ------------------------------------------------------------------

def count_instructions(build, folder, counter, controller):
    """({place: {bytes a request: instructions}}, instructions from app to next loader)."""
    out = folder / f"counts-{controller}"
    options = [str(counter), f"out={out}", f"wait_us={WAIT_US}", f"mark={MARK}"]
    boot(build, folder / f"count-{controller}", "count", controller,
         extra=["-plugin", ",".join(options)])
    at = [int(line.split()[1]) for line in out.read_text().splitlines()]
    loop = min(b - a for a, b in zip(at[:2 * TURNS:2], at[1:2 * TURNS:2]))
    if abs(loop - 2 * LOOPS) > 20:
        raise RuntimeError(f"{2 * LOOPS} instructions were counted as {loop}")
    at = at[2 * TURNS:]
    reads = 2 * REQUESTS * len(SIZES)
    cuts = {"leg": 0, "volume": reads + 2, "disk": reads + 2 + reads}
    handover = at[reads + 1] - at[reads]
    least = {}
    for place, first in cuts.items():
        mine = at[first:first + reads]
        costs = [b - a for a, b in zip(mine[::2], mine[1::2])]
        least[place] = {size: min(costs[i * REQUESTS:(i + 1) * REQUESTS])
                        for i, size in enumerate(SIZES)}
    return least, handover


def count_requests(build, folder, controller):
    """({place: {bytes a request: requests to both disks}}, those from app to next loader)."""
    seen = {}

    def note(what):
        def look(monitor):
            seen[what] = sum(served for served, _ in monitor.reads())
        return look

    texts = [f"BENCH {when} {place} {size}" for place in PLACES for size in SIZES
             for when in ("before", "after")] + ["BENCH start mirrorboot"]
    # A whole line: 4096 would be found in 40960 otherwise.
    boot(build, folder / f"requests-{controller}", "count", controller,
         marks={t: note(t) for t in texts})
    first = f"BENCH before volume {SIZES[0]}"
    counts = {place: {size: seen[f"BENCH after {place} {size}"] - seen[f"BENCH before {place} {size}"]
                      for size in SIZES} for place in PLACES}
    # bench.efi's own reads of the volume come between: they are as many as those shown.
    return counts, seen[first] - seen["BENCH start mirrorboot"] - sum(counts["volume"].values())


def print_costs(build, folder):
    print(f"\nUEFI: reads through Block I/O, a MiB (goal {READ_GOAL - 1:.0%}): guest instructions, and "
          "requests to both disks")
    widths = (12, 11, 11, 10, 11, 10, 8, 11, 10, 8, 5)
    for cells in (("", "bytes", "leg alone", "", "volume", "", "", "in place", "", "", ""),
                  ("", "a request", "instr.", "requests", "instr.", "requests", "ratio", "instr.",
                   "requests", "ratio", "")):
        print("  " + "".join(c.ljust(w) for c, w in zip(cells, widths)).rstrip())
    counter, handovers = build_counter(build), {}
    for controller in COUNTED:
        instructions, cost = count_instructions(build, folder, counter, controller)
        requests, asked = count_requests(build, folder, controller)
        handovers[controller] = cost, asked
        for size in SIZES:
            times, alone = MIB / size, instructions["leg"][size]
            row = [controller, size]
            for place in PLACES:
                row += [f"{instructions[place][size] * times:.0f}",
                        f"{requests[place][size] * times / REQUESTS:.1f}"]
                if place != "leg":
                    row.append(f"{instructions[place][size] / alone:.3f}")
            worst = max(instructions[p][size] for p in PLACES) / alone
            row.append(verdict(worst <= READ_GOAL))
            print("  " + "".join(str(c).ljust(w) for c, w in zip(row, widths)).rstrip())
    print("\nUEFI: from mirrorboot's first instruction to the next loader's")
    for controller, (cost, asked) in handovers.items():
        print(f"  {controller:<12}{cost} instructions, {asked} requests to both disks")


# ---- both legs at once -----------------------------------------------------------------------

def rates(build, folder, controller):
    """{place: the guest's clock for 16 MiB}, both disks throttled alike."""
    def throttle(monitor):
        for n in (0, 1):
            monitor.ask("block_set_io_throttle", device=f"d{n}", bps=0, bps_rd=BPS, bps_wr=0,
                        iops=0, iops_rd=0, iops_wr=0)

    got = boot(build, folder / f"rate-{controller}", "rate", controller,
               marks={"BENCH rate leg": throttle})
    return {place: int(re.search(rf"BENCH ticks {place} (\d+)", got.serial)[1]) for place in PLACES}


def print_spread(build, folder, controllers=SPREAD):
    print(f"\nUEFI: rate of a 16 MiB read, both disks throttled to {BPS // MIB} MiB/s, against one leg's "
          f"(goal {SPREAD_GOAL})")
    for controller in controllers:
        ticks = rates(build, folder, controller)
        volume, disk = (ticks["leg"] / ticks[p] for p in ("volume", "disk"))
        print(f"  {controller:<12}volume {volume:.2f}  in place {disk:.2f}  "
              f"{'OK' if min(volume, disk) >= SPREAD_GOAL else 'UNDER'}")


def bench(build, folder):
    """Both tables. Without a QEMU that counts, the second alone, and a word about it."""
    folder = Path(folder) / "uefi"
    folder.mkdir()
    try:
        print_costs(build, folder)
    except Unavailable as e:
        print(f"\nUEFI instructions: SKIPPED, this QEMU can't count them: {e}")
    print_spread(build, folder)


if __name__ == "__main__":
    import argparse
    import tempfile

    args = argparse.ArgumentParser(description="UEFI: instructions, requests, both legs at once")
    args.add_argument("--build", default="build", help="where make built (O=)")
    args.add_argument("--spread", nargs="*", help="only the rates, on these controllers")
    given = args.parse_args()
    cli.use_build(Path(given.build).resolve())
    with tempfile.TemporaryDirectory(prefix="mirrorboot-bench-") as tmp:
        if given.spread is not None:
            print_spread(Path(given.build).resolve(), Path(tmp), given.spread or SPREAD)
        else:
            bench(Path(given.build).resolve(), tmp)
