"""Seals like DMA Locker: AES-256-ECB over the whole blocks of 45 chunks and of what is left."""

from Cryptodome.Cipher import AES

from tests.lockers import Made, content, drawn


def seal(plain: bytes, key: bytes, wrapped: bytes) -> bytes:
    """Return ``plain`` locked."""
    cipher, chunk, out = AES.new(key, AES.MODE_ECB), len(plain) // 45, b""
    pieces = [plain[start : start + chunk] for start in range(0, 45 * chunk, chunk)] if chunk else []
    for piece in [*pieces, plain[45 * chunk :]]:
        whole = len(piece) - len(piece) % 16
        out += cipher.encrypt(piece[:whole]) + piece[whole:]
    return b"!DMALOCK" + wrapped + out


def make(vector: dict) -> Made:
    """Return the locked file of a vector; its key file is the key."""
    seed = vector["seed"]
    plain, key = content(seed, vector["size"]), drawn(seed + " key", 32)
    return Made(plain, seal(plain, key, drawn(seed + " wrapped", 128)), key)
