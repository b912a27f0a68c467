"""Money Message: ChaCha20, restarted every 8 KiB, with a key for every file agreed on sect571k1.

Tail, 172 bytes: u32 bytes of the public key, the public key 144 (x and y, each little-endian), u32 block
counter, nonce 12, CRC-32 of all before it. The file's key is SHA3-256 of the shared point, x and y.
Because each 8 KiB are under the same keystream, those 8 KiB of keystream open the file without any key.
"""

from __future__ import annotations

import hashlib
import zlib

from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.agreement import SIZE571, sect571k1_point
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.ciphers.xor import Xor

TAIL = Tail(
    (
        Number("length", 4),
        Field("public", 2 * SIZE571),
        Number("counter", 4),
        Field("nonce", 12),
        Number("checksum", 4),
    )
)
PERIOD = 0x2000  # bytes after which the keystream begins again
BITS = 32 + 32 + 10  # CRC-32; the length; five zeros at the top of each coordinate
FREE = 8 * SIZE571 - 571  # bits of a coordinate that are always zero
KEY_SIZE = 32


def read(locked: Reader) -> Mark | None:
    """Return the mark: the CRC-32 of the tail must hold, and the public key be two coordinates."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None or mark.numbers["length"] != 2 * SIZE571:
        return None
    tail = locked.read_at(mark.plain_size, TAIL.size)
    public = mark.fields["public"]
    if zlib.crc32(tail[:-4]) != mark.numbers["checksum"] or any(
        half[-1] >> (8 - FREE) for half in (public[:SIZE571], public[SIZE571:])
    ):
        return None
    return Mark(
        bits=BITS,
        fields=mark.fields,
        numbers=mark.numbers,
        plain_size=mark.plain_size,
        wrapped=public,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Agree on the file's key with a scalar, little-endian, of 72 bytes; or take 32 bytes as that key.

    8 KiB are taken as the file's keystream. None of them proves anything.
    """
    if len(key.data) == KEY_SIZE:
        return FileKey({"key": key.data})
    if len(key.data) == PERIOD:
        return FileKey({"stream": key.data})
    if len(key.data) != SIZE571:
        return None
    shared = sect571k1_point(key.data[::-1], _turned(mark.fields["public"]))
    return FileKey({"key": hashlib.sha3_256(_turned(shared)).digest()}) if shared else None


def _turned(point: bytes) -> bytes:
    """Return both coordinates of ``point`` in the other byte order."""
    return point[:SIZE571][::-1] + point[SIZE571:][::-1]


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt all of it with the keystream of the first 8 KiB."""
    del locked
    stream = key.parts.get("stream") or _stream(mark, key.parts["key"])
    size = mark.plain_size or 0
    return Plan(size, iter([Unlock(0, size, Xor(stream))]))


def _stream(mark: Mark, key: bytes) -> bytes:
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415 numba takes half a second to import

    cipher = ChaCha.from_key(key, mark.fields["nonce"], counter=mark.numbers["counter"])
    return decrypted(cipher, bytes(PERIOD))


FAMILY = Family(
    name="moneymessage",
    title="Money Message",
    notes=(r"(?i)money_message\.log",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the sect571k1 private key of the campaign, 72 bytes little-endian"),
    references=("https://github.com/rivitna/Malware/tree/main/MoneyMessage",),
    limitations=(
        "The tail proves no key: a key is proven on files whose format is known.",
        "Names are not changed by the locker.",
    ),
)
