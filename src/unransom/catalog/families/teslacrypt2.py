"""TeslaCrypt 2 (.vvv, .ccc, .zzz, .aaa, .abc): AES-256-CBC over the whole file, one key per victim.

Head, 414 bytes: magic of 5 bytes; at 0x45 and 0x108 two products of secrets as text in hexadecimal,
padded with zeros to 128 bytes; at 0xC8 the point of the AES key on secp256k1, two numbers of 32 bytes; at
0x18A the IV; at 0x19A u32 the original's size. The second product is the AES key times another number:
factoring it finds the key, and the point says which divisor it is; where no point stands, only what a
divisor opens does. Leading zero bytes of a key are dropped by the locker and stand at its end.
"""

from __future__ import annotations

import re

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.family import Family, FileKey, Mark
from unransom.catalog.schemes.layout import Field, Head, Number
from unransom.catalog.schemes.plans import Behind
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto.ciphers.aes import BLOCK
from unransom.crypto.weak_rsa.products import has_point

HEAD = Head(
    (
        Field("magic", 5),
        Field("before", 64),
        Field("bitcoin", 128),
        Field("between", 67),
        Field("product", 128),
        Field("end", 2),
        Field("iv", 16),
        Number("size", 4),
    ),
    wrapped="product",
)
MAGICS = (b"\xde\xad\xbe\xef\x04", b"\0\0\0\0\x04")
PRODUCT = re.compile(rb"[0-9A-F]{64,128}\0*")
BITS = 39 + 512 + 31  # magic; half of the product's text; the size, padded by none or one block
KEY_SIZE = 32
LEAST = 128  # bits of a number that can be taken for a key: small numbers divide many products


def read(locked: Reader) -> Mark | None:
    """Return the mark: magic, a product in hexadecimal, and a size that agrees with the file's."""
    mark = HEAD(locked)
    if mark is None or mark.fields["magic"] not in MAGICS or not PRODUCT.fullmatch(mark.fields["product"]):
        return None
    size = mark.numbers["size"]
    spare = locked.size - HEAD.size - size
    if spare not in {-size % BLOCK, -size % BLOCK + BLOCK}:
        return None
    return Mark(bits=BITS, fields=mark.fields, numbers=mark.numbers, plain_size=size, wrapped=mark.wrapped)


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Take a key that divides the product, as a number or as the locker left it."""
    product = int(mark.fields["product"].rstrip(b"\0"), 16)
    if len(key.data) > KEY_SIZE:
        return None
    for text in (key.data, key.data.rstrip(b"\0")):
        number = int.from_bytes(text)
        if number.bit_length() >= LEAST and product % number == 0 < product:
            secret = text.lstrip(b"\0").ljust(KEY_SIZE, b"\0")
            parts = {"key": secret, "iv": mark.fields["iv"]}
            if not has_point(number, mark.fields["between"]):
                return FileKey(parts)
            return FileKey(
                parts, 8 * KEY_SIZE, say("its public point on secp256k1 stands in the file's head")
            )
    return None


FAMILY = Family(
    name="teslacrypt2",
    title="TeslaCrypt 2",
    aliases=("alphacrypt", "teslacrypt"),
    extensions=(r"\.(?:vvv|ccc|zzz|aaa|abc)",),
    notes=(r"(?i)how.?(to_)?recover.*\.(txt|html|png|bmp)", r"(?i)howto_restore_files.*\.(txt|html|bmp)"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=Behind(Cipher("aes-cbc"), HEAD.size),
    wanted=say("the AES-256 key of the victim: 32 bytes, a divisor of the product in the head"),
    references=("https://github.com/Googulator/TeslaCrack",),
    limitations=("TeslaCrypt 3 and 4 (.xxx, .ttt, .micro, .mp3) have another head.",),
)
