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
        primes: Two different ones, in any order.

    Returns:
        None where the numbers are no key: not the factors, equal, or the exponent has no inverse.
    """
    if len(primes) != 2 or math.prod(primes) != modulus or min(primes) < 3 or primes[0] == primes[1]:
        return None
    high, low = max(primes), min(primes)
    period = math.lcm(high - 1, low - 1)
    if exponent < 3 or math.gcd(exponent, period) != 1:
        return None
    private = int(gmpy2.invert(exponent, period))
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
