# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The sentences that the sources say to people, and those that docs/failures.md explains."""

import functools
import re

from disks import TOP

C_SOURCES = [p for folder in ("tools", "efi", "stage2", "common")
             for p in sorted((TOP / folder).glob("*.[ch]"))]
OTHER_SOURCES = [TOP / "mbr/mbr.asm", *sorted(p for p in (TOP / "tools/dist").rglob("*")
                                              if p.is_file())]
DOC = TOP / "docs/failures.md"

TOKEN = re.compile(r'''(?P<skip>/\*.*?\*/|//[^\n]*|\s+|\\\n)
                     |(?P<directive>(?<![^\n])[ \t]*\#[ \t]*(?:include|error|pragma)[^\n]*)
                     |(?P<char>'(?:[^'\\\n]|\\.)+')
                     |"(?P<text>(?:[^"\\\n]|\\.)*)"
                     |(?P<word>[A-Za-z_]\w*)
                     |(?P<other>.)''', re.S | re.X)

# What is given to these is not said to anybody: it is compared, opened, run, or for programs.
NOT_SAID = re.compile(r"""_Static_assert|asm|__asm__|__attribute__|section|CHAR16_TEXT|assert
    |mem(?:cmp|mem)|str(?:n?(?:case)?cmp|str|sep|c?spn|r?chr)|same\w*|getenv|open\w*|fopen|access
    |(?:run|json|blkid|fdisk|mnt)_\w+""",
                      re.X)
# What --help says, which tests/cli/test_man.py looks at: members of a command's table, and by form
# ("  --option ARG   text", " [--option]"). "# ..." is a comment in a file that the tool writes, and
# "mirrorboot esp clone" alone a command to type.
HELP = ("name", "args", "summary", "help", "short_options")
HELP_FORM = re.compile(r"  \S+( \S+)?  +\S| ?\[|# |mirrorboot (install|uninstall|verify|status|esp|"
                       r"entries|ldm|drill|dump)\b[^.:;]*$")
# Tables of what others say, to know them by it.
MARKS = ("dead_ends", "makers")
HELP_FUNCTION = re.compile(r"(\w+_)?(help|usage)")

WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")


@functools.lru_cache(maxsize=None)
def tokens(source):
    """(kind, text) of C, without comments and blanks; literals that stand side by side joined."""
    out = []
    for m in TOKEN.finditer(source):
        kind = m.lastgroup
        if kind in ("skip", "directive"):
            continue
        text = m[kind]
        if kind == "text":
            # PRIu64 and the like between two literals is a part of the format
            if len(out) > 1 and out[-1][1].startswith("PRI") and out[-2][0] == "text":
                out.pop()
                out[-1] = ("text", out[-1][1] + "u" + text)
                continue
            if out and out[-1][0] == "text":
                out[-1] = ("text", out[-1][1] + text)
                continue
        out.append((kind, text))
    return out


def literals(source):
    """Each literal that may be said to people: not what NOT_SAID is given, not help texts."""
    calls, depth = [], 0
    before = last = member = function = called = None
    for kind, text in tokens(source):
        if kind == "text" and member not in HELP + MARKS and not HELP_FORM.match(text) and \
                not HELP_FUNCTION.fullmatch(function or "") and \
                not any(c and NOT_SAID.fullmatch(c) for c in calls):
            yield text
        if kind == "other":
            if text == "(":
                calls.append(before)
                called = before if depth == 0 and len(calls) == 1 else called
            elif text == ")" and calls:
                calls.pop()
            elif text in ";{}":
                calls = []
                member = None if member not in MARKS or text == ";" else member
                function = called if text == "{" and depth == 0 else function
                depth += {"{": 1, "}": -1}.get(text, 0)
                called = function = None if depth == 0 else function
            elif not calls and text in ",=" and member not in MARKS:
                member = last if text == "=" else None
        before = text if kind == "word" else None
        last = text if kind == "word" else last


def pieces(literal):
    """What stands in it as it is: without formats (%s), numbers' places and ends of lines."""
    text = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\n", "r": "\n"}.get(m[1], m[1]), literal)
    return re.split(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[a-zA-Z%]|\n+", text)


def words(text):
    """The words that stand apart by blanks: a path, a JSON key or an option is no word."""
    return [w for w in text.split() if WORD.fullmatch(w.strip(".,:;()\"'?!`"))]


def plain(text):
    text = re.sub(r"^mirrorboot: ", "", re.sub(r"\s+", " ", re.sub(r"[`*]", "", text)))
    return text.strip(" .,:;()\"").lower()


def fixed(literals_):
    """(literal, its longest fixed piece) of those that have one of three words or more."""
    for literal in literals_:
        longest = max(pieces(literal), key=lambda p: len(words(p)))
        if len(words(longest)) >= 3:
            yield literal, plain(longest)


def said():
    """{file: [(literal, its longest fixed piece)]}; of scripts what echo is given."""
    found = {p: list(fixed(literals(p.read_text()))) for p in C_SOURCES}
    for p in OTHER_SOURCES:
        texts = re.findall(r'^\s*(?:db\b|echo|printf|logger)[^"\n]*"((?:[^"\\\n]|\\.)+)"',
                           p.read_text(), re.M)
        found[p] = list(fixed(texts))
    return {p.relative_to(TOP): texts for p, texts in found.items() if texts}


def explained():
    """The first column of each table that is headed "message"; and what is outside of tables."""
    messages, prose, rows, wanted = [], [], 0, False
    for line in DOC.read_text().splitlines():
        rows = rows + 1 if line.startswith("|") else 0
        if not rows:
            prose.append(line)
            continue
        cell = re.split(r"(?<!\\)\|", line)[1].replace("\\|", "|").strip()
        if rows == 1:
            wanted = cell == "message"
        elif rows > 2 and wanted:
            messages += [m.strip() for m in cell.split("<br>")]
    return messages, " ".join(prose)
