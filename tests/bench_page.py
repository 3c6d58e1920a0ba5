# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The figures of `make bench`: rows of ours beside another's, as text, as JSON, in docs/performance.md.

A row is one figure. It was measured as often as the bench was told (twice), and says how far
the runs lie apart: "equal" is a promise that anybody's machine can check, a spread is none.
"""

import json
import re
from dataclasses import asdict, dataclass, field

MARKER = re.compile(r"(<!-- bench:([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.S)
NOT_YET = "Not measured yet.\n"
CHANGE = 0.02  # what --compare shows
HEAD = ("", "mirrorboot", "other", "which is", "ratio", "goal", "", "runs")


@dataclass
class Row:
    """What was measured: ours, and another's. `goal` is a ratio, `limit` is for ours alone."""
    id: str
    what: str
    ours: float
    other: float = None
    beside: str = ""
    goal: float = None
    limit: float = None
    at_least: bool = False  # the goal is one to reach, not one to stay below
    spread: float = None    # of the runs, as a share; None: was measured once

    @property
    def ratio(self):
        return self.ours / self.other if self.other else None

    @property
    def verdict(self):
        if self.limit is not None and self.ours > self.limit:
            return "OVER"
        if self.goal is None or self.ratio is None:
            return "OK" if self.limit is not None else ""
        if self.at_least:
            return "OK" if self.ratio >= self.goal else "UNDER"
        return "OK" if self.ratio <= self.goal else "OVER"

    @property
    def binding(self):
        """A limit that is ours alone: exceeding it fails the bench."""
        return self.limit is not None


@dataclass
class Section:
    id: str
    title: str
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)  # lines for whoever sees the run, not for the page
    when: str = ""
    seconds: float = 0
    versions: dict = field(default_factory=dict)
    skipped: str = ""


def merge(runs):
    """The first of several measurements of the same rows, with the spread of all of them."""
    first = runs[0]
    for row in first:
        again = [r for run in runs for r in run if r.id == row.id]
        if len(again) != len(runs):
            raise RuntimeError(f"{row.id}: not in every run")
        if len(runs) > 1:
            row.spread = max(apart([r.ours for r in again]),
                             apart([r.other for r in again if r.other is not None]))
    return first


def apart(values):
    return (max(values) - min(values)) / min(values) if values and min(values) else 0.0


# ---- as text ---------------------------------------------------------------------------------

def number(n):
    if n is None:
        return ""
    return f"{n:,.0f}" if float(n).is_integer() or abs(n) >= 1000 else f"{n:.2f}"


def ratio_text(row):
    return "" if row.ratio is None else f"{row.ratio:.3f}"


def goal_text(row):
    if row.limit is not None:
        return number(row.limit)
    return "" if row.goal is None else ("at least " if row.at_least else "") + f"{row.goal:g}"


def spread_text(row):
    if row.spread is None:
        return "one"
    if row.spread == 0:
        return "equal"
    return f"{row.spread:.2%} apart" if row.spread >= 0.0001 else "below 0.01% apart"


def cells(row):
    return (row.what, number(row.ours), number(row.other), row.beside, ratio_text(row),
            goal_text(row), row.verdict, spread_text(row))


def text(section):
    lines = [f"\n{section.title} ({section.seconds:.0f} s)"]
    if section.skipped:
        return "\n".join([*lines, f"  SKIPPED: {section.skipped}"])
    table = [HEAD, *map(cells, section.rows)]
    widths = [max(len(row[i]) for row in table) + 2 for i in range(len(HEAD))]
    right = {1, 2, 4, 5}
    for row in table:
        line = "".join(c.rjust(w - 2) + "  " if i in right else c.ljust(w)
                       for i, (c, w) in enumerate(zip(row, widths)))
        lines.append("  " + line.rstrip())
    return "\n".join(lines + ["  " + note for note in section.notes])


# ---- docs/performance.md ---------------------------------------------------------------------

def markdown(section):
    names = ", ".join(f"{name} {version}" for name, version in section.versions.items())
    out = [f"{section.when}: {names}.\n", "| " + " | ".join(HEAD) + " |",
           "|" + " --- |" * len(HEAD)]
    out += ["| " + " | ".join(cells(row)) + " |" for row in section.rows]
    return "\n".join(out) + "\n"


def fill_page(page, sections):
    """The page with each section's table between its markers."""
    by_id = {s.id: s for s in sections}
    have = [m[2] for m in MARKER.finditer(page)]
    missing = [name for name in by_id if name not in have]
    if missing:
        raise RuntimeError(f"the page has no place for {missing}")

    def table(m):
        if m[2] in by_id:
            return m[1] + markdown(by_id[m[2]]) + m[3]
        return m[1] + NOT_YET + m[3]

    return MARKER.sub(table, page)


# ---- JSON, comparing -------------------------------------------------------------------------

def to_json(sections):
    out = []
    for s in sections:
        out.append({**asdict(s), "rows": [{**asdict(r), "ratio": r.ratio, "verdict": r.verdict}
                                          for r in s.rows]})
        del out[-1]["notes"]
    return json.dumps({"sections": out}, indent=1) + "\n"


def from_json(data):
    sections = []
    for s in json.loads(data)["sections"]:
        rows = [Row(**{k: v for k, v in r.items() if k not in ("ratio", "verdict")})
                for r in s.pop("rows")]
        sections.append(Section(**s, rows=rows))
    return sections


def update(old, new, order):
    """The sections of both; where both have one, the new one. Those that were skipped stay old."""
    by_id = {s.id: s for s in old}
    by_id.update({s.id: s for s in new if not s.skipped})
    return [by_id[name] for name in order if name in by_id]


def compare(old, new, change=CHANGE):
    """Lines: what changed by more than that, what is new, what is gone. Of sections in both."""
    lines, measured = [], {s.id for s in new if not s.skipped}
    was = {r.id: r for s in old if s.id in measured for r in s.rows}
    now = {r.id: r for s in new if not s.skipped for r in s.rows}
    for name, row in now.items():
        if name not in was:
            lines.append(f"new   {name}: {number(row.ours)}")
            continue
        for whose in ("ours", "other"):
            a, b = getattr(was[name], whose), getattr(row, whose)
            if a is None or b is None or a == b:
                continue
            by = b / a - 1 if a else float("inf")
            if abs(by) > change:
                lines.append(f"{by:+.1%} {name}, {whose}: {number(a)} -> {number(b)}")
    return lines + [f"gone  {name}" for name in was if name not in now]
