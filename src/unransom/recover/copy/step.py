"""The step: one intact file in, its copy out."""

from __future__ import annotations

from collections.abc import Iterator

from unransom.core.context import Context
from unransom.core.messages import say
from unransom.core.records import FileRef, Grade, Output, Problem, Record, State
from unransom.core.spans import Origin, Run
from unransom.core.streams import Salvage, stretches
from unransom.core.text import shown


def run(ref: FileRef, context: Context) -> Iterator[Record]:
    """Copy ``ref``; a file that cannot be read whole is a ``Problem``, and no copy is kept."""
    yield from copied(ref, context, ref.output_path())


def copied(ref: FileRef, context: Context, path: bytes) -> Iterator[Record]:
    """Copy ``ref`` to ``path`` below the outputs; see `run`."""
    outputs = context.outputs
    if outputs is None:
        raise ValueError("copy writes outputs and was given no place for them")
    with context.open(ref) as reader, outputs.draft() as draft:
        content = Salvage(reader)
        for piece, stored in stretches(content):
            draft.write(piece, stored)
        if content.lost:
            yield Problem(
                item=shown(ref.path),
                code="read",
                what=say(
                    "{bytes} bytes of the evidence could not be read", bytes=sum(map(len, content.lost))
                ),
                resolution=say("the file was not copied"),
                fatal=False,
            )
            return
        times = (ref.modified, ref.modified) if ref.modified is not None else None
        kept, digests = draft.keep(path, times)
    yield Output(
        path=kept,
        digests=digests,
        derived_from=ref.id,
        method="copy",
        grade=Grade.UNKNOWN if ref.state is State.UNKNOWN else Grade.GOOD,
        why=ref.why or say("never locked"),
        map=(Run(0, digests.size, Origin.PLAIN),) if digests.size else (),
        format=ref.format,
    )
