"""Seals like DeadBolt: AES-128-CBC under the victim's key, whose hash and the master's are in the tail."""

import hashlib

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn


def seal(plain: bytes, seed: str) -> tuple[bytes, bytes, bytes]:
    """Return ``plain`` locked, the victim's key and the master key."""
    master, victim, iv = (drawn(f"{seed} {what}", 16) for what in ("master", "victim", "iv"))
    key = hashlib.sha256(master + victim).digest()[:16]
    body = AES.new(key, AES.MODE_CBC, iv).encrypt(plain + bytes(-len(plain) % 16))
    hashes = hashlib.sha256(key).digest() + hashlib.sha256(master).digest()
    tail = b"DEADBOLT" + len(plain).to_bytes(8, "little") + victim + iv + hashes + bytes(16)
    return body + tail, key, master


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the victim's key in hex, or the master's."""
    plain = content(vector["seed"], vector["size"])
    locked, key, master = seal(plain, vector["seed"])
    return Made(plain, locked, (master if vector.get("master") else key).hex().encode())
