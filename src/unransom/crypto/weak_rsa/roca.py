"""The fingerprint of primes from Infineon's library (M. Nemec et al., 2017: "ROCA").

Its primes are powers of 65537 modulo a product of small primes, so its moduli are, too. Random ones are not.
"""

from __future__ import annotations

import functools
import math

GENERATOR = 65537
LARGEST = 167  # prime that is in the product for keys of every size


def is_roca(modulus: int) -> bool:
    """Return whether ``modulus`` is a power of 65537 modulo every small prime; see ``bits``."""
    return all(modulus % prime in powers for prime, powers in _subgroups().items())


def bits() -> int:
    """Return how unlikely a random modulus passes: with probability 2**-bits."""
    return int(sum(math.log2((prime - 1) / len(powers)) for prime, powers in _subgroups().items()))


@functools.cache
def _subgroups() -> dict[int, frozenset[int]]:
    """Return the powers of 65537 modulo each prime for which they are not everything."""
    found = {}
    for prime in range(3, LARGEST + 1, 2):
        if all(prime % divisor for divisor in range(3, math.isqrt(prime) + 1, 2)):
            powers = frozenset(pow(GENERATOR, exponent, prime) for exponent in range(prime - 1))
            if len(powers) < prime - 1:
                found[prime] = powers
    return found
