"""The step of a case: a file that is there in part in, what became of it out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import msgspec

from unransom.catalog.formats.repair.repair import Damaged
from unransom.core.context import Context
from unransom.core.errors import UnreadableError
from unransom.core.outputs import FileReader, Outputs
from unransom.core.records import Output, Record
from unransom.core.spans import Origin, Span
from unransom.core.streams import Reader
from unransom.recover.repair.previews import LINES, preview
from unransom.recover.repair.records import Broken, Mended
from unransom.recover.repair.step import mend, name_before, unreadable
from unransom.run.rebuilt_database import writer
from unransom.run.repair_rows import first_lines, first_rows

FOLDER = b"repaired/"  # of what comes out, below the folder of outputs
OUTPUTS = b"recovered/"  # what paths of outputs begin with
TEXTS = frozenset({"csv", "text", "json", "xml", "html"})  # formats that are shown as they are


def run(item: Broken, context: Context) -> Iterator[Record]:
    """Yield what became of a file; what cannot be read or written says so in the record itself.

    The file's own entry in the case stays as it is: a key that is found later still opens it.
    """
    outputs = context.outputs
    if outputs is None:
        raise ValueError("repairs need a place for outputs")
    mended = _mended(item, context, outputs)
    if mended.output is None:
        yield mended
        return
    small = _preview(mended, mended.output, outputs)
    output = msgspec.structs.replace(mended.output, derived_from=item.ref.id)
    yield msgspec.structs.replace(mended, output=output, preview=small)


def _mended(item: Broken, context: Context, outputs: Outputs) -> Mended:
    path = item.output.path.removeprefix(OUTPUTS) if item.output else item.ref.output_path()
    name = name_before(path)
    try:
        with ExitStack() as stack, tempfile.TemporaryDirectory(dir=outputs.scratch.decode()) as folder:
            reader = stack.enter_context(_opened(item, context, outputs))
            siblings = tuple(stack.enter_context(context.open(each)) for each in item.siblings)
            logs = tuple(stack.enter_context(_opened(each, context, outputs)) for each in item.logs)
            damaged = Damaged(reader, name, _lost(item.output), siblings, logs)
            return mend(damaged, FOLDER + path, outputs, writer(Path(folder)))
    except (OSError, UnreadableError) as error:
        return unreadable(path, error, fatal=False)


def _opened(item: Broken, context: Context, outputs: Outputs) -> AbstractContextManager[Reader]:
    """Open what came back of a file, else the file as it lies."""
    if item.output is None:
        return context.open(item.ref)
    return FileReader(_absolute(outputs, item.output.path))


def _absolute(outputs: Outputs, path: bytes) -> bytes:
    return outputs.folder + b"/" + path.removeprefix(OUTPUTS)


def _lost(output: Output | None) -> tuple[Span, ...]:
    runs = output.map if output else ()
    return tuple(Span(run.start, run.end) for run in runs if run.origin in {Origin.LOST, Origin.GUESSED})


def _preview(mended: Mended, output: Output, outputs: Outputs) -> str:
    text = next((each for each in mended.beside if each.endswith(b".txt")), None)
    if output.format in TEXTS:
        text = output.path
    path = Path(os.fsdecode(_absolute(outputs, output.path)))
    if text is None:
        return preview(path, output.format, first_rows(path, output.format, LINES))
    return preview(path, output.format, first_lines(Path(os.fsdecode(_absolute(outputs, text))), LINES))
