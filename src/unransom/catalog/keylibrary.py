"""The key library: keys and parts of keys with where they came from, found again by what they open.

A library is a value. As a file to hand on it is one line that says what it is, one with the signer's public
key and the signature, and a body in JSON, so that people can read what they import; a file of one's own is
that body alone.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
from collections.abc import Iterable, Iterator

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto import rsa
from unransom.crypto.agreement import X25519_SIZE, x25519_public
from unransom.crypto.der import numbers_in

TITLE = b"unransom key library 1"
SIGNED = b"unransom key library\0"  # goes before the body that is signed, so that nothing else can pass
MOST_UNKNOWN = 48  # bits of a partial key that are worth enumerating
MOST_BYTES = 64 << 20  # of a file


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key, whole or in part, and what is known about it.

    Attributes:
        kind: What it can be used as.
        data: As ``Key.data``; zeros where a part is not known.
        known: Which bits of ``data`` are known, set ones are; empty where all are.
        family: Name of the family, "" where it is not known.
        campaign: Identifier of the attacker or the run.
        victim: Identifier of the victim, as notes and tails write it.
        publics: Digests of the public keys it belongs to; see ``digest``.
        wrapped: Digests of the wrapped keys that it opens or is the content of.
        source: Where it came from: a release, a search, a case.
    """

    kind: KeyKind
    data: bytes
    known: bytes = b""
    family: str = ""
    campaign: str = ""
    victim: str = ""
    publics: tuple[str, ...] = ()
    wrapped: tuple[str, ...] = ()
    source: str = ""

    @property
    def unknown_bits(self) -> int:
        """How many bits of the key are missing."""
        return 8 * len(self.data) - int.from_bytes(self.known).bit_count() if self.known else 0

    @property
    def is_sound(self) -> bool:
        """Whether it is a key at all: others wrote it, and what uses it relies on its form."""
        if self.known:
            return self.kind is KeyKind.RAW and len(self.known) == len(self.data)
        try:
            if self.kind is KeyKind.RSA:
                key = rsa.numbers(self.data)
                whole = key.p * key.q == key.public_numbers.n > 0
                return min(numbers_in(self.data)) >= 0 and (
                    whole or key.p == key.q == 0 < key.public_numbers.n
                )
            if self.kind is KeyKind.RSA_PUBLIC:
                modulus, exponent = numbers_in(self.data)
                return 1 < exponent < modulus and modulus % 2 == 1
            if self.kind is KeyKind.EC:
                load_der_private_key(self.data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return False
        if self.kind is KeyKind.SERVER:
            return b"\0" in self.data
        return self.kind is not KeyKind.PARTIAL and len(self.data) > 0

    def key(self) -> Key | None:
        """Return the key, None where a part of it is missing."""
        return None if self.unknown_bits else Key(self.kind, self.data, self.source)


def partial_key(entry: Entry) -> Key:
    """Return an entry that misses bits as a key, which only attacks that complete it can use."""
    return Key(KeyKind.PARTIAL, _encoder().encode(entry), entry.source)


def entry_in(key: Key) -> Entry:
    """Return the entry that a key of the kind ``PARTIAL`` holds.

    Raises:
        msgspec.MsgspecError: It holds none.
    """
    return msgspec.json.decode(key.data, type=Entry)


class LibraryError(Exception):
    """A file is no key library, or not one that is trusted; the message is for people."""

    def __init__(self, why: Message) -> None:
        super().__init__(str(why))
        self.why = why


class Library(msgspec.Struct, frozen=True):
    """Keys, and who signed for them.

    Attributes:
        entries: Distinct ones.
        signer: Ed25519 public key, hexadecimal; "" where nobody signed.
    """

    entries: tuple[Entry, ...] = ()
    signer: str = ""

    def find(
        self, *, public: bytes = b"", wrapped: bytes = b"", victim: str = "", family: str = ""
    ) -> tuple[Entry, ...]:
        """Return the entries to try, the surest first: by public key, wrapped key, victim, then family.

        Args:
            public: The public key in the file or the locker, as ``digest`` takes it.
            wrapped: The wrapped key in the file.
            victim: The identifier in the file or note.
            family: Name of the family; its other entries come last.
        """

        def rank(entry: Entry) -> int:
            if public and digest(public) in entry.publics:
                return 0
            if wrapped and digest(wrapped) in entry.wrapped:
                return 1
            if victim and victim == entry.victim:
                return 2
            return 3 if family and family == entry.family else 4

        return tuple(sorted((entry for entry in self.entries if rank(entry) < 4), key=rank))

    def joined(self, others: Iterable[Entry]) -> Library:
        """Return the library with ``others`` added; it is nobody's signature then."""
        return Library(tuple(dict.fromkeys((*self.entries, *others))))


def digest(data: bytes) -> str:
    """Return what public and wrapped keys are found by: SHA-256, hexadecimal.

    RSA public keys are their modulus, big-endian without zeros in front; others are their bytes.
    """
    return hashlib.sha256(data).hexdigest()


def entry_of(key: Key, *, family: str = "", campaign: str = "", victim: str = "", source: str = "") -> Entry:
    """Return the entry of a whole key, with the digest of its public key where it has one."""
    return Entry(
        kind=key.kind,
        data=key.data,
        family=family,
        campaign=campaign,
        victim=victim,
        publics=tuple(digest(public) for public in _publics(key)),
        source=source or key.origin,
    )


def _publics(key: Key) -> Iterator[bytes]:
    if key.kind is KeyKind.RSA:
        modulus = rsa.numbers(key.data).public_numbers.n
        yield modulus.to_bytes((modulus.bit_length() + 7) // 8)
    elif key.kind is KeyKind.RAW and len(key.data) == X25519_SIZE:
        yield x25519_public(key.data)


def completions(entry: Entry, start: int = 0, stop: int | None = None) -> Iterator[Key]:
    """Yield the keys that ``entry`` can be: all values of its missing bits, or those from start to stop.

    A search is cut into shards by these numbers, 0 up to ``2**entry.unknown_bits``.

    Raises:
        ValueError: More than ``MOST_UNKNOWN`` bits are missing, or the lengths do not agree.
    """
    if entry.unknown_bits > MOST_UNKNOWN or (entry.known and len(entry.known) != len(entry.data)):
        raise ValueError(f"{entry.unknown_bits} bits of the key are missing")
    size = len(entry.data)
    known = int.from_bytes(entry.known) if entry.known else (1 << 8 * size) - 1
    missing = [bit for bit in range(8 * size) if not known >> bit & 1]
    base = int.from_bytes(entry.data) & known
    most = 1 << len(missing)
    for number in range(max(start, 0), most if stop is None else min(stop, most)):
        value = base
        for place, bit in enumerate(missing):
            value |= (number >> place & 1) << bit
        yield Key(entry.kind, value.to_bytes(size), entry.source)


@functools.cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(order="deterministic")


def text_of(entries: Iterable[Entry]) -> bytes:
    """Return ``entries`` as JSON that nobody has signed."""
    return msgspec.json.format(_encoder().encode(tuple(dict.fromkeys(entries))), indent=1)


def entries_in(text: bytes) -> tuple[Entry, ...]:
    """Return the entries in JSON that nobody has signed, but for those that are no keys.

    Raises:
        LibraryError: It is something else.
    """
    try:
        entries = msgspec.json.decode(text[:MOST_BYTES], type=tuple[Entry, ...])
    except msgspec.MsgspecError as error:
        raise LibraryError(say("this is no key library")) from error
    return tuple(each for each in entries if each.is_sound)


def encode(entries: Iterable[Entry], private: bytes) -> bytes:
    """Return the file of ``entries``, signed with ``private``, an Ed25519 seed of 32 bytes."""
    signer = Ed25519PrivateKey.from_private_bytes(private)
    body = text_of(entries)
    signature = signer.sign(SIGNED + body)
    seal = signer.public_key().public_bytes_raw().hex().encode() + b" " + base64.b64encode(signature)
    return b"\n".join((TITLE, seal, body))


def decode(data: bytes, trusted: Iterable[str] | None = None) -> Library:
    """Return the library in a file, whose signature must hold.

    Args:
        data: The file.
        trusted: Public keys in hexadecimal, one of which must be the signer's; None trusts everyone, and the
            caller shows ``Library.signer``.

    Raises:
        LibraryError: It is no library, was changed, or is not signed by anyone who is trusted.
    """
    title, _, rest = data[:MOST_BYTES].partition(b"\n")
    seal, _, body = rest.partition(b"\n")
    if title != TITLE:
        raise LibraryError(say("this is no key library"))
    signer, _, signature = seal.partition(b" ")
    try:
        public = Ed25519PublicKey.from_public_bytes(binascii.unhexlify(signer))
        public.verify(base64.b64decode(signature, validate=True), SIGNED + body)
        entries = msgspec.json.decode(body, type=tuple[Entry, ...])
    except (InvalidSignature, ValueError, msgspec.MsgspecError) as error:
        raise LibraryError(
            say("the key library was changed, or its signature is not its signer's")
        ) from error
    name = public.public_bytes_raw().hex()
    if trusted is not None and name not in set(trusted):
        raise LibraryError(say("nobody who is trusted has signed the key library, but {signer}", signer=name))
    return Library(tuple(dict.fromkeys(each for each in entries if each.is_sound)), name)
