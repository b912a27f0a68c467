"""Keys as unransom holds them in memory. They are never written to the case, a log or a command line."""

from __future__ import annotations

import enum
import functools
import hashlib

import msgspec


class KeyKind(enum.StrEnum):
    """What a key can be used as."""

    RAW = "raw"  # bytes: a symmetric key, an X25519 scalar or a password
    RSA = "rsa"
    EC = "ec"
    RSA_PUBLIC = "rsa-public"  # opens nothing: for attacks on it
    PARTIAL = "partial"  # opens nothing: for attacks that complete it
    SERVER = "server"  # of a database server, for the tables that it encrypted itself


class Key(msgspec.Struct, frozen=True, dict=True):
    """A key and where it came from.

    Attributes:
        kind: What it is.
        data: RAW: the bytes. RSA: PKCS #1 DER of the private key. EC: SEC 1 DER of the private key.
            RSA_PUBLIC: PKCS #1 DER. PARTIAL: an entry of a key library with bits that are missing, as JSON.
            SERVER: the server's name or number of the key, a zero byte, the key.
        origin: Name of the file or search it came from, for people.
    """

    kind: KeyKind
    data: bytes
    origin: str = ""

    @functools.cached_property  # tables of some MiB are keys too
    def fingerprint(self) -> str:
        """What the key is called wherever people or files see it: 16 hexadecimal digits."""
        return hashlib.sha256(b"unransom key\0" + self.kind.encode() + b"\0" + self.data).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Key({self.kind.value}, {self.fingerprint}, {self.origin!r})"
