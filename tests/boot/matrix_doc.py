# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""docs/matrix.md, and the section of docs/failures.md, from the fault matrix's table."""

import datetime
import re
import subprocess

import cli
import matrix
import matrix_disks
from matrix_types import BAD

PAGE, FAILURES = cli.ROOT / "docs" / "matrix.md", cli.ROOT / "docs" / "failures.md"
HEADING = "## What is expected for each fault"
FALSELY = "## What it would take to pass falsely"


def section():
    """The section of docs/failures.md."""
    lines = [HEADING, "",
             "What mirrorboot does with a mirror of two legs, a (which md reads first) and b, when this "
             f"has happened to it. {len(matrix.cells())} cells,",
             "these faults on six controllers and both firmwares, are booted by `make matrix`: "
             "[matrix.md](matrix.md).", "",
             "| fault | BIOS | UEFI | why |", "| --- | --- | --- | --- |"]
    lines += [f"| {f.title} | {f.bios} | {f.uefi} | {f.why} |" for f in matrix.FAULTS]
    return "\n".join(lines) + "\n"


def section_of(text, heading=HEADING):
    """(before, the section, behind) of a page; the section is "" when there is none."""
    found = re.search(rf"^{re.escape(heading)}$.*?(?=^## |\Z)", text, re.M | re.S)
    if not found:
        return text.rstrip("\n") + "\n\n", "", ""
    return text[:found.start()], found[0], text[found.end():]


def write_section():
    before, _, behind = section_of(FAILURES.read_text())
    FAILURES.write_text(before + section() + ("\n" + behind if behind else ""))


def _package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True,
                          text=True)
    return done.stdout.strip() or "of unknown version"


def versions():
    said = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True,
                          check=True).stdout
    ours = re.search(r"^VERSION\s*\??:?=\s*(\S+)", (cli.ROOT / "Makefile").read_text(), re.M)[1]
    return (f"mirrorboot {ours}, QEMU {re.search(r'version ([0-9.]+)', said)[1]} "
            f"({_package('qemu-system-x86')}), SeaBIOS {_package('seabios')}, "
            f"OVMF {_package('ovmf')}")


# Marks in the table, and what they mean.
NOTES = {
    "r": "The other disk was started: SeaBIOS starts the first disk only, and when it can't read LBA 0 "
         "there, it says so and stops. That is booted too, and expected.",
    "l": "The firmware calls failed reads and writes, and all that follow on that disk, a success: what is "
         "expected is what can be had all the same.",
    "g": "The firmware fails every request of a disk after the first that failed, each after half a minute: what "
         "is expected is what the other disk can give.",
    "s": "SeaBIOS starts from 4Kn disks, and mirrorboot is installed on disks of 512-byte sectors only: it "
         "is on a third disk, without a leg; the mirror is on the 4Kn disks.",
    "w": "Write-protected: the resident part has no room for sectors of 4 KiB.",
}


def marks(cell):
    """Which notes a cell has."""
    boots = matrix.BY_KEY[cell.fault].boots(cell)
    found = "r" if any(not b.starts for b in boots) else ""
    found += "l" if cell.lies and any(BAD in b.only or b.legs is None for b in boots) else ""
    found += "g" if cell.gives_up and any(b.bad for b in boots) else ""
    found += "s" if cell.shim else ""
    return found + ("w" if cell.shim and cell.fault == "write" else "")


def table(results):
    """The whole table, a row a fault. results: {Cell: [(Boot, complaints, Seen)]}"""
    heads = [f"{title} {matrix.FIRMWARES[w]}" for w in matrix.FIRMWARES
             for title in matrix.CONTROLLERS.values()]
    lines = ["| fault | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    for fault in matrix.FAULTS:
        row = [fault.title]
        for w in matrix.FIRMWARES:
            for c in matrix.CONTROLLERS:
                cell = matrix.Cell(fault.key, c, w)
                row.append(word(cell, results.get(cell)))
        lines.append("| " + " | ".join(row) + " |")
    return lines


def word(cell, result):
    if result is None:
        return "not run"
    if any(complaints for _, complaints, _ in result):
        return "**FAIL**"
    noted = marks(cell)
    return "ok" + (f" ({','.join(noted)})" if noted else "")


def boots_table(results):
    """Each boot by name, with the controllers that it was done on."""
    lines = ["| fault | boot | BIOS | UEFI |", "| --- | --- | --- | --- |"]
    for fault in matrix.FAULTS:
        names = {}
        for cell, result in results.items():
            if cell.fault == fault.key:
                for boot, complaints, _ in result:
                    tally = names.setdefault(boot.name, {w: [0, 0] for w in matrix.FIRMWARES})
                    tally[cell.firmware][0] += not complaints
                    tally[cell.firmware][1] += 1
        for name, tally in names.items():
            said = (f"{good} of {all_}" if all_ else "" for good, all_ in tally.values())
            lines.append(f"| {fault.title} | {name} | " + " | ".join(said) + " |")
    return lines


INTRO = """\
# The fault matrix

Every fault, on every controller, on both firmwares: {cells} cells, {boots} boots, run by `make matrix` in {minutes}
minutes on two cores. {date}: {versions}. {good} of {cells} cells came as expected; none is impossible in this QEMU.

What is expected stands in one table, `tests/boot/matrix.py`, and in
[failures.md](failures.md#what-is-expected-for-each-fault), which is written from it. `tests/boot/test_matrix.py` boots
{sample} cells of it in `make test`, all of them in `make test-whole`, and compares this page and that section with the
table. `make matrix ONLY="dead uefi nvme"` boots some of it, and leaves this page alone.

How a cell is judged:

- The disks have a mirror of md, its metadata as mdadm wrote them. Its data are records, 512 bytes each, that say of
  which leg and which generation they are, which place they belong to, and have a sum: legs in sync differ in the leg's
  letter, so that it is seen from which leg each sector came, and that none is another's, old, or half copied.
- The machine is started from the disks by the firmware, goes through mirrorboot, and starts a loader
  (`tests/boot/matrix.asm`, which lies in the mirror; `tests/efi/matrix.c`, which lies on the EFI system partition). It
  reads {records} records on each drive that INT 13h has, or on each Block I/O handle, by requests of 16 KiB (BIOS) or
  32 KiB (UEFI), one that fails once more sector by sector.
- Compared are: where each sector came from; which requests failed; the state, the verdicts and the sentences on the
  screen; whether the bad place was met at all (QEMU counts the errors); and afterwards the images: no byte was changed
  but the boot record's sector (BIOS) and, where the loader wrote, its sector, superblocks and bitmaps.

- What is expected of mirrorboot was written down first: what Linux md does, and what failures.md says. What the
  firmware makes of a failing disk (the letters r, l and g below) was found by trying, and the cells take it as given.

## The cells

"""

NOTES_HEAD = "\nWhat the letters mean:\n\n"


def page(results, minutes, falsely):
    good = sum(not any(c for _, c, _ in r) for r in results.values())
    text = INTRO.format(cells=len(results), boots=sum(map(len, results.values())), minutes=minutes,
                        date=datetime.date.today().isoformat(), versions=versions(), good=good,
                        sample=len(matrix.SAMPLE), records=matrix_disks.FIELD_COUNT)
    text += "\n".join(table(results)) + "\n" + NOTES_HEAD
    used = {m for cell in results for m in marks(cell)}
    text += "\n".join(f"- ({key}) {said}" for key, said in NOTES.items() if key in used) + "\n"
    text += "\n## The boots\n\nHow many came as expected, of how many. Under UEFI, where a boot takes "
    text += f"long, some are done on {matrix.CONTROLLERS[matrix.ONCE]} only.\n\n"
    text += "\n".join(boots_table(results)) + "\n\n" + falsely
    return text


def falsely():
    """The section on what the matrix finds, as it is on the page: matrix_broken.py writes it."""
    return section_of(PAGE.read_text(), FALSELY)[1] if PAGE.exists() else ""


def write_page(results, minutes):
    PAGE.write_text(page(results, minutes, falsely()))


def write_falsely(text):
    before, _, behind = section_of(PAGE.read_text() if PAGE.exists() else "", FALSELY)
    PAGE.write_text(before + text + behind)
