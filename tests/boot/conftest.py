# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Disks for the boot tests: made once a session, copied by the tests that change them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "images"))

import cli  # noqa: E402
import qemu  # noqa: E402
import scenario  # noqa: E402


class Shelf:
    """Disks by pair and table: without mirrorboot (bare) and with it (ready)."""

    def __init__(self, folder):
        self.folder, self.made, self.copies = folder, {}, 0

    def bare(self, pair, table="mbr", **options):
        key = ("bare", pair, table, *sorted(options.items()))
        if key not in self.made:
            self.made[key] = scenario.make(pair, self.folder / f"bare{len(self.made)}", table,
                                           **options)
        return self.made[key]

    def ready(self, pair, table="mbr", **options):
        key = ("ready", pair, table, *sorted(options.items()))
        if key not in self.made:
            disks = self.copy(self.bare(pair, table, **options))
            cli.install(*disks.paths)
            self.made[key] = disks
        return self.made[key]

    def copy(self, disks):
        self.copies += 1
        return scenario.copy(disks, self.folder / f"copy{self.copies}")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    return Shelf(tmp_path_factory.mktemp("disks"))


def pytest_terminal_summary(terminalreporter):
    """The tables of loaders, as this run found them."""
    cells = {}
    for outcome in ("passed", "failed"):  # a cell of several boots has failed when one has
        for report in terminalreporter.stats.get(outcome, []):
            said = dict(report.user_properties)
            if report.when == "call" and "loaders row" in said:
                firmware = said.get("loaders firmware", "BIOS")
                cells[firmware, said["loaders row"], said["loaders controller"]] = outcome
    for firmware, controllers in (("BIOS", qemu.CONTROLLERS), ("UEFI", qemu.UEFI_CONTROLLERS)):
        rows = dict.fromkeys(row for which, row, _ in cells if which == firmware)
        if not rows:
            continue
        width = max(map(len, rows))
        terminalreporter.write_sep("=", f"loaders on each controller, {firmware}")
        terminalreporter.write_line(" " * width + "".join(f"{c:>12}" for c in controllers))
        for row in rows:
            found = (cells.get((firmware, row, c), "not run") for c in controllers)
            terminalreporter.write_line(row.ljust(width) + "".join(f"{f:>12}" for f in found))
