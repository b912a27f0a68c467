"""The secret of a cipher under RSA, as OpenSSL makes it, where nobody wrote down how exactly."""

from __future__ import annotations

from unransom.catalog.schemes.family import FileKey, Mark
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.crypto import rsa

IV_SIZE = 16
KEY_SIZES = range(16, 33)
PKCS1_BITS, OAEP_BITS = 16, 128


def opened(mark: Mark, key: Key) -> FileKey | None:
    """Open the field ``blob``, or take the file's key, 32 bytes, maybe with an IV of 16 behind it."""
    if key.kind is KeyKind.RSA:
        return secret_in(mark.fields["blob"], key.data)
    longest = KEY_SIZES[-1]
    parts = secret_parts(key.data) if len(key.data) in {longest, longest + IV_SIZE} else None
    return FileKey(parts) if parts else None


def secret_in(blob: bytes, der: bytes) -> FileKey | None:
    """Return the secret that ``blob`` opens to by OAEP or PKCS #1 v1.5, None where the key is another one."""
    message, bits = rsa.decrypt_oaep(der, blob, "sha1", "big"), OAEP_BITS
    if message is None:
        message, bits = rsa.decrypt_pkcs1(der, blob, "big"), PKCS1_BITS
    parts = secret_parts(message) if message is not None else None
    return FileKey(parts, bits, say("the padding of the wrapped key")) if parts else None


def secret_parts(secret: bytes) -> dict[str, bytes] | None:
    """Return the key, and the IV behind it or zeros; None where ``secret`` has no key's size."""
    iv = b""
    if len(secret) == KEY_SIZES[-1] + IV_SIZE:
        secret, iv = secret[: KEY_SIZES[-1]], secret[KEY_SIZES[-1] :]
    return {"key": secret, "iv": iv or bytes(IV_SIZE)} if len(secret) in KEY_SIZES else None
