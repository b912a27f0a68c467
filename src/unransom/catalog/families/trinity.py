"""Trinity: XChaCha20 over the first MiB of every 128, keys in sealed boxes of libsodium on two levels.

    sealed box with the file's key 80   nonce 24   408 bytes of text, filled up with zeros:
    user;victim;session's private key, wrapped, base64;session's public key, base64;bytes of the original;

The session's private key stands in 136 bytes: itself under XChaCha20 32, a sealed box with that key 80,
its nonce 24. The nonce of the file goes up by one, little-endian, from MiB to MiB.
"""

from __future__ import annotations

import base64
import binascii
import re

from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import Repeat
from unransom.catalog.schemes.family import Family, FileKey, Mark
from unransom.catalog.schemes.layout import Field, Tail
from unransom.catalog.schemes.plans import EachSpan
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.streams import Reader
from unransom.crypto import agreement, boxes
from unransom.crypto.ciphers.at_once import decrypted

TAIL = Tail((Field("box", 80), Field("iv", 24), Field("text", 408)))
TEXT = re.compile(
    rb"([!-:<-~]{1,64});([!-:<-~]{1,64});([A-Za-z0-9+/]{182}==);([A-Za-z0-9+/]{43}=);(\d{1,19});?\0*"
)
TEXT_BITS = 2 * (182 + 43)  # of 64 characters in 256, and more that is not counted
CIPHER = Cipher("chacha")
BLOCK, STEP = 0x100000, 0x8000000
MATCH_BITS = 128


def read(locked: Reader) -> Mark | None:
    """Return the mark; its text must be as described and the original must fit into the file."""
    mark = TAIL(locked)
    text = TEXT.fullmatch(mark.fields["text"]) if mark else None
    if mark is None or text is None or int(text[5]) > locked.size - TAIL.size:
        return None
    try:
        session, public = base64.b64decode(text[3]), base64.b64decode(text[4])
    except binascii.Error:
        return None
    return Mark(
        bits=TEXT_BITS,
        fields={**mark.fields, "session": session, "public": public},
        plain_size=int(text[5]),
        wrapped=session,
        campaign=f"{text[1].decode()} {text[2].decode()}",
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the file's key with the session's private key, or with the master's that opens that one."""
    if len(key.data) != agreement.X25519_SIZE:
        return None
    for private in (key.data, _session(mark.fields["session"], key.data)):
        if private is not None and agreement.x25519_public(private) == mark.fields["public"]:
            opened = boxes.unsealed(private, mark.fields["box"])
            if opened is not None:
                why = say("the session's public key belongs to its private key")
                return FileKey({"key": opened, "iv": mark.fields["iv"]}, MATCH_BITS, why)
    return None


def _session(wrapped: bytes, master: bytes) -> bytes | None:
    """Return the session's private key."""
    sealed, box, nonce = wrapped[:32], wrapped[32:112], wrapped[112:]
    key = boxes.unsealed(master, box)
    if key is None:
        return None
    return decrypted(CIPHER.start(FileKey({"key": key, "iv": nonce})), sealed)


FAMILY = Family(
    name="trinity",
    title="Trinity",
    extensions=(r"\.(?i:trinitylock)",),
    notes=(r"(?i)readme\.txt",),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=EachSpan(CIPHER, Repeat(BLOCK, STEP - BLOCK), "next-iv"),
    wanted=say("the X25519 private key of the attacker, 32 bytes, or that of the session"),
    references=("https://github.com/rivitna/Malware/tree/main/Trinity",),
)
