"""A step that kills its worker on some files, hangs on others, and needs too much memory for the rest."""

import os
import signal
import time

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
