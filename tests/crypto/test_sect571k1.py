"""Points of sect571k1, against `openssl pkeyutl -derive` and the textbook's formulas."""

from tests.lockers.sect571k1 import G, multiple
from unransom.crypto.agreement import SIZE571, sect571k1, sect571k1_point

PRIVATE = bytes.fromhex(
    "01ce00754b53a01ccc4348013895a101ba2291bf285dfef257854201b603ca63d4c2f01367de02276a7f394cccdd4eae"
    "cafc797fef32c20aa5fbc09de361005df47288c64c9cc75c"
)
PUBLIC = bytes.fromhex(
    "0405dd474c5381156501971c2a0463b0246235e704e3eda863360c6dacd6a8d7a97069e62b2eb0a617fa05d350b50bb4"
    "c15938c9ae4c0fffca0b19cdae2435e0648994a415239b65b601e31268282e37b5826a44d9ce6e1aec46f64ec906a14e"
    "243ed3f1e15a3a9a0262d89288d2142b7da081671b1ca6a83699c7669cd9417e6df10a0aee9f3bedb2075c6abcb61a89"
    "12"
)
SHARED = bytes.fromhex(
    "00ac4fa625df13433bc4372c98072f487c03f4898348a3dac1d741b322dbd7bc1268b4f9897e7647b5adc0ea0a547b72"
    "1d1de8ce8f3f39fa99da3c6dece8093bd60391f3937d0344"
)
ORDER = 0x020000000000000000000000000000000000000000000000000000000000000000000000131850E1F19A63E4B391A8DB917F4138B630D84BE5D639381E91DEB45CFE778F637C1001  # noqa: E501 as SEC 2 has it


def data(point):
    return b"".join(coordinate.to_bytes(SIZE571) for coordinate in point)


def test_agrees_like_openssl():
    assert sect571k1(PRIVATE, PUBLIC) == SHARED
    assert sect571k1_point(PRIVATE, PUBLIC)[:SIZE571] == SHARED


def test_both_coordinates_are_those_of_the_textbook():
    for scalar in (1, 2, 3, 0xC0FFEE):
        assert sect571k1_point(scalar.to_bytes(8), data(G)) == data(multiple(scalar))


def test_one_less_than_the_order_gives_the_negative_and_the_order_nothing():
    assert sect571k1_point((ORDER - 1).to_bytes(SIZE571), data(G)) == data((G[0], G[0] ^ G[1]))
    assert sect571k1_point(ORDER.to_bytes(SIZE571), data(G)) is None


def test_a_point_off_the_curve_gives_nothing():
    assert sect571k1_point(PRIVATE, data((G[0], G[1] ^ 1))) is None
