"""Members of a zip under a password: WinZip's AES (AE-1 and AE-2), as Alipay's bills come by mail.

Source: WinZip, "AES Encryption Information: Encryption Specification AE-1 and AE-2".
"""

from __future__ import annotations

import hashlib
import hmac
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.exports.channel import UnreadableExportError
from unransom.core.messages import say
from unransom.core.streams import CHUNK, Reader

LOCKED = 1  # flag of a member
AES_METHOD = 99
_EXTRA = 0x9901
_LOCAL = struct.Struct("<4s22xHH")  # signature, …, bytes of the name and of the extra fields
_ROUNDS = 1000
_CHECK, _TAG = 2, 10  # bytes
_KEY_SIZES = {1: 16, 2: 24, 3: 32}  # by strength; the salt has half of it
_ENCODINGS = ("utf-8", "gb18030", "cp437")  # that a password may have been typed in
LARGEST = 512 << 20  # bytes of a packed member, which is in memory as a whole
_STORED, _DEFLATED = 0, 8  # methods beneath


class Lock(NamedTuple):
    """What a member's extra field says: bytes of the key, and how it is packed beneath."""

    key_size: int
    method: int


def passwords(text: str) -> list[bytes]:
    """Return the bytes that a password may be; those in which it cannot be written are left out."""
    found = []
    for encoding in _ENCODINGS:
        try:
            found.append(text.encode(encoding))
        except UnicodeEncodeError:
            continue
    return list(dict.fromkeys(found))


def locked() -> UnreadableExportError:
    """Return the error for a member that nothing opens without a password."""
    return UnreadableExportError(
        say("it is locked with a password"),
        hint=say("run it in a terminal, where the password is asked for, or set UNRANSOM_ZIP_PASSWORD"),
    )


def wrong() -> UnreadableExportError:
    """Return the error for a password that is not the member's."""
    return UnreadableExportError(
        say("the password does not open it"),
        hint=say(
            "the sender says where the password comes from; Alipay's is often a part of an account's ID"
        ),
    )


def open_aes(reader: Reader, member: zipfile.ZipInfo, password: str) -> Iterator[bytes]:
    """Yield the content of a member piece by piece, authenticated before the first.

    Args:
        reader: The zip.
        member: One of its members, of method ``AES_METHOD``.
        password: Of the member.

    Raises:
        UnreadableExportError: The password is wrong, or the member is damaged.
    """
    lock = _lock(member.extra)
    data = _packed(reader, member)
    salt, rest = data[: lock.key_size // 2], data[lock.key_size // 2 :]
    check, body, tag = rest[:_CHECK], rest[_CHECK:-_TAG], rest[-_TAG:]
    for each in passwords(password):
        keys = hashlib.pbkdf2_hmac("sha1", each, salt, _ROUNDS, 2 * lock.key_size + _CHECK)
        if keys[-_CHECK:] == check:
            break
    else:
        raise wrong()
    if not hmac.compare_digest(hmac.digest(keys[lock.key_size : -_CHECK], body, "sha1")[:_TAG], tag):
        raise UnreadableExportError(say("the packed export is damaged"), detail="HMAC")
    yield from _unpacked(_plain(keys[: lock.key_size], body), lock.method)


def _lock(extra: bytes) -> Lock:
    """Return what the fields of a member's directory entry say of its lock."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + size]
        if kind == _EXTRA and len(field) >= 7 and field[4] in _KEY_SIZES:
            return Lock(_KEY_SIZES[field[4]], int.from_bytes(field[5:7], "little"))
        at += 4 + size
    raise UnreadableExportError(say("the packed export is damaged"), detail="AES")


def _packed(reader: Reader, member: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes as they lie in the zip."""
    head = reader.read_at(member.header_offset, _LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04") or member.compress_size > LARGEST:
        raise UnreadableExportError(say("the packed export is damaged"))
    _, name, extra = _LOCAL.unpack(head)
    data = reader.read_at(member.header_offset + _LOCAL.size + name + extra, member.compress_size)
    if len(data) < member.compress_size or len(data) < min(_KEY_SIZES.values()) // 2 + _CHECK + _TAG:
        raise UnreadableExportError(say("the packed export is cut off"))
    return data


def _plain(key: bytes, body: bytes) -> bytes:
    from unransom.crypto.ciphers.aes_little import AesCtrLittle  # noqa: PLC0415 numba takes half a second
    from unransom.crypto.ciphers.at_once import decrypted  # noqa: PLC0415

    return decrypted(AesCtrLittle(key, (1).to_bytes(16, "little")), body)


def _unpacked(data: bytes, method: int) -> Iterator[bytes]:
    if method == _STORED:
        yield data
        return
    if method != _DEFLATED:
        raise UnreadableExportError(say("the packed export is damaged"), detail=f"method {method}")
    unpack = zlib.decompressobj(-zlib.MAX_WBITS)
    while not unpack.eof:
        piece = unpack.decompress(data, CHUNK)
        data = unpack.unconsumed_tail
        if not piece and not data:
            raise UnreadableExportError(say("the packed export is cut off"))
        yield piece
