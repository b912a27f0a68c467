"""AES in the modes lockers use, through OpenSSL; every decryptor continues its stream call by call."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

BLOCK = 16  # bytes


class AesCtr:
    """AES-CTR with a 128-bit big-endian counter (NIST SP 800-38A)."""

    spill = 0

    def __init__(self, key: bytes, counter: bytes) -> None:
        """Start at ``counter``, 16 bytes; ``key`` is 16, 24 or 32 bytes."""
        self._context: CipherContext = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        self._context.update_into(data, out)


class AesCbc:
    """AES-CBC without padding; what is decrypted at once must be whole blocks."""

    spill = BLOCK

    def __init__(self, key: bytes, iv: bytes) -> None:
        """Chain from ``iv``, 16 bytes; ``key`` is 16, 24 or 32 bytes."""
        self._context: CipherContext = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._room = memoryview(b"")

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data``, a multiple of 16 bytes, into ``out``; they may be the same memory.

        Raises:
            ValueError: The length is not a multiple of 16.
        """
        if len(data) % BLOCK:
            raise ValueError(f"{len(data)} bytes are no whole AES blocks")
        # update_into wants a block more room than it writes, which `out` need not have.
        if len(self._room) < len(data) + BLOCK:
            self._room = memoryview(bytearray(len(data) + BLOCK))
        written = self._context.update_into(data, self._room)
        out[:written] = self._room[:written]
