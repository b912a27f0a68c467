"""Qilin, once Agenda: ChaCha20 or AES-256-CTR over areas with gaps, RSA-4096 with OAEP and SHA-256.

Tail: the RSA block of 512 bytes, 8 bytes, ``-----END CIPHERTEXT BLOCK-----``. In the block: key 32,
nonce 16, u64 bytes of an area, u64 bytes of a gap (all ones: one area only), u8 cipher (0 ChaCha20).
The stream goes on over all areas. Qilin locks what it has locked before: such a file has a tail again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from unransom.catalog.schemes.chunks import repeated
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import BadMarkError, Decryptor, Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa

METADATA = struct.Struct("<32s16sQQB")
NO_GAP = (1 << 64) - 1
CHACHA_NONCE = 12  # bytes


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the RSA block; its padding is the proof."""
    message = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha256") if key.kind is KeyKind.RSA else None
    if message is None or len(message) < METADATA.size:
        return None
    return FileKey({"metadata": message[: METADATA.size]}, 256, say("OAEP padding of the RSA message"))


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas."""
    secret, nonce, area, gap, cipher = METADATA.unpack(key.parts["metadata"])
    size = mark.plain_size or 0
    return Plan(size, pieces(size, _spans(size, area, gap), _decryptor(secret, nonce, aes=cipher != 0)))


def _spans(size: int, area: int, gap: int) -> Iterator[Span]:
    if gap != NO_GAP:
        return repeated(size, area, gap).spans(size)
    if not area:
        raise BadMarkError(say("the locked areas are too small for the size of the file"))
    return iter([Span(0, min(area, size))] if size else [])


def _decryptor(key: bytes, nonce: bytes, *, aes: bool) -> Decryptor:
    # numba takes half a second to import
    from unransom.crypto.ciphers.aes_little import AesCtrLittle  # noqa: PLC0415
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415

    return AesCtrLittle(key, nonce) if aes else ChaCha.from_key(key, nonce[:CHACHA_NONCE])


FAMILY = Family(
    name="qilin",
    title="Qilin",
    aliases=("agenda",),
    notes=(r"(?i)(.{4,12}-)?recover-readme\.txt", r"(?i)readme-recover-.{4,12}\.txt"),
    read=Tail(
        (Field("blob", 512), Field("unused", 8), Magic(b"-----END CIPHERTEXT BLOCK-----")), wrapped="blob"
    ),
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-4096 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Qilin",),
    limitations=("The first generation, written in Go as Agenda, is not covered.",),
)
