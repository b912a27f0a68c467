"""The likeliest path through a skeleton for symbols of which many are unknown; compiled, import it lazily.

Of all states only those are followed that are not much less likely than the best one: after a few known bytes
these are a handful of a thousand.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = -1e9
HOPELESS = 120.0  # what is less likely by so much (natural logarithm) is not followed


@njit(cache=True, nogil=True)
def _ways_out(firsts, sources):  # type: ignore[no-untyped-def]
    """Return where the ways out of each state begin, and these: the state they lead to, the way in there."""
    count = len(firsts) - 1
    begins = np.zeros(count + 1, np.int64)
    for source in sources:
        begins[source + 1] += 1
    begins = np.cumsum(begins)
    filled = begins[:count].copy()
    leads, ways = np.zeros(len(sources), np.int64), np.zeros(len(sources), np.int64)
    for state in range(count):
        for way in range(firsts[state], firsts[state + 1]):
            place = filled[sources[way]]
            leads[place], ways[place] = state, way
            filled[sources[way]] += 1
    return begins, leads, ways


@njit(cache=True, nogil=True)
def _reach(before, active, now, came, costs, out, reached):  # type: ignore[no-untyped-def]
    """Fill ``now`` and ``came``, the way in, of all states that ``active`` ones lead to; return these."""
    begins, leads, ways = out
    count = 0
    for source in active:
        for place in range(begins[source], begins[source + 1]):
            state, way = leads[place], ways[place]
            score = before[source] + costs[way]
            if came[state] < 0:
                reached[count] = state
                count += 1
            elif score < now[state] or (score == now[state] and way > came[state]):
                continue
            now[state], came[state] = score, way
    return reached[:count]


@njit(cache=True, nogil=True)
def _kept(reached, now, came, row, automaton, choice):  # type: ignore[no-untyped-def]
    """Add to ``now`` how well the symbol fits, note the ways, and return the states that are worth following.

    State 0, which any symbol fits, is always followed.
    """
    classes, firsts, branch = automaton
    best = NEVER
    for state in reached:
        if branch[state] >= 0:
            choice[branch[state]] = came[state] - firsts[state]
        came[state] = -1
        now[state] = now[state] + row[classes[state]]
        best = max(best, now[state])
    count = 0
    for state in reached:
        if now[state] >= best - HOPELESS or not state:
            reached[count] = state
            count += 1
    return reached[:count]


@njit(cache=True, nogil=True)
def likeliest(symbols, unknown, known_scores, scores, automaton, branches, path):  # type: ignore[no-untyped-def]
    """Fill ``path`` with the state of each symbol on the likeliest path, and return its score.

    Args:
        symbols: Bytes, or ``unknown`` and the number of a lost byte.
        unknown: The least symbol that is no byte.
        known_scores: By byte and class: how well the byte fits.
        scores: By lost byte and class.
        automaton: Class of each state; where its ways in begin; from which states they are; what each adds;
            which of the branching states it is, -1 for none.
        branches: How many states branch.
        path: One number for each symbol.
    """
    classes, firsts, sources, costs, branch = automaton
    count = len(classes)
    choices = np.zeros((len(symbols), branches), np.uint16)
    before, now, came = np.zeros(count), np.zeros(count), np.full(count, -1, np.int64)
    room, other, out = np.arange(count), np.arange(count), _ways_out(firsts, sources)
    active = room
    for index in range(len(symbols)):
        symbol = symbols[index]
        row = known_scores[symbol] if symbol < unknown else scores[symbol - unknown]
        reached = _reach(before, active, now, came, costs, out, other)
        active = _kept(reached, now, came, row, (classes, firsts, branch), choices[index])
        before, now, room, other = now, before, other, room
    state, best = active[0], before[active[0]]
    for each in active:
        if before[each] > best or (before[each] == best and each < state):
            state, best = each, before[each]
    for index in range(len(symbols) - 1, -1, -1):
        path[index] = state
        way = firsts[state] + (choices[index, branch[state]] if branch[state] >= 0 else 0)
        state = sources[way]
    return best
