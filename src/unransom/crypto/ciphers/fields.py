"""Tables of products in fields of 256 elements, which Sosemanuk and KCipher-2 shift their registers by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def multiples(polynomial: int, exponents: tuple[int, int, int, int]) -> NDArray[np.uint32]:
    """Return, for each byte, the word of its products with four powers of the polynomial's root.

    Args:
        polynomial: Primitive over GF(2), of degree 8, its coefficients as bits.
        exponents: Of the powers, the one for the highest byte first.
    """
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] << 1 ^ (polynomial if powers[-1] & 0x80 else 0))
    logs = {power: exponent for exponent, power in enumerate(powers)}
    table = [0]
    for byte in range(1, 256):
        products = bytes(powers[(logs[byte] + exponent) % 255] for exponent in exponents)
        table.append(int.from_bytes(products))
    return np.array(table, np.uint32)
