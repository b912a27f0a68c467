"""What the exports are made of."""

from __future__ import annotations

import msgspec


class File(msgspec.Struct, frozen=True):
    """A file of the case, with its digests in lower-case hexadecimal.

    Attributes:
        path: Below the case folder, bytes.
        size: Bytes.
        md5: MD5.
        sha256: SHA-256.
        derived_from: The file of the evidence that it came from, for people; "" of an image.
        method: How it came back: ``unlock``, ``carve``, ``repair`` or ``copy``; ``acquire`` for an image.
        key: Fingerprint of the key that opened it.
    """

    path: bytes
    size: int
    md5: str
    sha256: str
    derived_from: str = ""
    method: str = ""
    key: str = ""


class Act(msgspec.Struct, frozen=True):
    """An entry of the evidence chain.

    Attributes:
        sequence: Its number.
        time: RFC 3339.
        act: What was done.
        hash: Of the entry.
        tool: Name and version of the program.
        person: Who signed it, "" where nobody did.
        outputs: Paths of the files that it tells of, as in the chain.
    """

    sequence: int
    time: str
    act: str
    hash: str
    tool: str
    person: str = ""
    outputs: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True):
    """What the indicators are made of.

    Attributes:
        case: The hash of the first entry of the chain.
        name: What people call the case.
        time: When the case was made, RFC 3339.
        families: Titles of the lockers.
        indicators: Pairs of kind (``onion``, ``contact``, ``messenger``, ``wallet``, ``victim``,
            ``extension``) and value, each once.
    """

    case: str
    name: str
    time: str
    families: tuple[str, ...]
    indicators: tuple[tuple[str, str], ...]
