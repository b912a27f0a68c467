"""MedusaLocker 3: AES-ECB over areas with gaps between, RSA-2048 on two levels.

Tail of 1556 bytes, numbers little-endian, RSA blocks byte-reversed PKCS #1 v1.5:
    5 x 256 the session's RSA-2048 private key, a CryptoAPI blob, under the master key
    256 the file's AES key under the session's key
    u64 bytes of the original, u32 mode (1 with gaps), u32 bytes of an area, u32 bytes of a gap

What an area has beyond whole AES blocks stays as it was.
"""

from __future__ import annotations

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import ByNumber, Repeat
from unransom.catalog.schemes.family import Family, Mark
from unransom.catalog.schemes.layout import Field, Number, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import Rsa, TwoLevel
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.noise import is_noise

RSA_SIZE = 256
TAIL = Tail(
    (
        Field("session", 5 * RSA_SIZE),
        Field("blob", RSA_SIZE),
        Number("size", 8),
        Number("mode", 4),
        Number("area", 4),
        Number("gap", 4),
    ),
    wrapped="blob",
)
MODES = ("whole", "intermittent")
CAPI_KEY = 1172  # bytes of CryptoAPI's blob of a private key of 2048 bits


def read(locked: Reader) -> Mark | None:
    """Return the mark; the size in it must be the file's."""
    mark = TAIL(locked)
    if mark is None or mark.numbers["size"] != mark.plain_size or mark.numbers["mode"] >= len(MODES):
        return None
    if not mark.numbers["area"] or not is_noise(mark.fields["session"]) or not is_noise(mark.fields["blob"]):
        return None
    return Mark(
        bits=64 + 31,  # size and mode
        fields=mark.fields,
        numbers=mark.numbers,
        plain_size=mark.plain_size,
        variant=MODES[mark.numbers["mode"]],
        wrapped=mark.wrapped,
    )


FAMILY = Family(
    name="medusalocker3",
    title="MedusaLocker 3",
    extensions=(r"\.(?i:crypto|encrypted|hazard|infected|lock|rapid|virus)\d{1,4}",),
    notes=(r"(?i)how_to_(back_files|recovery_files)\.(html|txt)", r"(?i)read_note\.html"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=TwoLevel(
        Rsa("session", {"private": (0, CAPI_KEY)}, order="little", length=CAPI_KEY, blocks=5),
        Rsa("blob", {"key": (0, 16)}, order="little", length=16),
    ),
    plan=OneStream(Cipher("aes-ecb"), ByNumber("mode", {0: Repeat("area", 0), 1: Repeat("area", "gap")})),
    wanted=say("the RSA-2048 private key of the build, or the one of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/MedusaLocker3",),
    limitations=("AES-ECB leaves equal blocks equal, which is not used to recover files without a key.",),
)
