# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""What README and docs show can be typed, and what they point at is there."""

import re

import pytest

from disks import TOP
from optiontables import commands

PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.S | re.M)
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:^|[\s/$\"])mirrorboot((?: +(?:[a-z-]+|--[a-z0-9-]+)\b)+)")


def name_of(page):
    return str(page.relative_to(TOP))


def anchors(page):
    heads = re.findall(r"^#+ +(.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page):
    for link in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"{name_of(page)} points at {link}, which is not there"
        if anchor:
            assert anchor in anchors(to), f"{name_of(page)}: {to.name} has no heading #{anchor}"


def wrong(text):
    """What of the calls in a line of text the tool does not have. Yields sentences."""
    have = commands()
    groups = {name.split()[0] for name in have if " " in name}
    for call in CALL.finditer(text):
        words = call.group(1).split()
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in have), None)
        if name:
            for option in re.findall(r"--([a-z0-9-]+)", text[call.start():]):
                if option not in have[name] | {"help", "sector-size"}:
                    yield f"{name!r} has no --{option}"
        elif not words[0].startswith("--") and (words[0] not in groups or len(words) > 1):
            yield f"no command {' '.join(words[:2])!r}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands(page):
    """Each `mirrorboot ...` in a block of code or in backticks is one that the tool knows."""
    text = page.read_text()
    lines = [re.sub(r"\s+# .*|[|;&>].*", "", line) for block in FENCE.findall(text)
             for line in block.splitlines()
             if re.match(r"\s*(\$ |sudo |mirrorboot |build/)", line)]
    spans = [span for span in SPAN.findall(FENCE.sub("", text))
             if re.match(r"(sudo )?(build/)?mirrorboot ", span)]
    said = [f"{line.strip()}: {what}" for line in lines + spans for what in wrong(line)]
    assert not said, "\n".join([name_of(page), *said])


def test_it_would_be_seen():
    assert list(wrong("sudo mirrorboot instal /dev/sda")) == ["no command 'instal'"]
    assert list(wrong("mirrorboot esp clon a b")) == ["no command 'esp clon'"]
    assert list(wrong("mirrorboot esp clone --no-such a b")) == ["'esp clone' has no --no-such"]
    assert not list(wrong("mirrorboot status --json /dev/sda"))
