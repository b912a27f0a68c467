"""Qilin, once Agenda: ChaCha20 or AES-256-CTR over areas with gaps, RSA-4096 with OAEP and SHA-256.

Tail: the RSA block of 512 bytes, 8 bytes, ``-----END CIPHERTEXT BLOCK-----``. In the block: key 32,
nonce 16, u64 bytes of an area, u64 bytes of a gap (all ones: one area only), u8 cipher (0 ChaCha20).
The stream goes on over all areas. Qilin locks what it has locked before: such a file has a tail again.
"""

from __future__ import annotations

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat
from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader

AREAS = Repeat("area", "gap")
CHACHA = OneStream(Cipher("chacha", iv="nonce"), AREAS)
AES = OneStream(Cipher("aes-ctr", iv="counter", order="little"), AREAS)


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the areas with the cipher that the key names."""
    return (AES if any(key.parts["cipher"]) else CHACHA)(locked, mark, key)


FAMILY = Family(
    name="qilin",
    title="Qilin",
    aliases=("agenda",),
    notes=(r"(?i)(.{4,12}-)?recover-readme\.txt", r"(?i)readme-recover-.{4,12}\.txt"),
    read=Tail(
        (Field("blob", 512), Field("unused", 8), Magic(b"-----END CIPHERTEXT BLOCK-----".hex())),
        wrapped="blob",
    ),
    takes=(KeyKind.RSA,),
    unwrap=Rsa(
        "blob",
        {
            "key": (0, 32),
            "nonce": (32, 44),
            "counter": (32, 48),
            "area": (48, 56),
            "gap": (56, 64),
            "cipher": (64, 65),
        },
        padding="oaep-sha256",
        length=65,
    ),
    plan=plan,
    wanted=say("the RSA-4096 private key of the build"),
    references=("https://github.com/rivitna/Malware/tree/main/Qilin",),
    limitations=("The first generation, written in Go as Agenda, is not covered.",),
)
