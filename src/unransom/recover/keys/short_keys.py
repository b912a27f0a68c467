"""Finds keys that were XORed over a file again and again, from the locked file alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.format import Known
from unransom.catalog.formats.identify import by_name
from unransom.catalog.schemes.extents import First, Whole
from unransom.core.streams import Salvage
from unransom.crypto.search.keystream.periods import ENOUGH, periods_in, sample_period
from unransom.crypto.search.keystream.priors import VALUES, priors
from unransom.crypto.search.keystream.smooth import smooth_vote
from unransom.crypto.search.keystream.voting import CRIB, Bytes, Vote, doubted, independent, votes
from unransom.recover.keys.describing import Shape
from unransom.recover.keys.opened import ENCODINGS, TEXTS, reads

VOTED = 1 << 20  # bytes that vote on a long key
LONG = 1024  # bytes of a key that is long
CLASSES = 3  # of content that are tried
LARGEST = 16 << 20  # bytes in which the end of what is locked is looked for
SHORTEST = 3  # bytes of a key that known bytes alone can tell
CERTAIN = 0.99  # share of files of a format that must have known bytes
ROUND = (1 << 20, 1_000_000, 1 << 16, 4096, 1000, 512, 64, 16)  # lockers' favourite multiples
PAGED = frozenset({"innodb", "mssql", "sqlite"})  # databases, whose values are mostly not near each other
WRITTEN = ("text", "markup", "table", "chinese")  # classes of content that is read
READ = 1 << 14  # bytes that show whether something is a text
NEAR = 192  # bytes that the end of what is locked may be off
ALIKE = 1024  # bytes that show whether a key opens them
DOUBT = 40.0  # bits by which a place may be less likely than another that is less round


class ShortKey(msgspec.Struct, frozen=True):
    """A key that may be the right one.

    Attributes:
        key: Its bytes.
        known: Which of them are sure; None for all.
        shape: Where it locks the file.
        anew: Locked bytes after which it begins anew, 0 where it never does.
    """

    key: Bytes
    known: NDArray[np.bool_] | None
    shape: Shape
    anew: int = 0


def has_samples(name: bytes) -> bool:
    """Return whether a file called ``name`` may hold samples as they are: pixels, sound, measurements."""
    formats = by_name(name)
    return bool(formats) and not any(
        each.compressed or each.name in TEXTS or each.name in PAGED for each in formats
    )


def short_keys(locked: Salvage, name: bytes, head: int = 0, tail: int = 0) -> Iterator[ShortKey]:
    """Yield keys that may have been XORed over ``locked`` again and again, the likeliest first.

    Args:
        locked: The locked file.
        name: What its original is called, as far as that is known.
        head: Bytes that the locker put before the original's.
        tail: Bytes that it put behind them.
    """
    size = locked.size - head - tail
    data = np.frombuffer(locked.read_at(head, min(size, LARGEST)), np.uint8)
    yield from _from_known_bytes(data, size, name, head, tail)
    text = any(each.name in TEXTS for each in by_name(name)) or not by_name(name)
    for window, vote in _voted(data, size, name, text=text):
        key = reduced(vote.key)
        if not key.any():
            continue  # it is plain
        known = None if vote.known.all() else vote.known
        found = ShortKey(key if known is None else vote.key, known, Shape(Whole(), head, tail))
        if anew := _anew(data, key, window):
            yield msgspec.structs.replace(found, anew=anew)
        for end in _ends(data, key, window, complete=len(data) == size):
            extents = Whole() if end is None else First(end)
            yield msgspec.structs.replace(found, shape=Shape(extents, head, tail))


def _voted(data: Bytes, size: int, name: bytes, *, text: bool) -> Iterator[tuple[int, Vote]]:
    """Yield votes on keys of the lengths that ``data`` shows, and on how many first bytes of it they are."""
    length = sample_period(data) if has_samples(name) else 0
    if length and (vote := smooth_vote(data[:VOTED], length, _cribs(data, size, name, length))):
        yield min(len(data), ENOUGH), vote
    for length, window in periods_in(data):
        voters = data[: max(window, VOTED) if length > LONG and window == ENOUGH else window]
        cribs = _cribs(data, size, name, length)
        if length > LONG and (vote := _stood(data, length)):
            yield window, vote
        for vote in islice(_shifted([voters], length, cribs, text=text), CLASSES):
            yield window, _sure(voters, vote, cribs)


def _stood(data: Bytes, length: int) -> Vote | None:
    """Return the key as it stands where it locks zeros: the turn of it that is there most often, if twice.

    A vote cannot tell what is the same at a place of every page of a database, and unused pages do. What is
    there twice may be other than zeros in places, so that none of it is sure before a checksum has proven it.
    """
    turns = data[: len(data) // length * length].reshape(-1, length)
    turn, times = Counter(map(bytes, turns)).most_common(1)[0]
    if times == 1:
        return None
    return Vote(np.frombuffer(turn, np.uint8), np.zeros(length, np.float32), "")


def _sure(voters: Bytes, vote: Vote, cribs: dict[int, int]) -> Vote:
    """Return ``vote``, sure where its content does not speak against it, or where the format tells it.

    A key of which all is sure is for the whole content to prove; a part of one must be right by itself.
    """
    told = [position for position, value in cribs.items() if vote.key[position] == value]
    vote = doubted([voters], vote)
    vote.margin[told] = CRIB
    if not vote.known.all():
        vote = independent(voters, vote)
        vote.margin[told] = CRIB
    return vote


def _shifted(voters: list[Bytes], length: int, cribs: dict[int, int], *, text: bool) -> Iterator[Vote]:
    """Yield votes, all of whose bytes are off by the same where the content shows that they are.

    The commonest byte of content is taken for what it usually is; a page of white is not, and a table of
    numbers has few spaces. The format's known bytes tell, or that a text must be one.
    """
    for vote in votes(voters, length):
        off = {int(vote.key[position]) ^ value for position, value in cribs.items()}
        if not off and text:
            off = _off_of_text((voters[0] ^ np.resize(vote.key, len(voters[0])))[:READ])
        yield vote._replace(key=vote.key ^ np.uint8(off.pop())) if len(off) == 1 else vote


def _off_of_text(opened: Bytes) -> set[int]:
    """Return by what all bytes of ``opened`` are off so that they were a text: the likeliest, if any is.

    UTF-8 comes first: nothing is it by chance, and in the older encodings nearly everything is a text.
    """
    counts = np.bincount(opened, minlength=VALUES)
    values = np.arange(VALUES)
    likely = [max(counts @ priors()[name][0, values ^ off] for name in WRITTEN) for off in values]
    ranked = sorted(values.tolist(), key=lambda off: -likely[off])
    older: set[int] = set()
    for off in ranked:
        text = (opened ^ np.uint8(off)).tobytes()
        text = text[: text.rfind(b"\n") + 1] or text  # no half of a letter
        if reads(text, ENCODINGS[:1]):
            return {off}
        if not older and reads(text):
            older = {off}
    return older


def reduced(key: Bytes) -> Bytes:
    """Return the shortest key that is the same when repeated."""
    for length in range(1, len(key) // 2 + 1):
        if len(key) % length == 0 and np.array_equal(key, np.resize(key[:length], len(key))):
            return key[:length]
    return key


def certain(name: bytes) -> list[Known]:
    """Return the bytes that every file called ``name`` has, where only one format is promised."""
    formats = by_name(name)
    return [each for each in formats[0].known if each.share >= CERTAIN] if len(formats) == 1 else []


def _cribs(data: Bytes, size: int, name: bytes, length: int) -> dict[int, int]:
    """Return key bytes that known bytes of the format tell, by position; none where they contradict."""
    cribs: dict[int, int] = {}
    for known in certain(name):
        start = known.offset if known.offset >= 0 else size + known.offset
        for position, plain in enumerate(known.data, start):
            if not 0 <= position < len(data):
                continue
            value = int(data[position]) ^ plain
            if cribs.setdefault(position % length, value) != value:
                return {}
    return cribs


def _from_known_bytes(data: Bytes, size: int, name: bytes, head: int, tail: int) -> Iterator[ShortKey]:
    """Yield short keys of which the format's known bytes tell every byte: also of compressed content."""
    for length in range(SHORTEST, sum(len(each.data) for each in certain(name)) + 1):
        cribs = _cribs(data, size, name, length)
        if len(cribs) == length:
            key = np.array([cribs[position] for position in range(length)], np.uint8)
            if key.any():
                yield ShortKey(key, None, Shape(Whole(), head, tail))


def _ends(data: Bytes, key: Bytes, window: int, *, complete: bool) -> Iterator[int | None]:
    """Yield how many first bytes the key may lock, None for all: where what it gives stops to make sense."""
    plain = data ^ np.resize(key, len(data))
    bits = _sense(plain[:window])
    gain = np.cumsum(bits[plain] - bits[data], dtype=np.float64)
    end = int(gain.argmax()) + 1
    if end > len(data) - NEAR or gain[-1] >= gain[end - 1]:
        yield None
        return
    near = [
        rounded
        for step in ROUND
        for rounded in {end // step * step, -(-end // step) * step}
        if abs(rounded - end) <= NEAR and rounded
    ]
    yield from dict.fromkeys((*near[:3], end))
    if complete:
        yield None


def _anew(data: Bytes, key: Bytes, window: int) -> int:
    """Return how many bytes the key locks before it begins anew, 0 where it does not.

    Programs that lock a file piece by piece count the bytes of the key from the beginning of each piece.
    """
    plain = data ^ np.resize(key, len(data))
    bits = _sense(plain[:window])
    blocks = bits[plain[: len(plain) // ALIKE * ALIKE]].reshape(-1, ALIKE).mean(axis=1)
    bad = np.flatnonzero(blocks < (blocks[0] + bits.mean()) / 2) if len(blocks) else blocks
    if not len(bad) or not bad[0]:
        return 0
    start, end = (int(bad[0]) - 1) * ALIKE, (int(bad[0]) + 2) * ALIKE
    before = np.concatenate(([0.0], np.cumsum(bits[plain[start:end]], dtype=np.float64)))
    pieces = np.arange(start + 1, min(end - ALIKE // 2, len(data)))
    opened = np.resize(key, end - start)
    sense = before[pieces - start]
    for place, piece in enumerate(pieces.tolist()):
        part = data[piece:end]
        sense[place] += bits[part ^ opened[: len(part)]].sum()
    if sense.max() < (blocks[0] + bits.mean()) / 2 * len(plain[start:end]):
        return 0
    likely = pieces[sense >= sense.max() - DOUBT].tolist()
    return int(max(likely, key=lambda piece: sum(piece % step == 0 for step in ROUND)))


def _sense(plain: Bytes) -> NDArray[np.float32]:
    """Return the logarithm to base 2 of how often each value stands in ``plain``."""
    counts = np.bincount(plain, minlength=VALUES) + 0.5
    return np.log2(counts / counts.sum()).astype(np.float32)
