"""The step: one damaged file in, the rebuilt file or the reason why there is none out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from unransom.catalog.formats.identify import extension_of, identify
from unransom.catalog.formats.repair import REPAIRS
from unransom.catalog.formats.repair.repair import Count, Damaged, Piece, Repair, Repaired, Tables
from unransom.catalog.oracle import Judgement, judge
from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.outputs import Draft, Outputs
from unransom.core.records import Grade, Output, Problem
from unransom.core.spans import ByteMap, Span
from unransom.core.streams import Reader, Salvage, chunks
from unransom.core.text import shown
from unransom.recover.repair.records import Mended
from unransom.recover.repair.zeroed import zeroed

HEAD = 4096
TEXTS = frozenset({"csv", "text", "json", "xml", "html", "svg", "mail"})
WIPED = bytes(16)  # no text has so many zeros, in no encoding
SECTORED = frozenset({"sqlite", "ole2", "tar"})  # sectors are zero where nothing is stored
LOGS = (b"-wal", b"-journal")  # what SQLite puts behind the name of a database
KNOWN = frozenset(extension for each in REPAIRS for extension in each.extensions)
WriteTables = Callable[[Tables], tuple[Iterable[Piece], tuple[Count, ...]]]


def fitting(damaged: Damaged) -> Iterator[Repair]:
    """Yield the repairs that may serve a file: by its head, by its name, then by what is found in it."""
    extension = extension_of(damaged.name)
    found = identify(damaged.reader.read_at(0, HEAD), damaged.name)
    name = found.format.name if found else ""
    tried = [each for each in REPAIRS if extension in each.extensions or name in each.formats]
    yield from tried
    yield from (each for each in REPAIRS if each not in tried and each.finds(damaged.reader))


def name_before(path: bytes) -> bytes:
    """Return the name of a file without what a locker put behind its extension."""
    name = path.rpartition(b"/")[2]
    stem = name.rpartition(b".")[0]
    return stem if extension_of(name) not in KNOWN and extension_of(stem) in KNOWN else name


def logs_of(name: bytes) -> tuple[bytes, ...]:
    """Return how logs of a database may be called, with and without what a locker puts behind names."""
    before = name_before(name)
    return tuple(dict.fromkeys(before + log + end for log in LOGS for end in (b"", name[len(before) :])))


def mend(damaged: Damaged, item: bytes, outputs: Outputs, write_tables: WriteTables) -> Mended:
    """Repair a file.

    Args:
        damaged: The file.
        item: Its path below the folder of outputs, also for people.
        outputs: Where the rebuilt file goes.
        write_tables: Writes a database; returns its bytes and how many rows it has.
    """
    salvage = Salvage(damaged.reader, damaged.name)
    before = judge(salvage, damaged.name)
    empty = zeroed(salvage)
    told = (*damaged.lost, *salvage.lost)
    sound = before.validation.grade is Grade.GOOD and not told
    if sound and not _is_wiped(salvage, before.format, empty):
        return Mended(item=shown(item), sound=True, did=before.validation.why)
    logs = tuple(Salvage(each) for each in damaged.logs)
    known = msgspec.structs.replace(damaged, reader=salvage, lost=told, logs=logs)
    for repair in fitting(known):
        try:
            wiped = () if SECTORED.intersection(repair.formats) else empty
            repaired = repair.repair(msgspec.structs.replace(known, lost=(*told, *wiped)))
        except UnreadableError:
            continue
        if repaired is not None and (mended := _write(repaired, item, outputs, write_tables)):
            return mended
    return Mended(
        item=shown(item),
        problem=Problem(
            item=shown(item),
            code="output",
            what=say("nothing that can be rebuilt is left: {why}", why=before.validation.why),
            resolution=say("look for an older copy; `unransom carve` searches the disk that it was on"),
        ),
    )


def _is_wiped(reader: Reader, format_name: str, empty: tuple[Span, ...]) -> bool:
    """Return whether a file that its format takes for good has zeros where it cannot have any."""
    if format_name in TEXTS:
        return any(WIPED in piece for piece in chunks(reader))
    return bool(empty) and format_name == "jpeg"


def _write(repaired: Repaired, item: bytes, outputs: Outputs, write_tables: WriteTables) -> Mended | None:
    """Write what was rebuilt; None where it does not hold as a file of its format."""
    pieces, counts = repaired.pieces, repaired.counts
    if repaired.tables:
        pieces, rows = write_tables(repaired.tables)
        counts = (*counts, *rows)
    path = item + repaired.extension.encode()
    origin = ByteMap()
    with outputs.draft() as draft:
        for data, source in pieces:
            draft.write(data)
            origin.append(len(data), source)
        verdict = judge(draft, path)
        if verdict.validation.grade is Grade.BAD:
            return None
        output = _kept(draft, path, verdict, origin, repaired.unproven)
    beside = [_beside(outputs, path + each.suffix.encode(), each.data) for each in repaired.beside]
    return Mended(
        item=shown(item),
        output=output,
        did=repaired.did,
        counts=counts,
        missing=repaired.missing,
        lost=repaired.lost,
        beside=tuple(each for each, _ in beside),
        beside_sha256=tuple(sha256 for _, sha256 in beside),
    )


def _kept(draft: Draft, path: bytes, verdict: Judgement, origin: ByteMap, unproven: Message | None) -> Output:
    final, digests = draft.keep(path)
    return Output(
        path=final,
        digests=digests,
        derived_from=0,
        method="repair",
        bits=0 if unproven else verdict.validation.bits,
        grade=Grade.PARTIAL,  # a rebuilt file is never called whole
        why=unproven or verdict.validation.why,
        map=tuple(origin),
        format=verdict.format,
    )


def _beside(outputs: Outputs, path: bytes, data: bytes) -> tuple[bytes, str]:
    with outputs.draft() as draft:
        draft.write(data)
        final, digests = draft.keep(path)
    return final, digests.sha256


def unreadable(item: bytes, error: Exception, *, fatal: bool = True) -> Mended:
    """Return what became of a file that cannot be read, or whose output cannot be written."""
    problem = Problem(
        item=shown(item),
        code="read",
        what=say("the file cannot be read or its output not written: {error}", error=str(error)),
        resolution=say("the other files are not affected"),
        fatal=fatal,
    )
    return Mended(item=shown(item), problem=problem)
