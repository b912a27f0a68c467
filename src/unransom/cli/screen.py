"""What people see while a command runs: progress and errors, on stderr."""

from __future__ import annotations

import enum
import json
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from unransom.cli.speech import spoken, t
from unransom.core.errors import UnransomError
from unransom.core.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

LINE_EVERY = 10.0  # seconds between lines where there is no terminal


class Style(enum.StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    LINE = "line"
    JSON = "json"
    NONE = "none"


def say_to_people(text: str) -> None:
    """Print a line for people."""
    print(text, file=sys.stderr)


def complain(error: UnransomError) -> None:
    """Print an error: what, the detail, likely causes, what to do."""
    lines = [t("error: {what}", what=spoken(error.what))]
    if error.detail:
        lines.append(f"  {error.detail}")
    lines += [f"  - {spoken(cause)}" for cause in error.causes]
    if error.hint:
        lines += ["", t("hint: {hint}", hint=spoken(error.hint))]
    say_to_people("\n".join(lines))


class Screen:
    """Listens to progress and shows it: bars on a terminal, lines or JSON elsewhere."""

    def __init__(self, style: Style = Style.AUTO) -> None:
        self._style = style
        if style is Style.AUTO and not sys.stderr.isatty():
            self._style = Style.LINE
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        """Show one event."""
        match self._style:
            case Style.JSON:
                say_to_people(json.dumps(_as_json(progress)))
            case Style.LINE:
                self._line(progress)
            case Style.AUTO:
                self._bar(progress)

    def _line(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < LINE_EVERY and not (progress.finished and progress.seconds > 1):
            return
        self._shown = now
        total = f"/{max(progress.total, progress.done):,}" if progress.total else ""
        line = t(
            "{operation}: {done}{total} {unit}, {amount}, {left} {item}",
            operation=spoken_operation(progress.operation),
            done=f"{progress.done:,}",
            total=total,
            unit=spoken_unit(progress.unit),
            amount=_amount(progress),
            left=_left(progress),
            item=progress.item,
        )
        say_to_people(line.rstrip())

    def _bar(self, progress: Progress) -> None:
        bars = self._bars or self._start()
        if progress.operation not in self._tasks:
            self._tasks[progress.operation] = bars.add_task(
                spoken_operation(progress.operation), total=None, size="", item=""
            )
        bars.update(
            self._tasks[progress.operation],
            total=max(progress.total, progress.done) if progress.total else None,
            completed=progress.done,
            size=_amount(progress),
            item=progress.item[-40:],
        )

    def _start(self) -> Bars:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[size]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[item]}", markup=False),
            console=Console(stderr=True),
        )
        self._bars.start()
        return self._bars


def spoken_operation(operation: str) -> str:
    """Return the name of what is going on."""
    from unransom.report.labels import STEPS

    named = STEPS.get(operation)
    return spoken(named) if named else operation


def spoken_unit(unit: str) -> str:
    """Return the name of a unit of progress."""
    return {"files": t("files"), "parts": t("parts")}.get(unit) or t("bytes")


def _amount(progress: Progress) -> str:
    if progress.tried:
        rate = progress.tried / max(progress.seconds, 1e-3)
        return t("{count} keys tried, {rate} a second", count=f"{progress.tried:,}", rate=f"{rate:,.0f}")
    return f"{progress.bytes_done / 1e6:,.0f} MB"


def _left(progress: Progress) -> str:
    if progress.unit == "parts" and progress.seconds_left > 0:  # what a search found makes it longer
        return t("{minutes} min left at most", minutes=f"{progress.seconds_left / 60:,.0f}")
    return f"{progress.rate:,.0f}/s"


def _as_json(progress: Progress) -> dict[str, str | int | float | bool]:
    return {
        "operation": progress.operation,
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
        "item": progress.item,
        "bytes_done": progress.bytes_done,
        "rate": round(progress.rate, 1),
        "seconds": round(progress.seconds, 3),
        "problems": progress.problems,
        "finished": progress.finished,
        "tried": progress.tried,
    }
