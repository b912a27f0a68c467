"""Seals like DMA Locker: AES-256-ECB over the whole blocks of 45 chunks and of what is left."""

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn
from tests.lockers.sparse import Sparse, editable, finished

MOST = 10**9  # bytes that are locked


def seal(plain: bytes | Sparse, key: bytes, wrapped: bytes) -> bytes | Sparse:
    """Return ``plain`` locked."""
    cipher, locked, end = AES.new(key, AES.MODE_ECB), editable(plain), min(len(plain), MOST)
    starts = [end // 45 * number for number in range(46)]
    for start, behind in zip(starts, [*starts[1:], end], strict=True):
        whole = (behind - start) // 16 * 16
        locked[start : start + whole] = cipher.encrypt(plain[start : start + whole])
    return b"!DMALOCK" + wrapped + finished(locked)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the key."""
    seed = vector["seed"]
    plain, key = content(seed, vector["size"]), drawn(seed + " key", 32)
    return Made(plain, seal(plain, key, drawn(seed + " wrapped", 128)), key)
