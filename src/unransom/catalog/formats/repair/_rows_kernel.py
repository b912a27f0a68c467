"""The likeliest path through a skeleton for symbols of which many are unknown; compiled, import it lazily."""

from __future__ import annotations

import numpy as np
from numba import njit

NEVER = -1e9


@njit(cache=True, nogil=True)
def _step(before, now, scores, automaton, choice):  # type: ignore[no-untyped-def]
    """Take one symbol: fill ``now`` from ``before``; note in ``choice`` which way led to a state."""
    classes, firsts, sources, costs, branch = automaton
    for state in range(len(classes)):
        score = scores[classes[state]]
        best = NEVER
        if score > NEVER:
            first, end = firsts[state], firsts[state + 1]
            for way in range(first, end):
                reached = before[sources[way]] + costs[way]
                if reached > best:
                    best = reached
                    if branch[state] >= 0:
                        choice[branch[state]] = way - first
        now[state] = best + score if best > NEVER / 2 else NEVER


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
    classes, firsts, sources, _, branch = automaton
    count = len(classes)
    choices = np.zeros((len(symbols), branches), np.uint16)
    before, now = np.zeros(count), np.zeros(count)
    for index in range(len(symbols)):
        symbol = symbols[index]
        row = known_scores[symbol] if symbol < unknown else scores[symbol - unknown]
        _step(before, now, row, automaton, choices[index])
        before, now = now, before
    state = np.argmax(before)
    best = before[state]
    for index in range(len(symbols) - 1, -1, -1):
        path[index] = state
        way = firsts[state] + (choices[index, branch[state]] if branch[state] >= 0 else 0)
        state = sources[way]
    return best
