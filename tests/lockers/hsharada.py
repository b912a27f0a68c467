"""Seals like HsHarada: AES-256-CFB in areas at equal distances, key and IV under RSA-2048."""

from Cryptodome.Cipher import AES
from Cryptodome.PublicKey import RSA

from tests.lockers import Made, content, drawn
from tests.lockers.rsa import key_of, pkcs1
from tests.lockers.sparse import editable, finished

MIB = 1 << 20


def seal(plain: bytes, secrets: tuple[bytes, bytes], areas: tuple[int, int], public: RSA.RsaKey) -> bytes:
    """Return ``plain`` locked: with key and IV, MiB of an area, and MiB from one to the next."""
    key, iv = secrets
    on, step = (number * MIB for number in areas)
    cipher = AES.new(key, AES.MODE_CFB, iv, segment_size=128)
    locked = editable(plain)
    for start in range(0, len(plain), step):
        locked[start : start + on] = cipher.encrypt(plain[start : start + on])
    return finished(locked) + pkcs1(public, key + iv, key.hex())


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])[::-1]  # text at the end, where the builds differ
    rsa = key_of("rsa2048")
    secrets = drawn(seed + " key", 32), drawn(seed + " iv", 16)
    return Made(plain, seal(plain, secrets, tuple(vector["areas"]), rsa), rsa.export_key() + b"\n")
