"""sect571k1 for the makers: points in affine coordinates, doubled and added as the textbook says."""

DEGREE = 571
FIELD = 1 << 571 | 1 << 10 | 1 << 5 | 1 << 2 | 1
SIZE = 72  # bytes of a coordinate
G = (
    0x026EB7A859923FBC82189631F8103FE4AC9CA2970012D5D46024804801841CA44370958493B205E647DA304DB4CEB08CBBD1BA39494776FB988B47174DCA88C7E2945283A01C8972,
    0x0349DC807F4FBF374F4AEADE3BCA95314DD58CEC9F307A54FFC61EFC006D8A2C9D4979C0AC44AEA74FBEBBB9F772AEDCB620B01A7BA7AF1B320430C8591984F601CD4C143EF1C7A3,
)
Point = tuple[int, int]


def _times(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left, right = left << 1, right >> 1
        if left >> DEGREE:
            left ^= FIELD
    return product


def _over(left: int, right: int) -> int:
    """Return ``left`` / ``right``, by Euclid on polynomials."""
    low, high, for_low, for_high = right, FIELD, 1, 0
    while low != 1:
        if low.bit_length() < high.bit_length():
            low, high, for_low, for_high = high, low, for_high, for_low
        shift = low.bit_length() - high.bit_length()
        low, for_low = low ^ high << shift, for_low ^ for_high << shift
    return _times(left, for_low)


def _add(left: Point | None, right: Point | None) -> Point | None:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2:
        if y1 ^ y2 == x1:
            return None
        slope = x1 ^ _over(y1, x1)
        x3 = _times(slope, slope) ^ slope
        return x3, _times(x1, x1) ^ _times(slope ^ 1, x3)
    slope = _over(y1 ^ y2, x1 ^ x2)
    x3 = _times(slope, slope) ^ slope ^ x1 ^ x2
    return x3, _times(slope, x1 ^ x3) ^ x3 ^ y1


def multiple(scalar: int, point: Point = G) -> Point:
    """Return ``scalar`` times ``point``."""
    result = None
    for bit in f"{scalar:b}":
        result = _add(result, result)
        if bit == "1":
            result = _add(result, point)
    assert result is not None
    return result
