"""LokiLocker and BlackBit: AES-256-GCM over a whole small file, or three pieces of a large one.

The tail is one RSA-2048 blob (OAEP with SHA-1): for each piece key 32, nonce 12 and tag 16.
"""

from __future__ import annotations

import msgspec

from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.extents import each_piece
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import AesGcm
from unransom.crypto.noise import is_noise

TAIL = Tail((Field("blob", 256),), wrapped="blob")
LARGE = 0x180000  # bytes from which a file is locked in pieces
PIECE = 0x40000
KEY, NONCE, TAG = 32, 12, 16
SECRETS = KEY + NONCE + TAG
OAEP_BITS = 128


def read(locked: Reader) -> Mark | None:
    """Return the mark: a random blob, and as many bits as the edges of the three pieces give away."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None or not is_noise(mark.fields["blob"]):
        return None
    bits = areas_bits(locked, spans(mark.plain_size), mark.plain_size)
    return None if bits is None else msgspec.structs.replace(mark, bits=bits)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob, which holds one set of secrets or three."""
    secrets = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha1")
    if secrets is None or len(secrets) < SECRETS:
        return None
    return FileKey({"secrets": secrets}, OAEP_BITS, say("the padding of the wrapped key"))


def spans(size: int) -> list[Span]:
    """Return the locked pieces of ``size`` bytes."""
    if size < LARGE:
        return [Span(0, size)] if size else []
    starts = (0, size // 2 - PIECE // 2, size - PIECE)
    return [Span(start, start + PIECE) for start in starts]


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the pieces, and check their tags at the end."""
    del locked
    size, secrets = mark.plain_size or 0, key.parts["secrets"]
    places = spans(size)
    if len(secrets) < SECRETS * len(places):
        raise BadMarkError(say("the wrapped key has too few parts for a file of this size"))
    parts = [secrets[at : at + SECRETS] for at in range(0, SECRETS * len(places), SECRETS)]
    ciphers = [AesGcm(part[:KEY], part[KEY : KEY + NONCE]) for part in parts]

    def check() -> tuple[int, Message]:
        held = [cipher.holds(part[-TAG:]) for cipher, part in zip(ciphers, parts, strict=True)]
        if not all(held):
            return 0, say("{count} authentication tags do not hold", count=held.count(False))
        return 8 * TAG, say("the authentication tags of all locked pieces")

    start = iter(ciphers)
    return Plan(size, each_piece(size, iter(places), lambda _: next(start)), check=check)


FAMILY = Family(
    name="lokilocker",
    title="LokiLocker",
    aliases=("blackbit",),
    extensions=(
        r"\[[0-9A-Fa-f]{8}\](?P<name>[^/]+)\.(?i:loki|rainman|blackbit|adair|boresh|payb)",
        r"\.(?i:loki|rainman|blackbit|adair|boresh|payb)",
    ),
    notes=(r"(?i)restore-my-files\.txt", r"(?i)info\.hta"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key of the campaign"),
    references=("https://github.com/rivitna/Malware/tree/main/LokiLocker",),
    limitations=(
        "Nothing in the tail is fixed: without the key, a file of up to 1.5 MiB or of compressed content is "
        "known by its extension only.",
    ),
)
