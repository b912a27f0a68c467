"""Sojusz: Salsa20/8 over the first 100 KiB, or over all of a file with a listed extension.

Behind the original: nonce 8, then 512 hexadecimal digits, the RSA-2048 blob (PKCS #1 v1.5, little-endian)
with the key of the run. A key file holds that key and the blob, both in hexadecimal.
"""

from __future__ import annotations

import binascii

from unransom.catalog.schemes.choose import SAMPLE, choose
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Locked, Mark, Plan
from unransom.catalog.schemes.layout import Field, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa
from unransom.crypto.ciphers.at_once import decrypted

TAIL = Tail((Field("iv", 8), Field("digits", 512)))
HEX = b"0123456789abcdef"
HEX_BITS = 4 * 512
BLOB, KEY, ID_DIGITS = 256, 32, 10
PKCS1_BITS = 24  # two bytes of padding and a zero at the place that the length demands
CIPHER = Cipher("salsa", rounds=8)
FIRST = 0x19000
APART = 1 << 20  # bytes between samples

_LISTED = """
    7z accdb ai aiff apk asc asf asp aspx avi backup bak bat bin bkf blend bmp bz2 c cad cdr cer cfg cfr
    class cpp crt cs csv css dat data db3 dbf dbx der dit djvu dmp dng doc docm docx dot dotm dotx dwg dxf
    edb eml eps fdb fla flac flv frm gdb gho gif gpg gz hdd html hwp ibd idb indd iso jar java jpe jpeg jpg
    js jsp kdb kdbx 1c 1cd 3dm 3ds 3fr 3g2 3gp 7zip
"""
LISTED = frozenset(_LISTED.split())


def read(locked: Reader) -> Mark | None:
    """Return the mark; the digits are a strong one."""
    mark = TAIL(locked)
    if mark is None or mark.fields["digits"].strip(HEX) or not mark.fields["iv"].strip(HEX):
        return None  # where the nonce is digits too, the file is a key file or another long text of digits
    blob = binascii.unhexlify(mark.fields["digits"])
    return Mark(
        bits=HEX_BITS,
        fields={**mark.fields, "blob": blob},
        plain_size=mark.plain_size,
        wrapped=blob,
        campaign=mark.fields["digits"][:ID_DIGITS].decode(),
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the blob, or take the run's key, alone or from a key file that repeats the blob."""
    blob, iv = mark.fields["blob"], mark.fields["iv"]
    if key.kind is KeyKind.RSA:
        message = rsa.decrypt_pkcs1(key.data, blob, "little")
        if message is None or len(message) != KEY:
            return None
        return FileKey({"key": message, "iv": iv}, PKCS1_BITS, say("padding and length of the RSA message"))
    if key.data[KEY:] == blob:
        return FileKey(
            {"key": key.data[:KEY], "iv": iv}, 8 * BLOB, say("the key file repeats the wrapped key")
        )
    return FileKey({"key": key.data, "iv": iv}) if len(key.data) == KEY else None


def plan(locked: Locked, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the file, or its beginning: which of the two is seen from the content, or the name."""
    size = mark.plain_size or 0

    def to(end: int) -> Plan:
        return Plan(size, pieces(size, [Span(0, end)] if end else [], CIPHER.start(key)))

    def opened(place: int, sample: bytes) -> bytes:
        return decrypted(CIPHER.start(key, place), sample)

    if size <= FIRST:
        return to(size)
    places = range(FIRST, size - SAMPLE, APART)
    name = FAMILY.original_name(locked.name)
    return choose(locked, lambda: to(FIRST), lambda: to(size), places, opened, LISTED, name)


FAMILY = Family(
    name="sojusz",
    title="Sojusz",
    aliases=("nigra",),
    extensions=(r"\.\[[0-9a-f]{10}\]\.\[[^\]/]+\]\.[A-Za-z0-9]{2,12}",),
    notes=(r"(?i)readme_warning\.txt", r"(?i)#how_to_decrypt#\.txt"),
    read=read,
    takes=(KeyKind.RSA, KeyKind.RAW),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the run's key, 32 bytes or a key file of this run, or the attacker's RSA-2048 private key"),
    references=("https://github.com/rivitna/Malware/tree/main/Sojusz",),
    limitations=(
        "Whether a file of compressed content that was renamed was locked whole is decided by its format, "
        "above 256 MiB by how it begins.",
    ),
)
