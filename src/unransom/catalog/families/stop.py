"""STOP and Djvu: Salsa20 over bytes 5 to 153,605, with a UUID for every file under RSA-2048.

Tail, 334 bytes: RSA blob with OAEP, the victim's identifier of 40 characters, and the same GUID in every
file. The key is the first 32 characters of the UUID as text, the nonce its first 8.
"""

from __future__ import annotations

import re

from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Magic, Tail
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import rsa

TAIL = Tail(
    (Field("blob", 256), Field("victim", 40), Magic(b"{36A698B9-D67C-4E07-BE82-0EC5B14B4DF5}".hex())),
    wrapped="blob",
)
PLAIN = 5  # bytes at the beginning that are left, which spares many signatures
LOCKED = 153_600  # bytes behind them, at most
KEY, NONCE = 32, 8  # characters of the UUID
UUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
OAEP_BITS = 128


def read(locked: Reader) -> Mark | None:
    """Return the mark; the victim's identifier is letters and digits."""
    mark = TAIL(locked)
    if mark is None or not mark.fields["victim"].isalnum():
        return None
    return Mark(
        bits=mark.bits,
        fields=mark.fields,
        plain_size=mark.plain_size,
        wrapped=mark.wrapped,
        campaign=mark.fields["victim"].decode("ascii"),
    )


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Open the RSA blob, which must hold a UUID as text."""
    message = rsa.decrypt_oaep(key.data, mark.fields["blob"], "sha1")
    if message is None or not UUID.fullmatch(message):
        return None
    return FileKey(
        {"key": message[:KEY], "nonce": message[:NONCE]}, OAEP_BITS, say("OAEP padding, and a UUID")
    )


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt all but the first bytes, to where the locker stopped."""
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415 numba takes half a second to import

    del locked
    size = mark.plain_size or 0
    spans = [Span(PLAIN, min(PLAIN + LOCKED, size))] if size > PLAIN else []
    return Plan(size, pieces(size, spans, Salsa.from_key(key.parts["key"], key.parts["nonce"])))


FAMILY = Family(
    name="stop",
    title="STOP/Djvu",
    aliases=("djvu",),
    notes=(r"(?i)_readme\.txt", r"(?i)_openme\.txt"),
    read=read,
    takes=(KeyKind.RSA,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the RSA-2048 private key for the identifier at the end of the file"),
    references=(
        "https://www.emsisoft.com/en/ransomware-decryption/stop-djvu/",
        "https://malpedia.caad.fkie.fraunhofer.de/details/win.stop",
    ),
    limitations=(
        "The extensions are hundreds of four letters: the mark tells the family, not the name.",
        "Versions that write no RSA blob, before August 2019, are not opened.",
    ),
)
