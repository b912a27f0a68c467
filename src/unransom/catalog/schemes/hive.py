"""What Hive v6 and Hunters 1 share: a marker over the head, and nine XChaCha20 ciphers by turns.

The marker stands at a place of its own in every build: four bytes that differ from file to file, then
the build's. What it was written over stands behind the original, and behind that the RSA-5120 blob
(OAEP with SHA3-512) with nine keys of 32 bytes, each before its nonce of 24.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from unransom.catalog.schemes.beginning import goes_on
from unransom.catalog.schemes.family import Decryptor, FileKey, Insert, Keep, Mark, Piece, Plan
from unransom.catalog.schemes.turns import turn_pieces
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.noise import is_noise

BLOB = 640  # bytes of an RSA-5120 blob
CHECK = 4  # bytes before the build's in the marker
KEY, NONCE = 32, 24
SECRETS = 9 * (KEY + NONCE)  # bytes; what the blob holds behind them is not used
OAEP_BITS = 512  # the padding repeats a digest of SHA3-512


class Marker(msgspec.Struct, frozen=True):
    """Finds the marker of the known build.

    Attributes:
        position: Where it stands in the file.
        build: Its bytes behind the first four.
    """

    position: int
    build: bytes

    @property
    def start(self) -> int:
        """First byte behind the marker: what is locked begins here."""
        return self.position + CHECK + len(self.build)

    @property
    def bits(self) -> int:
        """How many bits of a file are as the build has them."""
        return 8 * len(self.build)

    def ends(self, locked: Reader) -> int | None:
        """Return ``start`` where the marker is there, whatever became of the end of the file."""
        return self.start if locked.read_at(self.position + CHECK, len(self.build)) == self.build else None

    def __call__(self, locked: Reader) -> Mark | None:
        """Return the mark of ``locked``; None as well where its end is not what belongs to the marker."""
        size = locked.size - BLOB - CHECK - len(self.build)
        if size < self.start or self.ends(locked) is None:
            return None
        tail = locked.read_at(size, locked.size - size)
        moved, blob = tail[:-BLOB], tail[-BLOB:]
        head = locked.read_at(0, self.position)
        if not is_noise(blob) or not (_marked(head + moved) or goes_on(head, moved)):
            return None
        fields = {"moved": moved, "blob": blob}
        return Mark(bits=self.bits, fields=fields, plain_size=size, wrapped=blob)


HIVE6 = Marker(0x3E, bytes.fromhex("6b5b59d507836e28a251f33bda52"))
HUNTERS1 = Marker(0x36, bytes.fromhex("dcb8a7a5b618d296d3ba01d9f9039fc07a"))
SEEN = 4  # bytes of a marker that show it


def _marked(head: bytes) -> bool:
    """Return whether another marker, or as much of it as there is, stands in the head of a file."""
    for marker in (HIVE6, HUNTERS1):
        there = head[marker.position + CHECK : marker.start]
        if len(there) >= SEEN and marker.build.startswith(there):
            return True
    return False


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob to the secrets of all ciphers."""
    secrets = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha3_512")
    if secrets is None or len(secrets) < SECRETS:
        return None
    return FileKey({"secrets": secrets[:SECRETS]}, OAEP_BITS, say("the padding of the wrapped key"))


class ByTurns(msgspec.Struct, frozen=True):
    """Puts the bytes under the marker back and decrypts by turns what is locked behind it.

    Attributes:
        marker: The build's.
        extents: Takes how many bytes there are behind the marker; returns the locked ones of them.
    """

    marker: Marker
    extents: Callable[[int], Sequence[Span]]

    def __call__(self, locked: Reader, mark: Mark, key: FileKey) -> Plan:
        """Return the plan."""
        del locked
        size = mark.plain_size or 0
        return Plan(size, self._pieces(size, mark, _ciphers(key.parts["secrets"])))

    def _pieces(self, size: int, mark: Mark, ciphers: Sequence[Decryptor]) -> Iterator[Piece]:
        start = self.marker.start
        yield Keep(0, self.marker.position)
        yield Insert(mark.fields["moved"])
        spans = [Span(start + span.start, start + span.end) for span in self.extents(size - start)]
        yield from turn_pieces(spans, size, ciphers)


def _ciphers(secrets: bytes) -> list[Decryptor]:
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415 numba takes half a second to import

    return [
        ChaCha.from_key(secrets[at : at + KEY], secrets[at + KEY : at + KEY + NONCE])
        for at in range(0, len(secrets), KEY + NONCE)
    ]


TAKES = (KeyKind.RSA,)
