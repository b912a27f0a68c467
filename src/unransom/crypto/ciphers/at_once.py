"""Decrypts a few bytes in one go: metadata and samples, which need no buffer of the caller's."""

from __future__ import annotations

from typing import Protocol


class Decrypts(Protocol):
    """A cipher of this package at some place of its stream."""

    def decrypt_into(self, data: memoryview, out: memoryview) -> None:
        """Decrypt ``data`` into ``out`` of the same length."""
        ...


def decrypted(cipher: Decrypts, data: bytes) -> bytes:
    """Return ``data`` decrypted; the cipher's stream moves on by as many bytes."""
    out = bytearray(len(data))
    cipher.decrypt_into(memoryview(data), memoryview(out))
    return bytes(out)
