"""HsHarada and Rapture: AES-256 in CFB mode, a key for every file under RSA-2048 (PKCS #1 v1.5).

Tail, 256 bytes: the RSA blob, which opens to key 32 and IV 16. Files are locked in areas at equal
distances, and the stream goes on over all of them. Two builds are known, which differ in the numbers:
88 MiB every 892 MiB in the first 10 GiB, and 25 MiB every 678 MiB in the first 8 GiB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unransom.catalog.schemes.choose import SAMPLE, SAMPLES, choose
from unransom.catalog.schemes.edges import areas_bits
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK, AesCfb
from unransom.crypto.ciphers.at_once import decrypted
from unransom.crypto.noise import is_noise

TAIL = Tail((Field("blob", 256),), wrapped="blob")
KEY, IV = 32, 16  # bytes
PKCS1_BITS = 24  # two bytes of padding and a zero at the place that the length demands
MIB = 1 << 20


class Areas(NamedTuple):
    """``on`` bytes are locked every ``step`` bytes where they start before ``end``."""

    on: int
    step: int
    end: int

    def spans(self, size: int) -> Iterator[Span]:
        """Yield the locked spans of a file of ``size`` bytes."""
        for start in range(0, min(size, self.end), self.step):
            yield Span(start, min(start + self.on, size))


WIDE = Areas(88 * MIB, 892 * MIB, 10240 * MIB)
NARROW = Areas(25 * MIB, 678 * MIB, 8192 * MIB)


def read(locked: Reader) -> Mark | None:
    """Return a weak mark: the tail looks random; and as many bits as the edges of the areas give away."""
    mark = TAIL(locked)
    if mark is None or mark.plain_size is None or not is_noise(mark.fields["blob"]):
        return None
    size = mark.plain_size
    bits = max(areas_bits(locked, areas.spans(size), size) or 1 for areas in (WIDE, NARROW))
    return Mark(bits, mark.fields, plain_size=size, wrapped=mark.wrapped)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the RSA blob, which must hold as many bytes as a key and an IV have."""
    message = rsa.decrypt_pkcs1(key.data, mark.fields["blob"])
    if message is None or len(message) != KEY + IV:
        return None
    parts = {"key": message[:KEY], "iv": message[KEY:]}
    return FileKey(parts, PKCS1_BITS, say("padding and length of the RSA message"))


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas of the build that locked the file."""
    size = mark.plain_size or 0

    def planned(areas: Areas) -> Plan:
        cipher = AesCfb(key.parts["key"], key.parts["iv"])
        return Plan(size, pieces(size, areas.spans(size), cipher))

    def opened(place: int, sample: bytes) -> bytes:
        before = locked.read_at(place - BLOCK, BLOCK)
        return decrypted(AesCfb(key.parts["key"], before), sample)

    end = min(WIDE.on, size) - SAMPLE
    if size <= NARROW.on:  # no more than both of them lock
        return planned(WIDE)
    places = range(NARROW.on, end + 1, max((end - NARROW.on) // SAMPLES, SAMPLE))
    return choose(locked, lambda: planned(NARROW), lambda: planned(WIDE), places, opened, ())


FAMILY = Family(
    name="hsharada",
    title="HsHarada",
    aliases=("rapture",),
    notes=(r"(?i)[A-Za-z0-9]+[-_]README\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/HsHarada",),
    limitations=(
        "Which of two known builds locked a file above 25 MiB is told by its content; others may exist.",
        "The tail has no fixed bytes: the family shows only by a key that opens it.",
    ),
)
