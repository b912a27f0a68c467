"""Seals with AES-256 over the whole file or areas of it, as home-made lockers do."""

from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from tests.lockers import Made, content, drawn


def seal(plain: bytes, key: bytes, iv: bytes, mode: str, place: str) -> bytes:
    """Return ``plain`` locked in ``mode``, the IV before ("head") or behind it ("tail") or nowhere."""
    tag = b""
    match mode:
        case "cbc":
            body = AES.new(key, AES.MODE_CBC, iv).encrypt(pad(plain, 16))
        case "cbc-zeros":
            body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(-len(plain) % 16))
        case "ecb":
            body = AES.new(key, AES.MODE_ECB).encrypt(pad(plain, 16))
        case "cfb" | "cfb8":
            bits = 8 if mode == "cfb8" else 128
            body = AES.new(key, AES.MODE_CFB, iv, segment_size=bits).encrypt(plain)
        case "ofb":
            body = AES.new(key, AES.MODE_OFB, iv).encrypt(plain)
        case "gcm":
            iv = iv[:12]
            body, tag = AES.new(key, AES.MODE_GCM, nonce=iv).encrypt_and_digest(plain)
        case "ctr-nonce":
            iv = iv[:8]
            body = AES.new(key, AES.MODE_CTR, nonce=iv).encrypt(plain)
        case _:
            body = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=int.from_bytes(iv)).encrypt(plain)
    return (iv if place == "head" else b"") + body + (iv if place == "tail" else b"") + tag


def seal_areas(plain: bytes, key: bytes, iv: bytes, vector: dict) -> bytes:
    """Return ``plain`` with ``on`` bytes locked and ``off`` bytes left by turns, in whole blocks for CBC."""
    on, off, streams, cbc = vector["on"], vector["off"], vector["streams"], vector["mode"] == "cbc"
    locked, cipher = bytearray(plain), None
    for start in range(0, len(plain), on + off):
        end = min(start + on, len(plain))
        end -= (end - start) % 16 if cbc else 0
        if cipher is None or streams != "one":
            count = int.from_bytes(iv) + (start // 16 if streams == "by place" else 0)
            counter = {"nonce": b"", "initial_value": count}
            cipher = AES.new(key, AES.MODE_CBC, iv) if cbc else AES.new(key, AES.MODE_CTR, **counter)
        if streams == "by place" and start % 16:
            cipher.encrypt(bytes(start % 16))
        locked[start:end] = cipher.encrypt(plain[start:end])
    place = vector["place"]
    return (iv if place == "head" else b"") + bytes(locked) + (iv if place == "tail" else b"")


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the key, and the IV where that is said."""
    seed, place = vector["seed"], vector["place"]
    plain = bytes.fromhex(vector["begins"]) + content(seed, vector["size"])
    key = drawn(seed + " key", 32)
    iv = bytes(16) if place == "zero" else drawn(seed + " iv", 16)
    if "on" in vector:
        plain = (f"{seed}: order 10042, two lamps; " * vector["size"]).encode()[: vector["size"]]
        locked = seal_areas(plain, key, iv, vector)
    else:
        locked = seal(plain, key, iv, vector["mode"], place)
    return Made(plain, locked, key + iv if place == "key" else key)
