# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""The states that a cut of the power can leave, from the writes in their order.

Requests come one at a time, each answered before the next is made. Model A: a request
that was answered is on the disk; of the one under way, any subset of its sectors. Model
B: a volatile cache that INT 13h has no function to flush: any subset of the last writes.
Model C: a cache, and a way to flush it: what was written before a disk's last flush is there,
of the rest any subset.
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


def unflushed(members, writes, flushed, limit, seed=1):
    """Model C: {name: members}, at most `limit`.

    flushed: (number of writes by then, leg), in order. A write may be torn: some of its
    sectors are there. All subsets are tried of what is in the caches when it is little.
    """
    rng, out, seen = random.Random(seed), {}, set()
    picks = list(_unflushed(len(members), writes, flushed, rng))
    rng.shuffle(picks)
    for name, kept, loose in picks:
        what = tuple(sorted(((w.leg, w.sector), w.data) for w in _last([*kept, *loose])))
        if what not in seen:
            seen.add(what)
            out[name] = apply(members, [*kept, *loose])
        if len(out) == limit:
            break
    return out


def _last(writes):
    """Of each sector, what is written last."""
    return {(s.leg, s.sector): s for w in writes for s in sectors_of(w)}.values()


def _unflushed(legs, writes, flushed, rng):
    """(name, writes that are on the disks, sectors of others that are)"""
    for cut in range(len(writes) + 1):
        # of the flushes that came between two writes any number may have been answered
        between = [f for f in flushed if f[0] == cut]
        for answered in range(len(between) + 1):
            safe = [f for f in flushed if f[0] < cut] + between[:answered]
            sure = {leg: max((n for n, which in safe if which == leg), default=0)
                    for leg in range(legs)}
            kept = [w for n, w in enumerate(writes[:cut]) if n < sure[w.leg]]
            loose = [s for n, w in enumerate(writes[:cut]) if n >= sure[w.leg]
                     for s in sectors_of(w)]
            for k, some in enumerate(_any(loose, rng)):
                yield f"flushed{cut}.{answered}.{k}", kept, some


def _any(sectors, rng, most=64):
    """All subsets, of a few sectors; of more, none, all, each left out, each alone, and others."""
    if 2 ** len(sectors) <= most:
        for n in range(len(sectors) + 1):
            yield from (list(c) for c in itertools.combinations(sectors, n))
        return
    yield []
    yield sectors
    for n, sector in enumerate(sectors):
        yield sectors[:n] + sectors[n + 1:]
        yield [sector]
    for _ in range(most // 2):
        yield [s for s in sectors if rng.random() < 0.5]
