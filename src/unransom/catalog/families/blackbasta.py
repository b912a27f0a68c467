"""Black Basta of 2023, whose ChaCha keystream stands still: 64 bytes of it lock 64 bytes again and again.

Files below 5,000 bytes are locked whole, but for what is no whole 64 bytes at the end, and there the
keystream goes on. Of those up to 1 GiB 64 bytes of every 192 are locked, with the same 64 bytes of
keystream. Of larger ones the first 5,000 bytes are locked as in a small file, and behind them 64 of
every 6,400. So the 64 bytes that any known content at a locked place gives open nearly everything.

Tail, 314 bytes: 291 that hold the wrapped key, u8 version, u64 bytes of the file that are done, two
bytes, and the campaign's 11 characters with a zero behind them.
"""

from __future__ import annotations

from collections.abc import Iterator

from unransom.catalog.schemes.family import (
    BadMarkError,
    Decryptor,
    Family,
    FileKey,
    Keep,
    Locked,
    Lost,
    Mark,
    Piece,
    Plan,
    Unlock,
)
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.crypto.ciphers.xor import Xor

TAIL = Tail(
    (
        Field("wrapped", 291),
        Number("version", 1, values=(6,)),
        Number("done", 8),
        Field("unknown", 2),
        Field("campaign", 12),
    ),
    wrapped="wrapped",
)
CHUNK = 64  # bytes of keystream, and of a locked place
HEAD = 5000  # bytes that a stream which does go on locks
HEAD_STREAM = -(-HEAD // CHUNK) * CHUNK  # bytes of it
LARGE = 1 << 30  # bytes of the largest file without such a head
STEP, LARGE_STEP = 192, 6400
CAMPAIGN_BITS = 8 + 11  # the zero; letters and digits have few of the values of a byte
VERSION_BITS, DONE_BITS = 8, 64


def read(locked: Locked) -> Mark | None:
    """Return the mark: version, campaign, and how far the locker came, which is at most the end."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None:
        return None
    name, zero = mark.fields["campaign"][:-1], mark.fields["campaign"][-1]
    done, size = mark.numbers["done"], mark.plain_size
    if zero or not name.isalnum() or not name.isascii() or done >= size + LARGE_STEP:
        return None
    whole = done >= size - LARGE_STEP
    room = LARGE_STEP * 2 if whole else size
    return Mark(
        bits=VERSION_BITS + CAMPAIGN_BITS + DONE_BITS - room.bit_length(),
        fields=mark.fields,
        numbers=mark.numbers,
        plain_size=size,
        variant="" if whole else "interrupted",
        wrapped=mark.wrapped,
        campaign=name.decode("ascii"),
    )


def repeated(size: int) -> tuple[Span, int]:
    """Return where the same 64 bytes of keystream lock, and from one such place to the next.

    Args:
        size: Bytes of the original.

    Returns:
        From the first place's first byte to behind the last one's last, and a step; an empty span where
        there are none.
    """
    if size < HEAD:
        return Span(size, size), STEP
    start, step = (0, STEP) if size <= LARGE else (HEAD, LARGE_STEP)
    if size - start < CHUNK:
        return Span(size, size), step
    return Span(start, start + (size - CHUNK - start) // step * step + CHUNK), step


def head(size: int) -> Span:
    """Return what of a file of ``size`` bytes is locked by a keystream that goes on."""
    if size < HEAD:
        return Span(0, size - size % CHUNK)
    return Span(0, HEAD if size > LARGE else 0)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take the keystream from its beginning: its first 64 bytes, once or repeated, or all of the head's."""
    del mark
    data = key.data
    if not data or len(data) % CHUNK or len(data) > HEAD_STREAM:
        return None
    if data == data[:CHUNK] * (len(data) // CHUNK):
        data = data[:CHUNK]
    return FileKey({"stream": data})


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt what the keystream is known for.

    Raises:
        BadMarkError: All of a small file needs more of the keystream than the key has.
    """
    del locked
    size, stream = mark.plain_size or 0, key.parts["stream"]
    if size < HEAD and len(stream) < head(size).end:
        raise BadMarkError(say("64 bytes of keystream open no file below 5,000 bytes"))
    stop = size if not mark.variant else min(mark.numbers["done"], size)
    return Plan(size, _pieces(size, stop, stream))


def _pieces(size: int, stop: int, stream: bytes) -> Iterator[Piece]:
    """Yield the pieces of a file that is locked up to ``stop``."""
    beginning = min(head(size).end, stop)
    if len(stream) >= beginning:
        yield Unlock(0, beginning, Xor(stream))
    else:
        yield Unlock(0, min(CHUNK, beginning), Xor(stream))
        yield Lost(beginning - min(CHUNK, beginning))
    places, step = repeated(size)
    end = max(min(places.end, stop), beginning) if len(places) else beginning
    yield Unlock(beginning, end - beginning, _repeating(stream[:CHUNK], step))
    yield Keep(end, size - end)


def _repeating(chunk: bytes, step: int) -> Decryptor:
    """Return XOR with ``chunk`` at every ``step`` bytes, and with nothing between: one pass over all."""
    return Xor(chunk.ljust(step, b"\0"))


FAMILY = Family(
    name="blackbasta",
    title="Black Basta (2023)",
    extensions=(r"\.(?i:basta)",),
    notes=(r"(?i)instructions_read_me\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the first 64 bytes of the file's keystream, from known content at any locked place"),
    references=("https://github.com/srlabs/black-basta-buster",),
    limitations=(
        "Files that the later version locked, whose keystream goes on, are not opened with 64 bytes of it.",
        "How the key is wrapped is not documented: the attackers' private key is of no use here.",
        "In files above 1 GiB 64 bytes of keystream leave the bytes 64 to 4,999 lost.",
        "The map calls everything unlocked from the first locked place to the last, as places are too many.",
    ),
)
