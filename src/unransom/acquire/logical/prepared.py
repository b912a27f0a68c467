"""Prepares entries: headers, what the manifest says of them, and the content of small ones with its digests.

None of that needs to know where in the archive an entry will stand, so that it is done on all cores.
"""

from __future__ import annotations

import binascii
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from unransom.acquire.logical import pax
from unransom.acquire.logical.entries import Entry, Unlisted
from unransom.core.ahead import ahead
from unransom.core.text import shown

SAID = ("accessed", "changed", "segments", "version", "etag", "deleted", "metadata")  # where there is any
BATCH = 256  # entries that a process is given at a time
FEW = 4 * BATCH  # entries; for fewer no processes are started
BATCH_BYTES = 8 << 20  # bytes of small files in a batch
Line = dict[str, Any]


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


def prepared(
    entries: Iterable[Entry | Unlisted], *, spread: bool
) -> Iterator[Unlisted | tuple[Entry, Prepared]]:
    """Yield every entry with what was prepared of it, in the same order.

    Args:
        entries: What is to be archived.
        spread: Whether other processes can read the content, too.

    Raises:
        OSError: A process that prepares was killed.
    """
    source = iter(entries)
    for entry in itertools.islice(source, FEW) if spread else source:
        yield entry if isinstance(entry, Unlisted) else (entry, prepare(entry))
    sent, kept = itertools.tee(_batches(source))
    for batch, found in zip(kept, ahead(_prepare, sent, processes=True), strict=True):
        ready = iter(found)
        for entry in batch:
            yield entry if isinstance(entry, Unlisted) else (entry, next(ready))


def _batches(entries: Iterable[Entry | Unlisted]) -> Iterator[list[Entry | Unlisted]]:
    batch, size = [], 0
    for entry in entries:
        batch.append(entry)
        size += entry.size if isinstance(entry, Entry) and entry.whole else 0
        if len(batch) == BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _prepare(batch: list[Entry | Unlisted]) -> list[Prepared]:
    return [prepare(each) for each in batch if isinstance(each, Entry)]


def prepare(entry: Entry) -> Prepared:
    """Prepare one entry."""
    content = entry.whole() if entry.whole and entry.segments is None else None
    line = _described(entry)
    if content is not None:
        line["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        line["sha256"] = hashlib.sha256(content).hexdigest()
    return Prepared(pax.head(entry), line, content)


def named(path: bytes) -> Line:
    """Return what the manifest calls a path."""
    plain = path.decode("ascii") if path.isascii() else ""
    return {"path": plain if plain.isprintable() and plain else shown(path), "path_b64": _packed(path)}


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
