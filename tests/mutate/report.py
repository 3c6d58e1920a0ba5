# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The score, and who survived."""

from collections import Counter

LIVED = ("lived", "unreached")


def equivalents(path):
    """{key: reason}; a line is "PATH FUNCTION: BEFORE -> AFTER", the reason follows, indented."""
    out, key = {}, None
    for line in path.read_text().splitlines() if path.exists() else ():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] in " \t":
            out[key] = f"{out[key]} {line.strip()}".strip()
        else:
            key = line.strip()
            if key in out:
                raise ValueError(f"{path}: twice: {key}")
            out[key] = ""
    without = [k for k, reason in out.items() if not reason]
    if without:
        raise ValueError(f"{path}: without a reason: {without[0]}")
    return out


class Report:
    def __init__(self, path, mutants, became):
        self.same = equivalents(path)
        self.mutants = [m for m in mutants if m.key in became]
        self.became = became
        self.files = {}
        for m in self.mutants:
            counts = self.files.setdefault(m.path, Counter())
            counts["all"] += 1
            counts[self.what(m)] += 1

    def what(self, m):
        how = self.became[m.key]
        if how == "same code":
            return "same"
        if how not in LIVED:
            return "killed"
        return "equivalent" if m.key in self.same else how

    @staticmethod
    def score(counts):
        real = counts["all"] - counts["equivalent"] - counts["same"]
        return 100.0 * counts["killed"] / real if real else 100.0

    def total(self):
        return sum(self.files.values(), Counter())

    def table(self):
        lines = [f"{'file':28} {'mutants':>7} {'killed':>7} {'lived':>6} {'unreached':>9} "
                 f"{'same code':>9} {'equivalent':>10} {'score':>6}"]
        rows = sorted(self.files.items(), key=lambda i: self.score(i[1]))
        for path, c in [*rows, ("all", self.total())]:
            lines.append(f"{path:28} {c['all']:7} {c['killed']:7} {c['lived']:6} "
                         f"{c['unreached']:9} {c['same']:9} {c['equivalent']:10} "
                         f"{self.score(c):5.1f}%")
        return "\n".join(lines)

    def write(self, path):
        with path.open("w", encoding="latin-1") as f:
            for m in self.mutants:
                if self.what(m) in LIVED:
                    note = " (unreached)" if self.what(m) == "unreached" else ""
                    rest = m.key.split(" ", 1)[1]
                    f.write(f"{m.path}:{m.line}: {m.operator}{note}: {rest}\n")

    def verdict(self, least, whole):
        """The exit status."""
        status = 0
        keys = {m.key for m in self.mutants}
        for key in self.same:
            if key in keys and self.became[key] not in (*LIVED, "same code"):
                print(f"equivalent.txt is wrong, a test sees it ({self.became[key]}): {key}")
                status = 1
            elif whole and key not in keys:
                print(f"equivalent.txt names a mutant that is not made: {key}")
                status = 1
        score = self.score(self.total())
        if score < least:
            print(f"{score:.1f}% are killed; {least:.1f}% must be")
            status = 1
        return status
