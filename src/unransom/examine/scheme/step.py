"""The step: locked files without a key in, how they were locked out, without knowing by what.

Whoever knows the family knows better; the guess is for those that nobody has seen before, and its reasons
are for people: one key for all files, a keystream that repeats, which part of a file is locked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice, takewhile

import msgspec
import numpy as np

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.compared import MOST_SPANS, Compared, compared, extents_of
from unransom.catalog.schemes.described import Description, encoded
from unransom.catalog.schemes.extents import Extents, Whole
from unransom.catalog.schemes.layout import Field, Head, Tail
from unransom.catalog.schemes.matched import ADDED, Originals, sampled
from unransom.catalog.schemes.plans import EachSpan, OneStream
from unransom.catalog.schemes.wraps import RunKey
from unransom.core.context import Context
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Finding, Record
from unransom.core.searches import Pair, SchemeGuess, Target
from unransom.core.streams import Salvage
from unransom.crypto.search.keystream.sharing import Bytes
from unransom.examine.scheme.content import (
    BLOCK,
    LOOKED,
    REPEATED,
    blocks_of,
    locked_part,
    period_in,
    random_spans,
    sharing,
)
from unransom.examine.scheme.tails import Tails, end_of, tails_of

SAMPLES = 16  # files that are compared with each other
PERIODS = 4  # of them whose own regularity is looked at
PAIRS = 12  # originals that are compared with their locked files
SURE, LIKELY, WEAK = 0.9, 0.6, 0.2
KEY, IV = 32, 16  # bytes that the guess's key has


class _Sample(msgspec.Struct, frozen=True):
    ref: FileRef
    head: Bytes
    end: bytes


def run(target: Target, context: Context) -> Iterator[Record]:
    """Yield what the files of ``target`` show, and each thing worth telling as a finding."""
    if not target.proper:
        return  # they are looked at among those of no family
    looked = [_sample(ref, context) for ref in target.samples[:SAMPLES]]
    matched = tuple(_matched(target, context))
    yield from matched
    seen = list(islice(_compared((*matched, *target.pairs), context), PAIRS))
    if not looked:
        return
    guess = _guess(target, looked, seen)
    yield guess
    for what in guess.why:
        yield Finding(kind="scheme", item=target.family, what=what)


def _sample(ref: FileRef, context: Context) -> _Sample:
    with context.open(ref) as reader:
        locked = Salvage(reader, ref.name)
        return _Sample(ref, np.frombuffer(locked.read_at(0, LOOKED), np.uint8), end_of(locked))


def _matched(target: Target, context: Context) -> Iterator[Pair]:
    """Yield originals that no name leads to: they have in common with a file what is not locked of it."""
    named = {pair.locked.id for pair in target.pairs if pair.how == "name"}
    waiting = [ref for ref in (*target.samples, *target.others) if ref.id not in named]
    if not waiting or not target.known:
        return
    sizes = np.array(sorted(ref.size for ref in waiting))
    known = [
        ref
        for ref in target.known
        if np.searchsorted(sizes, ref.size) < np.searchsorted(sizes, ref.size + ADDED, "right")
    ]
    originals = Originals((ref.size, _sampled(ref, context)) for ref in known)
    for ref in waiting:
        number = originals.of(ref.size, _sampled(ref, context))
        if number is not None:
            yield Pair(locked=ref, plain=known[number], how="content")


def _sampled(ref: FileRef, context: Context) -> frozenset[bytes]:
    with context.open(ref) as reader:
        return sampled(Salvage(reader))


def _compared(pairs: tuple[Pair, ...], context: Context) -> Iterator[Compared]:
    """Yield how locked files differ from their originals; what is no original of them is passed over."""
    for pair in pairs:
        with context.open(pair.locked) as reader, context.open(pair.plain) as plain:
            found = compared(Salvage(reader), Salvage(plain))
        if found and (found.sure or pair.how == "name"):
            yield found


def _guess(target: Target, samples: list[_Sample], seen: list[Compared]) -> SchemeGuess:
    """Return the guess with all its reasons."""
    why: list[Message] = []
    head, tail = _added(seen, why)
    extents = extents_of([one for one in seen if (one.head, one.tail) == (head, tail)])
    if extents is not None:
        why.append(say("{count} originals show which bytes are locked", count=len(seen)))
    elif not seen:
        _look_for_gaps(samples, why)
    tails = tails_of([sample.end for sample in samples])
    _tell_tails(tails, why)
    contents = [_locked(sample, head, tail, extents) for sample in samples]
    shared = sharing(contents)
    if shared:
        why.append(say("{count} files are under the same keystream", count=shared))
    periods = Counter(filter(None, (period_in(content) for content in contents[:PERIODS])))
    period = periods.most_common(1)[0][0] if periods else 0
    if period:
        why.append(say("a keystream of {bytes} bytes repeats within a file", bytes=period))
    equal = sum(
        blocks_of(sample.head[head:] if extents is None else content) >= REPEATED
        for sample, content in zip(samples, contents, strict=True)
    )
    if equal:
        why.append(say("in {count} files equal blocks stay equal: each is locked by itself", count=equal))
    blocks = _in_blocks(samples, tail, why)
    description = _described(target, extents or Whole(), head, tail, ecb=bool(equal), blocks=blocks)
    return SchemeGuess(
        family=target.family,
        description=encoded(description) if seen or equal else b"",
        confidence=SURE if extents is not None and len(seen) > 1 else LIKELY if extents is not None else WEAK,
        why=tuple(why),
        head=head,
        tail=tail,
        shared=bool(shared),
        period=period,
        blocks=BLOCK if equal else 0,
    )


def _locked(sample: _Sample, head: int, tail: int, extents: Extents | None) -> Bytes:
    """Return the first bytes of a file that are locked, as far as originals show or it shows by itself."""
    content = sample.head[head:]
    if extents is None:
        return locked_part(content)
    spans = takewhile(lambda span: span.start < len(content), extents.spans(sample.ref.size - head - tail))
    parts = [content[span.start : span.end] for span in islice(spans, MOST_SPANS)]
    return np.concatenate(parts) if parts else content[:0]


def _added(seen: list[Compared], why: list[Message]) -> tuple[int, int]:
    """Return the bytes before and behind the original's, as most originals show."""
    sure = [one for one in seen if one.sure] or seen
    if not sure:
        return 0, 0
    ((head, tail), _), *_ = Counter((one.head, one.tail) for one in sure).most_common(1)
    if head:
        why.append(say("{bytes} bytes were put before the original", bytes=head))
    if tail:
        why.append(say("{bytes} bytes were put behind the original", bytes=tail))
    return head, tail


def _look_for_gaps(samples: list[_Sample], why: list[Message]) -> None:
    """Tell where locked files look random and where they do not."""
    for sample in samples:
        spans = random_spans(sample.head)
        if len(spans) > 1:
            on, step = len(spans[0]), spans[1].start - spans[0].start
            why.append(say("some {on} bytes of every {step} look random", on=on, step=step))
            return
        if len(spans) == 1 and spans[0].start == 0 and spans[0].end < len(sample.head) - BLOCK**2:
            why.append(
                say("the first {bytes} bytes look random, those behind them do not", bytes=spans[0].end)
            )
            return


def _tell_tails(tails: Tails, why: list[Message]) -> None:
    start, count = tails.constant
    if tails.shared:
        why.append(
            say(
                "the last {bytes} bytes are the same in {count} files: one key for all of them",
                bytes=tails.shared,
                count=tails.files,
            )
        )
    elif count:
        why.append(
            say("{count} bytes of the last {bytes} are the same in all files", count=count, bytes=start)
        )


def _in_blocks(samples: list[_Sample], tail: int, why: list[Message]) -> bool:
    """Return whether sizes speak for a cipher that works in whole blocks."""
    rests = {(sample.ref.size - tail) % BLOCK for sample in samples}
    if len(samples) < 6:  # fewer are multiples by chance
        return False
    if rests == {0}:
        why.append(say("all sizes are multiples of {bytes}: a block cipher with padding", bytes=BLOCK))
    elif len(rests) > 1:
        why.append(say("sizes are no multiples of a block: a stream cipher, or whole blocks only"))
    return rests == {0}


def _described(
    target: Target, extents: Extents, head: int, tail: int, *, ecb: bool, blocks: bool
) -> Description:
    """Return the guess as a described family: with a key beside it, it is all that unlock needs."""
    cipher = Cipher("aes-ecb" if ecb else "aes-cbc" if blocks else "aes-ctr")
    parts = {"key": (0, KEY)} if ecb else {"key": (0, KEY), "iv": (KEY, KEY + IV)}
    if blocks and not ecb and isinstance(extents, Whole):
        plan: OneStream | EachSpan = OneStream(cipher, extents, skip=head, padded=True)
    else:
        plan = OneStream(cipher, extents, skip=head)
    return Description(
        name=f"guess-{target.family}" if target.family else "guess",
        head=Head((Field("head", head),)) if head else None,
        tail=Tail((Field("tail", tail),)) if tail else None,
        wrap=RunKey(parts),
        plan=plan,
    )
