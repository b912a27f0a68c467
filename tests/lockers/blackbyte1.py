"""Seals like BlackByte of 2021: AES-128-CBC, whole or at both ends, with key and IV from a password."""

from Cryptodome.Cipher import AES, DES3
from Cryptodome.Hash import MD5, SHA1
from Cryptodome.Protocol.KDF import PBKDF2
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content, drawn

MIB = 1 << 20


def picture(password: bytes, seed: str) -> bytes:
    """Return a forest.png: the password under 3DES, and at 1,064 what the key is the MD5 of."""
    secret = drawn(seed + " secret", 32)
    key = MD5.new(secret).digest()
    sealed = DES3.new(key, DES3.MODE_ECB).encrypt(pad(password, 8))
    assert len(sealed) == 40
    return sealed + drawn(seed + " between", 1024) + secret


def seal(plain: bytes, key: bytes, iv: bytes) -> bytes:
    """Return ``plain`` locked."""
    if len(plain) <= 3 * MIB:
        return AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))
    area = MIB
    if len(plain) > 150 * MIB:
        area = 50 * MIB
    elif len(plain) > 15 * MIB:
        area = 5 * MIB
    first, last = (AES.new(key, AES.MODE_CBC, iv).encrypt(part) for part in (plain[:area], plain[-area:]))
    return first + plain[area:-area] + last


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is forest.png, or key and IV if it says so."""
    seed = vector["seed"]
    plain = content(seed, vector["size"])
    password = drawn(seed + " password", 18).hex().encode()
    derived = PBKDF2(password, bytes(range(1, 9)), 32, 1000, hmac_hash_module=SHA1)
    key_file = derived if vector.get("key_and_iv") else picture(password, seed)
    return Made(plain, seal(plain, derived[:16], derived[16:]), key_file)
