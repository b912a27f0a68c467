"""Mammon, a kin of Enmity: AES-256-GCM with a nonce of 16 bytes, whole, at the beginning, or in places.

Behind the locked bytes is the RSA-4096 blob (OAEP with SHA-1) with key and nonce. Files below 1 MiB are
locked whole: their tag follows, then ``K:`` and the blob. Of larger ones the beginning is locked. Those
above 50 MiB are locked once more, blob and all, in places 6.25 MiB apart, with a key and a blob of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.extents import First, Whole, pieces
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.crypto import rsa

BLOB = Field("blob", 512, random=True)
WHOLE = Tail((Field("tag", 16), Magic(b"K:".hex()), BLOB), wrapped="blob")
TAIL = Tail((BLOB,), wrapped="blob")
WRAP = Rsa("blob", {"key": (0, 32), "iv": (32, 48)}, "oaep-sha1")
CIPHER = Cipher("aes-gcm")
LARGE = 0x100000  # bytes from which only the beginning of a file is locked
BEGINNING = 0x32000
PLANS = {
    "whole": OneStream(CIPHER, Whole(), tag="tag"),
    "beginning": OneStream(CIPHER, First(BEGINNING)),
}
AGAIN = "again"  # part of a file's key: the file was locked a second time
PLACE, SPACE = 0x10000, 0x640000


def read(locked: Locked) -> Mark | None:
    """Return the mark: what stands before the blob; or a random tail, and a beginning that is random."""
    if mark := WHOLE(locked):
        return Mark(16, mark.fields, plain_size=mark.plain_size, variant="whole", wrapped=mark.wrapped)
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None or mark.plain_size < LARGE:
        return None
    bits = areas_bits(locked, [Span(0, BEGINNING)], mark.plain_size)
    if bits is None:
        return None
    before = locked.read_at(max(locked.size - 2 * BLOB.size, 0), BLOB.size)
    fields = {**mark.fields, "before": before}
    return Mark(1 + bits, fields, plain_size=mark.plain_size, variant="beginning", wrapped=mark.wrapped)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob; where the private key opens the bytes before it, too, they are of the first time."""
    found = WRAP(mark, key)
    if (
        found is None
        or mark.variant == "whole"
        or rsa.decrypt_oaep(key.data, mark.fields["before"], "sha1") is None
    ):
        return found
    return FileKey({**found.parts, AGAIN: b"\1"}, found.bits, found.proof)


def places(size: int) -> Iterator[Span]:
    """Yield what is locked the second time of ``size`` bytes, which the first time left."""
    for start in range(0, size - SPACE, PLACE + SPACE):
        yield Span(start, min(start + PLACE, size))


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the file, its beginning, or the places of the second time."""
    if AGAIN not in key.parts:
        return PLANS[mark.variant](locked, mark, key)
    size = mark.plain_size or 0
    return Plan(size, pieces(size, places(size), CIPHER.start(key)))


FAMILY = Family(
    name="mammon",
    title="Mammon",
    extensions=(r"\.Mail-\[[^/]*\.lock(?:\.v2)?",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-4096 private key of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/Enmity",),
    limitations=(
        "Held to vectors after a public decryptor; no real file was at hand.",
        "The tail of large files looks random: only the extension, or a key, names the family.",
    ),
)
