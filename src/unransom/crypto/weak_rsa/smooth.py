"""Pollard's p - 1, in two stages: a prime falls where itself less one has small factors only.

All of them must be up to a first bound, but for one, which may be up to a second. That some of them come
several times does no harm: those below 1024 as often as may be, those up to 2**17 twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import gmpy2
from gmpy2 import mpz

from unransom.crypto.weak_rsa.wheel import Wheel, primes_to

FIRST, SECOND = 1_000_000, 20_000_000
BATCH = 512  # primes between two greatest common divisors
SMALL = 1024  # primes that may divide p - 1 any number of times
POWER_BITS = 34  # of the power to which others are taken
WHEEL = Wheel(30_030)
BASE = 3
PARTING = 16  # bases that are tried where all primes fell at once; each parts them with even chance


def by_smooth_order(modulus: int, first: int = FIRST, second: int = 0) -> int | None:
    """Return a factor where a prime, less one, is smooth: always the same one.

    Args:
        modulus: Odd.
        first: Bound of the primes of p - 1.
        second: Bound of the largest of them; no second stage where it is not above ``first``.
    """
    power, exponent = mpz(BASE), mpz(1)
    for batch in _batches(modulus, first):
        power, exponent = gmpy2.powmod(power, batch, modulus), exponent * batch
        common = int(gmpy2.gcd(power - 1, modulus))
        if common > 1:
            return common if common < modulus else _parted(modulus, exponent)
    return _second(modulus, power, exponent, (first, second)) if second > first else None


def _batches(modulus: int, bound: int) -> Iterator[int]:
    """Yield the primes up to ``bound``, some hundreds multiplied, each as often as it may divide p - 1."""
    primes = primes_to(bound).tolist()
    for start in range(0, len(primes), BATCH):
        some = primes[start : start + BATCH]
        yield math.prod(prime ** _times(prime, modulus) for prime in some)


def _times(prime: int, modulus: int) -> int:
    """Return how often ``prime`` may divide a prime of half the size of ``modulus``, less one."""
    bits = modulus.bit_length() // 2 if prime < SMALL else POWER_BITS
    return max(1, int(bits / math.log2(prime)))


def _second(modulus: int, power: mpz, exponent: mpz, bounds: tuple[int, int]) -> int | None:
    """Return the factor that shows with one more prime.

    A prime at ``m - j`` or ``m + j`` divides ``m * m - j * j``, so it shows in the difference of two powers.
    """
    small = {spoke: gmpy2.powmod(power, spoke * spoke, modulus) for spoke in WHEEL.spokes}
    for number, spokes in WHEEL.turns(*bounds):
        square = (number * WHEEL.size) ** 2
        large, product = gmpy2.powmod(power, square, modulus), mpz(1)
        for spoke in spokes:
            product = product * (large - small[spoke]) % modulus
        for spoke in spokes if gmpy2.gcd(product, modulus) > 1 else ():
            common = int(gmpy2.gcd(large - small[spoke], modulus))
            if common > 1:
                return common if common < modulus else _parted(modulus, exponent * abs(square - spoke**2))
    return None


def _parted(modulus: int, exponent: mpz) -> int | None:
    """Return a factor where ``exponent`` is a multiple of the order of a number: by roots of one.

    The power of a number that is one has a square root on the way to it, which may be neither one nor minus
    one: then it is the one for some of the primes and the other for the rest.
    """
    twos = exponent.bit_scan1() or 0
    base = mpz(BASE)
    for _ in range(PARTING):
        power = gmpy2.powmod(base, exponent >> twos, modulus)
        for _ in range(twos):
            common = int(gmpy2.gcd(power - 1, modulus))
            if 1 < common < modulus:
                return common
            power = power * power % modulus
        base = gmpy2.next_prime(base)
    return None
