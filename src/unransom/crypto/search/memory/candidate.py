"""What is found in memory that may be a key, and what a search may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message

Memory = NDArray[np.uint8]  # one-dimensional and contiguous; read only


class Candidate(msgspec.Struct, frozen=True):
    """A key, or what looks like one; trying it on a locked file tells.

    Attributes:
        finder: Name of the finder.
        kind: What it can be used as.
        data: The key, as ``Key.data``.
        offset: Of the first byte that shows it.
        bits: How many bits of memory are as they would have to be: other bytes are with a probability of
            2**-bits. Below 64 it is a guess.
        why: What shows it.
        parts: What stands beside it, by name, e.g. ``nonce``.
    """

    finder: str
    kind: KeyKind
    data: bytes
    offset: int
    bits: int
    why: Message
    parts: dict[str, bytes] = {}

    def key(self, origin: str = "") -> Key:
        """Return it as a key; ``origin`` names the dump, for people."""
        return Key(self.kind, self.data, f"{origin}+0x{self.offset:x}" if origin else f"0x{self.offset:x}")


class Clues(msgspec.Struct, frozen=True):
    """What locked files and notes tell about the key that is looked for.

    Attributes:
        moduli: RSA moduli whose primes may lie bare in memory.
        publics: X25519 public keys, 32 bytes each, whose scalars are looked for.
        beside: Bytes that stood near the key: a nonce or an IV from a file's tail, a wrapped key.
        wrong_bits: Of each 64 bits of an AES schedule, how many a decayed dump may have wrong; 0 for a dump
            that was read as it should be. Above 8 only the time grows.
        states: Constants of 16 bytes, besides the usual ones, that a stream cipher's state begins with.
        guesses: Look for all that is as long as a written key, too: for small files, not for whole dumps.
    """

    moduli: tuple[int, ...] = ()
    publics: tuple[bytes, ...] = ()
    beside: tuple[bytes, ...] = ()
    wrong_bits: int = 0
    states: tuple[bytes, ...] = ()
    guesses: bool = False


class Finder(msgspec.Struct, frozen=True):
    """Finds one kind of thing.

    Attributes:
        name: A few words, for people.
        reach: Bytes from the first to the last one that it looks at together: pieces of a dump overlap by
            as many, so that nothing is missed between them.
        find: Takes memory and clues; yields what it finds, its offset counted from the memory's start.
    """

    name: str
    reach: int
    find: Callable[[Memory, Clues], Iterator[Candidate]]
