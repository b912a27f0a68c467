"""PDF documents: every object that is left, with a new page tree and cross-reference, and the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unransom.catalog.formats._pdf_walk import OBJECT_CAP
from unransom.catalog.formats._reading import find
from unransom.catalog.formats.pdf import FORMAT
from unransom.catalog.formats.repair._pdf_objects import FLATE, LENGTH, Object, objects
from unransom.catalog.formats.repair._pdf_pages import Fonts, orphans, page_for
from unransom.catalog.formats.repair._pdf_text import data_of, text_of
from unransom.catalog.formats.repair.repair import (
    LISTED,
    Beside,
    Count,
    Damaged,
    Piece,
    Repair,
    Repaired,
    copied,
)
from unransom.core.messages import Message, say
from unransom.core.spans import Origin
from unransom.core.streams import Reader

PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
PAGES = re.compile(rb"/Type\s*/Pages\b")
CATALOG = re.compile(rb"/Type\s*/Catalog\b")
PARENT = re.compile(rb"/Parent\s+(\d{1,10})\s+\d{1,5}\s+R")
KIDS = re.compile(rb"/Kids\s*\[([^\]]*)\]")
REFERENCE = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R")
COUNT_OF = re.compile(rb"/Count\s+(\d{1,9})")
TREE = re.compile(rb"/Pages\s+\d{1,10}\s+\d{1,5}\s+R")
INHERITED = (
    re.compile(rb"/MediaBox\s*\[[^\]]*\]"),
    re.compile(rb"/Rotate\s+-?\d+"),
    re.compile(rb"/Resources\s+\d{1,10}\s+\d{1,5}\s+R"),
)
A4 = b"/MediaBox [0 0 595 842]"
DEEP = 64  # levels of the page tree
PASSWORD = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")
STREAMS = 4  # that must all but few begin wrong: noise takes a dictionary along with its stream
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def finds(reader: Reader) -> bool:
    """Return whether there is an object with an end."""
    return find(reader, b"endobj", 0) >= 0 and find(reader, b" obj", 0) >= 0


class _Document:
    """The objects that are left, and the pages among them in order."""

    def __init__(self, damaged: Damaged) -> None:
        self.found: dict[int, Object] = {}
        self.broken = 0
        for each in objects(damaged):
            if each.number not in self.found or each.whole or not self.found[each.number].whole:
                self.found[each.number] = each
        self.root = next((each for each in self.found.values() if CATALOG.search(each.text)), None)
        self.trees = {number: each for number, each in self.found.items() if PAGES.search(each.text)}
        self.pages = self._ordered()
        self.expected = self._expected()
        self.fonts = Fonts(damaged, self.found)
        texts = [self.page_text(number, 0) for number in self.pages]
        self.streams = self.fonts.of_pages(texts)
        # Without its page a stream is shown by a new one; parts that pages share are in no page of their own.
        self.orphans = orphans(damaged, self.found, set(self.streams))

    def _ordered(self) -> list[int]:
        """Return the numbers of the pages as the trees have them; those that none has by number."""
        order: list[int] = []
        seen: set[int] = set()
        tops = [number for number, each in self.trees.items() if self._parent(each) not in self.trees]
        stack = list(reversed(tops))
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            if number in self.trees:
                kids = KIDS.search(self.trees[number].text)
                stack += [int(kid) for kid in reversed(REFERENCE.findall(kids[1] if kids else b""))]
            elif number in self.found and PAGE.search(self.found[number].text):
                order.append(number)
        others = [
            number for number, each in self.found.items() if PAGE.search(each.text) and number not in seen
        ]
        return order + sorted(others)

    def _parent(self, each: Object) -> int:
        found = PARENT.search(each.text)
        return int(found[1]) if found else 0

    def _expected(self) -> int | None:
        """Return how many pages the document had, where a tree still says it."""
        counts = [int(found[1]) for each in self.trees.values() if (found := COUNT_OF.search(each.text))]
        return max(counts, default=None)

    def page_text(self, number: int, tree: int) -> bytes:
        """Return the dictionary of a page below the new ``tree``, with what it had from its parents."""
        text = self.found[number].text
        parent = self._parent(self.found[number])
        added = b""
        for _ in range(DEEP):
            above = self.trees.get(parent)
            if above is None:
                break
            for pattern in INHERITED:
                if not pattern.search(text + added) and (found := pattern.search(above.text)):
                    added += b" " + found[0]
            parent = self._parent(above)
        if b"/MediaBox" not in text + added:
            added += b" " + A4
        link = b"/Parent %d 0 R" % tree
        text = PARENT.sub(link, text) if PARENT.search(text) else text.replace(b"<<", b"<< " + link, 1)
        end = text.rfind(b">>")
        return text[:end] + added + text[end:] if added and end >= 0 else text


def repair(damaged: Damaged) -> Repaired | None:
    """Rebuild a document; None where no page and no stream is left, or it has a password."""
    if _has_password(damaged.reader):
        return None
    document = _Document(damaged)
    streams = [each for each in document.found.values() if each.start]
    if _is_encrypted(damaged.reader, streams):
        return None
    if not document.pages and not streams:
        return None
    text = "\n".join(each for each in _texts(damaged, document, streams) if each)
    broken = [each.number for each in document.found.values() if not each.whole]
    lost = _dangling(document)
    pages = (document.page_text(number, 0) for number in document.pages)
    plain = document.fonts.stand_ins(pages, set(lost))
    return Repaired(
        _written(damaged, document, plain),
        say("the objects were found one by one; the page tree and the cross-reference were written anew"),
        (
            Count("objects", len(document.found) - len(broken), len(document.found) + len(lost)),
            Count("pages", len(document.pages) + len(document.orphans), document.expected),
            Count("characters", len(text)),
        ),
        tuple(_missing(document, broken, lost, len(plain))),
        tuple(f"object {number}" for number in sorted([*broken, *lost])[:LISTED]),
        (Beside(".txt", text.encode("utf-8", "replace")),) if text else (),
    )


def _texts(damaged: Damaged, document: _Document, streams: list[Object]) -> Iterator[str]:
    """Yield the words of each content stream in the order of the file."""
    fonts = document.fonts
    for each in sorted(streams, key=lambda each: each.start):
        named = document.streams.get(each.number, fonts.common)
        yield text_of(damaged, each, fonts.letters(named))


def _has_password(reader: Reader) -> bool:
    position = 0
    while (position := find(reader, b"/Encrypt", position)) >= 0:
        if PASSWORD.match(reader.read_at(position, 64)):
            return True
        position += 8
    return False


def _is_encrypted(reader: Reader, streams: list[Object]) -> bool:
    """Return whether no streams begin as zlib's do: they are encrypted, and what says so is lost."""
    packed = [each for each in streams if (found := FLATE.search(each.text)) and not found["letters"]]
    heads = [reader.read_at(each.start, 2) for each in packed]
    sound = sum(head[:1] != b"" and head[0] & 15 == 8 and int.from_bytes(head) % 31 == 0 for head in heads)
    return len(heads) >= STREAMS and sound * 4 < len(heads)


def _dangling(document: _Document) -> list[int]:
    """Return the objects that others refer to and that are not there."""
    wanted = {
        int(number)
        for each in document.found.values()
        if len(each.text) < OBJECT_CAP
        for number in REFERENCE.findall(each.text)
    }
    return sorted(wanted - document.found.keys())


def _missing(document: _Document, broken: list[int], lost: list[int], plain: int) -> Iterator[Message]:
    if broken:
        yield say("{count} streams break off at a hole", count=len(broken))
    if lost:
        yield say("{count} objects that others refer to are lost", count=len(lost))
    if document.orphans:
        yield say(
            "{count} pages are lost but for what they show: they are at the end", count=len(document.orphans)
        )
    there = len(document.pages) + len(document.orphans)
    if document.expected is not None and document.expected > there:
        gone = document.expected - there
        yield say("{count} of {total} pages are lost", count=gone, total=document.expected)
    if not document.trees:
        yield say("the order of the pages is lost: they are in the order of their numbers")
    if plain:
        yield say("{count} fonts or lists of fonts are lost: plain letters stand for them", count=plain)


def _written(damaged: Damaged, document: _Document, plain: dict[int, bytes]) -> Iterator[Piece]:
    """Yield the new document, with ``plain`` objects in the places of lost ones."""
    top = max((*document.found, *plain), default=0)
    root, tree = top + 1, top + 2
    offsets: dict[int, tuple[int, int]] = {}
    position = len(HEADER)
    yield HEADER, Origin.GUESSED
    for number, each in sorted(document.found.items()):
        if number in document.trees or each is document.root:
            continue
        text = document.page_text(number, tree) if PAGE.search(each.text) else each.text
        offsets[number] = (position, each.generation)
        for piece in _object(damaged, each, text):
            position += len(piece[0])
            yield piece
    added = dict(enumerate(document.orphans, tree + 1))
    kids = b" ".join(b"%d 0 R" % number for number in (*document.pages, *added))
    link = b"/Pages %d 0 R" % tree
    catalog = document.root.text if document.root else b"<< /Type /Catalog >>"
    catalog = TREE.sub(link, catalog) if TREE.search(catalog) else catalog.replace(b"<<", b"<< " + link, 1)
    count = len(document.pages) + len(added)
    new = plain | {root: catalog, tree: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)}
    new |= {number: _added(damaged, document, stream, tree) for number, stream in added.items()}
    for number, text in new.items():
        offsets[number] = (position, 0)
        body = b"%d 0 obj\n%s\nendobj\n" % (number, text)
        position += len(body)
        yield body, Origin.GUESSED
    yield _table(offsets, position, root), Origin.GUESSED


def _added(damaged: Damaged, document: _Document, stream: int, tree: int) -> bytes:
    """Return a page for a stream whose own is lost, of the size that the others have."""
    boxes = (INHERITED[0].search(document.page_text(number, tree)) for number in document.pages[:1])
    box = next((found[0] for found in boxes if found), A4)
    content = data_of(damaged, document.found[stream])
    return page_for(stream, content, tree, document.fonts.common, box)


def _object(damaged: Damaged, each: Object, text: bytes) -> Iterator[Piece]:
    opening = b"%d %d obj\n" % (each.number, each.generation)
    if not each.start:
        yield opening + text + b"\nendobj\n", Origin.PLAIN if text is each.text else Origin.GUESSED
        return
    if each.data is None:
        data_size = each.end - each.start
        yield opening + _sized(text, data_size) + b"\nstream\n", Origin.GUESSED
        yield from copied(damaged.reader, each.start, each.end)
    else:
        plain = FLATE.sub(b" ", text)
        yield opening + _sized(plain, len(each.data)) + b"\nstream\n" + each.data, Origin.GUESSED
    yield b"\nendstream\nendobj\n", Origin.GUESSED


def _sized(text: bytes, size: int) -> bytes:
    """Return a stream's dictionary with its length."""
    length = b"/Length %d" % size
    return (
        LENGTH.sub(length, text, count=1) if LENGTH.search(text) else text.replace(b"<<", b"<< " + length, 1)
    )


def _table(offsets: dict[int, tuple[int, int]], position: int, root: int) -> bytes:
    size = max(offsets) + 1
    lines = [b"xref\n0 1\n0000000000 65535 f \n"]
    lines += [b"%d 1\n%010d %05d n \n" % (number, *place) for number, place in sorted(offsets.items())]
    trailer = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, root, position)
    return b"".join(lines) + trailer


REPAIR = Repair((FORMAT.name,), FORMAT.extensions, repair, finds)
