"""WannaCry (.WNCRY): AES-128-CBC with a zero IV over the whole file, RSA-2048 for every file's key.

Head, 280 bytes: "WANACRY!", u32 256, the RSA blob as CryptoAPI writes it (little-endian, PKCS #1 v1.5),
u32 4, u64 the original's size. The locked bytes are padded to whole blocks.
"""

from __future__ import annotations

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Family, FileKey, Mark
from unransom.catalog.schemes.layout import Field, Head, Magic, Number
from unransom.catalog.schemes.plans import Behind
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.aes import BLOCK

HEAD = Head(
    (
        Magic((b"WANACRY!" + (256).to_bytes(4, "little")).hex()),
        Field("blob", 256),
        Magic((4).to_bytes(4, "little").hex()),
        Number("size", 8),
    ),
    wrapped="blob",
)
SIZE_BITS = 60  # of the size, given the file's
KEY_SIZE = 16


def read(locked: Reader) -> Mark | None:
    """Return the mark: the magic numbers, and a size that agrees with the file's."""
    mark = HEAD(locked)
    if mark is None or HEAD.size + mark.numbers["size"] + -mark.numbers["size"] % BLOCK != locked.size:
        return None
    return Mark(
        bits=mark.bits + SIZE_BITS,
        fields=mark.fields,
        numbers=mark.numbers,
        plain_size=mark.numbers["size"],
        wrapped=mark.wrapped,
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the RSA blob, which must hold the 16 bytes of an AES-128 key."""
    message = rsa.decrypt_pkcs1(key.data, mark.fields["blob"], "little")
    if message is None or len(message) != KEY_SIZE:
        return None
    return FileKey({"key": message, "iv": bytes(BLOCK)}, 24, say("padding and length of the RSA message"))


FAMILY = Family(
    name="wannacry",
    title="WannaCry",
    aliases=("wanacrypt0r", "wcry"),
    extensions=(r"\.(?i:wncryt?|wcry|wncyr)",),
    notes=(r"(?i)@?please_read_me@?\.txt",),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=Behind(Cipher("aes-cbc"), HEAD.size),
    wanted=say("the RSA-2048 private key of the computer, as in 00000000.dky or from its memory"),
    references=("https://github.com/gentilkiwi/wanakiwi", "https://github.com/aguinet/wannakey"),
    limitations=("Files moved aside while they were locked (u32 other than 4) are not opened.",),
)
