"""Factors that moduli share, by Bernstein's remainder tree: all pairs for hardly more than one product."""

from __future__ import annotations

from collections.abc import Sequence

import gmpy2
from gmpy2 import mpz


def shared_factors(moduli: Sequence[int]) -> dict[int, int]:
    """Return a factor for every modulus that has a prime in common with another one.

    A modulus that stands there twice has itself in common with itself, which is no factor: duplicates
    count once.

    Args:
        moduli: Any number of them, each above 1.

    Returns:
        Modulus to one of its factors, neither 1 nor itself.
    """
    distinct = sorted({mpz(modulus) for modulus in moduli if modulus > 1})
    found: dict[int, int] = {}
    entire = []
    for modulus, rest in zip(distinct, _remainders(distinct), strict=True):
        common = gmpy2.gcd(modulus, rest // modulus)
        if common == modulus:
            entire.append(modulus)
        elif common > 1:
            found[int(modulus)] = int(common)
    for modulus in entire:  # both primes are shared, with different neighbours
        for other in distinct:
            common = gmpy2.gcd(modulus, other)
            if 1 < common < modulus:
                found[int(modulus)] = int(common)
                break
    return found


def _remainders(numbers: list[mpz]) -> list[mpz]:
    """Return the product of all ``numbers`` modulo the square of each."""
    levels = [numbers]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [below[place : place + 2] for place in range(0, len(below), 2)]
        levels.append([pair[0] * pair[1] if len(pair) == 2 else pair[0] for pair in pairs])
    rests = levels.pop() if levels[-1] else []
    for level in reversed(levels):
        rests = [rests[place // 2] % (number * number) for place, number in enumerate(level)]
    return [rest % (number * number) for rest, number in zip(rests, numbers, strict=True)]
