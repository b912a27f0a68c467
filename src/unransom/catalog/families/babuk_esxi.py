"""Babuk on ESXi: Sosemanuk over the first 512 MiB, X25519 for every file.

The tail is the ephemeral public key and nothing else. The key is the SHA-256 of the shared secret, the
IV zeros.
"""

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import First
from unransom.catalog.schemes.family import Family, Mark
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import X25519
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.agreement import POINT_BITS, is_x25519_public
from unransom.crypto.noise import is_noise

TAIL = Tail((Field("public", 32),), wrapped="public")
LOCKED = 512 << 20  # bytes


def read(locked: Reader) -> Mark | None:
    """Return the mark: that the tail is a point of the curve is all that can be checked."""
    mark = TAIL(locked)
    if mark is None or not is_noise(mark.fields["public"]) or not is_x25519_public(mark.fields["public"]):
        return None
    return msgspec.structs.replace(mark, bits=POINT_BITS)


FAMILY = Family(
    name="babuk_esxi",
    title="Babuk (ESXi)",
    extensions=(r"\.(?i:babyk)",),
    notes=(r"(?i)how to restore your files\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=X25519("public", "sha256", {"key": (0, 32)}),
    plan=OneStream(Cipher("sosemanuk", fixed_iv=bytes(16).hex()), First(LOCKED)),
    wanted=say("the X25519 private key of the campaign, 32 bytes"),
    references=("https://github.com/rivitna/Malware/tree/main/Babuk",),
    limitations=(
        "The tail cannot be told from random bytes: only the extension names the family.",
        "The wrap proves no key: a key is proven on files whose format is known.",
        "Held to files made after a public decryptor; no real file was at hand.",
    ),
)
