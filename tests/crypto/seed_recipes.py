"""Recipes for seed searches, what other implementations lock by them, and a search around a seed."""

from Cryptodome.Cipher import AES, ARC4, ChaCha20, Salsa20
from Cryptodome.Util import Counter

from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.ciphers.kcipher2 import KCipher2
from unransom.crypto.generators import generator
from unransom.crypto.search.recipe import Bits, Cipher, Crib, Part, Recipe, Scaled, material
from unransom.crypto.search.seeds import search

ALNUM = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
KEY = Part("key", 32, Bits())
PROMETHEUS = Recipe(
    generator="dotnet",
    parts=(Part("key", 32, Scaled(94, 33), redraw=b'"\\'),),
    cipher=Cipher(name="salsa", iv=bytes(range(1, 9))),
)
PLAIN = bytes(range(64, 64 + 160))
NEAR = 700  # seeds before and after the one that is looked for


def recipe(name="msvc", parts=(KEY,), cipher=None, **more):
    """Return a recipe, of 32 bytes for Salsa20 where nothing else is said."""
    return Recipe(generator=name, parts=parts, cipher=cipher or Cipher(name="salsa", iv=bytes(8)), **more)


def sealed(cipher, key, iv, plain):
    """Return ``plain`` locked by another implementation."""
    size = len(plain)
    counter = {
        "initial_value": int.from_bytes(iv or b"\0", cipher.order),
        "little_endian": cipher.order == "little",
    }
    made = {
        "salsa": lambda: Salsa20.new(key, nonce=iv),
        "chacha": lambda: ChaCha20.new(key=key, nonce=iv),
        "aes-ecb": lambda: AES.new(key, AES.MODE_ECB),
        "aes-cbc": lambda: AES.new(key, AES.MODE_CBC, iv),
        "aes-cfb": lambda: AES.new(key, AES.MODE_CFB, iv, segment_size=128),
        "aes-ctr": lambda: AES.new(key, AES.MODE_CTR, counter=Counter.new(128, **counter)),
        "rc4": lambda: ARC4.new(key),
    }
    if cipher.name == "kcipher-2":
        return decrypted(KCipher2(key, iv, cipher.order), plain)
    if cipher.name == "xor":
        return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(plain))
    return made[cipher.name]().encrypt(plain)[:size]


def finds(rule, seed, *, offset=0, size=12, step=1):
    """Return whether the search around ``seed`` finds it, and nothing else."""
    key, iv = material(rule, seed)
    locked = sealed(rule.cipher, key, iv, PLAIN)
    crib = Crib(locked=locked, offset=offset, plain=PLAIN[offset : offset + size])
    end = 1 << generator(rule.generator).seed_bits
    seeds = range(max(seed % step, seed - NEAR * step), min(end, seed + NEAR * step), step)
    found = search(rule, seeds, [crib])
    assert [(hit.seed, hit.key, hit.iv) for hit in found.hits] == [(seed, key, iv)]
    assert found.tried == len(seeds)
    return True
