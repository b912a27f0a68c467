"""HomuWitch: the file compressed (deflate), then AES-256-CBC under one password of the build.

The file begins with a salt of 16 bytes. PBKDF2 of the password and it, with SHA-1 and 10,000 rounds, gives
the key and, behind it, the IV. PKCS #7 padding ends the locked bytes. Only files below 55 MB are locked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Insert, Locked, Mark, Plan
from unransom.catalog.schemes.padding import PADDING_BITS, padding_size
from unransom.catalog.schemes.passwords import Password
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import CHUNK, chunks
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

SALT = 16  # bytes
SIZE_BITS = 4  # of a size that whole blocks leave
WRAP = Password({"key": (0, 32), "iv": (32, 48)}, rounds=10_000, hash="sha1", salt_field="salt")
CIPHER = Cipher("aes-cbc")
RAW = -15  # zlib's window bits for deflate without a wrapper
LARGEST = 56 << 20  # bytes of an original: larger ones are not locked


def read(locked: Locked) -> Mark | None:
    """Return a weak mark: a random salt, and whole blocks behind it."""
    if locked.size < SALT + BLOCK or locked.size % BLOCK:
        return None
    end = locked.read_at(locked.size - 2 * BLOCK, 2 * BLOCK)
    salt = locked.read_at(0, SALT)
    if not is_noise(salt) or not is_noise(end):
        return None
    return Mark(bits=SIZE_BITS, fields={"salt": salt, "end": end}, numbers={"size": locked.size})


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Derive key and IV of a password that people could type; the padding at the end must hold."""
    if not _is_text(key.data):
        return None  # rather than ten thousand rounds
    found = WRAP(mark, key)
    if found is None:
        return None
    end = mark.fields["end"]
    if mark.numbers["size"] == SALT + BLOCK:  # what is before the only block is not in the file
        end = found.parts["iv"] + end[BLOCK:]
    padding = padding_size(end, found.parts["key"])
    if padding is None:
        return None
    return FileKey({**found.parts, "padding": bytes([padding])}, PADDING_BITS, say("PKCS #7 padding"))


def _is_text(data: bytes) -> bool:
    try:
        return data.decode().isprintable() and bool(data)
    except UnicodeDecodeError:
        return False


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt and expand the file, once to see how long it is, and once more as it is asked for.

    Raises:
        BadMarkError: What the key gives is not compressed, or is more than HomuWitch locks.
    """
    del mark
    size = sum(map(len, _expanded(locked, key)))
    return Plan(size, map(Insert, _expanded(locked, key)))


def _expanded(locked: Locked, key: FileKey) -> Iterator[bytes]:
    """Yield what the file holds, at most ``CHUNK`` bytes at a time."""
    cipher, expander, size = CIPHER.start(key), zlib.decompressobj(RAW), 0
    try:
        for data in chunks(locked, SALT, locked.size):
            waiting = decrypted(cipher, data)
            while waiting and not expander.eof:
                out = expander.decompress(waiting, CHUNK)
                waiting = expander.unconsumed_tail
                size += len(out)
                if size > LARGEST:
                    raise BadMarkError(say("the original would be larger than any that is locked"))
                yield out
    except zlib.error:
        raise BadMarkError(say("what the key gives is no compressed content")) from None
    if not expander.eof or len(expander.unused_data) != key.parts["padding"][0]:
        raise BadMarkError(say("the compressed content does not end with the file"))


FAMILY = Family(
    name="homuwitch",
    title="HomuWitch",
    extensions=(r"\.homuencrypted",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the password of the build, which its program holds as plain text"),
    references=("https://github.com/infokek/homuwitch-decryptor",),
    limitations=(
        "A file of which a part is lost is not opened: what is behind a gap cannot be expanded.",
        "Without the extension only whole blocks and random bytes are to be seen.",
    ),
)
