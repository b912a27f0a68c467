"""AES in the modes lockers use, through OpenSSL; every decryptor continues its stream call by call.

``update_into`` writes straight into the caller's memory: a copy more would halve the rate.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import (
    AEADDecryptionContext,
    Cipher,
    CipherContext,
    algorithms,
    modes,
)

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB, CFB8, OFB
except ImportError:  # older releases keep them among the others
    from cryptography.hazmat.primitives.ciphers.modes import CFB, CFB8, OFB

__all__ = [
    "BLOCK",
    "CFB",
    "COUNTERS",
    "AesCbc",
    "AesCfb",
    "AesCfb8",
    "AesCtr",
    "AesEcb",
    "AesGcm",
    "AesOfb",
]

BLOCK = 16  # bytes
COUNTERS = 1 << 128
WRAP = 1 << 32  # GCM counts in the last four bytes only


class AesCtr:
    """AES-CTR with a counter of 128 bits (NIST SP 800-38A), or one of which only the last 32 bits count."""

    spill = 0

    def __init__(self, key: bytes, counter: bytes, *, period: int = COUNTERS) -> None:
        """Start at ``counter``, 16 bytes big-endian; ``key`` is 16, 24 or 32 bytes.

        Args:
            key: The key.
            counter: The first one.
            period: The counter's lowest digits count modulo this; the digits above stay as they are.
        """
        self._key = key
        self._counter = counter
        self._period = period
        self._open(counter)

    def _open(self, counter: bytes) -> None:
        """Begin at ``counter``, which OpenSSL counts up over all 128 bits: until the period ends."""
        self._context: CipherContext = Cipher(algorithms.AES(self._key), modes.CTR(counter)).decryptor()
        number = int.from_bytes(counter)
        self._wrapped = (number - number % self._period).to_bytes(BLOCK)  # where it begins again
        self._left = (self._period - number % self._period) * BLOCK

    def at(self, offset: int) -> AesCtr:
        """Return the same cipher at byte ``offset`` of its stream."""
        number = int.from_bytes(self._counter)
        digits = (number + offset // BLOCK) % self._period
        counter = (number - number % self._period + digits).to_bytes(BLOCK)
        other = AesCtr(self._key, counter, period=self._period)
        other.decrypt_into(memoryview(bytes(offset % BLOCK)), memoryview(bytearray(offset % BLOCK)))
        return other

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        while len(data) >= self._left:
            self._context.update_into(data[: self._left], out[: self._left])
            data, out = data[self._left :], out[self._left :]
            self._open(self._wrapped)
        self._context.update_into(data, out)
        self._left -= len(data)


class _Blocks:
    """A mode that takes whole blocks."""

    spill = BLOCK

    def __init__(self, context: CipherContext) -> None:
        self._context = context
        self._end = bytearray(2 * BLOCK)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data``, a multiple of 16 bytes, into ``out``; they may be the same memory.

        Raises:
            ValueError: The length is not a multiple of 16.
        """
        if len(data) % BLOCK:
            raise ValueError(f"{len(data)} bytes are no whole AES blocks")
        # update_into wants a block more room than it writes, so the last block goes another way.
        split = len(data) - BLOCK
        if split < 0:
            return
        last = bytes(data[split:])
        if split:
            self._context.update_into(data[:split], out)
        self._context.update_into(last, self._end)
        out[split : len(data)] = self._end[:BLOCK]


class AesCbc(_Blocks):
    """AES-CBC without padding; what is decrypted at once must be whole blocks."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Chain from ``iv``, 16 bytes; ``key`` is 16, 24 or 32 bytes."""
        super().__init__(Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor())


class AesEcb(_Blocks):
    """AES-ECB; what is decrypted at once must be whole blocks."""

    def __init__(self, key: bytes) -> None:
        """Take ``key``, 16, 24 or 32 bytes."""
        super().__init__(Cipher(algorithms.AES(key), modes.ECB()).decryptor())  # noqa: S305 lockers do

    def at(self, offset: int) -> AesEcb:
        """Return the cipher itself: it has no stream, and ``offset`` no meaning."""
        del offset
        return self


class _Feedback:
    """A mode that makes a stream of what came before; ``iv`` is 16 bytes, ``key`` 16, 24 or 32."""

    spill = BLOCK
    _mode: type[CFB] | type[CFB8] | type[OFB]

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._context: CipherContext = Cipher(algorithms.AES(key), self._mode(iv)).decryptor()

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        self._context.update_into(data, out)


class AesCfb(_Feedback):
    """AES-CFB with a feedback of 128 bits (NIST SP 800-38A)."""

    _mode = CFB


class AesCfb8(_Feedback):
    """AES-CFB with a feedback of 8 bits: one AES block a byte."""

    _mode = CFB8


class AesOfb(_Feedback):
    """AES-OFB (NIST SP 800-38A): the keystream depends on nothing but key and IV."""

    spill = 0
    _mode = OFB


class AesGcm:
    """AES-GCM (NIST SP 800-38D) over a stream: what is decrypted is handed on before the tag is checked."""

    spill = 0

    def __init__(self, key: bytes, nonce: bytes, associated: bytes = b"") -> None:
        """Start with ``nonce``, 8 to 128 bytes; ``key`` is 16, 24 or 32 bytes."""
        self._key = key
        self._nonce = nonce
        self._context: AEADDecryptionContext = Cipher(algorithms.AES(key), modes.GCM(nonce)).decryptor()
        if associated:
            self._context.authenticate_additional_data(associated)

    def at(self, offset: int) -> AesCtr:
        """Return the cipher at byte ``offset`` of its stream, without a tag to check."""
        first = int.from_bytes(_pre_counter(self._key, self._nonce))
        digits = (first + 1) % WRAP
        counter = (first - first % WRAP + digits).to_bytes(BLOCK)
        return AesCtr(self._key, counter, period=WRAP).at(offset)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        self._context.update_into(data, out)

    def holds(self, tag: bytes) -> bool:
        """Return whether ``tag``, 4 to 16 bytes, is that of all that was decrypted; ends the stream."""
        try:
            self._context.finalize_with_tag(tag)
        except (InvalidTag, ValueError):
            return False
        return True


def _pre_counter(key: bytes, nonce: bytes) -> bytes:
    """Return the block J0 that a GCM counter starts from (NIST SP 800-38D, 7.1)."""
    if len(nonce) == 12:
        return nonce + b"\0\0\0\1"
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 of one block
    point = int.from_bytes(encryptor.update(bytes(BLOCK)))
    padded = nonce + bytes(-len(nonce) % BLOCK) + (8 * len(nonce)).to_bytes(BLOCK)
    value = 0
    for start in range(0, len(padded), BLOCK):
        value = _multiplied(value ^ int.from_bytes(padded[start : start + BLOCK]), point)
    return value.to_bytes(BLOCK)


def _multiplied(left: int, right: int) -> int:
    """Return the product in GCM's field, whose bits run from the left."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (0xE1 << 120 if right & 1 else 0)
    return product
