"""Excel workbooks and Word documents of 1997 to 2003: cells and text that are left, in files of today."""

from __future__ import annotations

import numpy as np

from unransom.catalog.formats._findings import Findings
from unransom.catalog.formats._ole2_structure import HEADER, Chained, Compound, read_header
from unransom.catalog.formats._reading import Cached, find
from unransom.catalog.formats._uniform import uniform_blocks
from unransom.catalog.formats.ole2 import FORMAT, WORD, WORKBOOKS
from unransom.catalog.formats.repair import _biff, _new_office, _word_text
from unransom.catalog.formats.repair._skeleton import letters_of
from unransom.catalog.formats.repair._zip_writer import archive
from unransom.catalog.formats.repair.repair import LISTED, Beside, Count, Damaged, Repair, Repaired
from unransom.core.messages import Message, say
from unransom.core.spans import Span, gaps, merge
from unransom.core.streams import Reader

MOST = 1 << 28  # bytes of a stream
ZEROS = 256  # bytes that no record has in a row
LAST = b"\x0a"  # what is no zero of the last record
SECTOR = 512
CELLS = b"\x09\x08\x10\x00\x00\x06"  # the first bytes of a workbook or sheet of cells
NAMES = tuple(name.encode("utf-16-le") for name in ("Workbook", "WordDocument"))
EXTENSIONS = ("xls", "xlt", "et", "doc", "dot", "wps")
BOOKS = (b".xls", b".xlt", b".et")


def finds(reader: Reader) -> bool:
    """Return whether there is the head of a workbook, or the entry of one or of a document."""
    return any(find(reader, each, 0) >= 0 for each in (CELLS, *NAMES))


def repair(damaged: Damaged) -> Repaired | None:
    """Take cells, else text; None where neither is left."""
    reader = Cached(damaged.reader)
    lost = merge([*damaged.lost, *uniform_blocks(damaged.reader, 0, damaged.reader.size)])
    streams = _streams(reader)
    book = next((streams[name] for name in WORKBOOKS & streams.keys()), None)
    if WORD not in streams and (book or _is_book(damaged)):
        return _workbook(damaged, book or _physical(reader), lost, chained=book is not None)
    return _document(damaged, streams, lost)


def _is_book(damaged: Damaged) -> bool:
    return damaged.name.lower().endswith(BOOKS) or find(damaged.reader, CELLS, 0) >= 0


def _streams(reader: Cached) -> dict[str, Chained]:
    """Return the streams that the directory names, as far as their chains go."""
    header = read_header(reader.read_at(0, HEADER))
    if header is None:
        return {}
    compound = Compound(reader, header, Findings(reader.size))
    streams: dict[str, Chained] = {}
    for entry in compound.entries:
        stream = compound.stream(entry)
        if stream is not None and stream.size >= min(entry.size, MOST):
            streams.setdefault(entry.name, stream)
    return streams


def _physical(reader: Cached) -> Chained:
    """Return the sectors of a file whose chains are lost, in their order, without those of the tables."""
    data = np.frombuffer(reader.read_at(0, min(reader.size, MOST)), np.uint8)
    words = data[: len(data) // SECTOR * SECTOR].view("<u4").reshape(-1, SECTOR // 4)
    following = (np.diff(words.astype(np.int64), axis=1) == 1).mean(axis=1)
    table = (following > 0.5) | (words == 0xFFFFFFFF).all(axis=1)
    runs = [(int(index) * SECTOR, SECTOR) for index in np.flatnonzero(~table)]
    return Chained(reader, runs, len(runs) * SECTOR)


def _left(stream: Chained, data: bytes, lost: list[Span]) -> list[Span]:
    """Return the parts of the stream that no hole of the file touches."""
    if not lost:
        return [Span(0, len(data))]
    offsets = range(0, len(data), 64)
    starts = np.array([stream.place(offset) for offset in offsets], np.int64)
    gone = np.zeros(len(starts), bool)
    for span in lost:
        gone |= (starts < span.end) & (starts + 64 > span.start)
    edges = np.flatnonzero(np.diff(np.concatenate(([True], gone, [True])).astype(np.int8)))
    return [
        Span(int(low) * 64, min(int(high) * 64, len(data)))
        for low, high in zip(edges[::2], edges[1::2], strict=True)
    ]


def _wiped(data: bytes) -> list[Span]:
    """Return the runs of zeros in the records of a workbook, which have none so long but at their end."""
    end = len(data.rstrip(b"\0"))
    end = len(data) if data[:end].endswith(LAST) else end
    places = np.flatnonzero(np.frombuffer(data, np.uint8))
    edges = np.concatenate(([-1], places, [] if end == len(data) else [len(data)])).astype(np.int64)
    runs = np.flatnonzero(np.diff(edges) > ZEROS)
    return [Span(int(edges[run]) + 1, int(edges[run + 1])) for run in runs]


def _without(left: list[Span], wiped: list[Span]) -> list[Span]:
    """Return the parts of ``left`` that are not ``wiped``."""
    if not wiped or not left:
        return left
    gone = merge([*wiped, *gaps(left, left[-1].end)])
    return list(gaps(gone, left[-1].end))


def _workbook(damaged: Damaged, stream: Chained, lost: list[Span], *, chained: bool) -> Repaired | None:
    """Take the cells of a stream that is all of the workbook where it is ``chained``; None for no cell."""
    data = stream.read_at(0, min(stream.size, MOST))
    left = _without(_left(stream, data, lost), _wiped(data))
    book = _biff.book_in(data, left)
    count = sum(map(len, book.sheets))
    if not count:
        return None
    titles = [title for _, title in sorted(book.titles.items())]
    named = [
        (titles[number] if number < len(titles) else f"Sheet{number + 1}", cells)
        for number, cells in enumerate(book.sheets)
    ]
    missing: list[Message] = []
    size = sum(map(len, left))
    if size < len(data):
        missing.append(
            say("{lost} of {total} bytes of the workbook are lost", lost=len(data) - size, total=len(data))
        )
    if book.lost:
        missing.append(say("{count} cells have texts that are lost", count=len(book.lost)))
    if not titles:
        missing.append(say("the list of sheets is lost: their names may be others"))
    names = [f"{named[sheet][0]}!{letters_of(column + 1)}{row + 1}" for sheet, row, column, _ in book.lost]
    return Repaired(
        archive(damaged, _new_office.workbook(named, book.formats, book.codes)),
        say("the cells were put into a new workbook (xlsx)"),
        (
            Count("cells", count, count + len(book.lost) if chained and size == len(data) else None),
            Count("sheets", len(named)),
        ),
        tuple(missing),
        tuple(names[:LISTED]),
        extension=".xlsx",
    )


def _document(damaged: Damaged, streams: dict[str, Chained], lost: list[Span]) -> Repaired | None:
    main = streams.get(WORD)
    texts = None
    if main is not None:
        data = main.read_at(0, min(main.size, MOST))
        table = streams.get("1Table" if len(data) > 11 and data[11] & 2 else "0Table")
        tables = table.read_at(0, min(table.size, MOST)) if table else b""
        texts = _word_text.by_pieces(data, tables, _left(main, data, lost))
    known = texts is not None
    if texts is None:
        main = main or _physical(Cached(damaged.reader))
        data = main.read_at(0, min(main.size, MOST))
        texts = _word_text.by_runs(data, _left(main, data, lost))
    gone = sum(count for count, _ in texts)
    text = _word_text.clean(
        "".join(text if not count else f"\r[…]\r{text}" for count, text in texts)
        if known
        else "\r".join(text for _, text in texts)
    )
    if not text.strip():
        return None
    missing = [say("{lost} characters of the text are lost", lost=gone)] if gone else []
    if not known:
        missing.append(say("the table of the text is lost: what else looks like text is among it"))
    return Repaired(
        archive(damaged, _new_office.document(text.split("\n"))),
        say("the text was put into a new document (docx)"),
        (Count("characters", len(text), len(text) + gone if known else None),),
        tuple(missing),
        beside=(Beside(".txt", text.encode("utf-8", "replace")),),
        extension=".docx",
    )


REPAIR = Repair((FORMAT.name,), EXTENSIONS, repair, finds)
