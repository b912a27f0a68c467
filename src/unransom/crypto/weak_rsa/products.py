"""TeslaCrypt's products: the key is the product of some of the factors, and nobody says of which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric import ec

KEY_BITS = 256
LEAST_BITS = 128  # a key is a random number: one so small happens never
LIMIT = 1 << 20  # products that are looked at
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1


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
    for number in divisors(product, factors):
        if 0 < number < ORDER:
            point = ec.derive_private_key(number, ec.SECP256K1()).public_key().public_numbers()
            x = point.x.to_bytes(32)
            if x in head or x[::-1] in head:
                return number.to_bytes(32)
    return None
