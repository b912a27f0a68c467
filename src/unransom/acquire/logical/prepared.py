"""Prepares entries: headers, what the manifest says of them, and the content of small ones with its digests.

None of that needs to know where in the archive an entry will stand, so that it is done for many at a time.
"""

from __future__ import annotations

import binascii
import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from unransom.acquire.logical import pax
from unransom.acquire.logical.entries import Entry, Unlisted
from unransom.core.ahead import CONNECTIONS, ahead, ahead_in_processes
from unransom.core.text import shown

SAID = ("accessed", "changed", "segments", "version", "etag", "deleted")  # where there is any
BATCH_BYTES = 8 << 20  # of small files in a batch
Line = dict[str, Any]


class Spread(NamedTuple):
    """Who prepares entries.

    Attributes:
        batch: How many entries are given away at a time.
        alone: How many are prepared before help is called, which takes longer than a few of them.
        connections: How many threads help, as reading is mostly waiting; with none processes do, one a core.
    """

    batch: int
    alone: int
    connections: int = 0


FILES = Spread(batch=256, alone=1024)
OBJECTS = Spread(batch=1, alone=0, connections=CONNECTIONS)


class Prepared(NamedTuple):
    """What an entry puts into the archive and its manifest.

    Attributes:
        header: Headers of tar.
        line: Of the manifest, but for where the entry stands and the digests of content that is not here.
        content: Of a small file that could be read at once.
    """

    header: bytes
    line: Line
    content: bytes | None


Pair = tuple[Entry, Prepared] | Unlisted


def prepared(entries: Iterable[Entry | Unlisted], spread: Spread) -> Iterator[Pair]:
    """Yield every entry with what was prepared of it, in the same order; where that fails, with the reason.

    Raises:
        UnransomError: A process that prepares was killed.
    """
    source = iter(entries)
    for entry in itertools.islice(source, spread.alone):
        yield _pair(entry, prepare(entry))
    sent, kept = itertools.tee(_batches(source, spread.batch))
    threads = spread.connections
    results = ahead(_all, sent, workers=threads) if threads else ahead_in_processes(_all, sent)
    for batch, found in zip(kept, results, strict=True):
        yield from map(_pair, batch, found)


def prepare(entry: Entry | Unlisted) -> Prepared | Unlisted:
    """Prepare one entry."""
    if isinstance(entry, Unlisted):
        return entry
    line = _described(entry)
    try:
        if entry.metadata and (found := entry.metadata()):
            line["metadata"] = found
    except OSError as error:
        return Unlisted(entry.path, str(error))
    content = entry.whole() if entry.whole and entry.segments is None else None
    if content is not None:
        line["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        line["sha256"] = hashlib.sha256(content).hexdigest()
    return Prepared(pax.head(entry), line, content)


def named(path: bytes) -> Line:
    """Return what the manifest calls a path."""
    plain = path.decode("ascii") if path.isascii() else ""
    return {"path": plain if plain.isprintable() and plain else shown(path), "path_b64": _packed(path)}


def _all(batch: Sequence[Entry | Unlisted]) -> list[Prepared | Unlisted]:
    return [prepare(each) for each in batch]


def _pair(entry: Entry | Unlisted, found: Prepared | Unlisted) -> Pair:
    if isinstance(entry, Unlisted):
        return entry
    return found if isinstance(found, Unlisted) else (entry, found)


def _batches(entries: Iterable[Entry | Unlisted], most: int) -> Iterator[list[Entry | Unlisted]]:
    batch: list[Entry | Unlisted] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size if isinstance(entry, Entry) and entry.whole else 0
        if len(batch) == most or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _packed(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _described(entry: Entry) -> Line:
    line: Line = {**named(entry.path), "kind": entry.kind, "size": entry.size, "mode": entry.mode & 0o7777}
    line |= {"uid": entry.uid, "gid": entry.gid, "modified": entry.modified}
    if entry.link:
        line["link_b64"] = _packed(entry.link)
    if entry.attributes:
        line["attributes"] = {
            name.decode("utf-8", "backslashreplace"): _packed(value)
            for name, value in entry.attributes.items()
        }
    for name in SAID:
        if value := getattr(entry, name):
            line[name] = value
    return line
