"""Seals like Hive v6: a marker over the head, nine XChaCha20 ciphers by turns behind it, RSA-5120."""

from Cryptodome.Hash import SHA3_512

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of
from tests.lockers.turns import nine

MARKER = bytes.fromhex("6b5b59d507836e28a251f33bda52")
POSITION = 0x3E
START = POSITION + 4 + len(MARKER)


def seal(plain: bytes, secrets: bytes, check: bytes, blob: bytes) -> bytes:
    """Return ``plain`` locked.

    Args:
        plain: The original.
        secrets: 510 bytes, of which the last six are not used.
        check: The marker's first four bytes.
        blob: ``secrets`` under RSA.
    """
    body = nine(secrets).encrypt(plain[START:])
    return plain[:POSITION] + check + MARKER + body + plain[POSITION:START] + blob


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed = vector["seed"]
    plain, secrets = content(seed, vector["size"]), drawn(seed + " secrets", 510)
    key = key_of(vector["rsa_key"])
    blob = oaep(key, secrets, seed, SHA3_512)
    return Made(plain, seal(plain, secrets, drawn(seed + " check", 4), blob), key.export_key())
