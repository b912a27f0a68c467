"""INC and Lynx: AES-128-CTR, one million bytes on and two million off, X25519 for every file."""

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat
from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import X25519
from unransom.core.keys import KeyKind
from unransom.core.messages import say

FAMILY = Family(
    name="inc",
    title="INC Ransom",
    aliases=("lynx",),
    extensions=(r"\.(?i:inc|lynx)",),
    notes=(r"(?i)inc-readme\.(txt|html)", r"(?i)readme\.txt"),
    read=Tail((Field("public", 32), Magic(b"INC".hex())), wrapped="public"),
    takes=(KeyKind.RAW,),
    unwrap=X25519("public", "sha512", {"key": (0, 16), "counter": (16, 32)}),
    plan=OneStream(Cipher("aes-ctr", iv="counter"), Repeat(on=1_000_000, off=2_000_000)),
    wanted=say("the X25519 private key of the campaign, 32 bytes"),
    references=("https://github.com/rivitna/Malware/tree/main/Inc",),
    limitations=("The wrap proves no key: a key is proven on files whose format is known.",),
)
