# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""BUILD/oracle/ldm-cases.txt: which legs ldmtool takes of each case, beside what is right."""

import fcntl

import cli

HEAD = """\
| disks | case | right: mirror | read from | a | b | ldmtool a,b | ldmtool b,a | ldmtool's fault |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def path():
    return cli.build_folder() / "oracle" / "ldm-cases.txt"


def add(*cells):
    """One line; several processes may be writing."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with open(path(), "a") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.write("| " + " | ".join(cells) + " |\n")


def finish():
    """Sort it, with a head. Returns the rows of cases in which ldmtool is wrong, and of all."""
    if not path().exists():
        return [], []
    rows = sorted(set(path().read_text().splitlines()) - set(HEAD.splitlines()))
    path().write_text(HEAD + "\n".join(rows) + "\n")
    return [row for row in rows if not row.endswith("|  |")], rows
