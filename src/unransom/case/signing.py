"""Ed25519 keys of the people who act, and what is signed with them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from unransom.core.errors import UsageError
from unransom.core.messages import say

PASSPHRASE = "UNRANSOM_PASSPHRASE"  # noqa: S105 name of an environment variable
MOST = 64 * 1024  # bytes of a key file
CONTEXT = b"unransom case signature 1\0"  # no signature for another purpose can be taken for one of these


def fingerprint(public: str) -> str:
    """Return what people compare of a public key in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:32]


def public_of(private: Ed25519PrivateKey) -> str:
    """Return the public key in hexadecimal."""
    return private.public_key().public_bytes_raw().hex()


def sign(private: Ed25519PrivateKey, message: bytes) -> str:
    """Return the signature of ``message`` in hexadecimal."""
    return private.sign(CONTEXT + message).hex()


def holds(public: str, signature: str, message: bytes) -> bool:
    """Return whether ``signature`` is that of ``message`` by the owner of ``public``."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), CONTEXT + message)
    except (InvalidSignature, ValueError):
        return False
    return True


def new_private(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it to ``path``, which only its owner can read.

    It is encrypted where the environment has a passphrase.

    Raises:
        UsageError: The file is there already.
    """
    private = Ed25519PrivateKey.generate()
    phrase = os.environ.get(PASSPHRASE, "").encode()
    data = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption(),
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise UsageError(
            say("{file} is there already", file=str(path)), hint=say("choose another name for the key")
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return private


def load_private(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a file: PEM (PKCS 8), or as OpenSSH writes it.

    Raises:
        UsageError: It is none, or the passphrase is wrong.
    """
    data = _read(path)
    phrase = os.environ.get(PASSPHRASE, "").encode() or None
    is_openssh = data.startswith(b"-----BEGIN OPENSSH")
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = load(data, phrase if b"ENCRYPTED" in data or is_openssh else None)
    except (ValueError, TypeError) as error:
        raise _no_key(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, type(key).__name__)
    return key


def load_public(path: Path) -> str:
    """Return the public key in a file, in hexadecimal: PEM, or as OpenSSH writes it.

    Raises:
        UsageError: It is none.
    """
    data = _read(path)
    is_openssh = data.startswith(b"ssh-")
    load = serialization.load_ssh_public_key if is_openssh else serialization.load_pem_public_key
    try:
        key = load(data)
    except (ValueError, TypeError) as error:
        raise _no_key(path, str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, type(key).__name__)
    return key.public_bytes_raw().hex()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST)
    except OSError as error:
        raise _no_key(path, str(error)) from error


def _no_key(path: Path, detail: str) -> UsageError:
    return UsageError(
        say("{file} is no Ed25519 key that can be used", file=str(path)),
        detail=detail,
        causes=(say("it is encrypted, and {variable} has not its passphrase", variable=PASSPHRASE),),
        hint=say("`unransom case people DIR --add NAME --role ROLE --new-key FILE` makes one"),
    )
