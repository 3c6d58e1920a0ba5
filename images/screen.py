# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Reading mirrorboot's own screen, from the serial line: the lines of common/report.c."""

import re
from dataclasses import dataclass

LAST_LINE = " is read."  # ends what the screen says before it starts the next loader
WAITS = "Press a key"
NEXT_STARTED = "GRUB: started"

_STATES = "healthy|degraded|split-brain|unusable|untrusted"
_VERDICTS = ("in-sync|stale|rebuilding|faulty|missing|unreadable|spare|conflict|unsupported|"
             "untrusted")
_MIRROR = re.compile(rf"^mirror (\S+)  (\S+)  (.+?)  ({_STATES})\b", re.M)
_LEG = re.compile(rf"^([* ]) leg (\d+)\s+(\S.*?)\s+({_VERDICTS})\s+(\S.*)$", re.S)


@dataclass
class Leg:
    index: int
    where: str
    verdict: str
    reason: str


@dataclass
class Screen:
    """The first mirror on the screen."""
    state: str
    chosen: int
    legs: dict


def text(serial):
    """What mirrorboot itself printed: up to where the next loader starts."""
    start = serial.find("mirrorboot ")
    if start < 0:
        return ""
    return serial[start:].split(NEXT_STARTED)[0]


def parse(serial):
    """The Screen, None when there is none."""
    said = text(serial)
    head = _MIRROR.search(said)
    if not head:
        return None
    # A long line goes on in the next one where the console is 80 wide.
    entries = []
    for line in said[head.end():].splitlines()[1:]:
        if re.match(r"[* ] leg \d", line):
            entries.append(line)
        elif entries and not re.match(r"(Mirror|mirror|Warning|No |A disk)\b", line):
            entries[-1] += "\n" + line
        else:
            break
    legs, chosen = {}, None
    for entry in entries:
        leg = _LEG.match(entry)
        if not leg:
            raise ValueError(f"not a leg's line: {entry!r}")
        index = int(leg[2])
        legs[index] = Leg(index, leg[3], leg[4], leg[5])
        if leg[1] == "*":
            chosen = index
    return Screen(head[4], chosen, legs)


def _squeeze(words):
    # where a line was wrapped, a blank may have become a line end or gone
    return re.sub(r"\s", "", words)


def differences(seen, mirror):
    """What a Screen and a mirror of `status --json` do not agree on: (what, here, there)."""
    if seen.state != mirror["state"]:
        yield "state", seen.state, mirror["state"]
    if seen.chosen != mirror["chosen"]:
        yield "chosen leg", seen.chosen, mirror["chosen"]
    if set(seen.legs) != {leg["index"] for leg in mirror["legs"]}:
        yield "legs", sorted(seen.legs), [leg["index"] for leg in mirror["legs"]]
        return
    for leg in mirror["legs"]:
        mine = seen.legs[leg["index"]]
        if mine.verdict != leg["verdict"]:
            yield f"leg {mine.index}", mine.verdict, leg["verdict"]
        if _squeeze(mine.reason) != _squeeze(leg["reason"]):
            yield f"leg {mine.index}, why", mine.reason, leg["reason"]
