"""Maze: ChaCha8 over the whole file, RSA-2048.

Tail: RSA block of 256 bytes, byte-reversed PKCS #1 v1.5, with key 32 and nonce 8; 4 bytes; 66 11 61 66.
"""

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Whole
from unransom.catalog.schemes.family import Family
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.catalog.schemes.plans import OneStream
from unransom.catalog.schemes.wraps import Rsa
from unransom.core.keys import KeyKind
from unransom.core.messages import say

FAMILY = Family(
    name="maze",
    title="Maze",
    notes=(r"(?i)decrypt-files\.(txt|html)",),
    read=Tail((Field("blob", 256), Field("unused", 4), Magic("66116166")), wrapped="blob"),
    takes=(KeyKind.RSA,),
    unwrap=Rsa("blob", {"key": (0, 32), "nonce": (32, 40)}, order="little"),
    plan=OneStream(Cipher("chacha", iv="nonce", rounds=8), Whole()),
    wanted=say("the RSA-2048 private key of the victim, which the note holds under the master key"),
    references=("https://github.com/rivitna/Malware/tree/main/Maze",),
    limitations=(
        "Held to files made after a public decryptor; no real file was at hand.",
        "The victim's key is taken as it is; it is not opened with a master key.",
    ),
)
