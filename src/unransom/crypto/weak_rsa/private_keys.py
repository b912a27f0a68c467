"""A private RSA key from the primes of its modulus, in DER, of any size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import gmpy2


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
    return _tagged(0x30, b"".join(_integer(number) for number in numbers))


def _integer(number: int) -> bytes:
    """Return ``number``, not negative, as DER."""
    return _tagged(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
