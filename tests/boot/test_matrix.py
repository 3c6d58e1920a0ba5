# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The fault matrix: a fixed sample of its cells, all of them with MIRRORBOOT_WHOLE=1.

`make matrix` runs all of it, prints it and writes docs/matrix.md.
"""

import os

import pytest

import matrix
import matrix_doc
import matrix_run

WHOLE = os.environ.get("MIRRORBOOT_WHOLE") == "1"
CELLS = matrix.cells() if WHOLE else matrix.sample()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("matrix")


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.name.replace(" ", "-"))
def test_cell(shelf, cell):
    said = []
    for boot, complaints, seen in matrix_run.run_cell(cell, shelf):
        said += [f"{boot.name}: {what}" for what in complaints]
        if complaints and seen:
            said.append(seen.serial)
    assert not said, "\n".join([cell.name, *said])


def test_the_table_is_whole():
    """13 faults, 6 controllers, 2 firmwares; each cell has a boot; the sample has one of each."""
    cells = matrix.cells()
    assert len(set(cells)) == 13 * 6 * 2
    for cell in cells:
        boots = matrix.BY_KEY[cell.fault].boots(cell)
        assert boots and len({b.name for b in boots}) == len(boots), cell
        for boot in boots:
            assert boot.only or not boot.starts, (cell, boot.name)
    some = matrix.sample()
    assert set(some) <= set(cells) and len(set(some)) == len(some)
    assert {c.fault for c in some} == set(matrix.BY_KEY)
    assert {(c.controller, c.firmware) for c in some} == {(c.controller, c.firmware) for c in cells}


def test_the_section_is_the_table():
    """docs/failures.md says what is booted here."""
    there = matrix_doc.section_of(matrix_doc.FAILURES.read_text())[1]
    assert there.rstrip() == matrix_doc.section().rstrip(), (
        "the section is not the table's: tests/boot/matrix_main.py --section writes it anew")


def test_the_page_is_of_this_table():
    """docs/matrix.md has every cell and every boot that the table has now, and none failed."""
    page = matrix_doc.PAGE.read_text()
    results = {cell: [(boot, [], None) for boot in matrix.BY_KEY[cell.fault].boots(cell)]
               for cell in matrix.cells()}
    for line in [*matrix_doc.table(results), *matrix_doc.boots_table(results)]:
        assert line in page, f"not in docs/matrix.md: {line}; make matrix writes it"


# ---- can it fail? What loaders would say that read what they should not. -------------------------

def judged(boot_name, serial, cell):
    boot = next(b for b in matrix.BY_KEY[cell.fault].boots(cell) if b.name == boot_name)
    seen = matrix_run.Seen(serial, *matrix_run.parse(serial), [1, 1], [1, 1])
    return list(matrix_run.compare(cell, boot, [0, 1], seen))


SCREEN = """\
mirrorboot 0.1
mirror t:boot  md-1.2  47 MiB  healthy
* leg 0  80h part 1     in-sync     up to date (events 19)
  leg 1  81h part 1     in-sync     up to date (events 19)
Mirror t:boot is healthy: leg 0 on 80h part 1 is read.
MATRIX: started
OWN 80
DRIVE 80
{runs}MATRIX: done
"""
GOOD = "RUN a2 0000 03DF\nRUN b2 03E0 07FF\n"
WRONG = {"it is read from the bad leg": "RUN a2 0000 07FF\n",
         "the bad leg is not asked at all": "RUN b2 0000 07FF\n",
         "old bytes": "RUN a2 0000 03DF\nRUN b1 03E0 07FF\n",
         "not what belongs there": "RUN a2 0000 03DF\nRUN ?? 03E0 03E0\nRUN b2 03E1 07FF\n",
         "an error": "RUN a2 0000 03DF\nFAIL 03E0\nRUN b2 03E0 07FF\n",
         "lost": "RUN a2 0000 03DF\nRUN b2 03E0 03E7\nRUN !! 03E8 03E8\nRUN b2 03E9 07FF\n",
         "the end is missing": "RUN a2 0000 03DF\nRUN b2 03E0 0700\n"}


def test_what_is_right_passes():
    cell = matrix.Cell("mid-file", "ide", "bios")
    assert judged("a sector of leg a", SCREEN.format(runs=GOOD), cell) == []


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_does_not(how):
    cell = matrix.Cell("mid-file", "ide", "bios")
    assert judged("a sector of leg a", SCREEN.format(runs=WRONG[how]), cell)


def test_a_wrong_screen_does_not():
    cell = matrix.Cell("mid-file", "ide", "bios")
    text = SCREEN.format(runs=GOOD)
    assert judged("a sector of leg a", text.replace("leg 1  81h part 1     in-sync",
                                                    "leg 1  81h part 1     stale"), cell)
    assert judged("a sector of leg a", text.replace("MiB  healthy", "MiB  degraded"), cell)
