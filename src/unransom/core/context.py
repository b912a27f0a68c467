"""What a step is given besides its item: a read-only view of the evidence, keys, and a place for outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import msgspec

from unransom.core.keys import Key
from unransom.core.outputs import Outputs
from unransom.core.records import FileRef
from unransom.core.streams import Reader

OpenEvidence = Callable[[FileRef], AbstractContextManager[Reader]]


class Context(msgspec.Struct, frozen=True):
    """The surroundings of one step.

    Attributes:
        open: Opens the content of a file read-only; raises ``EvidenceChangedError`` where the file is
            not what it was when it was listed.
        keys: Keys that were given or found.
        proven: Per family, fingerprints of keys proven on other files.
        outputs: Where outputs are written.
        described: Families that were described for this case, as JSON; ``catalog.families`` reads it.
    """

    open: OpenEvidence
    keys: tuple[Key, ...] = ()
    proven: Mapping[str, frozenset[str]] = {}
    outputs: Outputs | None = None
    described: tuple[bytes, ...] = ()
