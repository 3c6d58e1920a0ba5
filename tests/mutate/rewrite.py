# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""A file with all its mutants in it, each behind a switch: MUTANT(number) says whether it is on."""

import re


class Site:
    def __init__(self, begin, end):
        self.begin, self.end = begin, end
        self.mutants, self.inner = [], []


def tree(mutants, size):
    """The sites, each with those that lie in it."""
    sites = {}
    for m in mutants:
        sites.setdefault((m.begin, m.end), Site(m.begin, m.end)).mutants.append(m)
    root = Site(0, size)
    stack = [root]
    for key in sorted(sites, key=lambda k: (k[0], -k[1])):
        site = sites[key]
        while not (stack[-1].begin <= site.begin and site.end <= stack[-1].end):
            stack.pop()
        stack[-1].inner.append(site)
        stack.append(site)
    return root


def inside(text, site, end=None):
    out, at = [], site.begin
    for child in site.inner:
        out.append(text[at:child.begin])
        rendered, at = render(text, child)
        out.append(rendered)
    out.append(text[at:site.end if end is None else end])
    return "".join(out)


def render(text, site):
    """(what stands for it, where the text goes on)"""
    body, end = inside(text, site), site.end
    blocks = [m for m in site.mutants if m.form == "block"]
    values = [m for m in site.mutants if m.form != "block"]
    if values:
        gone = any(m.form == "gone" for m in values)
        truth = any(m.form == "truth" for m in values)
        cast = "(void)" if gone else "!!" if truth else ""
        chain = "".join(f"MUTANT({m.number}) ? {cast}({m.after or '0'}) : " for m in values)
        body = f"({chain}{cast}({body}))"
    for m in blocks:
        semicolon = re.compile(r"\s*;").match(text, end)
        end = semicolon.end()
        body = f"{{ if (!MUTANT({m.number})) {body}; }}"
    return body, end


def rewrite(text, mutants):
    return inside(text, tree(mutants, len(text)))
