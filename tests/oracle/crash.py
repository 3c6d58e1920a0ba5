# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The states that a cut of the power can leave, from the writes in their order.

Requests come one at a time, each answered before the next is made. Model A: a request
that was answered is on the disk; of the one under way, any subset of its sectors. Model
B: a volatile cache that INT 13h has no function to flush: any subset of the last writes.
"""

import itertools
import random


def apply(members, writes):
    """The members after these writes."""
    out = list(members)
    for leg in {w.leg for w in writes}:
        data = bytearray(members[leg])
        for w in writes:
            if w.leg == leg:
                data[w.sector * 512:w.sector * 512 + len(w.data)] = w.data
        out[leg] = bytes(data)
    return out


def sectors_of(write):
    return [type(write)(write.leg, write.sector + n, write.data[n * 512:n * 512 + 512])
            for n in range(len(write.data) // 512)]


def _subsets(sectors):
    """All subsets of up to 3; of more: each prefix, each suffix, each second one."""
    if len(sectors) <= 3:
        for n in range(len(sectors)):
            yield from (list(c) for c in itertools.combinations(sectors, n))
        return
    for n in range(len(sectors)):
        yield sectors[:n]
        yield sectors[n + 1:]
    yield sectors[::2]
    yield sectors[1::2]


def cuts(members, writes):
    """Model A: {name: members}, each state once; the name says where the power went."""
    out, seen, base = {}, set(), list(members)

    def note(name, state):
        if tuple(state) not in seen:
            seen.add(tuple(state))
            out[name] = state

    for n, write in enumerate(writes):
        for k, some in enumerate(_subsets(sectors_of(write))):
            note(f"cut{n}.{k}", apply(base, some))
        base = apply(base, [write])
    note(f"cut{len(writes)}.0", base)
    return out


def lost(members, writes, window, limit, seed=1):
    """Model B: at each cut any subset of the last `window` writes is missing, at most `limit`."""
    out, seen = {}, set()
    picks = [(cut, keep) for cut in range(1, len(writes) + 1)
             for keep in itertools.product((0, 1), repeat=min(window, cut) - 1)]
    random.Random(seed).shuffle(picks)
    for cut, keep in picks:
        sure = cut - 1 - len(keep)
        # the last one did get there, else it is a shorter cut
        some = writes[:sure] + [w for w, k in zip(writes[sure:cut - 1], keep) if k]
        state = tuple(apply(members, [*some, writes[cut - 1]]))
        if state not in seen:
            seen.add(state)
            out[f"lost{cut}." + "".join(map(str, keep))] = list(state)
        if len(out) == limit:
            break
    return out
