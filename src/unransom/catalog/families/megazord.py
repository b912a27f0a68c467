"""Megazord, Akira's sister in Rust: Sosemanuk over the whole file, X25519 for every file.

Tail: 8 zeros and the ephemeral public key. Of the shared secret, 15 bytes are the key and, behind one
that is left out, 16 are the IV.
"""

import msgspec

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.family import Family, Mark
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import X25519
from unransom.core.keys import KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.agreement import POINT_BITS, is_x25519_public
from unransom.crypto.noise import is_noise

TAIL = Tail((Magic(bytes(8).hex()), Field("public", 32)), wrapped="public")
ZEROS_BITS = 16  # files end with zeros and a checksum or signature more often than with other bytes


def read(locked: Reader) -> Mark | None:
    """Return the mark."""
    mark = TAIL(locked)
    if mark is None or not is_noise(mark.fields["public"]) or not is_x25519_public(mark.fields["public"]):
        return None
    return msgspec.structs.replace(mark, bits=ZEROS_BITS + POINT_BITS)


FAMILY = Family(
    name="megazord",
    title="Megazord",
    extensions=(r"\.(?i:powerranges)",),
    notes=(r"(?i)powerranges\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=X25519("public", "raw", {"key": (0, 15), "iv": (16, 32)}),
    plan=OneStream(Cipher("sosemanuk"), Whole()),
    wanted=say("the X25519 private key of the campaign, 32 bytes"),
    references=("https://github.com/rivitna/Malware/tree/main/Akira",),
    limitations=("The wrap proves no key: a key is proven on files whose format is known.",),
)
