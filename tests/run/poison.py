"""A step that kills its worker on some files, hangs on others, and needs too much memory for the rest."""

import contextlib
import os
import signal
import time
from pathlib import Path

import msgspec

from unransom.core.records import State


def run(ref, context):
    """Mark ``ref`` as intact, unless its name says what is to go wrong."""
    del context
    if b"poison" in ref.path:
        os.kill(os.getpid(), signal.SIGKILL)
    if b"slow" in ref.path:
        time.sleep(600)
    if b"greedy" in ref.path:
        bytearray(1 << 40)
    if b"fault" in ref.path:
        raise ZeroDivisionError
    yield msgspec.structs.replace(ref, state=State.INTACT)


def unpacked(place, content):
    """Return ``content``; the first process that asks is killed as it takes its task, before it says so."""
    with contextlib.suppress(FileExistsError):
        Path(place).touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)
    return content


class Deadly:
    """Something that is ``content`` where it arrives, and kills the first process that it arrives in."""

    def __init__(self, place, content):
        self._how = str(place), content

    def __reduce__(self):
        return unpacked, self._how
