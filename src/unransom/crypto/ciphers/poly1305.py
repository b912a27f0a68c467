"""ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 over a stream: handed on before the tag is checked."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.poly1305 import Poly1305

from unransom.crypto.ciphers.chacha import ChaCha, derived
from unransom.crypto.ciphers.stream import BLOCK

PADDED = 16  # bytes that the authenticated parts are padded to


class ChaChaPoly:
    """ChaCha20 from block 1 on, and a Poly1305 tag over what it decrypts."""

    spill = 0

    def __init__(self, key: bytes, nonce: bytes, associated: bytes = b"") -> None:
        """Start with ``key``, 32 bytes, and ``nonce``, 12 bytes, or 24 for XChaCha20."""
        if len(nonce) == 24:
            key, nonce = derived(key, nonce[:16]), bytes(4) + nonce[16:]
        if len(nonce) != 12:
            raise ValueError(f"the nonce has 12 or 24 bytes, not {len(nonce)}")
        self._cipher = ChaCha.from_key(key, nonce)
        one_time = bytearray(BLOCK)
        self._cipher.decrypt_into(memoryview(bytes(BLOCK)), memoryview(one_time))
        self._mac = Poly1305(bytes(one_time[:32]))
        self._mac.update(associated + bytes(-len(associated) % PADDED))
        self._associated = len(associated)
        self._length = 0

    def at(self, offset: int) -> ChaCha:
        """Return the cipher at byte ``offset`` of its stream, without a tag to check."""
        return self._cipher.at(BLOCK + offset)

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out``; they may be the same memory."""
        self._mac.update(data)
        self._length += len(data)
        self._cipher.decrypt_into(data, out)

    def holds(self, tag: bytes) -> bool:
        """Return whether ``tag``, 16 bytes, is that of all that was decrypted; ends the stream."""
        lengths = self._associated.to_bytes(8, "little") + self._length.to_bytes(8, "little")
        self._mac.update(bytes(-self._length % PADDED) + lengths)
        try:
            self._mac.verify(tag)
        except InvalidSignature:
            return False
        return True
