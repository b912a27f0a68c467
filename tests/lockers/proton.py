"""Seals like Proton: XChaCha20-Poly1305 without the tag, keys by X25519 and BLAKE3 on two levels."""

from blake3 import blake3
from Cryptodome.Cipher import ChaCha20_Poly1305
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.lockers import Made, content, drawn
from tests.lockers.inc import public_of
from tests.lockers.sparse import editable, finished

BLOCK = 0x40000


def agreed(private: bytes, public: bytes, order: tuple[bytes, bytes]) -> bytes:
    """Return BLAKE3 over the shared secret and two public keys in their ``order``."""
    secret = X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
    return blake3(secret + order[0] + order[1]).digest()


def starts(size: int, places: int) -> list[int]:
    """Return where the locked blocks of a large file begin."""
    return [index * (size // places) for index in range(places - 1)] + [size - BLOCK]


def sealed(ephemeral: bytes, public: bytes, nonce: bytes):
    """Return a cipher for ``public``, and the public key of ``ephemeral``."""
    own = public_of(ephemeral)
    return ChaCha20_Poly1305.new(key=agreed(ephemeral, public, (own, public)), nonce=nonce), own


def seal(plain: bytes, seed: str, places: int = 3) -> bytes:
    """Return ``plain`` locked whole, or in so many ``places``; ``seed`` draws all keys."""
    master, session = drawn(seed + " master", 32), drawn(seed + " session", 32)
    nonces = drawn(seed + " nonces", 48)
    cipher, public = sealed(drawn(seed + " file", 32), public_of(session), nonces[:24])
    locked = editable(plain)
    if len(plain) <= 0x180000:
        locked[:] = cipher.encrypt(plain)
    else:
        for start in starts(len(plain), places):
            locked[start : start + BLOCK] = cipher.encrypt(plain[start : start + BLOCK])
    above, above_public = sealed(drawn(seed + " above", 32), public_of(master), nonces[24:])
    pair = above.encrypt(session + public_of(session))
    return finished(locked) + nonces[:24] + public + pair + nonces[24:] + above_public


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the master's or the session's private key."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    key = drawn(seed + (" session" if vector.get("session") else " master"), 32)
    return Made(plain, seal(plain, seed, vector.get("places", 3)), key)
