"""One stream of dated facts: of sources, or of a case with what its steps have found."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from unransom.case.case import Case
from unransom.case.files import records_of, select
from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.records import FileRef, Finding, Source, TimelineEvent
from unransom.core.text import shown
from unransom.evidence import apart_from, identify, open_store
from unransom.evidence.store import Store
from unransom.evidence.stores.image import ImageStore
from unransom.examine.timeline import event_log, files, usn

# A journal of changes, as tools that collect it call their copy.
JOURNAL = re.compile(rb"(^|/)\$?(UsnJrnl)?[_.:]?\$J(\.bin)?$|(^|/)\$UsnJrnl$", re.IGNORECASE)
LOG = re.compile(rb"\.evtx$", re.IGNORECASE)


def of_sources(locations: Sequence[str]) -> Iterator[TimelineEvent]:
    """Yield what the file systems and journals at ``locations`` tell, in no order."""
    sources: list[Source] = []
    for location in locations:
        source = apart_from(identify(location, {each.id for each in sources}), sources)
        sources.append(source)
        store = open_store(source)
        try:
            yield from _shadow_copies(store)
            refs = list(_journals(store))
            for ref in store.files():
                if isinstance(ref, FileRef):
                    yield from files.events(ref, source.kind)
                    if _tells(ref):
                        refs.append(ref)
            yield from _told(store, refs)
        finally:
            store.close()


def of_case(case: Case) -> Iterator[TimelineEvent]:
    """Yield what is dated in a case: its files, their journals, its notes and its own acts, in no order."""
    database = case.database
    noted = {each.item: each for each in records_of(database, Finding) if each.kind == "note"}
    for source in case.sources():
        if source.role == "evidence":
            yield from _of_source(database, source, noted)
    for (entry,) in database.execute("SELECT entry FROM chain ORDER BY sequence"):
        yield _act(json.loads(entry))


def in_order(events: Iterable[TimelineEvent], first: int, last: int) -> Iterator[TimelineEvent]:
    """Yield ``events`` between two times, the earliest first; many are sorted on disk.

    Args:
        events: In any order.
        first: Nanoseconds since 1970 from which on.
        last: Nanoseconds since 1970 up to which.
    """
    database = sqlite3.connect("", isolation_level=None)  # a file of its own, gone when it is closed
    try:
        database.execute("CREATE TABLE events (time INTEGER, body BLOB)")
        encode = msgspec.msgpack.Encoder().encode
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO events VALUES (?, ?)",
            ((each.time, encode(each)) for each in events if first <= each.time <= last),
        )
        decode = msgspec.msgpack.Decoder(TimelineEvent).decode
        for (body,) in database.execute("SELECT body FROM events ORDER BY time, rowid"):
            yield decode(body)
    finally:
        database.close()


def _of_source(
    database: sqlite3.Connection, source: Source, noted: dict[str, Finding]
) -> Iterator[TimelineEvent]:
    store = open_store(source)
    try:
        yield from _shadow_copies(store)
        refs = list(_journals(store))
        for ref in select(database, "source = :source", source=source.id):
            for event in files.events(ref, source.kind):
                yield event
                note = noted.get(f"{event.host}:{event.item}")
                if note and event.origin.endswith("mtime"):
                    yield msgspec.structs.replace(event, origin="ransom note", what=note.what)
            if _tells(ref):
                refs.append(ref)
        yield from _told(store, refs)
    finally:
        store.close()


def _shadow_copies(store: Store) -> Iterator[TimelineEvent]:
    if not isinstance(store, ImageStore):
        return
    for name, each in store.shadow_copies():
        created = each.snapshot.copy.created
        if created is not None:
            yield TimelineEvent(
                time=created,
                precision=files.precision(created),
                origin="shadow copy",
                host=store.source.id,
                item=shown(name),
                what=say("the shadow copy {version} was made", version=each.version),
            )


def _journals(store: Store) -> Iterator[FileRef]:
    listed = getattr(store, "journals", None)  # only images have any
    return iter(()) if listed is None else listed()


def _tells(ref: FileRef) -> bool:
    """Return whether a file has events in it: a journal of changes or a log."""
    return ref.stream == "$J" or bool(not ref.stream and (JOURNAL.search(ref.path) or LOG.search(ref.path)))


def _told(store: Store, refs: Iterable[FileRef]) -> Iterator[TimelineEvent]:
    for ref in refs:
        if LOG.search(ref.path):
            yield from _logged(store, ref)
            continue
        folders = store.folders(ref) if isinstance(store, ImageStore) else None
        with store.open(ref) as reader:
            yield from usn.events(reader, ref.source, folders)


def _logged(store: Store, ref: FileRef) -> Iterator[TimelineEvent]:
    # A deleted log may be there by name only.
    with contextlib.suppress(OSError, UnreadableError), store.open(ref) as reader:
        yield from event_log.events(reader, ref.source, shown(ref.path))


def _act(entry: dict[str, str]) -> TimelineEvent:
    return TimelineEvent(
        time=_nanoseconds(entry["time"]),
        precision=1000,
        origin="unransom chain",
        host="unransom",
        item=f"chain.jsonl:{entry['sequence']}",
        what=Message(entry["act"]),
    )


def _nanoseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
