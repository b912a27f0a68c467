"""How the key of a file is wrapped: from the mark's fields and a key to the parts of the file's key.

A wrap returns None where it shows that the key is wrong, and says how much it proves otherwise. The
private-key operations behind it remember their answers, so that files with one blob cost one of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Annotated, Literal

from msgspec import Meta

from unransom.catalog.schemes.checks import Check, Proof
from unransom.catalog.schemes.data import Data, Fault, FieldName, Name
from unransom.catalog.schemes.derivations import DERIVATIONS, Derivation, derived_size
from unransom.catalog.schemes.family import FileKey, Mark
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto import agreement, boxes, rsa
from unransom.crypto.keyfiles import read_keys

MOST_KEY = 1 << 26  # bytes: a keystream can be a key
Place = Annotated[int, Meta(ge=0, le=MOST_KEY)]
Cuts = dict[Name, tuple[Place, Place]]  # name of a part: its first byte and the byte after its last one
Curve = Literal["x25519", "secp192k1", "sect571k1"]
Aead = Literal["chacha20-poly1305", "xchacha20-poly1305", "aes-gcm"]
Padding = Literal["pkcs1", "oaep-sha1", "oaep-sha256", "oaep-sha512", "oaep-sha3_512", "raw"]

CURVES: dict[str, Callable[[bytes, bytes], bytes | None]] = {
    "x25519": agreement.x25519,
    "secp192k1": agreement.secp192k1,
    "sect571k1": agreement.sect571k1,
}
TAG = 128  # bits of an authentication tag
PKCS1 = 16  # bits that a wrong key fails to guess of a PKCS #1 v1.5 padding
LENGTH = 8  # bits more where the message's length is known as well


class CutWrap(Data, frozen=True):
    """A wrap that parts are cut from, of what ``derive`` makes of it."""

    def faults(self) -> Iterator[Fault]:
        """Yield parts without a byte, or of bytes that are not there, and checks of parts that are not."""
        parts: Cuts = getattr(self, "parts")  # noqa: B009 every kind declares it at a place of its own
        size = derived_size(getattr(self, "derive", "raw"))
        for name, (start, end) in parts.items():
            if start >= end:
                yield Fault(("parts", name), say("a part ends behind its beginning"))
            elif size and end > size:
                why = say("a part ends behind the {bytes} bytes that are derived", bytes=size)
                yield Fault(("parts", name), why)
        for index, check in enumerate(getattr(self, "checks", ())):
            if check.part not in parts:
                yield Fault(("checks", index, "part"), _missing(check.part))


def _missing(name: str) -> Message:
    return say("there is no part called {name} here", name=name)


class X25519(CutWrap, frozen=True, tag="x25519"):
    """An ephemeral public key in the file, agreed with the private key; parts are cut from a hash of it.

    Without checks the wrap proves nothing: every private key gives some file key.

    Attributes:
        public: Field with the ephemeral public key.
        derive: Hash of the shared secret, or ``raw`` for the secret itself. ``sha256-twice`` is 64
            bytes: the SHA-256, and the SHA-256 of that.
        parts: What is cut from the derived bytes.
        hashed: What is hashed, one after the other: ``secret``, ``public`` (the file's) and ``own`` (that
            of the private key; X25519 only).
        curve: The curve; a scalar of another one than X25519 is big-endian.
        checks: What shows that the key is right.
    """

    public: FieldName
    derive: Derivation
    parts: Cuts
    hashed: tuple[Literal["secret", "public", "own"], ...] = ("secret",)
    curve: Curve = "x25519"
    checks: tuple[Check, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """Yield what no key agreement can do."""
        yield from super().faults()
        if "own" in self.hashed and self.curve != "x25519":
            yield Fault(("hashed",), say("own can only be hashed where the curve is x25519"))

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts that ``key`` gives; None where it is no scalar or a check fails."""
        derived = self.derived(mark, key)
        return None if derived is None else _proven(mark, cut(derived, self.parts), self.checks, None)

    def derived(self, mark: Mark, key: Key) -> bytes | None:
        """Return the derived bytes; None where the key is no scalar or the point none of the curve."""
        if key.kind is not KeyKind.RAW:
            return None
        public = mark.fields[self.public]
        secret = CURVES[self.curve](key.data, public)
        if secret is None:
            return None
        sources = {"secret": secret, "public": public, "own": b""}
        if "own" in self.hashed:
            sources["own"] = agreement.x25519_public(key.data)
        return DERIVATIONS[self.derive](b"".join(sources[name] for name in self.hashed))


class AgreedBox(CutWrap, frozen=True, tag="agreed-box"):
    """Parts under an authenticated cipher, whose key is agreed as in ``X25519``.

    Attributes:
        agreement: Gives the parts ``key`` and, where no field holds it, ``nonce``.
        sealed: Field with the encrypted parts.
        parts: What is cut from them when opened.
        tag: Field with the authentication tag; "" where the locker threw it away.
        nonce: Field with the nonce; "" where it is derived.
        cipher: Which.
        derive: What is done to the opened bytes before the parts are cut.
        checks: What shows that the key is right where there is no tag.
    """

    agreement: X25519
    sealed: FieldName
    parts: Cuts
    tag: FieldName = ""
    nonce: FieldName = ""
    cipher: Aead = "chacha20-poly1305"
    derive: Derivation = "raw"
    checks: tuple[Check, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """Yield what the agreement must give and does not."""
        yield from super().faults()
        for name in ("key",) if self.nonce else ("key", "nonce"):
            if name not in self.agreement.parts:
                yield Fault(("agreement", "parts"), _missing(name))

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where the tag or a check shows that ``key`` is wrong."""
        agreed = self.agreement(mark, key)
        if agreed is None:
            return None
        nonce = mark.fields[self.nonce] if self.nonce else agreed.parts["nonce"]
        tag = mark.fields[self.tag] if self.tag else None
        opened = boxes.opened(self.cipher, agreed.parts["key"], nonce, mark.fields[self.sealed], tag)
        return _opened(mark, opened, self.derive, self.parts, self.checks, bool(self.tag))


class KeyBox(CutWrap, frozen=True, tag="key-box"):
    """Parts under an authenticated cipher with a symmetric key that is given, e.g. that of the run.

    Attributes:
        sealed, nonce: Fields with the encrypted parts and the nonce.
        parts: What is cut from them when opened.
        tag: Field with the authentication tag; "" where the locker threw it away.
        cipher: Which.
        derive: What is done to the opened bytes before the parts are cut.
        checks: What shows that the key is right where there is no tag.
    """

    sealed: FieldName
    nonce: FieldName
    parts: Cuts
    tag: FieldName = ""
    cipher: Aead = "chacha20-poly1305"
    derive: Derivation = "raw"
    checks: tuple[Check, ...] = ()

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where the tag or a check shows that ``key`` is wrong."""
        if key.kind is not KeyKind.RAW:
            return None
        tag = mark.fields[self.tag] if self.tag else None
        fields = mark.fields
        opened = boxes.opened(self.cipher, key.data, fields[self.nonce], fields[self.sealed], tag)
        return _opened(mark, opened, self.derive, self.parts, self.checks, bool(self.tag))


class SealedBox(CutWrap, frozen=True, tag="sealed-box"):
    """Parts in a sealed box of libsodium: ephemeral public key, tag, and XSalsa20 of the message.

    Attributes:
        sealed: Field with the box.
        parts: What is cut from the message.
        derive: What is done to the message before.
    """

    sealed: FieldName
    parts: Cuts
    derive: Derivation = "raw"

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where the tag shows that ``key`` is wrong."""
        if key.kind is not KeyKind.RAW:
            return None
        opened = boxes.unsealed(key.data, mark.fields[self.sealed])
        return _opened(mark, opened, self.derive, self.parts, (), True)


class Rsa(CutWrap, frozen=True, tag="rsa"):
    """Parts under RSA.

    Attributes:
        blob: Field with the encrypted block, or with several one after the other.
        parts: What is cut from the message.
        padding: How the message was padded; ``raw`` for not at all.
        order: ``little`` for a block written backwards, as CryptoAPI does.
        length: Bytes of the message; 0 where they vary.
        blocks: How many blocks the field holds; their messages are joined.
        derive: What is done to the message before the parts are cut.
        checks: What else shows that the key is right.
    """

    blob: FieldName
    parts: Cuts
    padding: Padding = "pkcs1"
    order: rsa.ByteOrder = "big"
    length: Place = 0
    blocks: Annotated[int, Meta(ge=1, le=16)] = 1
    derive: Derivation = "raw"
    checks: tuple[Check, ...] = ()

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where padding, length or a check shows that ``key`` is wrong."""
        message = self.message(mark.fields[self.blob], key)
        if message is None or (self.length and len(message) != self.length):
            return None
        parts = cut(DERIVATIONS[self.derive](message), self.parts)
        return _proven(mark, parts, self.checks, self._proof())

    def message(self, blob: bytes, key: Key) -> bytes | None:
        """Return what ``blob`` holds, None where the key is another one."""
        size, rest = divmod(len(blob), self.blocks)
        if key.kind is not KeyKind.RSA or rest or size != rsa.size(key.data):
            return None
        messages = []
        for start in range(0, len(blob), size):
            message = self._block(blob[start : start + size], key.data)
            if message is None:
                return None
            messages.append(message)
        return b"".join(messages)

    def _block(self, block: bytes, der: bytes) -> bytes | None:
        if self.padding == "raw":
            return rsa.decrypt_raw(der, block, self.order)
        if self.padding == "pkcs1":
            return rsa.decrypt_pkcs1(der, block, self.order)
        return rsa.decrypt_oaep(der, block, OAEP[self.padding], self.order)

    def _proof(self) -> Proof | None:
        """Return what the padding of one block proves."""
        if self.padding == "raw":
            return None
        if self.padding == "pkcs1":
            return Proof(
                (PKCS1 + (LENGTH if self.length else 0)) * self.blocks, say("the padding of the wrapped key")
            )
        return Proof(TAG, say("the padding of the wrapped key"))


OAEP: dict[str, rsa.OaepHash] = {
    "oaep-sha1": "sha1",
    "oaep-sha256": "sha256",
    "oaep-sha512": "sha512",
    "oaep-sha3_512": "sha3_512",
}


class RunKey(CutWrap, frozen=True, tag="run-key"):
    """The key that is given is the files' own key, or what it is derived from; the wrap proves nothing.

    Attributes:
        parts: What is cut from the derived bytes.
        derive: How they come from the given key, e.g. a password's hash.
        sizes: Bytes that a key may have; any where empty.
        checks: What shows that the key is right.
    """

    parts: Cuts
    derive: Derivation = "raw"
    sizes: tuple[Place, ...] = ()
    checks: tuple[Check, ...] = ()

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the parts; None where ``key`` has the wrong size or a check fails."""
        if key.kind is not KeyKind.RAW or (self.sizes and len(key.data) not in self.sizes):
            return None
        return _proven(mark, cut(DERIVATIONS[self.derive](key.data), self.parts), self.checks, None)


Level = X25519 | AgreedBox | KeyBox | SealedBox | Rsa


class TwoLevel(Data, frozen=True, tag="two-level"):
    """A master key opens a session's private key, which opens the file's key. Both are taken.

    Attributes:
        master: Gives the part ``private``: a scalar of 32 bytes, or an RSA key in any usual form.
        session: Opens the file's key with the session's private key.
        public: The master's part that repeats the session's X25519 public key; "" where there is none.
    """

    master: Level
    session: Level
    public: str = ""

    def faults(self) -> Iterator[Fault]:
        """Yield what the master must give and does not."""
        for name in ("private", self.public):
            if name and name not in self.master.parts:
                yield Fault(("master", "parts"), _missing(name))

    def __call__(self, mark: Mark, key: Key) -> FileKey | None:
        """Return the file's key, whichever level ``key`` is of; the better proven one."""
        found = [self.session(mark, key)]
        opened = self.master(mark, key)
        if opened is not None and self._pair(opened):
            for private in _private_keys(opened.parts["private"]):
                below = self.session(mark, private)
                if below is not None:
                    found.append(_stronger(opened, below, repeated=bool(self.public)))
        return max((one for one in found if one), key=lambda one: one.bits, default=None)

    def _pair(self, opened: FileKey) -> bool:
        """Return whether the session's public key, if it stands there, belongs to the private one."""
        private = opened.parts["private"]
        if not self.public:
            return True
        if len(private) != agreement.X25519_SIZE:
            return False
        return agreement.x25519_public(private) == opened.parts[self.public]


@functools.lru_cache(maxsize=256)
def _private_keys(data: bytes) -> tuple[Key, ...]:
    return read_keys(data, "session")


def _stronger(master: FileKey, session: FileKey, *, repeated: bool) -> FileKey:
    """Return the session's key with the proof of whichever level proves more."""
    if repeated:
        return FileKey(session.parts, TAG, say("the session's public key belongs to its private key"))
    best = max((master, session), key=lambda one: one.bits)
    return FileKey(session.parts, best.bits, best.proof)


def cut(data: bytes, parts: Cuts) -> dict[str, bytes] | None:
    """Return the named parts of ``data``, None where it is too short for one of them."""
    if any(end > len(data) for _, end in parts.values()):
        return None
    return {name: data[start:end] for name, (start, end) in parts.items()}


def _opened(
    mark: Mark, opened: bytes | None, derive: Derivation, parts: Cuts, checks: tuple[Check, ...], tagged: bool
) -> FileKey | None:
    if opened is None:
        return None
    proof = Proof(TAG, say("the authentication tag of the wrapped key")) if tagged else None
    return _proven(mark, cut(DERIVATIONS[derive](opened), parts), checks, proof)


def _proven(
    mark: Mark, parts: dict[str, bytes] | None, checks: tuple[Check, ...], proof: Proof | None
) -> FileKey | None:
    """Return the key with all that proves it; None where a check fails or the message was too short."""
    if parts is None:
        return None
    proofs = [proof] if proof else []
    for check in checks:
        checked = check(mark, parts)
        if checked is None:
            return None
        proofs.append(checked)
    if not proofs:
        return FileKey(parts)
    best = max(proofs, key=lambda one: one.bits)
    return FileKey(parts, sum(one.bits for one in proofs), best.why)
