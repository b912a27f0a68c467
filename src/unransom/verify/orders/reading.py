"""Opens exports: containers unpacked, channels recognised, what cannot be read told by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import pyarrow

from unransom.catalog.channels import recognise
from unransom.catalog.exports.channel import (
    HEAD,
    AmbiguousExportError,
    Export,
    Source,
    UnreadableExportError,
)
from unransom.catalog.exports.containers import unwrap
from unransom.catalog.exports.resaved import as_exported
from unransom.catalog.exports.workbook import as_table, is_workbook
from unransom.core.ahead import ahead
from unransom.core.errors import UnreadableError
from unransom.core.messages import Message, say
from unransom.core.progress import Listener, Progress, silent


class Unread(msgspec.Struct, frozen=True):
    """A file that gave no records: its name, why, and what a person can do."""

    name: str
    why: Message
    detail: str = ""
    hint: Message | None = None


def read_exports(sources: Iterable[Source], listener: Listener = silent) -> Iterator[Export | Unread]:
    """Yield what each source holds; a zip may hold several.

    Args:
        sources: The files.
        listener: Told how many are done.

    Raises:
        AmbiguousExportError: Two readings of a file fit: going on would be a guess.
    """
    # Large columns come and go: the system's allocator gives them back when asked, Arrow's own keeps them.
    memory = pyarrow.system_memory_pool()
    pyarrow.set_memory_pool(memory)
    for number, (source, found) in enumerate(ahead(_all, sources), 1):
        yield from found
        memory.release_unused()
        listener(Progress("orders", number, 0, "files", source.name, bytes_done=source.reader.size))


def _all(source: Source) -> tuple[Source, list[Export | Unread]]:
    return source, list(_read(source))


def _read(source: Source) -> Iterator[Export | Unread]:
    try:
        for each in [source] if is_workbook(source.reader) else unwrap(source):
            yield _export(as_table(each) if is_workbook(each.reader) else as_exported(each))
    except UnreadableExportError as error:
        yield Unread(source.name, error.what, error.detail, error.hint)


def _export(source: Source) -> Export | Unread:
    try:
        channel = recognise(source.reader.read_at(0, HEAD))
        if channel is None:
            return Unread(source.name, say("of no channel that is known"))
        return channel.read(source)
    except AmbiguousExportError:
        raise
    except UnreadableExportError as error:
        return Unread(source.name, error.what, error.detail, error.hint)
    except (UnreadableError, OSError) as error:
        return Unread(source.name, say("a part of it cannot be read"), str(error))
