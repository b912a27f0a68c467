"""Seals like RCRU64: AES-GCM in blocks, chunks or at both ends, the later nonces from a generator."""

from Cryptodome.Cipher import AES
from Cryptodome.Hash import SHA1

from tests.lockers import Made, content, drawn
from tests.lockers.oaep import oaep
from tests.lockers.rsa import key_of

PART = 512_000
FULL = (1 << 64) - 1


def left(value: int, count: int) -> int:
    """Return 64 bits rotated."""
    return (value << count | value >> (64 - count)) & FULL


def following(state: bytes) -> bytes:
    """Return the generator's next eight bytes: SpookyHash's short end, spelt out."""
    x = int.from_bytes(state, "little") + 0xDEADBEEFDEADBEEF & FULL
    a = left(x, 15)
    x = (x ^ 0xE6ADBEEFDEADBEEF) + a & FULL
    b = left(x, 64 - 12)
    x = (x ^ 4815) + b & FULL
    c = left(x, 26)
    x = (x ^ 4815) + c & FULL
    d = left(x, 64 - 13)
    for turn in (28, 9, 64 - 17, 64 - 10, 32, 25, 64 - 1):
        x = (x ^ a) + d & FULL
        a, b, c, d = b, c, d, left(x, turn)
    return d.to_bytes(8)


def blocks(plain: bytes, key: bytes, first: bytes, length: int, step: int) -> bytes:
    """Return ``plain`` with ``length`` bytes of every ``step`` locked."""
    locked, nonce, state = bytearray(plain), first, b"sxuojgdg"
    for start in range(0, len(plain), step):
        part = plain[start : start + length]
        locked[start : start + length] = AES.new(key, AES.MODE_GCM, nonce=nonce).encrypt(part)
        state = following(state)
        nonce = state + state[4:]
    return bytes(locked)


def ends(plain: bytes, key: bytes, first: bytes, last: bytes) -> bytes:
    """Return a large file with its ends locked."""
    head, start = 0x2D2A8 - 16, len(plain) - PART
    tail = AES.new(key, AES.MODE_GCM, nonce=last).encrypt(plain[start:-16])
    locked = AES.new(key, AES.MODE_GCM, nonce=first).encrypt(plain[:head])
    return locked + plain[head:start] + tail + plain[-16:]


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the RSA key that the vector names."""
    seed, size, mode = vector["seed"], vector["size"], vector["mode"]
    rsa_key = key_of(vector["rsa_key"])
    key, nonces = drawn(seed + " key", 32), drawn(seed + " nonces", 32)
    plain = content(seed, size - 5000) + bytes(5000) if mode == "ends" else content(seed, size)
    one, end, info = b"\n", vector.get("end", "").encode(), b""
    if mode == "whole":
        locked = AES.new(key, AES.MODE_GCM, nonce=nonces).encrypt(plain + one) + end.ljust(16, b"\0")
    elif mode == "parts":
        whole = plain + one + end
        locked = blocks(whole[:-2], key, nonces[:12], PART, PART) + whole[-2:]
    elif mode == "ends":
        locked = ends(plain + one, key, nonces, drawn(seed + " last", 32))
    else:
        length, gap = vector["length"], vector["gap"]
        bounds = [round(float(text) * 1_024_000) for text in (length, gap)]
        stop = vector["stop"]
        locked = blocks(plain[:stop], key, nonces[:12], bounds[0], sum(bounds)) + plain[stop:] + one
        info = f"P7A1s{length}:{gap}$f1;Fs1z3{stop}".encode()
    blob = oaep(rsa_key, b"d7j3" + key + b"y9a0" + nonces + b"m5ha", seed, SHA1)
    tail = b"wenf=" + blob + info + vector.get("last", "").encode()
    return Made(plain, locked + tail, rsa_key.export_key())
