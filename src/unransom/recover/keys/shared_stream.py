"""One keystream for many files: what originals tell of it, and what all files together vote for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.catalog.formats.format import HEAD
from unransom.catalog.formats.identify import by_name, identify
from unransom.catalog.schemes.family import PROVEN, BadMarkError
from unransom.core.context import Context
from unransom.core.records import FileRef
from unransom.core.searches import Pair
from unransom.core.streams import Reader, Salvage
from unransom.crypto.search.keystream.priors import FLAT, VALUES, priors
from unransom.crypto.search.keystream.sharing import shares
from unransom.crypto.search.keystream.voting import (
    SURE,
    Bytes,
    Scores,
    decided,
    followers_of,
    histogram,
    scores,
)
from unransom.recover.keys.describing import Shape
from unransom.recover.keys.short_keys import certain

LONGEST = 16 << 20  # bytes of a keystream that is taken from originals
VOTED = 1 << 19  # bytes of one that files vote on
WINDOW = 1 << 15  # positions that are voted on at once
VOTERS = 3  # files at least that have a position
LEAST = 12  # files that must have a position for its byte to be known
HALF = 16.0  # bits by which half of them must speak for it
ROUNDS = 3
PLAIN = 32  # bits of a format's beginning by which a file is not locked there
AGREE = 16  # bytes in which two keystreams must be the same to be one
ADDED = 4096  # bytes that a locker may have put around an original
SPLIT = 4  # originals that may tell how many of them it put before
HEAD_BYTES = 64  # of an original that formats are known by
ALIKE = 4096  # first bytes, which files of one format may have in common: the same byte counts but once
HEAVY = 24.0  # bits that a byte counts which nearly all files of a format have
CLASSES = {
    "text": "text",
    "csv": "table",
    "json": "table",
    "html": "markup",
    "xml": "markup",
    "svg": "markup",
    "bmp": "pixels",
    "innodb": "database",
    "mssql": "database",
    "sqlite": "database",
}
OTHER = "program"  # the class that is nearest to all other formats that are not compressed


class Member(msgspec.Struct, frozen=True):
    """A file that may be under the keystream.

    Attributes:
        ref: The file.
        data: Its locked bytes, one after the other.
        content: The class of its content, as its name promises.
        kind: Name of the format that it promises.
    """

    ref: FileRef
    data: Bytes
    content: str
    kind: str

    @property
    def name(self) -> bytes:
        """What the original is called, as far as that is known."""
        return self.ref.original or self.ref.path


class Stream(msgspec.Struct, frozen=True):
    """A keystream.

    Attributes:
        data: Its likeliest bytes from its beginning on.
        known: Which of them are sure.
        files: Files that agree on it.
        overlap: Bytes that they agree on.
    """

    data: Bytes
    known: NDArray[np.bool_]
    files: int = 1
    overlap: int = 0


def members(refs: Iterable[FileRef], shape: Shape, context: Context) -> list[Member]:
    """Return files with the first of their locked bytes; those left out of which these are plain to see."""
    found = []
    for ref in refs:
        with context.open(ref) as reader:
            data = _locked_bytes(Salvage(reader), shape, VOTED)
        formats = by_name(ref.original or ref.path)
        content = CLASSES.get(formats[0].name, FLAT if formats[0].compressed else OTHER) if formats else OTHER
        if len(data) and not _is_plain(data):
            found.append(Member(ref, data, content, formats[0].name if formats else ""))
    return found


def _is_plain(data: Bytes) -> bool:
    """Return whether ``data`` begins as a format does: archives under a password, files that were spared."""
    shown = identify(data[:HEAD].tobytes())
    return shown is not None and shown.bits >= PLAIN


def from_pairs(pairs: Sequence[Pair], shape: Shape, context: Context) -> list[Stream]:
    """Return the keystreams that originals show, those that several files agree on first."""
    streams: list[Stream] = []
    for pair in pairs:
        with context.open(pair.locked) as reader, context.open(pair.plain) as plain:
            if reader.size - plain.size != shape.head + shape.tail:
                continue
            locked = _locked_bytes(Salvage(reader), shape, LONGEST)
            original = _locked_bytes(Salvage(plain), Shape(shape.extents), LONGEST)
        if len(locked) == len(original) and len(locked):
            stream = locked ^ original
            _merge(streams, Stream(stream, np.ones(len(stream), bool)))
    return sorted(streams, key=lambda one: (-one.files, -len(one.data)))


def added_around(pairs: Sequence[Pair], refs: Iterable[FileRef], context: Context) -> Shape | None:
    """Return what a locker put before and behind originals, where all of them is locked and nothing shows it.

    Under the right bytes of a pair's keystream other files begin as their formats do.
    """
    firsts = [(ref.original or ref.path, _first_bytes(ref, context)) for ref in refs]
    for pair in pairs[:SPLIT]:
        added = pair.locked.size - pair.plain.size
        if not 0 < added <= ADDED:
            continue
        locked, plain = _first_bytes(pair.locked, context), _first_bytes(pair.plain, context)[:HEAD_BYTES]
        bits = np.zeros(added + 1, np.int64)
        for name, data in firsts:
            for known in certain(name):
                end = known.offset + len(known.data)
                if known.offset < 0 or end > len(plain):
                    continue
                told = np.frombuffer(known.data, np.uint8) ^ plain[known.offset : end]
                if not told.any():
                    continue  # two files of one format agree wherever both have the same head
                mixed = locked[: min(len(locked), len(data))] ^ data[: min(len(locked), len(data))]
                windows = np.lib.stride_tricks.sliding_window_view(mixed, len(told))[known.offset :]
                agreeing = (windows[: added + 1] == told).all(axis=1)
                bits[: len(agreeing)] += 8 * len(told) * agreeing
        head = int(bits.argmax())
        if bits[head] >= PROVEN and (bits == bits[head]).sum() == 1:
            return Shape(head=head, tail=added - head)
    return None


def _first_bytes(ref: FileRef, context: Context) -> Bytes:
    with context.open(ref) as reader:
        return np.frombuffer(Salvage(reader).read_at(0, ADDED + HEAD_BYTES), np.uint8)


def _merge(streams: list[Stream], new: Stream) -> None:
    """Add ``new`` to ``streams``, or make one of two that begin in the same way."""
    for index, old in enumerate(streams):
        common = min(len(old.data), len(new.data))
        if common >= AGREE and np.array_equal(old.data[:common], new.data[:common]):
            longer = old if len(old.data) >= len(new.data) else new
            streams[index] = Stream(longer.data, longer.known, old.files + 1, max(old.overlap, common))
            return
    streams.append(new)


def _locked_bytes(content: Reader, shape: Shape, most: int) -> Bytes:
    """Return the first of the bytes that ``shape`` locks, one after the other."""
    parts, left = [], most
    try:
        for span in shape.extents.spans(max(content.size - shape.head - shape.tail, 0)):
            parts.append(content.read_at(shape.head + span.start, min(len(span), left)))
            left -= len(parts[-1])
            if left <= 0:
                break
    except BadMarkError:
        return np.empty(0, np.uint8)
    return np.frombuffer(b"".join(parts), np.uint8)


def clusters(found: Sequence[Member]) -> list[list[Member]]:
    """Return the files that show to be under one keystream, the most telling group first."""
    groups: list[list[Member]] = []
    for member in found:
        for group in groups:
            if any(shares(member.data, other.data) for other in group[:8]):
                group.append(member)
                break
        else:
            groups.append([member])
    telling = [group for group in groups if len(group) >= VOTERS]
    return sorted(telling, key=lambda group: -sum(member.content != FLAT for member in group))


def voted(found: Sequence[Member], given: Stream | None = None) -> Stream:
    """Return the keystream that the content of all files speaks for.

    Args:
        found: The files.
        given: What is known of the keystream already.
    """
    lengths = sorted((len(member.data) for member in found), reverse=True)
    length = min(lengths[min(VOTERS, len(lengths)) - 1], VOTED)
    length = max(length, len(given.data) if given else 0)
    data, margin = np.zeros(length, np.uint8), np.zeros(length, np.float32)
    followers: dict[str, NDArray[np.float32]] = {}
    enough = _covered(found, given, length)
    for _ in range(ROUNDS + 1):
        for start in range(0, length, WINDOW):
            end = min(start + WINDOW, length)
            table = _given(given, start, end)
            if followers:
                _follow(found, followers, data, start, table)
            else:
                _first(found, start, table)
            vote = decided(table)
            data[start:end], margin[start:end] = vote.key, vote.margin
        followers = _learned(found, data, (margin > SURE / 2) & enough)
    known = (margin >= SURE) & enough & _agreed(found, given, data, followers)
    return Stream(data, known, len(found))


def _covered(found: Sequence[Member], given: Stream | None, length: int) -> NDArray[np.bool_]:
    """Return which positions are known already, or are there in enough files whose content tells anything."""
    telling = [min(len(member.data), length) for member in found if member.content != FLAT]
    ended = np.cumsum(np.bincount(telling, minlength=length + 1))
    enough = len(telling) - ended[:length] >= LEAST
    if given:
        enough[: len(given.known)] |= given.known[:length]
    return np.asarray(enough)


def _agreed(
    found: Sequence[Member], given: Stream | None, data: Bytes, followers: dict[str, NDArray[np.float32]]
) -> NDArray[np.bool_]:
    """Return where each half of the files by itself speaks for ``data``.

    All files together can be wrong with one voice: learning from what is wrong makes it surer.
    """
    agreed = np.ones(len(data), bool)
    telling = [member for member in found if member.content != FLAT]
    for half in (telling[::2], telling[1::2]):
        for start in range(0, len(data), WINDOW):
            end = min(start + WINDOW, len(data))
            table = _given(given, start, end)
            _follow(half, followers, data, start, table)
            vote = decided(table)
            agreed[start:end] &= (vote.key == data[start:end]) & (vote.margin >= HALF)
    return agreed


def _given(given: Stream | None, start: int, end: int) -> Scores:
    """Return scores that no vote changes where the keystream is known."""
    table = np.zeros((end - start, VALUES), np.float32)
    if given:
        known = np.flatnonzero(given.known[start:end])
        table[known, given.data[start:end][known]] = np.inf
    return table


def _first(found: Sequence[Member], start: int, table: Scores) -> None:
    """Add to ``table`` what classes of content and heads of formats say."""
    shares_of = priors()
    for content in {member.content for member in found} - {FLAT}:
        slices = [each.data[start : start + len(table)] for each in found if each.content == content]
        counts = histogram(slices, len(table))
        if not start:
            counts[:ALIKE] = _once([each for each in found if each.content == content], len(counts[:ALIKE]))
        table += scores(counts, shares_of[content])
    for member in found:
        for position, value, bits in _heads(member):
            if start <= position < start + len(table):
                table[position - start, value] += bits


def _once(found: Sequence[Member], length: int) -> NDArray[np.float32]:
    """Return how many formats have each value at each of the first positions."""
    counts = np.zeros((length, VALUES), np.float32)
    for kind in {member.kind for member in found}:
        slices = [member.data[:length] for member in found if member.kind == kind]
        counts += np.minimum(histogram(slices, length), 1)
    return counts


def _heads(member: Member) -> Iterator[tuple[int, int, float]]:
    """Yield positions, key bytes and bits that the known bytes of the member's format speak for."""
    formats = by_name(member.name)
    for known in formats[0].known if len(formats) == 1 else ():
        for position, plain in enumerate(known.data, known.offset):
            if 0 <= position < len(member.data):
                yield position, int(member.data[position]) ^ plain, HEAVY * known.share


def _follow(
    found: Sequence[Member],
    followers: dict[str, NDArray[np.float32]],
    data: Bytes,
    start: int,
    table: Scores,
) -> None:
    from unransom.crypto.search.keystream.following import follow  # noqa: PLC0415 numba is slow to import

    alike = 0 if start else ALIKE
    seen = {member.kind: np.zeros((alike, VALUES), np.bool_) for member in found}
    for member in found:
        locked = member.data[start : start + len(table)]
        if len(locked) and member.content in followers:
            plain = locked ^ data[start : start + len(locked)]
            own = np.zeros((min(len(locked), alike), VALUES), np.float32)
            head, rows = locked[: len(own)], np.arange(len(own))
            follow(head, plain[: len(own)], followers[member.content], own)
            table[: len(own)] += own * ~seen[member.kind][rows, head][:, None]
            seen[member.kind][rows, head] = True
            rest = slice(len(own), None)
            follow(locked[rest], plain[rest], followers[member.content], table[rest])
        for position, value, bits in _heads(member):
            if start <= position < start + len(table):
                table[position - start, value] += bits


def _learned(
    found: Sequence[Member], data: Bytes, likely: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    """Return which values follow on which in every class of content, where the keystream is likely."""
    learned = {}
    for content in {member.content for member in found} - {FLAT}:
        runs = []
        for member in found:
            if member.content == content:
                length = min(len(member.data), len(data))
                runs.append((member.data[:length] ^ data[:length])[likely[:length]])
        learned[content] = followers_of(runs)
    return learned
