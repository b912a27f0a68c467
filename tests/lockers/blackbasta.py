"""Seals like Black Basta in April 2023: ChaCha20 of which a large file only ever gets the first 64 bytes."""

from Cryptodome.Cipher import ChaCha20
from Cryptodome.Util.strxor import strxor

from tests.lockers import Made, content, drawn
from tests.lockers.sparse import editable, finished

LARGE = 1 << 30


def ranges(size: int, large: int) -> list[tuple[int, int]]:
    """Return offset and length of what is locked, as the public tool lists it."""
    if size < 5000:
        return [(0, size - size % 64)]
    start, step, found = (0, 192, []) if size <= large else (5000, 6400, [(0, 5000)])
    return found + [(at, 64) for at in range(start, size, step) if at + 64 <= size]


def seal(plain: bytes, stream: bytes, done: int, large: int = LARGE) -> bytes:
    """Return ``plain`` locked up to ``done`` with ``stream``, without the tail."""
    locked = editable(plain)
    for start, length in ranges(len(plain), large):
        end = min(start + length, done)
        if start < end:
            locked[start:end] = strxor(plain[start:end], stream[: end - start])
    return finished(locked)


def tail(seed: str, done: int, campaign: str) -> bytes:
    """Return the 314 bytes behind the file."""
    unknown = drawn(seed + " unknown", 2)
    name = campaign.encode() + b"\0"
    return drawn(seed + " wrapped", 291) + b"\x06" + done.to_bytes(8, "little") + unknown + name


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the keystream, as much of it as it says."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    stream = ChaCha20.new(key=drawn(seed + " key", 32), nonce=drawn(seed + " nonce", 8)).encrypt(bytes(5056))
    done = vector.get("done", len(plain))
    locked = seal(plain, stream, done) + tail(seed, done, vector.get("campaign", "6cb8a9d2eF1"))
    key = stream[: vector.get("key", 64)] * vector.get("times", 1)
    return Made(plain, locked, key)
