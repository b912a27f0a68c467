"""What factors one modulus by itself, where its maker was careless: each within a bound that is given.

Every function returns a factor, neither 1 nor the modulus, or None.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import gmpy2
from gmpy2 import mpz

RATIOS = tuple(
    (above, below) for above in range(1, 17) for below in range(1, above + 1) if gmpy2.gcd(above, below) == 1
)


def by_small_primes(modulus: int, bound: int = 1 << 20) -> int | None:
    """Try the primes below ``bound``."""
    common = gmpy2.gcd(modulus, primorial(bound))
    if common == 1:
        return None
    prime = mpz(2)
    while common % prime:
        prime = gmpy2.next_prime(prime)
    return int(prime) if prime < modulus else None


@functools.lru_cache(maxsize=4)
def primorial(bound: int) -> mpz:
    """Return the product of the primes below ``bound``."""
    return gmpy2.primorial(bound - 1)


def by_power(modulus: int) -> int | None:
    """Take a root, where the modulus is a power."""
    for exponent in range(2, max(3, modulus.bit_length() // 16)):
        root, exact = gmpy2.iroot(modulus, exponent)
        if exact and root > 1:
            return int(root)
    return None


def by_known_factors(modulus: int, known: Iterable[int]) -> int | None:
    """Try factors of other keys: primes that were published, or found before."""
    for factor in known:
        common = int(gmpy2.gcd(modulus, factor))
        if 1 < common < modulus:
            return common
    return None


def by_close_primes(modulus: int, steps: int = 1 << 14) -> int | None:
    """Fermat's way, for two primes whose ratio is near one of two small numbers (R. Lehman, 1974).

    Args:
        modulus: Odd.
        steps: For the ratio one; the others share as many.
    """
    if modulus % 2 == 0:
        return 2 if modulus > 2 else None
    for above, below in RATIOS:
        number = mpz(4 * above * below * modulus)
        half = gmpy2.isqrt(number - 1) + 1
        for _ in range(steps if above == 1 else max(1, steps // len(RATIOS))):
            root, rest = gmpy2.isqrt_rem(half * half - number)
            if rest == 0:
                common = int(gmpy2.gcd(half + root, modulus))
                if 1 < common < modulus:
                    return common
            half += 1
    return None


def by_small_exponent(modulus: int, exponent: int) -> int | None:
    """Wiener's attack: a private exponent below a third of the fourth root of the modulus.

    It is the denominator of a convergent of the exponent's ratio to the modulus.
    """
    above, below = mpz(exponent), mpz(modulus)
    multiples, privates = (mpz(0), mpz(1)), (mpz(1), mpz(0))  # the last two convergents
    while below:
        digit, rest = divmod(above, below)
        above, below = below, rest
        multiples = multiples[1], digit * multiples[1] + multiples[0]
        privates = privates[1], digit * privates[1] + privates[0]
        factor = _from_guess(modulus, exponent, multiples[1], privates[1])
        if factor:
            return factor
    return None


def _from_guess(modulus: int, exponent: int, multiple: mpz, private: mpz) -> int | None:
    """Return a factor if ``exponent * private`` is one more than ``multiple`` times the totient."""
    if multiple == 0 or (exponent * private - 1) % multiple:
        return None
    total = modulus - (exponent * private - 1) // multiple + 1  # of the primes
    square = total * total - 4 * modulus
    if square < 0 or not gmpy2.is_square(square):
        return None
    factor = int((total + gmpy2.isqrt(square)) // 2)
    return factor if factor > 1 and modulus % factor == 0 and factor < modulus else None
