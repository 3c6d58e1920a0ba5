# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "images"))

import ldmtable  # noqa: E402


def pytest_configure(config):
    if not os.environ.get("PYTEST_XDIST_WORKER"):  # before the workers start
        ldmtable.path().unlink(missing_ok=True)


def pytest_terminal_summary(terminalreporter):
    wrong, rows = ldmtable.finish()
    if rows:
        terminalreporter.section(f"dynamic disks on which ldmtool is wrong: {len(wrong)} of "
                                 f"{len(rows)} cases, all in {ldmtable.path()}")
    for row in [*ldmtable.HEAD.splitlines(), *wrong] if wrong else []:
        terminalreporter.write_line(row)
