"""PKCS #7 padding: how many bytes at the end of an AES-CBC stream are not the original's."""

from __future__ import annotations

from unransom.crypto.ciphers.aes import BLOCK, AesCbc

PADDING_BITS = 8  # that padding proves: what random bytes have of it is nearly always a single 01


def padding_size(end: bytes, key: bytes) -> int | None:
    """Return the bytes of padding, 1 to 16, None where there is none: another key, or another padding.

    Args:
        end: The last block of the stream behind the block, or the IV, before it: 32 bytes.
        key: The AES key.
    """
    if len(end) != 2 * BLOCK:
        return None
    block = bytearray(BLOCK)
    AesCbc(key, end[:BLOCK]).decrypt_into(memoryview(end)[BLOCK:], memoryview(block))
    size = block[-1]
    return size if 1 <= size <= BLOCK and block.endswith(bytes([size]) * size) else None
