"""Which cipher a family uses, as data: a name, and the names of the parts of the file's key it takes.

The numba kernels take half a second to import, so each cipher is imported when a file needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal, Protocol, runtime_checkable

from msgspec import Meta

from unransom.catalog.schemes.data import BytesName, Data, Fault, Hex, Length
from unransom.catalog.schemes.family import BadMarkError, Decryptor, FileKey
from unransom.core.messages import say
from unransom.crypto.ciphers import aes

Kind = Literal[
    "aes-ctr",
    "aes-cbc",
    "aes-ecb",
    "aes-cfb",
    "aes-cfb8",
    "aes-ofb",
    "aes-gcm",
    "chacha",
    "chacha-poly1305",
    "salsa",
    "salsa-state",
    "petya-salsa",
    "sosemanuk",
    "hc-128",
    "rc4",
    "kcipher-2",
    "xor",
]
CONSTANTS = 16  # bytes
WHOLE_BLOCKS = frozenset({"aes-cbc", "aes-ecb"})
# A place in their streams needs what is before it.
CHAINED = frozenset({"aes-cbc", "aes-cfb", "aes-cfb8", "aes-ofb"})
TAGGED = frozenset({"aes-gcm", "chacha-poly1305"})
WITHOUT_IV = frozenset({"aes-ecb", "salsa-state", "rc4", "xor"})


@runtime_checkable
class Tagged(Protocol):
    """A decryptor that can tell, at the end of its stream, whether the data is authentic."""

    def holds(self, tag: bytes) -> bool:
        """Return whether ``tag`` is that of all that was decrypted; ends the stream."""
        ...


@runtime_checkable
class Seekable(Protocol):
    """A decryptor that can start anywhere."""

    def at(self, offset: int) -> Decryptor:
        """Return the same cipher at byte ``offset`` of its stream."""
        ...


@runtime_checkable
class _Skipping(Protocol):
    def skip(self, length: int) -> Decryptor: ...


class Cipher(Data, frozen=True):
    """A cipher and where its inputs come from.

    Attributes:
        kind: What it is called. ``chacha`` takes nonces of 8, 12, 16 (counter and nonce) and 24 bytes
            (XChaCha), ``salsa`` of 8 and 24 (XSalsa20), ``chacha-poly1305`` of 12 and 24. The key of
            ``salsa-state`` is the whole state of 64 bytes.
        key, iv: Names of parts of the file's key; ``iv`` is the counter or nonce where there is one.
        fixed_iv: The initialisation vector where it is the same in all files, instead of ``iv``.
        rounds: Of ChaCha and Salsa20.
        constants: The 16 bytes in place of "expand 32-byte k"; those of the standard where empty.
        counter: Number of the first block, for ChaCha and Salsa20.
        order: Of the bytes of the AES-CTR counter, or of KCipher-2's output.
        drop: Bytes of the RC4 keystream to leave out.
    """

    kind: Kind
    key: BytesName = "key"
    iv: BytesName = "iv"
    fixed_iv: Hex = ""
    rounds: Annotated[int, Meta(ge=1, le=20)] = 20
    constants: Hex = ""
    counter: Length = 0
    order: Literal["big", "little"] = "big"
    drop: Length = 0

    def faults(self) -> Iterator[Fault]:
        """Yield constants that no cipher takes."""
        if len(self.constants) not in {0, 2 * CONSTANTS}:
            yield Fault(("constants",), say("there must be {count} bytes", count=CONSTANTS))

    def unused(self) -> frozenset[str]:
        """Return ``iv`` where the cipher takes none, or all files have the same."""
        return frozenset({"iv"} if self.fixed_iv or self.kind in WITHOUT_IV else ())

    @property
    def block(self) -> int:
        """Bytes of which only whole multiples can be decrypted; 1 for a stream."""
        return aes.BLOCK if self.kind in WHOLE_BLOCKS else 1

    def iv_of(self, file_key: FileKey) -> bytes:
        """Return the initialisation vector of a file; empty for a cipher without one."""
        return b"" if self.kind in WITHOUT_IV else bytes.fromhex(self.fixed_iv) or file_key.parts[self.iv]

    def start(self, file_key: FileKey, offset: int = 0, iv: bytes | None = None) -> Decryptor:
        """Return a decryptor at byte ``offset`` of the stream, with ``iv`` instead of the file's if given.

        Raises:
            BadMarkError: A part of the key has the wrong size, so that the wrap was read wrongly.
        """
        key = file_key.parts[self.key]
        try:
            cipher = STARTERS[self.kind](self, key, self.iv_of(file_key) if iv is None else iv)
        except ValueError as error:
            raise BadMarkError(
                say("the unwrapped key does not fit {cipher}: {why}", cipher=self.kind, why=str(error))
            ) from error
        return moved(cipher, offset) if offset else cipher


def moved(cipher: Decryptor, offset: int) -> Decryptor:
    """Return ``cipher``, which has decrypted nothing yet, at byte ``offset`` of its stream.

    Raises:
        TypeError: Its blocks are chained, so that it has no places.
    """
    if isinstance(cipher, Seekable):
        return cipher.at(offset)
    if isinstance(cipher, _Skipping):
        return cipher.skip(offset)
    raise TypeError(f"{type(cipher).__name__} starts at its beginning only")


def _aes_ctr(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    if cipher.order == "big":
        return aes.AesCtr(key, iv)
    from unransom.crypto.ciphers.aes_little import AesCtrLittle  # noqa: PLC0415

    return AesCtrLittle(key, iv)


def _chacha(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.chacha import ChaCha  # noqa: PLC0415

    return ChaCha.from_key(
        key, iv, cipher.rounds, constants=bytes.fromhex(cipher.constants), counter=cipher.counter
    )


def _chacha_poly1305(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.poly1305 import ChaChaPoly  # noqa: PLC0415

    return ChaChaPoly(key, iv)


def _salsa(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415

    return Salsa.from_key(
        key, iv, cipher.rounds, constants=bytes.fromhex(cipher.constants), counter=cipher.counter
    )


def _salsa_state(cipher: Cipher, key: bytes, _: bytes) -> Decryptor:
    from unransom.crypto.ciphers.salsa import Salsa  # noqa: PLC0415

    return Salsa(key, cipher.rounds)


def _petya_salsa(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.petya import PetyaSalsa  # noqa: PLC0415

    return PetyaSalsa.from_key(key, iv, cipher.rounds, counter=cipher.counter)


def _sosemanuk(_: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.sosemanuk import Sosemanuk  # noqa: PLC0415

    return Sosemanuk(key, iv)


def _hc128(_: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.hc128 import Hc128  # noqa: PLC0415

    return Hc128(key, iv)


def _rc4(cipher: Cipher, key: bytes, _: bytes) -> Decryptor:
    from unransom.crypto.ciphers.rc4 import Rc4  # noqa: PLC0415

    return Rc4(key, cipher.drop)


def _kcipher2(cipher: Cipher, key: bytes, iv: bytes) -> Decryptor:
    from unransom.crypto.ciphers.kcipher2 import KCipher2  # noqa: PLC0415

    return KCipher2(key, iv, cipher.order)


def _xor(_: Cipher, key: bytes, __: bytes) -> Decryptor:
    from unransom.crypto.ciphers.xor import Xor  # noqa: PLC0415

    return Xor(key)


STARTERS: dict[str, Callable[[Cipher, bytes, bytes], Decryptor]] = {
    "aes-ctr": _aes_ctr,
    "aes-cbc": lambda _, key, iv: aes.AesCbc(key, iv),
    "aes-ecb": lambda _, key, __: aes.AesEcb(key),
    "aes-cfb": lambda _, key, iv: aes.AesCfb(key, iv),
    "aes-cfb8": lambda _, key, iv: aes.AesCfb8(key, iv),
    "aes-ofb": lambda _, key, iv: aes.AesOfb(key, iv),
    "aes-gcm": lambda _, key, iv: aes.AesGcm(key, iv),
    "chacha": _chacha,
    "chacha-poly1305": _chacha_poly1305,
    "salsa": _salsa,
    "salsa-state": _salsa_state,
    "petya-salsa": _petya_salsa,
    "sosemanuk": _sosemanuk,
    "hc-128": _hc128,
    "rc4": _rc4,
    "kcipher-2": _kcipher2,
    "xor": _xor,
}
