"""Key agreement on the curves lockers use: X25519, secp192k1 (Petya) and sect571k1 (Money Message).

OpenSSL does X25519. The other two are gone, or going, from the libraries. They run here without any
protection against timing, which does not matter to those who only read what others have locked.
"""

from __future__ import annotations

import functools

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from nacl.bindings import crypto_core_ed25519_is_valid_point

X25519_SIZE = 32  # bytes of a scalar, a point and a shared secret
P25519 = 2**255 - 19
POINT_BITS = 5  # of 32 random bytes one in 32 is the public key of anything
REMEMBERED = 4096  # answers

# SEC 2, version 2.0, section 2.2.1: y**2 = x**3 + 3 modulo P192.
P192 = 2**192 - 2**32 - 2**12 - 2**8 - 2**7 - 2**6 - 2**3 - 1
B192 = 3
N192 = 0xFFFFFFFFFFFFFFFFFFFFFFFE26F2FC170F69466A74DEFD8D
G192 = (
    0xDB4FF10EC057E9AE26B07D0280B7F4341DA5D1B1EAE06C7D,
    0x9B2F2F6D9C5628A7844163D015BE86344082AA88D95E2F9D,
)
SIZE192 = 24  # bytes of a coordinate

# SEC 2, version 1.0, section 3.8.1: y**2 + x*y = x**3 + 1 over GF(2**571).
DEGREE = 571
REDUCTION = 1 << 571 | 1 << 10 | 1 << 5 | 1 << 2 | 1
SIZE571 = 72  # bytes of a coordinate

Point = tuple[int, int] | None  # None is the point at infinity


@functools.lru_cache(maxsize=REMEMBERED)
def x25519(private: bytes, public: bytes) -> bytes | None:
    """Return the shared secret, None where lengths are wrong or the point is of low order."""
    if len(private) != X25519_SIZE or len(public) != X25519_SIZE:
        return None
    try:
        point = X25519PublicKey.from_public_bytes(public)
        return X25519PrivateKey.from_private_bytes(private).exchange(point)
    except ValueError:
        return None


@functools.lru_cache(maxsize=REMEMBERED)
def x25519_public(private: bytes) -> bytes:
    """Return the public key of ``private``, 32 bytes."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def is_x25519_public(data: bytes) -> bool:
    """Return whether ``data``, 32 bytes, is a multiple of X25519's base point, as all public keys are.

    Of all numbers of 256 bits every second is below 2**255, of these every second belongs to a point of the
    curve, and of these every eighth to its subgroup of prime order (RFC 7748, section 4.1).
    """
    number = int.from_bytes(data, "little")
    if not 1 < number < P25519 - 1:
        return False
    edwards = (number - 1) * pow(number + 1, -1, P25519) % P25519
    return crypto_core_ed25519_is_valid_point(edwards.to_bytes(X25519_SIZE, "little"))


@functools.lru_cache(maxsize=REMEMBERED)
def secp192k1(private: bytes, public: bytes) -> bytes | None:
    """Return the x coordinate of the shared point, 24 bytes big-endian.

    Args:
        private: The scalar, big-endian.
        public: The point as SEC 1 writes it, compressed or not, or without the byte 04 in front.

    Returns:
        None where the point is not on the curve or the scalar is none.
    """
    point = _point192(public)
    scalar = int.from_bytes(private)
    if point is None or not 0 < scalar < N192:
        return None
    shared = _times(scalar, point)
    return shared[0].to_bytes(SIZE192) if shared else None


def _point192(data: bytes) -> Point:
    """Return the point that ``data`` says, None where it is not on the curve."""
    if len(data) == SIZE192 + 1 and data[0] in {2, 3}:
        x = int.from_bytes(data[1:])
        y = pow((x**3 + B192) % P192, (P192 + 1) // 4, P192)
        y = y if y % 2 == data[0] % 2 else P192 - y
    elif len(data) == 2 * SIZE192 or (len(data) == 2 * SIZE192 + 1 and data[0] == 4):
        x, y = int.from_bytes(data[-2 * SIZE192 : -SIZE192]), int.from_bytes(data[-SIZE192:])
    else:
        return None
    on_curve = x < P192 and y < P192 and (y * y - x**3 - B192) % P192 == 0
    return (x, y) if on_curve else None


def _times(scalar: int, point: Point) -> Point:
    """Return ``scalar`` times ``point`` on secp192k1."""
    result: Point = None
    while scalar:
        if scalar & 1:
            result = _sum(result, point)
        point = _sum(point, point)
        scalar >>= 1
    return result


def _sum(left: Point, right: Point) -> Point:
    if left is None or right is None:
        return left or right
    if left[0] == right[0]:
        if (left[1] + right[1]) % P192 == 0:
            return None
        slope = 3 * left[0] * left[0] * pow(2 * left[1], -1, P192) % P192
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, P192) % P192
    x = (slope * slope - left[0] - right[0]) % P192
    return x, (slope * (left[0] - x) - left[1]) % P192


def sect571k1(private: bytes, public: bytes) -> bytes | None:
    """Return the x coordinate of the shared point, 72 bytes big-endian; see ``sect571k1_point``."""
    point = sect571k1_point(private, public)
    return point[:SIZE571] if point else None


@functools.lru_cache(maxsize=REMEMBERED)
def sect571k1_point(private: bytes, public: bytes) -> bytes | None:
    """Return the shared point: x and y, each 72 bytes big-endian.

    Args:
        private: The scalar, big-endian.
        public: The point uncompressed as SEC 1 writes it, with or without the byte 04 in front.

    Returns:
        None where the point is not on the curve or the scalar is zero.
    """
    if len(public) == 2 * SIZE571 + 1 and public[0] == 4:
        public = public[1:]
    scalar = int.from_bytes(private)
    if len(public) != 2 * SIZE571 or not 0 < scalar < 1 << DEGREE:
        return None
    x, y = int.from_bytes(public[:SIZE571]), int.from_bytes(public[SIZE571:])
    square = _multiplied(x, x)
    if max(x, y).bit_length() > DEGREE or not x:
        return None
    if _multiplied(y, y ^ x) != _multiplied(square, x) ^ 1:
        return None
    shared = _ladder(scalar, x, y)
    return b"".join(value.to_bytes(SIZE571) for value in shared) if shared else None


def _ladder(scalar: int, x: int, y: int) -> Point:
    """Return ``scalar`` times a point (López and Dahab, 1999); None for infinity."""
    left, below_left = x, 1  # the point, as numerator and denominator
    right, below_right = _fourth(x) ^ 1, _multiplied(x, x)  # twice the point
    for bit in range(scalar.bit_length() - 2, -1, -1):
        if not scalar >> bit & 1:
            left, below_left, right, below_right = right, below_right, left, below_left
        one, two = _multiplied(left, below_right), _multiplied(right, below_left)
        below_left = _multiplied(one ^ two, one ^ two)
        left = _multiplied(x, below_left) ^ _multiplied(one, two)
        right, below_right = (
            _fourth(right) ^ _fourth(below_right),
            _multiplied(_multiplied(right, right), _multiplied(below_right, below_right)),
        )
        if not scalar >> bit & 1:
            left, below_left, right, below_right = right, below_right, left, below_left
    if not below_left:
        return None
    if not below_right:  # one more would be infinity: the product is the point's negative
        return x, x ^ y
    here, after = _multiplied(left, _inverse(below_left)), _multiplied(right, _inverse(below_right))
    slope = _multiplied(here ^ x, _inverse(x))
    rise = _multiplied(here ^ x, after ^ x) ^ _multiplied(x, x) ^ y
    return here, _multiplied(slope, rise) ^ y


def _fourth(value: int) -> int:
    square = _multiplied(value, value)
    return _multiplied(square, square)


def _multiplied(left: int, right: int) -> int:
    """Return the product in GF(2**571)."""
    table = [0] * 16
    for digit in range(1, 16):
        table[digit] = table[digit >> 1] << 1 ^ (left if digit & 1 else 0)
    product = 0
    for shift in range((right.bit_length() + 3) // 4 * 4 - 4, -1, -4):
        product = product << 4 ^ table[right >> shift & 15]
    for _ in range(2):  # the second time for what the first puts above the degree
        high = product >> DEGREE
        product ^= high << DEGREE ^ high ^ high << 2 ^ high << 5 ^ high << 10
    return product


def _inverse(value: int) -> int:
    """Return 1 / ``value`` in GF(2**571), by Euclid."""
    left, right, for_left, for_right = value, REDUCTION, 1, 0
    while left != 1:
        shift = left.bit_length() - right.bit_length()
        if shift < 0:
            left, right, for_left, for_right = right, left, for_right, for_left
            shift = -shift
        left ^= right << shift
        for_left ^= for_right << shift
    return for_left
