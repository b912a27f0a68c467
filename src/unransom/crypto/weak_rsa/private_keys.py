"""A private RSA key from the primes of its modulus, in DER, of any size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import gmpy2

from unransom.crypto.der import sequence_of


def private_key(modulus: int, exponent: int, primes: Sequence[int]) -> bytes | None:
    """Return the key as PKCS #1 DER.

    Args:
        modulus: Product of the primes.
        exponent: The public one.
        primes: In any order, each as often as it divides.

    Returns:
        None where the numbers are no key: not the factors, or the exponent has no inverse. Zeros stand for
        the primes and what follows from them unless there are two different ones.
    """
    if len(primes) < 2 or math.prod(primes) != modulus or min(primes) < 3 or exponent < 3:
        return None
    high, low = max(primes), min(primes)
    proper = len(primes) == 2 and high != low
    if proper and math.gcd(high, low) > 1:
        return None
    period = math.lcm(*(prime - 1 for prime in primes))
    if len(set(primes)) < len(primes):  # a prime that divides several times is a factor of the period itself
        period *= math.prod(primes) // math.prod(set(primes))
    if math.gcd(exponent, period) != 1:
        return None
    private = int(gmpy2.invert(exponent, period))
    if not proper:
        return sequence_of((0, modulus, exponent, private, 0, 0, 0, 0, 0))
    numbers = (
        0,
        modulus,
        exponent,
        private,
        high,
        low,
        private % (high - 1),
        private % (low - 1),
        int(gmpy2.invert(low, high)),
    )
    return sequence_of(numbers)
