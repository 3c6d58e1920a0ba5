# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Boots cells of the fault matrix, and compares what comes with matrix.py."""

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import matrix
import matrix_after
import matrix_disks
import qemu
import screen
from matrix_types import BAD, LOST

TIMEOUT_S = {"bios": 120, "uefi": 300}
ENDS = (screen.WAITS, "Stopped.", "No loader found", "can't be presented")
# OVMF waits half a minute for each read that a disk on USB fails: the guest's clock goes by
# its instructions, 256 ns each, so that this takes seconds here.
CLOCK = ("-icount", "shift=8,sleep=off")
# SeaBIOS then says on COM1 what it says on the screen.
SERCON = bytes((0xF8, 0x03))


@dataclass
class Device:
    """What a loader saw of one drive or handle."""
    name: str
    kinds: list = field(default_factory=list)   # of each record
    failed: list = field(default_factory=list)  # first records of requests


@dataclass
class Seen:
    """What came of a boot."""
    serial: str
    devices: list
    own: str
    wrote: str
    failed_reads: list
    failed_writes: list
    seconds: float = 0


def parse(serial):
    """(devices, own, wrote) as the loader told."""
    told = serial.split("MATRIX: started", 1)
    devices, own, wrote = [], "volume", ""
    for line in told[1].splitlines() if len(told) == 2 else []:
        word, *rest = line.split()or [""]
        if word == "OWN":
            own = rest[0]
        elif word in ("DRIVE", "FIELD"):
            devices.append(Device(rest[0]))
        elif word == "WRITE":
            wrote = rest[0]
        elif word == "FAIL":
            devices[-1].failed.append(int(rest[0], 16))
        elif word == "RUN":
            kind, first, last = rest[0], int(rest[1], 16), int(rest[2], 16)
            if len(devices[-1].kinds) != first:
                raise ValueError(f"a run that does not go on where the last ended: {line}")
            devices[-1].kinds += [kind] * (last - first + 1)
    return devices, own, wrote


def runs(kinds):
    """[(kind, first, last)]"""
    out = []
    for n, kind in enumerate(kinds):
        if out and out[-1][0] == kind:
            out[-1] = (kind, out[-1][1], n)
        else:
            out.append((kind, n, n))
    return out


def _drives(cell, boot, made, copies):
    order = boot.order if boot.order is not None else range(len(made.legs))
    drives, legs = [], []
    for leg in order:
        drives.append(qemu.Drive(
            str(copies[made.paths[leg]]),
            tuple(p.sector(made, leg) for p in boot.bad.get(leg, ())),
            bad_writes=tuple(p.sector(made, leg) for p in boot.bad_writes.get(leg, ()))))
        legs.append(leg)
    if made.shim:
        drives.insert(0, qemu.Drive(str(copies[made.shim]), controller="ide"))
        legs.insert(0, None)
    return drives, legs


def _stats(monitor):
    stats = {s["device"]: s["stats"] for s in monitor.ask("query-blockstats")}
    names = sorted(name for name in stats if re.fullmatch(r"d\d+", name))
    return ([stats[n]["failed_rd_operations"] for n in names],
            [stats[n]["failed_wr_operations"] for n in names])


def _press(monitor):
    monitor.key("ret")


def run_boot(cell, boot, shelf, keep=None):
    """(complaints, Seen) of one boot. shelf: the folder of the disks."""
    made = matrix_disks.make(shelf, boot.scene, cell.firmware, cell.sector, boot.writes)
    with tempfile.TemporaryDirectory(prefix="mirrorboot-matrix-") as tmp:
        copies = {}
        for path in [*made.paths, *([made.shim] if made.shim else [])]:
            copies[path] = Path(tmp) / path.name
            subprocess.run(["cp", "--sparse=auto", str(path), str(copies[path])], check=True)
        for leg, sectors in boot.cut.items():
            path = copies[made.paths[leg]]
            with open(path, "r+b") as f:
                f.truncate(path.stat().st_size - sectors * 512)
        drives, legs = _drives(cell, boot, made, copies)
        slow = (cell.firmware, cell.controller) == ("uefi", "usb") and boot.bad
        extra, until = CLOCK if slow else (), (boot.until, *ENDS)
        if not boot.starts:
            (Path(tmp) / "sercon").write_bytes(SERCON)
            extra = ("-fw_cfg", f"name=etc/sercon-port,file={tmp}/sercon")
            until = (boot.firmware_says, "mirrorboot ")
        stats = []
        got = qemu.boot(drives, cell.firmware, cell.controller, until=until, writable=True,
                        timeout_s=TIMEOUT_S[cell.firmware], extra=extra, keep=keep,
                        marks={"Going on in": _press}, at_end=lambda m: stats.extend(_stats(m)))
        seen = Seen(got.serial, *parse(got.serial.split("\n" + boot.until)[0]), *(stats or ([], [])), got.seconds)
        complaints = list(compare(cell, boot, legs, seen))
        complaints += matrix_after.compare(cell, boot, made, copies)
    return complaints, seen


def _squeeze(words):
    return re.sub(r"\s", "", words).lower()


def compare(cell, boot, legs, seen):
    """What is not as matrix.py says."""
    said = _squeeze(seen.serial)
    if not boot.starts:
        if _squeeze(boot.firmware_says) not in said:
            yield f"the firmware does not say {boot.firmware_says!r}"
        if "mirrorboot" in said:
            yield "mirrorboot was started"
        return
    if boot.until not in seen.serial or not seen.devices:
        yield "the next loader did not come to its end"
        return
    shown = screen.parse(seen.serial)
    if shown is None:
        yield "no mirror on the screen"
    else:
        if shown.state not in boot.state:
            yield f"the mirror is {shown.state}, not {' or '.join(boot.state)}"
        verdicts = {n: leg.verdict for n, leg in shown.legs.items()}
        if boot.legs is not None and (verdicts.keys() != boot.legs.keys() or any(
                verdicts[n] not in boot.legs[n] for n in verdicts)):
            yield f"the legs are {verdicts}, not {boot.legs}"
    for words in boot.says:
        if _squeeze(words) not in said:
            yield f"the screen does not say {words!r}"
    if seen.wrote != boot.wrote:
        yield f"the write: {seen.wrote!r}, not {boot.wrote!r}"
    yield from compare_data(cell, boot, seen)
    if boot.met:
        for failed, bad in ((seen.failed_reads, boot.bad), (seen.failed_writes, boot.bad_writes)):
            for n, leg in enumerate(legs):
                if bad.get(leg) and not (n < len(failed) and failed[n]):
                    yield f"the bad place on leg {leg} was not met: nothing was proved"


def compare_data(cell, boot, seen):
    mine = [d for d in seen.devices if d.name == seen.own]
    if not mine:
        yield f"nothing was read on {seen.own}"
        return
    for device in seen.devices:
        main = device is mine[0]
        kinds = set(device.kinds)
        if not main and kinds <= {LOST, BAD} and (
                cell.firmware == "bios" or kinds == {LOST}):
            continue  # hidden, or another disk
        allowed = set(boot.only) | (set() if main else set(boot.others))
        if len(device.kinds) != matrix_disks.FIELD_COUNT:
            yield f"{device.name}: only {len(device.kinds)} records were read"
        if not kinds <= allowed:
            wrong = [r for r in runs(device.kinds) if r[0] not in allowed]
            yield f"{device.name}: {wrong[:4]}, where only {sorted(allowed)} may be"
        if not main:
            continue
        for number, kind in boot.must.items():
            kind = (kind,) if isinstance(kind, str) else kind
            if device.kinds[number:number + 1] and device.kinds[number] not in kind:
                yield (f"{device.name}: record {number} is {device.kinds[number]}, "
                       f"not {' or '.join(kind)}")
        if boot.failed_requests is not None and tuple(device.failed) != boot.failed_requests:
            yield (f"{device.name}: requests failed at {device.failed}, "
                   f"not at {list(boot.failed_requests)}")


def run_cell(cell, shelf, keep=None):
    """[(Boot, complaints, Seen)]; each boot that can't be made at all is a complaint, too."""
    out = []
    for boot in matrix.BY_KEY[cell.fault].boots(cell):
        kept = keep and Path(keep) / f"{cell.name} {boot.name}".replace(" ", "-").replace("/", "-")
        try:
            out.append((boot, *run_boot(cell, boot, shelf, kept)))
        except (OSError, RuntimeError, ValueError, subprocess.CalledProcessError) as why:
            out.append((boot, [f"{type(why).__name__}: {why}"], None))
    return out
