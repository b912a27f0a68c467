"""Which byte a keystream has at each position, by a vote of all the content that it locks there.

Under the right byte of the key, what comes out at a position has the values that such content has. The vote
is by likelihood: the histogram of the locked bytes at a position, under XOR with each of the 256 candidates,
against how often a class of content has each value. Once most of the key is right, the content itself says
better which values it has, and which follow on which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.keystream.priors import FLAT, VALUES, priors

Bytes = NDArray[np.uint8]
Scores = NDArray[np.float32]  # per position and candidate, in bits
SURE = 48.0  # bits by which a byte must be likelier than any other to count as known
ROUNDS = 4  # of learning from what has come out
CRIB = 4 * SURE  # bits that a byte of the key counts which is known
SURPRISE = 0.1  # share of bytes that nothing before them tells anything of
FOLDS = 4  # every so many positions are judged by what the others have taught
FOLDED = 2 * FOLDS  # positions of a key at least, for that
WEAK = 0.25  # share of the usual margin of a key's bytes below which one is not sure
ALONE = 0.5  # share of the usual margin, by content that differs, below which a byte is not sure
NEIGHBOURS = 4  # bytes on each side of one that is sure which must be so, too: they speak for it
CONTRADICTED = 16.0  # bits by which the values of all other content may speak for another byte

_XORED = np.arange(VALUES)[:, None] ^ np.arange(VALUES)[None, :]


class Vote(NamedTuple):
    """What the vote came to.

    Attributes:
        key: The likeliest byte of every position.
        margin: By how many bits it is likelier than the next.
        content: The class of content that fits best.
    """

    key: Bytes
    margin: NDArray[np.float32]
    content: str

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which positions are sure."""
        return self.margin >= SURE


def histogram(locked: Sequence[Bytes], length: int) -> NDArray[np.float32]:
    """Return how often each byte value stands at each position of a keystream that repeats.

    Args:
        locked: Content, each from a position 0 of the keystream on.
        length: Bytes after which the keystream repeats; beyond all content where it does not.
    """
    counts = np.zeros(length * VALUES, np.int64)
    for data in locked:
        places = np.arange(len(data), dtype=np.int64) % length * VALUES + data
        counts += np.bincount(places, minlength=length * VALUES)
    return counts.reshape(length, VALUES).astype(np.float32)


def scores(counts: NDArray[np.float32], prior: NDArray[np.float32]) -> Scores:
    """Return the logarithm of the likelihood of every key byte at every position.

    Args:
        counts: Of locked bytes, per position.
        prior: Of a class of content, as in ``priors``.
    """
    if len(counts) % len(prior):  # the positions are those of all rows in turn
        prior = np.log2(np.exp2(prior).mean(axis=0, keepdims=True))
    table = np.empty_like(counts)
    for row, shares in enumerate(prior):
        table[row :: len(prior)] = counts[row :: len(prior)] @ shares[_XORED]
    return table


def decided(table: Scores, content: str = "") -> Vote:
    """Return the likeliest byte of every position."""
    key = table.argmax(axis=1)
    best = table[np.arange(len(table)), key]
    second = np.partition(table, -2, axis=1)[:, -2]
    return Vote(key.astype(np.uint8), best - second, content)


def votes(locked: Sequence[Bytes], length: int, cribs: Mapping[int, int] | None = None) -> Iterator[Vote]:
    """Yield the keystream that each class of content speaks for, that which fits best first.

    Args:
        locked: Content, each from a position 0 of the keystream on.
        length: Bytes after which the keystream repeats.
        cribs: Key bytes that are known, by position.
    """
    counts = histogram(locked, length)
    sure = np.zeros((length, VALUES), np.float32)
    for position, value in (cribs or {}).items():
        sure[position, value] = CRIB
    tables = {name: scores(counts, prior) for name, prior in priors().items()}
    for name in sorted(tables, key=lambda name: -float(tables[name].max(axis=1).sum())):
        if name != FLAT:
            yield refined(locked, decided(tables[name] + sure, name), sure)


def refined(locked: Sequence[Bytes], found: Vote, sure: Scores, step: int = 1) -> Vote:
    """Return what ``found`` becomes when what has come out says which values follow on which.

    Args:
        locked: Content, each from a position 0 of the keystream on.
        found: A vote that is right at most positions.
        sure: What is known besides, added to every table of scores.
        step: Bytes from a value to the one that follows on it.
    """
    from unransom.crypto.search.keystream.following import follow  # noqa: PLC0415 numba is slow to import

    folds = FOLDS if len(found.key) >= FOLDED else 1
    for _ in range(ROUNDS):
        before = found.key
        opened = [data ^ np.resize(before, len(data)) for data in locked]
        table = sure.copy()
        for fold in range(folds):
            followers = followers_of(opened, len(before), fold if folds > 1 else None, step)
            for data, plain in zip(locked, opened, strict=True):
                follow(data, plain, followers, table, fold, folds, step)
        found = decided(table, found.content)
        if np.array_equal(found.key, before):
            break
    return found


def doubted(locked: Sequence[Bytes], found: Vote) -> Vote:
    """Return ``found`` with no margin where its own content speaks against it.

    Content is not as independent as the margins suppose. A byte that is much less sure than most is one that
    chance may have chosen; and neighbours that are all off by the same follow on each other well, but what
    they open has other values than the rest of the content.

    Args:
        locked: Content, each from a position 0 of the keystream on.
        found: A vote.
    """
    length = len(found.key)
    if length < FOLDED:
        return found
    counts = histogram([data ^ np.resize(found.key, len(data)) for data in locked], length)
    contradicted = np.zeros(length, bool)
    for part in np.array_split(np.arange(length), FOLDED):
        others = counts.sum(axis=0) - counts[part].sum(axis=0)
        shares = np.log2((others + 0.5) / (others.sum() + 0.5 * VALUES)).astype(np.float32)
        table = scores(counts[part], shares[None, :])
        contradicted[part] = table[:, 1:].max(axis=1) >= table[:, 0] + CONTRADICTED
    weak = found.margin < WEAK * np.median(found.margin)
    return found._replace(margin=np.where(contradicted | weak, 0.0, found.margin).astype(np.float32))


def independent(locked: Bytes, found: Vote, least: float = ALONE) -> Vote:
    """Return ``found`` with no margin where it rests on content that is the same again and again.

    A database's pages are alike at the same place, and where a key repeats at about their size a byte of it
    meets one place of them all: a thousand votes are one. What stands at a byte of the key between the same
    neighbours is therefore counted once. Neighbours that are wrong together speak for each other, so that
    none is sure beside one that is not.

    Args:
        locked: Content, from a position 0 of the keystream on.
        found: A vote.
        least: Share of the usual margin that a byte must have by what differs.
    """
    from unransom.crypto.search.keystream.following import follow_at  # noqa: PLC0415 numba is slow to import

    length = len(found.key)
    if length < FOLDED or len(locked) < length:
        return found
    places = _different(locked, length)
    plain = locked ^ np.resize(found.key, len(locked))
    table = np.zeros((length, VALUES), np.float32)
    for fold in range(FOLDS):
        followers = followers_of([plain], length, fold)
        follow_at(places[places % length % FOLDS == fold], locked, plain, followers, table)
    vote = decided(table)
    margin = np.where(vote.key == found.key, vote.margin, 0.0)
    doubtful = (found.margin < SURE) | (margin < max(SURE, least * float(np.median(margin))))
    beside = doubtful.copy()
    for distance in range(1, NEIGHBOURS + 1):
        beside |= np.roll(doubtful, distance) | np.roll(doubtful, -distance)
    return found._replace(margin=np.where(beside, 0.0, found.margin).astype(np.float32))


def _different(locked: Bytes, length: int) -> NDArray[np.int64]:
    """Return the places of ``locked`` that differ, with neighbours, from all before at their position."""
    around = np.pad(locked, 1, mode="edge").astype(np.int64)
    position = np.arange(len(locked)) % length
    content = position << 24 | around[:-2] << 16 | around[1:-1] << 8 | around[2:]
    return np.unique(content, return_index=True)[1]


def followers_of(
    opened: Sequence[Bytes], length: int = 0, without: int | None = None, step: int = 1
) -> NDArray[np.float32]:
    """Return the logarithm of how often each value follows on each; those before are the rows.

    Args:
        opened: Content, each from a position 0 of the keystream on.
        length: Bytes after which the keystream repeats.
        without: A fold of the positions that teach nothing: a byte of the key that is wrong makes what it
            opens look alike, and would speak for itself.
        step: Bytes from a value to the one that follows on it.
    """
    pairs = np.zeros(VALUES * VALUES, np.int64)
    for data in opened:
        follow = data[:-step].astype(np.int64) * VALUES + data[step:]
        if without is not None:
            others = np.arange(len(data)) % length % FOLDS != without
            follow = follow[others[:-step] & others[step:]]
        pairs += np.bincount(follow, minlength=VALUES * VALUES)
    table = pairs.reshape(VALUES, VALUES).astype(np.float64)
    single = table.sum(axis=0) + 1.0
    table += single / single.sum()
    shares = (1 - SURPRISE) * table / table.sum(axis=1, keepdims=True)
    return np.log2(shares + SURPRISE * single / single.sum() / 2 + SURPRISE / VALUES / 2).astype(np.float32)
