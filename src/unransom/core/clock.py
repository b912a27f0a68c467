"""Time: UTC, RFC 3339, nanoseconds since 1970 where it is counted."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now_ns() -> int:
    """Return the present as nanoseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns()


def rfc3339(nanoseconds: int | None) -> str:
    """Return e.g. ``2026-03-02T01:14:07.250000Z``; an empty string for None or a year out of range."""
    if nanoseconds is None:
        return ""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    fraction = f".{rest // 1000:06d}" if rest else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
