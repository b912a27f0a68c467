"""Locked blocks opened with many keys at once: the words of a block for every lane.

A *job* is one run of a cipher over a batch: the number of a block and, where what it takes is not the
same for all blocks, the locked bytes that go in. Every crib comes to words that a job must give.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from unransom.crypto.search.kernels import aes_native, aes_tables, streams
from unransom.crypto.search.recipe import Cipher, Crib

Words = NDArray[np.uint32]
AES_BLOCK, STREAM_BLOCK = 16, 64  # bytes
FARTHEST = 1 << 16  # bytes of keystream that are gone through for a crib where it cannot be entered


class Job(NamedTuple):
    """One run of a cipher.

    Attributes:
        number: Of the block in the stream.
        text: Locked bytes that go in; empty where it is the number only.
    """

    number: int
    text: bytes = b""


class Piece(NamedTuple):
    """What a job must give for a crib to hold.

    Attributes:
        job: The run.
        masks: Bits of each word of the block that count.
        values: What these are.
    """

    job: Job
    masks: Words
    values: Words


class Opening(Protocol):
    """A cipher over a batch of keys."""

    block: int  # bytes

    def piece(self, crib: Crib, number: int, plain: bytes) -> tuple[Job, bytes]:
        """Return the job of block ``number`` and what it gives where the block's text is ``plain``."""
        ...

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words ``wanted`` of what ``job`` gives with the keys and IVs of the lanes."""
        ...


def pieces(opening: Opening, crib: Crib) -> list[Piece]:
    """Return what ``crib`` comes to, the piece that says most first.

    Raises:
        ValueError: The locked bytes do not cover what is known.
    """
    mask = crib.mask or b"\xff" * len(crib.plain)
    found = []
    first, last = crib.offset // opening.block, (crib.offset + len(crib.plain) - 1) // opening.block
    for number in range(first, last + 1):
        start = number * opening.block - crib.offset
        plain, bits = (_cut(text, start, opening.block) for text in (crib.plain, mask))
        job, value = opening.piece(crib, number, plain)
        masks, values = (np.frombuffer(text, "<u4").astype(np.uint32) for text in (bits, value))
        found.append(Piece(job, masks, values & masks))
    return sorted(found, key=known, reverse=True)


def known(piece: Piece) -> int:
    """Return how many bits ``piece`` says."""
    return int.from_bytes(piece.masks.tobytes()).bit_count()


def _cut(text: bytes, start: int, size: int) -> bytes:
    """Return ``size`` bytes from ``start`` on, which may lie before or after all of ``text``, zeros there."""
    return (bytes(max(0, -start)) + text[max(0, start) : max(0, start + size)])[:size].ljust(size, b"\0")


def locked(crib: Crib, number: int, size: int, *, whole: bool) -> bytes:
    """Return the locked bytes of block ``number``.

    Raises:
        ValueError: They are not there: all of them where ``whole``, else those of what is known.
    """
    begin, end = number * size, (number + 1) * size
    first, last = (
        (begin, end) if whole else (max(begin, crib.offset), min(end, crib.offset + len(crib.plain)))
    )
    if first < crib.start or last > crib.start + len(crib.locked):
        raise ValueError(f"the locked bytes from {first} to {last} are not there")
    return _cut(crib.locked, begin - crib.start, size)


def _mixed(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ two for one, two in zip(left, right, strict=True))


class Stream:
    """Salsa20 and ChaCha: the key in words 4 on or 1 and 11 on, the counter, the nonce."""

    block = STREAM_BLOCK

    def __init__(self, cipher: Cipher) -> None:
        """Prepare the state.

        Raises:
            ValueError: The sizes of key or nonce do not exist.
        """
        nonce = (len(cipher.iv) or cipher.iv_size) // 4
        if cipher.key_size not in {16, 32} or nonce not in ({2} if cipher.name == "salsa" else {2, 3}):
            raise ValueError(f"{cipher.name} has no key of {cipher.key_size} bytes with that nonce")
        self._salsa = cipher.name == "salsa"
        self._rounds = cipher.rounds
        words = cipher.key_size // 4
        key = list(range(words)) * (8 // words)
        nonces = [words + at for at in range(nonce)]
        one, two, three, four, low, high = range(-1, -7, -1)
        if cipher.name == "salsa":
            state = [one, *key[:4], two, *nonces, low, high, three, *key[4:], four]
        else:
            state = [one, two, three, four, *key, low, *([high] if nonce == 2 else []), *nonces]
        self._sources = np.array(state, np.int64)
        self._text = b"expand 32-byte k" if words == 8 else b"expand 16-byte k"

    def piece(self, crib: Crib, number: int, plain: bytes) -> tuple[Job, bytes]:
        """Return the block's number, and its keystream."""
        return Job(number), _mixed(locked(crib, number, self.block, whole=False), plain)

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words of the keystream."""
        constants = np.frombuffer(self._text + job.number.to_bytes(8, "little"), "<u4").astype(np.uint32)
        out = np.empty((len(wanted), keys.shape[1]), np.uint32)
        rows = np.concatenate([keys, ivs])
        streams.blocks(rows, self._sources, constants, self._rounds, self._salsa, wanted, out)
        return out


class Rc4:
    """RC4: a block is all of the keystream up to 64 bytes more."""

    block = STREAM_BLOCK

    def __init__(self, cipher: Cipher) -> None:
        """Take the size of the key."""
        self._size = cipher.key_size

    def piece(self, crib: Crib, number: int, plain: bytes) -> tuple[Job, bytes]:
        """Return the block's number, and its keystream.

        Raises:
            ValueError: It lies too far from the beginning.
        """
        if number * self.block >= FARTHEST:
            raise ValueError(f"byte {number * self.block} of the keystream is too far from its beginning")
        return Job(number), _mixed(locked(crib, number, self.block, whole=False), plain)

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words of the keystream."""
        del ivs
        first = job.number * self.block // 4
        out = np.empty((int(wanted.max()) + 1, keys.shape[1]), np.uint32)
        streams.rc4(keys, self._size, first, out)
        return out[wanted]


class KCipher2(Rc4):
    """KCipher-2, whose keystream has to be gone through too."""

    def __init__(self, cipher: Cipher) -> None:
        """Take the order of the keystream's bytes.

        Raises:
            ValueError: Key or IV have not 16 bytes.
        """
        super().__init__(cipher)
        if cipher.key_size != 16 or (len(cipher.iv) or cipher.iv_size) != 16:
            raise ValueError("KCipher-2 takes a key and an IV of 16 bytes")
        self._little = cipher.order == "little"

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words of the keystream."""
        out = np.empty((int(wanted.max()) // 2 * 2 + 2, keys.shape[1]), np.uint32)
        streams.kcipher2(keys, ivs, job.number * self.block // 4, self._little, out)
        return out[wanted]


class Xor:
    """The key again and again."""

    block = STREAM_BLOCK

    def __init__(self, cipher: Cipher) -> None:
        """Take the size of the key."""
        self._size = cipher.key_size

    def piece(self, crib: Crib, number: int, plain: bytes) -> tuple[Job, bytes]:
        """Return the block's number, and the key's bytes there."""
        return Job(number), _mixed(locked(crib, number, self.block, whole=False), plain)

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words of the repeated key."""
        del ivs
        bytes_ = keys.reshape(len(keys), 1, -1).view(np.uint8).reshape(len(keys), -1, 4)
        places = (job.number * self.block + 4 * wanted[:, None] + np.arange(4)) % self._size
        chosen = np.ascontiguousarray(bytes_[places // 4, :, places % 4].transpose(0, 2, 1))
        return chosen.view(np.uint32)[..., 0]


class Aes:
    """AES in a mode: what a block cipher run gives, and what it takes."""

    block = AES_BLOCK

    def __init__(self, cipher: Cipher) -> None:
        """Choose the run: with the processor's instructions where it has them.

        Raises:
            ValueError: The key has a size that does not exist.
        """
        if cipher.key_size not in {16, 24, 32}:
            raise ValueError(f"AES keys of {cipher.key_size} bytes are not supported")
        self._mode = cipher.name
        self._order = cipher.order
        self._iv = cipher.iv
        forward = cipher.name in {"aes-ctr", "aes-cfb"}
        self._work: Callable[[Words, Words, Words], None]
        if not aes_native.AVAILABLE or cipher.key_size == 24:  # seldom used
            self._work = aes_tables.encrypt if forward else aes_tables.decrypt
        elif cipher.key_size == 16:
            self._work = aes_native.encrypt128 if forward else aes_native.decrypt128
        else:
            self._work = aes_native.encrypt256 if forward else aes_native.decrypt256

    def piece(self, crib: Crib, number: int, plain: bytes) -> tuple[Job, bytes]:
        """Return the job, and what it gives."""
        if self._mode == "aes-ctr":
            return Job(number), _mixed(locked(crib, number, AES_BLOCK, whole=False), plain)
        before = (
            locked(crib, number - 1, AES_BLOCK, whole=True) if number and self._mode != "aes-ecb" else b""
        )
        if self._mode == "aes-cfb":
            here = locked(crib, number, AES_BLOCK, whole=False)
            return Job(number, before or self._iv), _mixed(here, plain)
        text = locked(crib, number, AES_BLOCK, whole=True)
        chained = before or (self._iv if self._mode == "aes-cbc" else b"")
        return Job(number, text), _mixed(plain, chained) if chained else plain

    def run(self, job: Job, keys: Words, ivs: Words, wanted: NDArray[np.int64]) -> Words:
        """Return words of a block."""
        texts = np.empty((4, keys.shape[1]), np.uint32)
        if self._mode == "aes-ctr":
            texts[:] = self._counters(job.number, ivs)
        elif job.text:
            texts[:] = np.frombuffer(job.text, "<u4")[:, None]
        else:
            texts[:] = ivs  # the first block of AES-CFB
        out = np.empty_like(texts)
        self._work(keys, texts, out)
        if self._mode == "aes-cbc" and not job.number and not self._iv:
            out ^= ivs
        return out[wanted]

    def _counters(self, number: int, ivs: Words) -> Words:
        """Return the counters ``number`` blocks on."""
        words = ivs if self._order == "little" else ivs[::-1].byteswap()
        words, carry = words.astype(np.uint64), np.uint64(0)
        for row in range(4):
            more = number >> 32 * row & 0xFFFFFFFF
            words[row] += np.uint64(more) + carry
            carry, words[row] = words[row] >> np.uint64(32), words[row] & np.uint64(0xFFFFFFFF)
        whole = words.astype(np.uint32)
        return whole if self._order == "little" else whole[::-1].byteswap()


OPENINGS: dict[str, Callable[[Cipher], Opening]] = {
    "salsa": Stream,
    "chacha": Stream,
    "rc4": Rc4,
    "kcipher-2": KCipher2,
    "xor": Xor,
}


def opened(cipher: Cipher) -> Opening:
    """Return ``cipher`` over batches.

    Raises:
        ValueError: Its sizes do not exist.
    """
    return OPENINGS.get(cipher.name, Aes)(cipher)
