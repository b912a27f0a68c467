"""Seals like Hunters 1: as Hive v6, but of a large file only its head and some blocks."""

from Cryptodome.Hash import SHA3_512

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of
from tests.lockers.sparse import Sparse, editable, finished
from tests.lockers.turns import Turns, nine

MARKER = bytes.fromhex("dcb8a7a5b618d296d3ba01d9f9039fc07a")
POSITION = 0x36
START = POSITION + 4 + len(MARKER)
BLOCK = 0x80000
LARGE = 0x500000
MOST = 0x6400000  # bytes of the head, and of the blocks


def seal(plain: bytes | Sparse, secrets: bytes, check: bytes, blob: bytes) -> bytes | Sparse:
    """Return ``plain`` locked.

    Args:
        plain: The original.
        secrets: 510 bytes, of which the last six are not used.
        check: The marker's first four bytes.
        blob: ``secrets`` under RSA.
    """
    turns, data = nine(secrets), plain[START:]
    body = _large(turns, data) if len(data) > LARGE else turns.encrypt(data)
    return plain[:POSITION] + check + MARKER + body + plain[POSITION:START] + blob


def _large(turns: Turns, data: bytes | Sparse) -> bytes | Sparse:
    body, head = editable(data), min(MOST, len(data) // 10)
    rest = min(MOST, len(data) * 5 // 100)
    gaps = len(data) - head - rest
    body[:head], at = turns.encrypt(data[:head]), head
    blocks = rest // BLOCK
    for _ in range(blocks):
        at += gaps // blocks
        body[at : at + BLOCK] = turns.encrypt(data[at : at + BLOCK])
        at += BLOCK
    last = len(data) - rest % BLOCK
    body[last:] = turns.encrypt(data[last:])
    return finished(body)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed = vector["seed"]
    plain, secrets = content(seed, vector["size"]), drawn(seed + " secrets", 510)
    key = key_of(vector["rsa_key"])
    blob = oaep(key, secrets, seed, SHA3_512)
    return Made(plain, seal(plain, secrets, drawn(seed + " check", 4), blob), key.export_key())
