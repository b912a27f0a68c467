"""Read-only sources of evidence. Nothing in here can write to evidence.

A source is a place that a person names: ``identify`` makes a record of it, ``open_store`` opens the
record. Importing this package is cheap; what a kind of store needs is imported when it is opened.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.core.records import Source
from unransom.evidence.locations import (
    Location,
    is_bucket,
    is_collection,
    is_file,
    is_folder,
    is_image,
    locate,
    source,
)
from unransom.evidence.store import Store


class StoreKind(NamedTuple):
    """A kind of store.

    Attributes:
        name: ``Source.kind``, and the name of its module in ``stores/``.
        title: What people call it.
        claims: Whether it is the kind to open a place with.
    """

    name: str
    title: str
    claims: Callable[[Location], bool]


STORES = (  # in order of trial
    StoreKind("bucket", "S3-compatible bucket, with all versions: s3://BUCKET/PREFIX", is_bucket),
    StoreKind("folder", "Folder and everything below it", is_folder),
    StoreKind("collection", "Logical image of a folder or bucket, made by unransom acquire", is_collection),
    StoreKind(
        "image",
        "Disk image (raw, split, E01, Ex01, VMDK, VHD, VHDX, QCOW2, VDI) or device; NTFS, ext, XFS, FAT",
        is_image,
    ),
    StoreKind("file", "Single file", is_file),
)


def identify(location: str, taken: Container[str] = ()) -> Source:
    """Return the record of the place that a person named.

    The record has no fingerprint yet: ask the opened store for it.

    Args:
        location: A path, a device or ``s3://BUCKET/PREFIX``.
        taken: Identifiers that other sources of the case have.

    Raises:
        UsageError: Nothing is there, or nothing that can be read as evidence.
    """
    place = locate(location)
    for kind in STORES:
        if kind.claims(place):
            return source(place, kind.name, taken)
    raise UsageError(
        say("{location} is nothing that evidence can be read from", location=location),
        hint=say("give a folder, a file, a disk image, a device, or s3://BUCKET/PREFIX"),
    )


def open_store(source: Source) -> Store:
    """Open a source. Its readers try again where a read fails, before they give a range up.

    Raises:
        UsageError: This version does not know the kind of source, or a part that it needs is not there.
        OSError: It is not there or cannot be read.
    """
    if source.kind not in {kind.name for kind in STORES}:
        raise UsageError(
            say("{source} is a source of an unknown kind: {kind}", source=source.id, kind=source.kind),
            hint=say("use the version of unransom that the case was made with, or a newer one"),
        )
    try:
        module = importlib.import_module(f"unransom.evidence.stores.{source.kind}")
    except ImportError as error:
        raise UsageError(
            say("{source} needs a part of unransom that is not installed", source=source.id),
            detail=str(error),
            hint=say("pip install 'unransom[{part}]'", part=source.kind),
        ) from error
    store: Store = module.open_store(source)
    return store


def apart_from(source: Source, others: Iterable[Source]) -> Source:
    """Return ``source`` with what it shares with ``others``: arrays, which the first one named lists.

    Raises:
        UsageError, OSError: As of `open_store`.
    """
    if source.kind != "image":
        return source
    from unransom.evidence.arrays.elsewhere import shared  # noqa: PLC0415 as heavy as the store
    from unransom.evidence.stores.image import ImageStore  # noqa: PLC0415

    with contextlib.closing(ImageStore(source)) as store:
        return shared(source, store.arrays(), others)


def fingerprint_of(source: Source) -> str:
    """Return what must stay the same in a source between two runs; see ``Store.fingerprint``."""
    store = open_store(source)
    try:
        return store.fingerprint()
    finally:
        store.close()
