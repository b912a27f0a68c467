"""The key library of this machine: one file that only its owner can read, used where it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unransom.case import found_keys
from unransom.case.case import Case
from unransom.catalog.keylibrary import (
    MOST_BYTES,
    TITLE,
    Entry,
    Library,
    LibraryError,
    decode,
    digest,
    encode,
    entries_in,
    entry_of,
    partial_key,
    text_of,
)
from unransom.core.errors import UsageError
from unransom.core.keys import Key, KeyKind
from unransom.core.messages import Message, say
from unransom.crypto.der import numbers_in
from unransom.run.given_keys import load_keys

SEED = 32  # bytes of a signer's key
USEFUL = frozenset({KeyKind.RAW, KeyKind.RSA, KeyKind.EC})


class _Wrapped(msgspec.Struct):
    """What is read of a key that ``keys --wanted`` lists; base64 in JSON."""

    wrapped: bytes


def default_path() -> Path:
    """Return where the library of the user is."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(data) / "unransom" / "keys.library"


def load(path: Path) -> Library:
    """Return the library in ``path``, an empty one where there is none yet.

    Raises:
        UsageError: The file is something else.
    """
    try:
        return Library(entries_in(_read(path))) if path.exists() else Library()
    except LibraryError as error:
        signed = _read(path).startswith(TITLE)
        hint = say("a signed file is taken in with `unransom library import`") if signed else None
        raise UsageError(error.why, detail=str(path), hint=hint) from error


def save(path: Path, entries: Iterable[Entry]) -> None:
    """Write the library such that a crash leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, text_of(entries))


def keys_in(path: Path) -> tuple[Key, ...]:
    """Return every key of the library in ``path``: whole ones to try, the others to complete.

    Raises:
        UsageError: There is no library.
    """
    if not path.exists():
        raise UsageError(
            say("there is no key library in {path}", path=str(path)),
            hint=say("make one with `unransom library add`"),
        )
    entries = load(path).entries
    whole = (Key(entry.kind, entry.data, f"library, {entry.source}") for entry in entries if entry.key())
    partial = (partial_key(entry) for entry in entries if entry.unknown_bits)
    return (*whole, *partial)


def found_in(
    library: Library, *, family: str, victim: str, public: Path | None, wrapped: Path | None
) -> tuple[Entry, ...]:
    """Return the entries of a family, of a victim, or of the public or wrapped keys in a file.

    Raises:
        UsageError: The file holds no public key.
    """
    keys = load_keys([public]) if public else ()
    moduli = [numbers_in(key.data)[0] for key in keys if key.kind is KeyKind.RSA_PUBLIC]
    bare = [key.data for key in keys if key.kind is KeyKind.RAW]  # of X25519
    named = [*(modulus.to_bytes((modulus.bit_length() + 7) // 8) for modulus in moduli), *bare, b""]
    blobs = wrapped_in(wrapped) if wrapped else (b"",)
    found = (
        library.find(public=each, wrapped=blob, victim=victim, family=family)
        for each in named
        for blob in blobs
    )
    return tuple(dict.fromkeys(entry for entries in found for entry in entries))


def wrapped_in(path: Path) -> tuple[bytes, ...]:
    """Return the wrapped keys in what ``keys --wanted`` prints; any other file is one itself."""
    data = _read(path)
    try:
        wanted = msgspec.json.decode(data, type=list[_Wrapped])
    except msgspec.MsgspecError:
        return (data,)
    return tuple(each.wrapped for each in wanted)


def opening(entries: Iterable[Entry], wrapped: Iterable[bytes]) -> tuple[Entry, ...]:
    """Return ``entries`` as those that open the keys in ``wrapped``."""
    digests = tuple(digest(each) for each in wrapped)
    return tuple(msgspec.structs.replace(entry, wrapped=(*entry.wrapped, *digests)) for entry in entries)


def entries_of_files(
    paths: Iterable[Path], *, family: str, campaign: str, victim: str, source: str
) -> tuple[Entry, ...]:
    """Return an entry for every private key in key files or folders of them.

    Raises:
        UsageError: A file cannot be read or holds no key.
    """
    found: list[Entry] = []
    for path in paths:
        keys = [key for key in load_keys([path]) if key.kind in USEFUL]
        named = [key for key in keys if key.kind is not KeyKind.RAW]
        found += (
            entry_of(key, family=family, campaign=campaign, victim=victim, source=source)
            for key in named or keys  # the file of a named key is besides read as its bytes
        )
    return tuple(found)


def partial_entry(path: Path, mask: Path, *, family: str, campaign: str, victim: str, source: str) -> Entry:
    """Return the entry of a key of which only the bits are known that are set in a second file.

    Raises:
        UsageError: The files are not of one length.
    """
    data, known = path.read_bytes(), mask.read_bytes()
    if len(data) != len(known) or not data:
        raise UsageError(
            say("the key and the mask of its known bits are not of one length"), detail=f"{path}, {mask}"
        )
    clean = bytes(left & right for left, right in zip(data, known, strict=True))
    return Entry(
        kind=KeyKind.RAW,
        data=clean,
        known=known,
        family=family,
        campaign=campaign,
        victim=victim,
        source=source or path.name,
    )


def entries_of_case(folder: Path, *, campaign: str, victim: str, source: str) -> tuple[Entry, ...]:
    """Return an entry for every key that searches in a case found.

    Raises:
        UnransomError: There is no such case.
    """
    with Case(folder) as case:
        secrets = found_keys.of(case.database)
    return tuple(
        entry_of(
            secret.key,
            family=secret.family,
            campaign=campaign,
            victim=victim,
            source=source or f"case {folder.resolve().name}",
        )
        for secret in secrets
    )


def export(path: Path, entries: Iterable[Entry], signer: Path, *, create: bool) -> str:
    """Write a signed file to hand on; return the signer's public key in hexadecimal.

    Args:
        path: The file, which must not be there yet.
        entries: What to write.
        signer: File with the signer's Ed25519 key, 32 bytes.
        create: Make that file with a new key where it is missing.

    Raises:
        UsageError: The signer's file is missing or holds something else.
    """
    if path.exists():
        raise UsageError(say("{path} is there already", path=str(path)))
    if create and not signer.exists():
        _write(signer, Ed25519PrivateKey.generate().private_bytes_raw())
    seed = signer.read_bytes() if signer.exists() else b""
    if len(seed) != SEED:
        raise UsageError(
            say("there is no signer's key in {path}", path=str(signer)),
            hint=say("--create makes one"),
        )
    _write(path, encode(entries, seed))
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw().hex()


def imported(path: Path, trusted: Iterable[str]) -> Library:
    """Return what is in a signed file.

    Raises:
        UsageError: It is none, was changed, or its signer is not trusted.
    """
    try:
        return decode(_read(path), {name.strip().lower() for name in trusted})
    except LibraryError as error:
        raise UsageError(
            error.why,
            detail=str(path),
            hint=_hint_of(path),
        ) from error


def _hint_of(path: Path) -> Message:
    """Return what may help where a file was not taken: trust only where it is as it was signed."""
    try:
        decode(_read(path))
    except LibraryError:
        return say("ask for the file again: no key of it can be taken as it is")
    return say("--trust takes a signer's public key, 64 hexadecimal digits")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES)


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
