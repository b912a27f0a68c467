"""ChaCha with any number of rounds, written after the specification with numpy, a column at a time."""

import numpy as np


def _quarter(x: list[np.ndarray], a: int, b: int, c: int, d: int) -> None:
    for first, second, third, count in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[first] = x[first] + x[second]
        mixed = x[third] ^ x[first]
        x[third] = mixed << np.uint32(count) | mixed >> np.uint32(32 - count)


STANDARD = b"expand 32-byte k"


def chacha(
    data: bytes, key: bytes, nonce: bytes, rounds: int, block: int = 0, constants: bytes = STANDARD
) -> bytes:
    """Return ``data`` under the keystream of a 32-byte key and an 8-byte nonce, from ``block`` on."""
    count = (len(data) + 63) // 64
    counters = np.arange(block, block + count, dtype=np.uint64)
    words = [*np.frombuffer(constants + key, "<u4"), None, None, *np.frombuffer(nonce, "<u4")]
    start = [np.full(count, word, np.uint32) for word in words[:12]]
    start += [counters.astype(np.uint32), (counters >> np.uint64(32)).astype(np.uint32)]
    start += [np.full(count, word, np.uint32) for word in words[14:]]
    x = list(start)
    for _ in range(rounds // 2):
        for column in range(4):
            _quarter(x, column, column + 4, column + 8, column + 12)
        for column in range(4):
            _quarter(x, column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    stream = np.stack([a + b for a, b in zip(x, start, strict=True)], axis=1).astype("<u4").tobytes()
    return (np.frombuffer(data, np.uint8) ^ np.frombuffer(stream, np.uint8)[: len(data)]).tobytes()
