"""TeslaCrypt's products: the key is the product of some of the factors, and nobody says of which."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import gmpy2
from cryptography.hazmat.primitives.asymmetric import ec

from unransom.crypto.weak_rsa import curves, single, smooth

KEY_BITS = 256
LEAST_BITS = 128  # a key is a random number: one so small happens never
CLOSE = 1 << 10  # steps to a close prime
LIMIT = 1 << 20  # products that are looked at
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


def parts_of(product: int, known: Iterable[int] = ()) -> tuple[int, ...]:
    """Return factors that multiply to ``product``, as small as they come within some seconds.

    Args:
        product: Above 1.
        known: Numbers that may be, or share, some of its factors.

    Returns:
        In order; those that are no primes are work for a factoring program.
    """
    whole, waiting = [], [product]
    named = tuple(known)
    while waiting:
        number = waiting.pop()
        factor = None if gmpy2.is_prime(number) else _factor(number, named)
        if factor:
            waiting += [factor, number // factor]
        elif number > 1:
            whole.append(number)
    return tuple(sorted(whole))


def _factor(number: int, known: tuple[int, ...]) -> int | None:
    return (
        single.by_known_factors(number, known)
        or single.by_small_primes(number)
        or single.by_power(number)
        or single.by_close_primes(number, CLOSE)
        or smooth.by_smooth_order(number, smooth.FIRST, smooth.SECOND)
        or curves.by_curves(number)
    )


def divisors(product: int, factors: Iterable[int]) -> Iterator[int]:
    """Yield the divisors of ``product`` that can be a key of 256 bits, the longest ones first.

    Args:
        product: The number from a file's head.
        factors: Its prime factors, each as often as it divides; what does not divide it is left out.
    """
    found, rest = {1}, product
    for factor in sorted(factors):
        if factor > 1 and rest and rest % factor == 0 and len(found) < LIMIT:
            rest //= factor
            found |= {old * factor for old in found if (old * factor).bit_length() <= KEY_BITS}
    if rest > 1 and rest.bit_length() <= KEY_BITS and len(found) < LIMIT:  # a last prime that nobody named
        found |= {old * rest for old in found if (old * rest).bit_length() <= KEY_BITS}
    yield from sorted((number for number in found if number.bit_length() >= LEAST_BITS), reverse=True)


def key_of(product: int, factors: Iterable[int], head: bytes) -> bytes | None:
    """Return the key whose public point on secp256k1 stands in ``head``, 32 bytes; None if none does.

    Args:
        product: The number from a file's head.
        factors: Its prime factors.
        head: The locked file's first bytes, or any that hold the point's x coordinate in either order.
    """
    return next(
        (number.to_bytes(KEY_BITS // 8) for number in divisors(product, factors) if has_point(number, head)),
        None,
    )


@functools.lru_cache(maxsize=4096)
def has_point(number: int, head: bytes) -> bool:
    """Return whether the x coordinate of a number's point on secp256k1 stands in ``head``."""
    if not 0 < number < ORDER:
        return False
    point = ec.derive_private_key(number, ec.SECP256K1()).public_key().public_numbers()
    x = point.x.to_bytes(32)
    return x in head or x[::-1] in head
