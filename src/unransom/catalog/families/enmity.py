"""Enmity: AES-256-GCM with a nonce of 16 bytes, whole or in places ten MiB apart; the name is kept.

Behind the original: ``N:`` or ``K:`` and the name, then the RSA-4096 blob (OAEP with SHA-1) with key and
nonce, then ``LB`` for a whole file or ``DB`` for a database; neither where the size decides. A whole
file has its tag behind it.
"""

from __future__ import annotations

from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import KeyKind
from unransom.core.messages import Message, say
from unransom.core.paths import base_name
from unransom.core.spans import Span
from unransom.core.streams import CHUNK, Reader, chunks
from unransom.crypto.ciphers.aes import AesGcm
from unransom.crypto.noise import is_noise

BLOB = 512
MODES = {b"LB": "whole", b"DB": "database"}
PREFIXES = (b"N:", b"K:")
MAX_NAME = 260  # bytes
PREFIX_BITS = 15 - 9  # one of two words at one of 260 places
NAME_BITS = 2  # of every byte of a name, if random bytes were to be valid UTF-8 without control characters
MOST_NAME_BITS = 32
TAG, TAG_BITS = 16, 128

LARGE = 0x100000  # bytes from which a file is locked in places
STEP = 0xA00000
PLACE, DATABASE_PLACE = 0x19999, 0x100000
DATABASE_END, MOST_DATABASE = 0x1400000, 0x15000000000  # left at the end; last place


def read(locked: Reader) -> Mark | None:
    """Return the mark: the name and what stands before it."""
    mode = locked.read_at(max(locked.size - 2, 0), 2)
    end = locked.size - (len(mode) if mode in MODES else 0) - BLOB
    if end < 0:
        return None
    before = locked.read_at(max(end - MAX_NAME - 2, 0), min(MAX_NAME + 2, end))
    place = before.rfind(b":")
    name, blob = before[place + 1 :], locked.read_at(end, BLOB)
    if before[max(place - 1, 0) : place + 1] not in PREFIXES or not _is_name(name) or not is_noise(blob):
        return None
    return Mark(
        bits=PREFIX_BITS + min(NAME_BITS * len(name), MOST_NAME_BITS) + (15 if mode in MODES else 0),
        fields={"name": name, "blob": blob},
        plain_size=None,
        numbers={"sealed": end - len(name) - 2},
        variant=MODES.get(mode, ""),
        wrapped=blob,
    )


def _is_name(data: bytes) -> bool:
    try:
        return bool(data) and data.decode().isprintable()
    except UnicodeDecodeError:
        return False


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the file, or its places."""
    sealed, name = mark.numbers["sealed"], base_name(mark.fields["name"]) or None
    mode = mark.variant or _by_size(locked, sealed, key)
    cipher = _cipher(key)
    if mode == "whole":
        size = sealed - TAG
        if size < 0:
            raise BadMarkError(say("the file is too short for the tag that ends it"))
        tag = locked.read_at(size, TAG)
        spans = [Span(0, size)] if size else []
        return Plan(size, pieces(size, spans, cipher), name, lambda: _checked(cipher, tag))
    place, last = PLACE, sealed - PLACE
    if mode == "database":
        place, last = DATABASE_PLACE, min(sealed - DATABASE_END, MOST_DATABASE)
    starts = range(0, last + 1, STEP)
    return Plan(sealed, pieces(sealed, (Span(at, min(at + place, sealed)) for at in starts), cipher), name)


def _by_size(locked: Reader, sealed: int, key: FileKey) -> str:
    """Return the mode of a file that does not say it; only the tag tells for a few sizes."""
    if sealed < LARGE:
        return "whole"
    if sealed >= LARGE + TAG:
        return "places"
    cipher = _cipher(key)
    scratch = memoryview(bytearray(CHUNK))
    for data in chunks(locked, 0, sealed - TAG):
        cipher.decrypt_into(memoryview(data), scratch[: len(data)])
    return "whole" if cipher.holds(locked.read_at(sealed - TAG, TAG)) else "places"


def _cipher(key: FileKey) -> AesGcm:
    return AesGcm(key.parts["key"], key.parts["nonce"])


def _checked(cipher: AesGcm, tag: bytes) -> tuple[int, Message]:
    if cipher.holds(tag):
        return TAG_BITS, say("the authentication tag of the content")
    return 0, say("the authentication tag of the content does not hold")


FAMILY = Family(
    name="enmity",
    title="Enmity",
    extensions=(r"-Mail\[[^\]/]*\]ID-\[[^\]/]*\]\.\w+", r"\.(?i:rnd6)"),
    notes=(r"(?i)enmity.*\.txt", r"(?i).*secles.*\.txt"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=Rsa("blob", {"key": (0, 32), "nonce": (32, 48)}, "oaep-sha1"),
    plan=plan,
    wanted=say("the RSA-4096 private key of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/Enmity",),
    limitations=(
        "Places are held to vectors only, and have no tag.",
        "The attacker's key, which opens the session's key file, is not taken.",
    ),
)
