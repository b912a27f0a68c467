"""Hunters International, second generation: ten AES-256-CTR ciphers by turns over parts that a mode names.

The tail is one RSA-5120 blob (OAEP with SHA3-512):

    u8 bytes after the marker left alone   u8 mode   what the marker was written over
    ten times 32 bytes of key and a counter of 16, little-endian
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Insert, Keep, Mark, Piece, Plan
from unransom.catalog.schemes.turns import turn_pieces
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.noise import is_noise

BLOB = 640
# Of the marker's 23 bytes the first four differ from file to file. The known build's others come from a
# listing that leaves one open, does not tell some from their likes, and may be wrong in two.
CHECK, MARKER = 4, 23
BUILD = b"\x4d\x58\x99\x57\x81\xd2\xd3\x33\x5f\x77\xc3\x75\x00\xab\xc2\xa9\x48\xc1\x22"
LIKES = b"\xed\xe8\x99\x57\x81\x70\x63\xfa\x5f\x77\xc3\x75\x00\xab\xc2\xa9\xee\x61\x22"
WRONG = 3  # bytes, the open one among them
MOST_OFFSET = 255  # bytes behind the marker that may be left
HEAD = 1024  # bytes in which the marker is looked for
MARKER_BITS = 8 * (len(BUILD) - WRONG) - 10 - 7 - 10  # less the choices of three, the likes, and the places
KEY, COUNTER, CIPHERS = 32, 16, 10
SECRETS = CIPHERS * (KEY + COUNTER)
OAEP_BITS = 512
MIB = 1 << 20


def read(locked: Reader) -> Mark | None:
    """Return the mark of a file with the known build's marker in its head."""
    size = locked.size - BLOB
    marker = _marker(locked.read_at(0, min(HEAD, max(size, 0))))
    blob = locked.read_at(max(size, 0), BLOB)
    if marker is None or not is_noise(blob):
        return None
    numbers = {"marker": marker}
    return Mark(bits=MARKER_BITS, fields={"blob": blob}, numbers=numbers, plain_size=size, wrapped=blob)


def ends(locked: Reader) -> int | None:
    """Return where locked bytes stand for sure if the marker is there, whatever became of the end."""
    marker = _marker(locked.read_at(0, HEAD))
    return None if marker is None else marker + MARKER + MOST_OFFSET


def _marker(head: bytes) -> int | None:
    """Return where the marker begins."""
    if len(head) < MARKER:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(head, np.uint8)[CHECK:], len(BUILD))
    fitting = (windows == np.frombuffer(BUILD, np.uint8)) | (windows == np.frombuffer(LIKES, np.uint8))
    places = np.flatnonzero(fitting.sum(axis=1) >= len(BUILD) - WRONG)
    return int(places[0]) if len(places) else None


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob."""
    message = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha3_512")
    if message is None or len(message) < 2 + MARKER + SECRETS:
        return None
    parts = {
        "offset": message[:1],
        "mode": message[1:2],
        "moved": message[2 : 2 + MARKER],
        "secrets": message[2 + MARKER : 2 + MARKER + SECRETS],
    }
    return FileKey(parts, OAEP_BITS, say("the padding of the wrapped key"))


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Put back what the marker was written over, and decrypt the parts of the mode."""
    size = locked.size - BLOB
    start = mark.numbers["marker"] + MARKER + key.parts["offset"][0]
    if start > size:
        raise BadMarkError(say("the locked area begins behind the end of the file"))
    spans = [Span(start + low, start + high) for low, high in extents(key.parts["mode"][0], size - start)]
    return Plan(size, _pieces(mark.numbers["marker"], key, spans, size))


def _pieces(marker: int, key: FileKey, spans: list[Span], size: int) -> Iterator[Piece]:
    from unransom.crypto.ciphers.aes_little import AesCtrLittle  # noqa: PLC0415 numba takes half a second

    yield Keep(0, marker)
    yield Insert(key.parts["moved"])
    if spans[0].start > marker + MARKER:
        yield Keep(marker + MARKER, spans[0].start - marker - MARKER)
    secrets = key.parts["secrets"]
    ciphers = [
        AesCtrLittle(secrets[at : at + KEY], secrets[at + KEY : at + KEY + COUNTER])
        for at in range(0, SECRETS, KEY + COUNTER)
    ]
    yield from turn_pieces(spans, size, ciphers)


class _Shares(NamedTuple):
    """A mode that locks shares of the file: percent at the start, percent in chunks, chunks."""

    head: int
    rest: int
    chunks: int


class _Chunks(NamedTuple):
    """A mode that locks 5 percent at the start, at most ``most``, and chunks of 1 MiB in ``rest`` percent."""

    most: int
    rest: int
    chunks: int


WHOLE = frozenset({1, 6, 7})
MODES: dict[int, _Shares | _Chunks] = {
    2: _Shares(10, 20, 5),
    3: _Shares(10, 20, 5),
    4: _Chunks(10 * MIB, 45, 50),
    5: _Chunks(100 * MIB, 50, 150),
    8: _Shares(30, 10, 10),
}


def extents(mode: int, size: int) -> list[tuple[int, int]]:
    """Return the start and end of what ``mode`` locks of ``size`` bytes.

    Raises:
        BadMarkError: There is no such mode, or it locks no chunk of so few bytes.
    """
    if mode in WHOLE:
        return [(0, size)]
    rule = MODES.get(mode)
    if rule is None:
        raise BadMarkError(say("no known version locks in mode {mode}", mode=mode))
    if isinstance(rule, _Shares):
        head, locked, count = size * rule.head // 100, size * rule.rest // 100, rule.chunks
    else:
        head = min(rule.most, size * 5 // 100)
        count = min(rule.chunks, min(size - head, max(MIB, size * rule.rest // 100)) // MIB)
        locked = count * MIB
    if not count:
        raise BadMarkError(say("the file is too small for the mode {mode}", mode=mode))
    return _spread(size, head, locked, count)


def _spread(size: int, head: int, locked: int, count: int) -> list[tuple[int, int]]:
    """Return a head and ``count`` chunks of ``locked`` bytes; the first gap and chunk take the remainders."""
    chunk, more = divmod(locked, count)
    gap, wider = divmod(size - head - locked, count)
    spans, position = [(0, head)], head + wider
    for index in range(count):
        length = chunk if index else chunk + more
        spans.append((position + gap, position + gap + length))
        position += gap + length
    return spans


FAMILY = Family(
    name="hunters2",
    title="Hunters International 2",
    extensions=(r"\.locked",),
    notes=(r"(?i)contact us\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("one of the two RSA-5120 private keys of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Hunters",),
    limitations=("Only the marker of one build is known.", "No real file was at hand: held to vectors."),
)
