"""A mail: its whole lines, with a header where that is lost, and attachments in their places and sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from unransom.catalog.formats.mail import BOUNDARY, FORMAT, FROM
from unransom.catalog.formats.repair import text
from unransom.catalog.formats.repair._letters import NARROW
from unransom.catalog.formats.repair.repair import LISTED, Damaged, Piece, Repair, Repaired
from unransom.core.messages import Message, say
from unransom.core.spans import Origin, Span
from unransom.core.streams import Reader

MOST = 1 << 28  # bytes of a mail that is put together; larger ones come back as lines
DELIMITER = re.compile(rb"(?m)^--([^\r\n]{1,70}?)(--)?[ \t]*\r?$")
OPENED = re.compile(rb"(?m)^--([^\r\n]{1,70}?)[ \t]*\r?\n(?=Content-)")
PACKED = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}\r?\n")
QUOTED = re.compile(rb"=\r?\n|=[0-9A-F]{2}")
NAME = re.compile(rb"(?i)\bfilename=\"?([^\"\r\n;]{1,255})")
HEAD = 4096  # bytes of a part that tell what it is
OWN = b"=_left_of_this_mail"  # the boundary where none is left
HEADER = b"X-Rebuilt: the header of this mail is lost\r\nMIME-Version: 1.0\r\n"


class _Stretch(msgspec.Struct, frozen=True):
    """Whole lines between two holes: where they stand, and what they are."""

    span: Span
    lines: bytes

    @property
    def first(self) -> bytes:
        """Its first line."""
        return self.lines[: self.lines.find(b"\n") + 1]

    @property
    def last(self) -> bytes:
        """Its last line."""
        return self.lines[self.lines.rfind(b"\n", 0, -1) + 1 :]


class _Mail:
    """A mail that is put together.

    Attributes:
        pieces: It.
        filled: Attachments in which lost lines were filled.
        harmed: Names of attachments with holes.
    """

    def __init__(self, stretches: list[_Stretch]) -> None:
        self.pieces: list[Piece] = []
        self.filled = 0
        self.harmed: list[str] = []
        self._stretches = stretches
        self._headed = stretches[0].span.start == 0
        self._number = 0
        every = b"".join(each.lines for each in stretches)
        declared = {found[1] for found in BOUNDARY.finditer(every)}
        self._open = _open_at_first(every, declared) if not self._headed else []
        first = BOUNDARY.search(every) if self._headed else None
        self.outer = first[1] if first else self._open[0] if self._open else b"" if self._headed else OWN

    def build(self) -> None:
        """Put everything together."""
        before: _Stretch | None = None
        for number, each in enumerate(self._stretches):
            if before is not None:
                self._join(before, each, number)
            elif not self._headed:
                self._begin(each)
            self.pieces.append((each.lines, Origin.PLAIN))
            before = each
        if self.outer and not any(self.outer + b"--" in each.lines for each in self._stretches):
            self._add(b"\r\n--" + self.outer + b"--\r\n")

    def _add(self, data: bytes) -> None:
        self.pieces.append((data, Origin.GUESSED))

    def _begin(self, first: _Stretch) -> None:
        """Write a header, and heads of the parts that the first lines stand in."""
        self._add(HEADER + _multipart(self.outer))
        for outer, inner in zip(self._open, self._open[1:], strict=False):
            self._add(b"--" + outer + b"\r\n" + _multipart(inner))
        if not first.lines.startswith(b"--"):
            self._part(self._open[-1] if self._open else self.outer, first)

    def _join(self, before: _Stretch, behind: _Stretch, number: int) -> None:
        """Keep what is on both sides of a hole apart where it is not of one part; fill what is of one."""
        packed = [bool(PACKED.fullmatch(line)) for line in (before.last, behind.first)]
        if packed[0]:
            name = NAME.findall(before.lines)
            self.harmed += [name[-1].decode("utf-8", "replace")] if name else []
        if behind.lines.startswith(b"--") or packed == [False, False]:
            return
        width, gap = len(before.last), behind.span.start - before.span.end
        if all(packed) and gap % width == 0 and len(behind.first) <= width:
            line = before.last.rstrip(b"\r\n")
            self._add((b"A" * len(line) + before.last[len(line) :]) * (gap // width))
            self.filled += 1
        elif self.outer:
            following = (DELIMITER.search(each.lines) for each in self._stretches[number:])
            closing = next((found[1] for found in following if found), self.outer)
            self._part(closing, behind)

    def _part(self, boundary: bytes, lines: _Stretch) -> None:
        """Write the head of a part for lines whose own is lost."""
        self._number += 1
        self._add(b"\r\n--" + boundary + b"\r\n" + _described(lines, self._number) + b"\r\n")


def _multipart(boundary: bytes) -> bytes:
    return b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n'


def _described(stretch: _Stretch, number: int) -> bytes:
    """Return header fields that fit the lines."""
    if PACKED.fullmatch(stretch.first):
        return (
            b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="left-%d.bin"\r\n' % number
        )
    end = DELIMITER.search(stretch.lines, 0, HEAD)
    sample = stretch.lines[: end.start() if end else HEAD]
    kind = b"html" if b"</" in sample else b"plain"
    encoding = b"quoted-printable" if QUOTED.search(sample) else b"8bit"
    return b"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n" % (kind, encoding)


def _open_at_first(every: bytes, declared: set[bytes]) -> list[bytes]:
    """Return the boundaries of the parts that were open in front of the first line, the outermost first.

    None of them is declared in what is left; an outer one is used last, and an inner one first.
    """
    firsts: dict[bytes, int] = {}
    lasts: dict[bytes, int] = {}
    known = {found[1] for found in OPENED.finditer(every)} - declared
    for found in DELIMITER.finditer(every):
        if found[1] in known:
            firsts.setdefault(found[1], found.start())
            lasts[found[1]] = found.start()
    chain: list[bytes] = []
    for boundary in sorted(known, key=lambda each: -lasts[each]):
        if not chain or firsts[boundary] < firsts[chain[-1]]:
            chain.append(boundary)
    return chain


def repair(damaged: Damaged) -> Repaired | None:
    """Put the whole lines together as a mail; None where none is left, or nothing is lost."""
    reader = damaged.reader
    if reader.size > MOST or FROM.match(reader.read_at(0, HEAD)):
        return text.repair(damaged)  # a folder of mails: its lines
    lost = text.holes(damaged)
    kept = text.whole_lines(reader, lost, NARROW)
    if not kept:
        return None
    mail = _Mail(list(_stretches(reader, kept)))
    mail.build()
    if not lost:
        return _closed(reader, mail) if len(mail.pieces) > 1 else None
    return Repaired(
        mail.pieces,
        say("the whole lines were put together as a mail"),
        text.counts_of(reader, kept),
        (text.told_of(reader, kept, lost), *_missing(mail, kept)),
        (*text.named(reader, lost), *dict.fromkeys(mail.harmed))[:LISTED],
    )


def _closed(reader: Reader, mail: _Mail) -> Repaired:
    """Return a mail without a hole that was cut off, with the end of its parts."""
    return Repaired(
        mail.pieces,
        say("the end of the parts was written behind what is left of the mail"),
        text.counts_of(reader, [Span(0, reader.size)]),
        (say("the mail breaks off after {count} bytes: what followed is lost", count=reader.size),),
        tuple(each.decode("utf-8", "replace") for each in NAME.findall(mail.pieces[0][0])[-1:]),
    )


def _stretches(reader: Reader, kept: list[Span]) -> Iterator[_Stretch]:
    for span in kept:
        yield _Stretch(span, reader.read_at(span.start, len(span)))


def _missing(mail: _Mail, kept: list[Span]) -> Iterator[Message]:
    if kept[0].start:
        yield say("the header of the mail is lost")
    if mail.filled:
        yield say("in {count} places lost lines of attachments are filled with zeros", count=mail.filled)


def finds(reader: Reader) -> bool:
    """Return False: any text may be of a mail, so it is the name that must say it."""
    return text.finds(reader)


REPAIR = Repair((FORMAT.name,), ("eml", "emlx"), repair, finds)
