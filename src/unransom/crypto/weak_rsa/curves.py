"""Elliptic curves (H. W. Lenstra, 1987): factors of some dozen digits, whatever stands beside them.

Curves are Montgomery's with P. L. Montgomery's and H. Suyama's choice of points, one for each number from
6 on, so that the same number always falls to the same curve.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import gmpy2
from gmpy2 import mpz

from unransom.crypto.weak_rsa.wheel import Wheel, primes_to

CURVES, FIRST, SECOND = 30, 2000, 200_000  # find 13 digits nearly always, 15 mostly
PARAMETER = 6  # of the first curve
WHEEL = Wheel(2310)


class _Point(NamedTuple):
    """X and Z of a point; its y coordinate is never needed."""

    x: mpz
    z: mpz


class _Curve:
    """A curve modulo a number."""

    def __init__(self, modulus: int, quarter: mpz) -> None:
        """Take (A + 2) / 4, where the curve is y**2 = x**3 + A x**2 + x."""
        self._modulus = mpz(modulus)
        self._quarter = quarter

    def doubled(self, point: _Point) -> _Point:
        """Return twice the point."""
        plus, minus = (point.x + point.z) ** 2 % self._modulus, (point.x - point.z) ** 2 % self._modulus
        rest = plus - minus
        weighed = minus + self._quarter * rest % self._modulus
        return _Point(plus * minus % self._modulus, rest * weighed % self._modulus)

    def added(self, one: _Point, two: _Point, less: _Point) -> _Point:
        """Return the sum of two points whose difference is ``less``."""
        cross = (one.x - one.z) * (two.x + two.z) % self._modulus
        other = (one.x + one.z) * (two.x - two.z) % self._modulus
        return _Point(
            less.z * (cross + other) ** 2 % self._modulus, less.x * (cross - other) ** 2 % self._modulus
        )

    def times(self, count: int, point: _Point) -> _Point:
        """Return ``count`` times the point, by Montgomery's ladder."""
        low, high = point, self.doubled(point)
        for bit in bin(count)[3:]:
            between = self.added(low, high, point)
            low, high = (between, self.doubled(high)) if bit == "1" else (self.doubled(low), between)
        return low


def by_curves(modulus: int, curves: int = CURVES, first: int = FIRST, second: int = SECOND) -> int | None:
    """Return a factor that some curve shows; the same one every time.

    Args:
        modulus: Without factors 2 and 3.
        curves: How many are tried.
        first: Bound of the primes of a curve's order.
        second: Bound of the largest of them.
    """
    multiple = math.prod(prime ** int(math.log(first, prime)) for prime in primes_to(first).tolist())
    for parameter in range(PARAMETER, PARAMETER + curves):
        factor = _on_one(modulus, parameter, multiple, (first, second))
        if 1 < factor < modulus:
            return factor
    return None


def _on_one(modulus: int, parameter: int, multiple: int, bounds: tuple[int, int]) -> int:
    """Return the divisor that one curve shows, 1 or all where it shows none."""
    u, v = mpz(parameter) ** 2 - 5, mpz(4 * parameter)
    divisor = 4 * u**3 * v
    common = int(gmpy2.gcd(divisor, modulus))
    if common > 1:
        return common
    above = (v - u) ** 3 * (3 * u + v) % modulus
    curve = _Curve(modulus, above * gmpy2.invert(4 * divisor, modulus) % modulus)
    point = curve.times(multiple, _Point(u**3 % modulus, v**3 % modulus))
    common = int(gmpy2.gcd(point.z, modulus))
    return common if common > 1 else _second(modulus, curve, point, bounds)


def _second(modulus: int, curve: _Curve, point: _Point, bounds: tuple[int, int]) -> int:
    """Return the divisor that one more prime shows: a point and a small one are the same for one factor."""
    small = _odd_multiples(curve, point)
    step = curve.times(WHEEL.size, point)
    product = mpz(1)
    for number, spokes in WHEEL.turns(*bounds):
        large = curve.times(number, step)
        for spoke in spokes:
            other = small[spoke]
            product = product * (large.x * other.z - other.x * large.z) % modulus
    return int(gmpy2.gcd(product, modulus))


def _odd_multiples(curve: _Curve, point: _Point) -> dict[int, _Point]:
    """Return the multiples of a point by the spokes of the wheel."""
    twice = curve.doubled(point)
    before, odd = point, curve.added(twice, point, point)
    found = {1: point}
    for spoke in range(3, WHEEL.size // 2, 2):
        found[spoke] = odd
        before, odd = odd, curve.added(odd, twice, before)
    return {spoke: found[spoke] for spoke in WHEEL.spokes}
