# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""docs/performance.md has the figures of performance.json, and a change of them is seen."""

import sys

import pytest

from disks import TOP

sys.path.insert(0, str(TOP / "tests"))

import bench_page  # noqa: E402
from bench_page import Row, Section  # noqa: E402

PAGE, FIGURES = TOP / "docs" / "performance.md", TOP / "docs" / "performance.json"


def test_the_page_is_made_of_the_figures():
    page, sections = PAGE.read_text(), bench_page.from_json(FIGURES.read_text())
    assert bench_page.fill_page(page, sections) == page
    assert sections[0].rows
    sections[0].rows[0].ours += 1
    assert bench_page.fill_page(page, sections) != page


def test_no_limit_of_ours_is_exceeded():
    rows = [r for s in bench_page.from_json(FIGURES.read_text()) for r in s.rows if r.binding]
    assert rows and [r.id for r in rows if r.verdict != "OK"] == []


def test_verdicts():
    assert Row("a", "", 102, 100, goal=1.02).verdict == "OK"
    assert Row("a", "", 103, 100, goal=1.02).verdict == "OVER"
    assert Row("a", "", 1.7, 1, goal=1.8, at_least=True).verdict == "UNDER"
    assert Row("a", "", 17, limit=16).verdict == "OVER"
    assert Row("a", "", 17, 20, limit=16).verdict == "OVER"
    assert Row("a", "", 0, 0, limit=0).verdict == "OK"
    assert Row("a", "", 1, 0, limit=0).verdict == "OVER"
    assert Row("a", "", 5, 2).verdict == ""


def test_runs_that_differ():
    rows = bench_page.merge([[Row("a", "", 100, 50)], [Row("a", "", 100, 51)]])
    assert (rows[0].spread, bench_page.spread_text(rows[0])) == (0.02, "2.00% apart")
    rows = bench_page.merge([[Row("a", "", 100, 50)], [Row("a", "", 100, 50)]])
    assert bench_page.spread_text(rows[0]) == "equal"
    assert bench_page.spread_text(bench_page.merge([[Row("a", "", 100)]])[0]) == "one"
    with pytest.raises(RuntimeError, match="a: not in every run"):
        bench_page.merge([[Row("a", "", 1)], []])


def test_what_changed_is_said():
    def of(*rows):
        return [Section("s", "", list(rows))]

    old = of(Row("a", "", 100, 50), Row("b", "", 10), Row("gone", "", 1), Row("zero", "", 0))
    new = of(Row("a", "", 101, 40), Row("b", "", 13), Row("new", "", 1), Row("zero", "", 1))
    assert bench_page.compare(old, new) == [
        "-20.0% a, other: 50 -> 40", "+30.0% b, ours: 10 -> 13", "new   new: 1",
        "+inf% zero, ours: 0 -> 1", "gone  gone"]
    assert bench_page.compare(old, old) == []
    assert bench_page.compare(old, [Section("s", "", skipped="no QEMU")]) == []


def test_it_is_written_and_read_back():
    sections = [Section("s", "title", [Row("a", "what", 1, 2, "that", goal=1.5, spread=0.0)],
                        when="2026-01-01", seconds=3, versions={"QEMU": "7.2"})]
    back = bench_page.from_json(bench_page.to_json(sections))
    assert back == sections
    other = Section("t", "", [Row("b", "", 1)])
    assert [s.id for s in bench_page.update(sections, [other], "tsu")] == ["t", "s"]
    skipped = Section("s", "", skipped="no package")
    assert bench_page.update(sections, [skipped], "ts") == sections
