"""A timeline in the formats of others: Timesketch's JSON lines, and the bodyfile of The Sleuth Kit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from unransom.core.clock import rfc3339
from unransom.core.records import TimelineEvent

COLUMNS = ("atime", "mtime", "ctime", "crtime")  # of the bodyfile, in order


def timesketch(events: Iterable[TimelineEvent], language: str) -> Iterator[str]:
    """Yield one JSON object a line; ``message``, ``datetime`` and ``timestamp_desc`` are what it needs."""
    for event in events:
        what = event.what.render(language)
        row = {
            "message": f"{event.item}: {what}",
            "datetime": rfc3339(event.time).replace("Z", "+00:00"),
            "timestamp": event.time // 1000,
            "timestamp_desc": event.origin,
            "hostname": event.host,
            "item": event.item,
            "what": what,
            "precision_ns": event.precision,
        }
        line = json.dumps(row, ensure_ascii=False)
        yield line if line.isprintable() else json.dumps(row)


def bodyfile(events: Iterable[TimelineEvent], language: str) -> Iterator[str]:
    """Yield lines of a bodyfile (version 3), one for each event; ``mactime`` puts them together.

    ``MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime``, times in whole seconds.
    """
    for event in events:
        kind = event.origin.rpartition(" ")[2]
        times = [str(event.time // 1_000_000_000 if column == kind else 0) for column in COLUMNS]
        name = f"{event.host}/{event.item}"
        if kind not in COLUMNS:
            times[1] = str(event.time // 1_000_000_000)
            name += f" ({event.origin}: {event.what.render(language)})"
        yield "|".join(("0", name.replace("|", "\\|"), "0", "", "0", "0", str(event.size), *times))
