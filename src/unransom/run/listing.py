"""One row per file of a case, as ``unransom files`` and the stages write it; fields are only ever added."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from unransom.case.case import Case
from unransom.case.files import message
from unransom.core.clock import rfc3339
from unransom.core.records import State
from unransom.core.text import shown
from unransom.run.described import described_in
from unransom.run.result import no_key

Row = dict[str, str | int | None]

COLUMNS = (
    "source, path, stream, version, size, modified, state, family, format, locked, method, key,"
    " output, output_size, md5, sha256, verdict, why, coalesce(json_extract(body, '$.state'), '')"
)


def rows(case: Case, state: str = "", language: str = "en", *, examining: bool = False) -> Iterator[Row]:
    """Yield a row per file, in the order they were listed.

    Args:
        case: The open case.
        state: Only files in this final state, all by default.
        language: Of the sentences in ``why``.
        examining: Say of locked files how that shows, not that a key is missing.
    """
    described = described_in(case)
    query = f"SELECT {COLUMNS} FROM files ORDER BY id"
    for source, path, stream, version, size, modified, was, *rest in case.database.execute(query):
        family, format_name, locked, method, key, output, output_size, md5, sha256, verdict, why, seen = rest
        final = {State.LOCKED: State.FAILED, State.FOUND: State.UNKNOWN}.get(was, was)
        if state and final != state:
            continue
        reason = no_key(family, described) if was == State.LOCKED and not examining else message(why)
        yield {
            "source": source,
            "path": shown(path),
            "path_b64": base64.b64encode(path).decode(),
            "stream": stream,
            "version": version,
            "size": size,
            "modified": rfc3339(modified),
            "state": str(final),
            "locked": was == State.LOCKED
            or method == "unlock"
            or (method == "carve" and seen == State.LOCKED),
            "locked_bytes": locked,
            "family": family,
            "format": format_name,
            "method": method,
            "key": key or None,
            "output": output.decode("utf-8", "surrogateescape") if output else None,
            "output_size": output_size,
            "md5": md5,
            "sha256": sha256,
            "verdict": verdict or "unknown",
            "why": reason.render(language) if reason else "",
        }
