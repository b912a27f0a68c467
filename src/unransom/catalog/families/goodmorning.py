"""GoodMorning: AES-256-CBC over the whole file with one password per victim.

The file begins with the original's size in 16 ASCII digits and the IV; the locked bytes follow.
"""

from __future__ import annotations

import hashlib

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Family, FileKey, Mark
from unransom.catalog.schemes.layout import Field, Head
from unransom.catalog.schemes.plans import Behind
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK

HEAD = Head((Field("size", 16), Field("iv", 16)))
DIGITS_BITS = 120  # of 16 bytes, the file's size leaves 16 values, right-aligned with zeros or spaces
KEY_SIZE = 32


def read(locked: Reader) -> Mark | None:
    """Return the mark: the digits must agree with the size of the file."""
    mark = HEAD(locked)
    digits = mark.fields["size"].lstrip(b" ") if mark else b""
    if mark is None or not digits.isdigit():
        return None
    size = int(digits)
    if HEAD.size + size + -size % BLOCK != locked.size:
        return None
    return Mark(bits=DIGITS_BITS, fields=mark.fields, plain_size=size)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Hash a password; bytes that are no text can only be the AES key itself. Neither is a proof."""
    try:
        key.data.decode()
    except UnicodeDecodeError:
        secret = key.data
    else:
        secret = hashlib.sha256(key.data).digest()
    return FileKey({"key": secret, "iv": mark.fields["iv"]}) if len(secret) == KEY_SIZE else None


FAMILY = Family(
    name="goodmorning",
    title="GoodMorning",
    extensions=(
        r"Id\([^()]+\) Send Email\([^()]+\)\.GoodMorning",
        r"\+Id\([^()]+\) mail\([^()]+\)\.(?:REAL|KKK)",
        r"Id = \S+ Email = \S+ \.LOCKED",
    ),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=Behind(Cipher("aes-cbc"), HEAD.size),
    wanted=say("the password of the victim, or the AES-256 key that is its SHA-256"),
    references=("https://github.com/rivitna/Malware/tree/main/GoodMorning",),
    limitations=("The head proves no key: a key is proven on files whose format is known.",),
)
