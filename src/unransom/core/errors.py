"""The errors that a person sees. Each class has its own exit code; ``docs/reference/errors.md`` lists them.

An error says what happened, the detail, the likely causes and what to do next. Input that cannot be
read is not an error of this kind: it is recorded as a ``Problem`` and the run goes on.
"""

from __future__ import annotations

from unransom.core.messages import Message


class UnransomError(Exception):
    """The command failed. Root of all errors that are shown to people."""

    exit_code = 1

    def __init__(
        self,
        what: Message,
        *,
        detail: str = "",
        causes: tuple[Message, ...] = (),
        hint: Message | None = None,
    ) -> None:
        super().__init__(str(what))
        self.what = what
        self.detail = detail
        self.causes = causes
        self.hint = hint


class UsageError(UnransomError):
    """The command line does not make sense."""

    exit_code = 2


class NoSuchCaseError(UnransomError):
    """There is no case in the folder that was named."""

    exit_code = 10


class CaseLockedError(UnransomError):
    """Another process works on the case."""

    exit_code = 11


class EvidenceChangedError(UnransomError):
    """The evidence is not what it was when the case first saw it."""

    exit_code = 12


class NoKeyFoundError(UnransomError):
    """No key was found in the space that was searched."""

    exit_code = 13


class VerificationError(UnransomError):
    """An output failed its verification."""

    exit_code = 14


class UnreadableError(Exception):
    """A range of evidence cannot be read. Caught by steps: the range becomes ``lost`` in the byte map.

    Attributes:
        offset: First byte of the range, from the start of the reader.
        length: Bytes that cannot be read, at least 1.
    """

    def __init__(self, offset: int, length: int, why: str = "") -> None:
        super().__init__(f"{length} bytes at offset {offset} cannot be read{': ' if why else ''}{why}")
        self.offset = offset
        self.length = length


EXIT_DONE = 0
EXIT_INCOMPLETE = 3
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

ERRORS: tuple[type[UnransomError], ...] = (
    UnransomError,
    UsageError,
    NoSuchCaseError,
    CaseLockedError,
    EvidenceChangedError,
    NoKeyFoundError,
    VerificationError,
)
