"""How an original is put together when the scheme needs no code of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

from unransom.catalog.schemes.chunks import chunk_pieces
from unransom.catalog.schemes.ciphers import CHAINED, TAGGED, WHOLE_BLOCKS, WITHOUT_IV, Cipher, Tagged
from unransom.catalog.schemes.data import BytesName, Data, Fault, Length, NumberName
from unransom.catalog.schemes.extents import Extents, Facts, Whole, each_piece
from unransom.catalog.schemes.family import BadMarkError, Decryptor, FileKey, Mark, Plan, Unlock
from unransom.catalog.schemes.known import KnownStream
from unransom.catalog.schemes.known_blocks import KnownBlocks
from unransom.catalog.schemes.padding import padding_size
from unransom.core.messages import Message, say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK

TAG_BITS = 128
KEY_SIZES = frozenset({16, 24, 32})  # of AES
MOST_LAYERS = 1024  # spans that may overlap


class OneStream(Data, frozen=True, tag="one-stream"):
    """The locked spans, one after the other, are one stream of one cipher.

    Attributes:
        cipher: The cipher; its inputs are parts of the file's key or fields of the mark.
        extents: What is locked.
        skip: Bytes before the original's first one: metadata at the head of the file.
        size: Number that holds the original's size; "" for the mark's ``plain_size``.
        tag: Part or field with the authentication tag of the stream; "" where there is none.
        padded: Whether PKCS #7 padding ends the stream, which only the key tells the bytes of.
    """

    cipher: Cipher
    extents: Extents
    skip: Length = 0
    size: NumberName = ""
    tag: BytesName = ""
    padded: bool = False

    def faults(self) -> Iterator[Fault]:
        """Yield tags and padding that the cipher does not have."""
        if self.tag and self.cipher.kind not in TAGGED:
            yield Fault(("tag",), say("{cipher} has no tag", cipher=self.cipher.kind))
        if self.padded and not (self.cipher.kind in WHOLE_BLOCKS and isinstance(self.extents, Whole)):
            yield Fault(("padded",), say("only aes-cbc and aes-ecb over the whole file are padded"))

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan.

        Raises:
            BadMarkError: The metadata contradicts itself or the file.
        """
        facts = Facts.of(mark, key)
        size = _size(locked, mark, facts, self.size, self.skip)
        if self.padded:
            size = _unpadded(locked, size, self.skip, self.cipher, facts)
        cipher = self.cipher.start(FileKey(facts.fields))
        end = size + (-size % BLOCK if self.padded else 0)
        spans = whole_blocks(self.extents.spans(end, facts), self.cipher.block)
        check = functools.partial(authentic, cipher, facts.fields[self.tag]) if self.tag else None
        return Plan(size, each_piece(end, spans, lambda _: cipher, self.skip), check=check)


class EachSpan(Data, frozen=True, tag="each-span"):
    """Every locked span starts the cipher anew, in a way that depends on where or the how-manieth it is.

    Attributes:
        cipher: The cipher; its inputs are parts of the file's key or fields of the mark.
        extents: What is locked.
        start: What a span starts with: ``same`` (the beginning of the stream), ``position`` (the byte
            of the stream that has the span's offset), ``next-block`` (where the spans before it, each
            rounded up to whole blocks of ``block`` bytes, end) or ``next-iv`` (the beginning, with an
            initialisation vector one higher, little-endian).
        block: Bytes of a block for ``next-block``.
        every: Spans are cut into such of at most so many bytes first; 0 for not at all.
        skip: Bytes before the original's first one: metadata at the head of the file.
        size: Number that holds the original's size; "" for the mark's ``plain_size``.
        overlap: Whether spans may overlap, of which every byte was locked as often as it is in one.
    """

    cipher: Cipher
    extents: Extents
    start: Literal["same", "position", "next-block", "next-iv"] = "same"
    block: Length = 64
    every: Length = 0
    skip: Length = 0
    size: NumberName = ""
    overlap: bool = False

    def faults(self) -> Iterator[Fault]:
        """Yield starts that the cipher does not have."""
        kind = self.cipher.kind
        if kind in CHAINED and self.start in {"position", "next-block"}:
            yield Fault(("start",), say("{cipher} starts at its beginning only", cipher=kind))
        if self.overlap and kind in CHAINED | WHOLE_BLOCKS:
            yield Fault(("overlap",), say("spans of {cipher} cannot overlap", cipher=kind))
        if kind in WITHOUT_IV and self.start == "next-iv":
            yield Fault(("start",), say("{cipher} has no initialisation vector", cipher=kind))
        if self.overlap and self.skip:
            yield Fault(("overlap",), say("spans that overlap cannot lie behind a head"))
        if self.start == "next-block" and not self.block:
            yield Fault(("block",), say("there must be at least one byte"))

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan.

        Raises:
            BadMarkError: The metadata contradicts itself or the file.
        """
        facts = Facts.of(mark, key)
        size = _size(locked, mark, facts, self.size, self.skip)
        spans = whole_blocks(self._cut(self.extents.spans(size, facts)), self.cipher.block)
        starter = self._starter(FileKey(facts.fields))
        if self.overlap:
            chunks = [(span, starter(span)) for span in islice(spans, MOST_LAYERS + 1)]
            if len(chunks) > MOST_LAYERS:
                raise BadMarkError(say("the locked areas are too small for the size of the file"))
            return Plan(size, chunk_pieces(size, chunks))
        return Plan(size, each_piece(size, spans, starter, self.skip))

    def _cut(self, spans: Iterator[Span]) -> Iterator[Span]:
        for span in spans:
            step = self.every or len(span)
            for low in range(span.start, span.end, step):
                yield Span(low, min(low + step, span.end))

    def _starter(self, key: FileKey) -> Callable[[Span], Decryptor]:
        """Return what gives each span, called in their order, its decryptor."""
        if self.start == "position":
            return lambda span: self.cipher.start(key, span.start)
        if self.start == "next-block":
            return _NextBlock(self.cipher, key, self.block)
        if self.start == "next-iv":
            return _NextIv(self.cipher, key)
        return lambda _: self.cipher.start(key)


class Behind(Data, frozen=True, tag="behind-head"):
    """The original, padded to blocks of 16 bytes, is one stream of ``cipher`` behind ``start`` bytes."""

    cipher: Cipher
    start: Length

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan for a file whose original has the mark's ``plain_size``."""
        del locked
        size = mark.plain_size or 0
        padded = size + -size % BLOCK
        return Plan(size, iter([Unlock(self.start, padded, self.cipher.start(key))]))


class Chosen(Data, frozen=True, tag="chosen"):
    """Other plans for other values of a number in the metadata: one that names the cipher, for example.

    Attributes:
        number: Its name.
        cases: The plan for each value.
    """

    number: NumberName
    cases: dict[Length, OneStream | EachSpan | Behind]

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan.

        Raises:
            BadMarkError: No locker is known to write this value, or the metadata contradicts itself.
        """
        value = Facts.of(mark, key).number(self.number)
        if value not in self.cases:
            raise BadMarkError(say("no known version locks in mode {mode}", mode=value))
        return self.cases[value](locked, mark, key)


Layout = OneStream | EachSpan | Behind | Chosen | KnownStream | KnownBlocks


def stream_plan(size: int, extents: Extents, cipher: Cipher, key: FileKey, *, anew: bool) -> Plan:
    """Return the plan for an original of ``size`` bytes with one cipher over all that is locked of it.

    Args:
        size: Bytes of the original, which begins where the locked file does.
        extents: What is locked.
        cipher: The cipher.
        key: What it takes its inputs from.
        anew: Whether every span starts the stream anew; else it goes on.
    """
    one = cipher.start(key)
    return Plan(size, each_piece(size, extents.spans(size), lambda _: cipher.start(key) if anew else one))


def whole_blocks(spans: Iterator[Span], block: int) -> Iterator[Span]:
    """Yield ``spans`` without what is no whole block at their ends, which lockers leave as it is."""
    for span in spans:
        length = len(span) - len(span) % block
        if length:
            yield Span(span.start, span.start + length)


class _NextBlock:
    """Starts each span at a fresh block of one stream."""

    def __init__(self, cipher: Cipher, key: FileKey, block: int) -> None:
        self._cipher = cipher
        self._key = key
        self._block = block
        self._used = 0

    def __call__(self, span: Span) -> Decryptor:
        started = self._cipher.start(self._key, self._used)
        self._used += -(-len(span) // self._block) * self._block
        return started


class _NextIv:
    """Starts each span with the next initialisation vector."""

    def __init__(self, cipher: Cipher, key: FileKey) -> None:
        self._cipher = cipher
        self._key = key
        iv = cipher.iv_of(key)
        self._length = len(iv)
        self._number = int.from_bytes(iv, "little")

    def __call__(self, _: Span) -> Decryptor:
        iv = (self._number % (1 << 8 * self._length)).to_bytes(self._length, "little")
        self._number += 1
        return self._cipher.start(self._key, iv=iv)


def _size(locked: Reader, mark: Mark, facts: Facts, name: str, skip: int) -> int:
    """Return the bytes of the original, which the locked file must have room for."""
    size = facts.number(name) if name else mark.plain_size
    room = locked.size - skip
    if size is None:
        return max(room, 0)
    if size > room:
        raise BadMarkError(say("the original would be larger than the locked file"))
    return size


def _unpadded(locked: Reader, size: int, skip: int, cipher: Cipher, facts: Facts) -> int:
    """Return the bytes of the original in ``size`` bytes that PKCS #7 padding ends."""
    end = locked.read_at(skip + max(size - 2 * BLOCK, 0), min(size, 2 * BLOCK))
    before = cipher.iv_of(FileKey(facts.fields)) if size == BLOCK else b""
    if cipher.kind not in CHAINED:
        before, end = bytes(BLOCK), end[-BLOCK:]
    key = facts.fields[cipher.key]
    padding = padding_size(before + end, key) if size % BLOCK == 0 and len(key) in KEY_SIZES else None
    if padding is None:
        raise BadMarkError(say("the padding of the last block does not hold"))
    return size - padding


def authentic(cipher: Decryptor, tag: bytes) -> tuple[int, Message]:
    """Return what the tag proves once all is decrypted."""
    if isinstance(cipher, Tagged) and cipher.holds(tag):
        return TAG_BITS, say("the authentication tag of the content")
    return 0, say("the authentication tag of the content does not hold")
