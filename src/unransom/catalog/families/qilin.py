"""Qilin, once Agenda: ChaCha20 or AES-256-CTR over areas with gaps, RSA-4096 with OAEP and SHA-256.

Tail: the RSA block of 512 bytes, 8 bytes, ``-----END CIPHERTEXT BLOCK-----``. In the block: key 32,
nonce 16, u64 bytes of an area, u64 bytes of a gap (all ones: one area only), u8 cipher (0 ChaCha20).
The stream goes on over all areas. Qilin locks what it has locked before: such a file has a tail again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.catalog.schemes.chunks import repeated
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader

NUMBERS = struct.Struct("<QQB")
NO_GAP = (1 << 64) - 1
CHACHA = Cipher("chacha", iv="nonce")
AES = Cipher("aes-ctr", iv="counter", order="little")


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas."""
    size = locked.size if mark.plain_size is None else mark.plain_size
    area, gap, cipher = NUMBERS.unpack(key.parts["numbers"])
    return Plan(size, pieces(size, _spans(size, area, gap), (AES if cipher else CHACHA).start(key)))


def _spans(size: int, area: int, gap: int) -> Iterator[Span]:
    if gap != NO_GAP:
        return repeated(size, area, gap).spans(size)
    if not area:
        raise BadMarkError(say("the locked areas are too small for the size of the file"))
    return iter([Span(0, min(area, size))] if size else [])


FAMILY = Family(
    name="qilin",
    title="Qilin",
    aliases=("agenda",),
    notes=(r"(?i)(.{4,12}-)?recover-readme\.txt", r"(?i)readme-recover-.{4,12}\.txt"),
    read=Tail(
        (Field("blob", 512), Field("unused", 8), Magic(b"-----END CIPHERTEXT BLOCK-----")), wrapped="blob"
    ),
    takes=(KeyKind.RSA,),
    unwrap=Rsa(
        "blob",
        {"key": (0, 32), "nonce": (32, 44), "counter": (32, 48), "numbers": (48, 65)},
        padding="oaep-sha256",
        length=65,
    ),
    plan=plan,
    wanted=say("the RSA-4096 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Qilin",),
    limitations=("The first generation, written in Go as Agenda, is not covered.",),
)
