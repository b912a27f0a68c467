"""Seals like Hunters 2: ten AES-256-CTR ciphers with little-endian counters, by turns, in parts."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA3_512
from Cryptodome.Util import Counter

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of
from tests.lockers.sparse import editable, finished
from tests.lockers.turns import Turns

MARKER = 'MX≥W│рс3_wцu\x07╚б╘Hа"'.encode("koi8-r")


def ciphers(secrets: bytes) -> Turns:
    """Return ten ciphers of 32 bytes of key and 16 of counter each."""
    made = []
    for at in range(0, 480, 48):
        first = int.from_bytes(secrets[at + 32 : at + 48], "little")
        counter = Counter.new(128, initial_value=first, little_endian=True)
        made.append(AES.new(secrets[at : at + 32], AES.MODE_CTR, counter=counter))
    return Turns(made)


def chunks(mode: int, size: int) -> list[tuple[bool, int]]:
    """Return whether they are locked, and the lengths, of the parts of ``size`` bytes."""
    if mode in (1, 6, 7):
        return [(True, size)]
    if mode in (2, 3, 8):
        first, rest, count = (10, 20, 5) if mode != 8 else (30, 10, 10)
        head, locked = size * first // 100, size * rest // 100
    else:
        most, rest, limit = (10 << 20, 45, 50) if mode == 4 else (100 << 20, 50, 150)
        head = min(most, size * 5 // 100)
        count = min(limit, min(size - head, max(1 << 20, size * rest // 100)) >> 20)
        locked = count << 20
    gaps = size - head - locked
    parts = [(True, head), (False, gaps // count + gaps % count), (True, locked // count + locked % count)]
    return parts + [(False, gaps // count), (True, locked // count)] * (count - 1)


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, at = vector["seed"], vector["marker"]
    plain, secrets = content(seed, vector["size"]), drawn(seed + " secrets", 480)
    end = at + 4 + len(MARKER)
    start = end + vector["offset"]
    turns, out = ciphers(secrets), editable(plain)
    out[at:end], position = drawn(seed + " check", 4) + MARKER, start
    for locked, length in chunks(vector["mode"], len(plain) - start):
        if locked:
            part = plain[position : position + length]
            out[position : position + length] = turns.encrypt(part)
        position += length
    message = bytes([vector["offset"], vector["mode"]]) + plain[at:end] + secrets + bytes(5)
    key = key_of(vector["rsa_key"])
    return Made(plain, finished(out) + oaep(key, message, seed, SHA3_512), key.export_key())
