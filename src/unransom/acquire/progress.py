"""How far copying has come: told to whoever listens, and written to the map, from which it can go on."""

from __future__ import annotations

import time
from pathlib import Path

from unransom.acquire.rescue_map import RescueMap
from unransom.core.progress import Listener, Progress

SAVE_EVERY = 5.0  # seconds
TELL_EVERY = 0.2  # seconds


class Copying:
    """One run."""

    def __init__(self, size: int, map_path: Path, listener: Listener) -> None:
        """Copy ``size`` bytes, with the map at ``map_path``."""
        self.size = size
        self._path = map_path
        self._listener = listener
        self._began = self._saved = self._told = time.monotonic()
        self._resumed = self._problems = 0

    def load(self) -> RescueMap:
        """Return the map of an earlier run, or one of nothing."""
        return RescueMap.load(self._path, self.size) if self._path.exists() else RescueMap(self.size)

    def begin(self, resumed: int) -> None:
        """Begin with ``resumed`` bytes done."""
        self._resumed = resumed

    def tell(self, done: int, problems: int = 0, operation: str = "acquire") -> bool:
        """Tell that ``done`` bytes are done; return whether it is time to save the map."""
        now = time.monotonic()
        self._problems += problems
        if now - self._told >= TELL_EVERY or done >= self.size:
            self._told = now
            finished = done >= self.size
            seconds = now - self._began
            self._listener(
                Progress(
                    operation,
                    done,
                    self.size,
                    "bytes",
                    "",
                    done - self._resumed,
                    seconds,
                    self._problems,
                    finished,
                )
            )
        return now - self._saved >= SAVE_EVERY

    def save(self, chart: RescueMap) -> None:
        """Write the map. What it calls done must be on the disk by then."""
        chart.save(self._path)
        self._saved = time.monotonic()
