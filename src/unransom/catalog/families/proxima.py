"""Proxima and what grew from it (Black Shadow, Cylance, BTC): ChaCha under X25519, blocks with gaps.

Five generations of tail; numbers are little-endian, checksums CRC-32/MPEG-2:

    64, 72, 168   settings 16, encrypted: u32 mode (1 whole, 2 first block, 3 blocks), u32, u64 gap
    48, 52        u32 gap in blocks
    all           X25519 public key of the file 32, nonce 8, checksum of the key
    all but 48    checksum of the public key
    72            u64 locked blocks
    168           key pair of the session 64, the private one under SHA-256 of a secret agreed with the
                  attacker; public key for that 32, checksum of that hash, 4 bytes more

The keystream goes on from the settings to the blocks.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from unransom.catalog.schemes.checks import Checksum, checksum
from unransom.catalog.schemes.ciphers import Cipher
from unransom.catalog.schemes.extents import pieces
from unransom.catalog.schemes.family import Family, FileKey, Mark, Plan
from unransom.catalog.schemes.layout import Field, Number, Part, Tail
from unransom.catalog.schemes.wraps import X25519
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import say
from unransom.core.spans import Span
from unransom.core.streams import Reader
from unransom.crypto import agreement
from unransom.crypto.agreement import POINT_BITS, is_x25519_public
from unransom.crypto.noise import is_noise

SETTINGS = 16  # bytes
MODE_BITS = 30  # three of 2**32 values
CONSTANTS = (b"hardcore blowjob", b"expand 32-byte k")  # the second in one strain
MOST_GAP = 0xFFFF  # blocks
GAP_BITS = 16
KEYED: tuple[Part, ...] = (Field("public", 32), Field("nonce", 8), Field("key check", 4))
CHECKED = (*KEYED, Number("public check", 4))
SESSION = (
    Field("session", 32),
    Field("session public", 32),
    Field("above public", 32),
    Field("above check", 4),
    Field("unknown", 4),
)


class _Generation(NamedTuple):
    """A tail, and bytes of a locked block."""

    name: Literal["72", "168", "64", "52", "48"]
    tail: Tail
    block: int


GENERATIONS = (
    _Generation("72", Tail((Field("settings", 16), *CHECKED, Number("blocks", 8))), 0x40000),
    _Generation("168", Tail((Field("settings", 16), *CHECKED, *SESSION)), 0x100000),
    _Generation("52", Tail((Number("gap", 4), *CHECKED)), 0x20000),
    _Generation("64", Tail((Field("settings", 16), *CHECKED)), 0x100000),
    _Generation("48", Tail((Number("gap", 4), *KEYED)), 0x20000),
)
TAILS = {str(each.name): each for each in GENERATIONS}
AGREED = X25519("public", "sha256", {"key": (0, 32)}, checks=(Checksum("key", "key check", "crc32-mpeg2"),))
SMALL_CHACHA = Cipher("chacha", iv="nonce", rounds=12)


def read(locked: Reader) -> Mark | None:
    """Return the mark of the generation whose tail is there."""
    for generation in GENERATIONS:
        mark = generation.tail(locked)
        bits = _bits(mark, generation.block) if mark else None
        if mark and bits:
            return Mark(
                bits=bits,
                fields=mark.fields | _doubted(locked, generation),
                numbers=mark.numbers,
                plain_size=mark.plain_size,
                variant=generation.name,
                wrapped=mark.fields["public"],
            )
    return None


def _doubted(locked: Reader, generation: _Generation) -> dict[str, bytes]:
    """Return the settings that a tail of 64 bytes would have, which may look like one of 52."""
    whole = Tail((Field("settings", 16), *CHECKED))(locked) if generation.name == "52" else None
    return {"settings": whole.fields["settings"]} if whole else {}


def _bits(mark: Mark, block: int) -> int | None:
    """Return how many bits are as they should be, None where one is not."""
    public, numbers, bits = mark.fields["public"], mark.numbers, POINT_BITS
    if not is_noise(public):
        return None
    if "public check" in numbers:
        if checksum("crc32-mpeg2", public) != numbers["public check"]:
            return None
        bits += 32
    if "gap" in numbers:
        if numbers["gap"] > MOST_GAP:
            return None
        bits += GAP_BITS
    if "blocks" in numbers:
        most = (mark.plain_size or 0) // block + 1
        if numbers["blocks"] > most:
            return None
        bits += 64 - most.bit_length()
    return bits if is_x25519_public(public) else None


def unwrap(mark: Mark, key: Key) -> FileKey | None:
    """Agree on the file's key, with the session's private key or the attacker's; read the settings."""
    for private in (key.data, _session(mark, key.data)):
        opened = AGREED(mark, Key(KeyKind.RAW, private)) if private else None
        if opened is None:
            continue
        found = _with_settings(mark, opened) if "settings" in mark.fields else None
        if found is None and mark.variant in {"48", "52"}:
            return FileKey({**opened.parts, "nonce": mark.fields["nonce"]}, opened.bits, opened.proof)
        return found
    return None


def _session(mark: Mark, master: bytes) -> bytes | None:
    """Return the session's private key where the file has it and ``master`` is the attacker's."""
    if "session" not in mark.fields:
        return None
    secret = agreement.x25519(master, mark.fields["above public"])
    pad = hashlib.sha256(secret or b"").digest()
    if checksum("crc32-mpeg2", pad) != int.from_bytes(mark.fields["above check"], "little"):
        return None
    return bytes(left ^ right for left, right in zip(mark.fields["session"], pad, strict=True))


def _with_settings(mark: Mark, opened: FileKey) -> FileKey | None:
    """Return the key with the settings, and the constants under which they make sense."""
    for constants in CONSTANTS:
        parts = {**opened.parts, "nonce": mark.fields["nonce"], "constants": constants}
        settings = bytearray(SETTINGS)
        _cipher(FileKey(parts)).start(FileKey(parts)).decrypt_into(
            memoryview(mark.fields["settings"]), memoryview(settings)
        )
        mode, zero, _ = struct.unpack("<IIQ", settings)
        if mode in {1, 2, 3} and not (zero and mark.variant == "52"):
            parts["settings"] = bytes(settings)
            bits = opened.bits + MODE_BITS + (0 if zero else 32)
            return FileKey(parts, bits, say("the checksum of the key, and the settings that it decrypts"))
    return None


def _cipher(key: FileKey) -> Cipher:
    if "constants" not in key.parts:
        return SMALL_CHACHA
    return Cipher("chacha", iv="nonce", rounds=8, constants=key.parts["constants"].hex())


def plan(locked: Reader, mark: Mark, key: FileKey) -> Plan:
    """Decrypt the blocks."""
    numbers, has_settings = mark.numbers, "settings" in key.parts
    generation = TAILS["64" if mark.variant == "52" and has_settings else mark.variant]
    size, block = locked.size - generation.tail.size, generation.block
    mode, gap, used = 3, numbers.get("gap", 0) * block, 0
    if has_settings:
        (mode, _, gap), used = struct.unpack("<IIQ", key.parts["settings"]), SETTINGS
    count = 1 if mode == 2 else numbers.get("blocks")
    spans = islice(_spans(size, block, gap if mode == 3 else 0), count)
    return Plan(size, pieces(size, spans, _cipher(key).start(key, used)))


def _spans(size: int, block: int, gap: int) -> Iterator[Span]:
    for start in range(0, size, block + gap):
        yield Span(start, min(start + block, size))


FAMILY = Family(
    name="proxima",
    title="Proxima",
    aliases=("blackshadow", "cylance", "btc-azadi"),
    extensions=(
        r"\.EMAIL=\[[^\]/]*\]ID=\[[^\]/]*\]\.[A-Za-z]+",
        r"\.(?:BLackShadow|BLackSh|BlackStore|ZeroCool|Black|X|Gomez|Cylance|uploaded|transferred|Antoni)",
        r"\.(?:Sezar|Hercul|Dominik|Elons|BTC|FAST|havoc|alvaro|harward|rival|elibe|ELE?CTRONIC|SENATOR)",
    ),
    notes=(r"(?i).*_help\.txt", r"(?i).*readme.*\.txt"),
    read=read,
    takes=(KeyKind.RAW,),
    unwrap=unwrap,
    plan=plan,
    wanted=say("the X25519 private key of the attacker or of the session, 32 bytes"),
    references=("https://github.com/rivitna/Malware/tree/main/Proxima",),
    limitations=(
        "Tails of 48 and 52 bytes prove a key by 32 bits only, and on files whose format is known.",
        "Only the 64-byte tail was tried on a real file.",
    ),
)
