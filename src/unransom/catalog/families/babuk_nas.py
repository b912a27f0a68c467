"""Babuk for NAS: ChaCha20 over the beginning or over one MiB of every ten, X25519 for every file.

Tail: the ephemeral public key and AB BC CD DE EF F0. The key is the SHA-256 of the shared secret, the
nonce stands in the SHA-256 of the key. Up to 20 MiB the first 4 MiB are locked; of larger files the
first MiB of every whole ten.
"""

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import BySize, First, Repeat, UpTo
from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import X25519
from unransom.core.keys import KeyKind
from unransom.core.messages import say

MIB = 1 << 20
EXTENTS = BySize((UpTo(20 * MIB, First(4 * MIB)),), above=Repeat(on=MIB, off=9 * MIB, whole=True))

FAMILY = Family(
    name="babuk_nas",
    title="Babuk (NAS)",
    extensions=(r"\.(?i:babyk)",),
    notes=(r"(?i)how to restore your files\.txt", r"(?i)readme\.babyk"),
    read=Tail((Field("public", 32), Magic("abbccddeeff0")), wrapped="public"),
    takes=(KeyKind.RAW,),
    unwrap=X25519("public", "sha256-twice", {"key": (0, 32), "nonce": (42, 54)}),
    plan=OneStream(Cipher("chacha", iv="nonce"), EXTENTS),
    wanted=say("the X25519 private key of the campaign, 32 bytes"),
    references=("https://github.com/rivitna/Malware/tree/main/Babuk",),
    limitations=(
        "The wrap proves no key: a key is proven on files whose format is known.",
        "Held to files made after a public decryptor; no real file was at hand.",
    ),
)
