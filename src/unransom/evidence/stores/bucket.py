"""A bucket of an S3-compatible store as a source; all versions of its objects.

The endpoint and the credentials come from the environment (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``,
``AWS_SECRET_ACCESS_KEY``, or a profile) and are never recorded. Only calls that list and read are made:
a key that may do no more is enough, and wise.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import aiohttp
import fsspec
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from fsspec.asyn import sync

from unransom.core.ahead import CONNECTIONS
from unransom.core.errors import UnreadableError
from unransom.core.messages import say
from unransom.core.records import FileRef, Problem, Source
from unransom.core.streams import Reader
from unransom.evidence.descriptors import changed
from unransom.evidence.locations import BUCKET
from unransom.evidence.problems import problem
from unransom.evidence.store import Store
from unransom.evidence.wrap.cache import CachedReader
from unransom.evidence.wrap.retry import NETWORK, RetryReader
from unransom.evidence.wrap.store import WrappedStore

ERRORS = (OSError, BotoCoreError, aiohttp.ClientError)  # the last: a body that is cut short
HEADERS = (
    "ContentType",
    "ContentEncoding",
    "ContentDisposition",
    "ContentLanguage",
    "CacheControl",
    "StorageClass",
    "ServerSideEncryption",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
)
UNVERSIONED = "null"  # what S3 calls the version of an object that was put while versioning was off
CURRENT = "current"  # the newest content of a key
OLDER = "older"  # what a newer version has replaced
MOST_HEADS = 1024  # that are remembered between asking for metadata and opening
MARKERS = {  # per method of listing: argument that asks for the next page, and field of the last that has it
    "list_object_versions": {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"},
    "list_objects_v2": {"ContinuationToken": "NextContinuationToken"},
}


class Locator(NamedTuple):
    """Where an object is.

    Attributes:
        rank: ``CURRENT`` or ``OLDER``.
        etag: What S3 tells contents apart by, without quotes; "" where the store lists none.
        key: The whole key, with the source's prefix.
    """

    rank: str
    etag: str
    key: str

    def __str__(self) -> str:
        return " ".join(self)

    @classmethod
    def parse(cls, text: str) -> Locator:
        """Return the locator that ``text`` stands for.

        Raises:
            ValueError: It is none.
        """
        rank, etag, key = text.split(" ", 2)
        return cls(rank, etag, key)


class ObjectReader:
    """A reader over one version of an object, by ranged requests."""

    def __init__(self, s3: Any, request: dict[str, str], ref: FileRef) -> None:
        """Read the object that ``request`` (the arguments of ``get_object``) asks for."""
        self._s3 = s3
        self._request = request
        self._ref = ref
        self.size = ref.size

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``; fewer where the object ends.

        Raises:
            UnreadableError: The store does not answer, or not with these bytes.
            EvidenceChangedError: The object has been replaced since it was listed.
        """
        length = min(length, self.size - offset)
        if length <= 0 or offset < 0:
            return b""
        wanted = f"bytes={offset}-{offset + length - 1}"
        try:
            answer = self._s3.call_s3("get_object", Range=wanted, **self._request)
            with contextlib.closing(answer["Body"]) as body:
                data = bytes(sync(self._s3.loop, body.read))
        except ERRORS as error:
            if _is_of_another_content(error):
                raise changed(self._ref, str(error)) from error
            raise UnreadableError(offset, length, str(error)) from error
        if len(data) != length:
            raise UnreadableError(offset, length, "the store sent another number of bytes")
        return data


class BucketStore:
    """The objects of a bucket, or those below a prefix."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._bucket, _, self._prefix = source.location.removeprefix(BUCKET).partition("/")
        self._s3 = fsspec.filesystem(
            "s3",
            skip_instance_cache=True,
            use_listings_cache=False,
            config_kwargs={"max_pool_connections": CONNECTIONS},
        )
        self._has_versions = True
        # What was told of versions that are opened next: that they are still so, every reading asks itself.
        self._heads: dict[tuple[str, str], dict[str, Any]] = {}

    def fingerprint(self) -> str:
        """Return "": every object is checked when it is opened, and whenever it is read."""
        return ""

    def files(self) -> Iterator[FileRef | Problem]:
        """Yield every version of every object, by key, the newest first.

        The locator tells the current version from older ones. All versions of a key that has been
        deleted are marked as deleted; when that was, ``changed`` says.
        """
        try:
            self._has_versions = self._may_list_versions()
            if not self._has_versions:
                yield problem(
                    self.source.id,
                    b"",
                    say("older versions in the bucket cannot be listed"),
                    say(
                        "current objects are listed; use a key that may list versions (s3:ListBucketVersions)"
                    ),
                    fatal=False,
                )
            yield from self._files()
        except ERRORS as error:
            yield problem(
                self.source.id,
                b"",
                say("the bucket cannot be listed: {error}", error=str(error)),
                say(
                    "set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of a user "
                    "who may list and read the bucket and its versions, and check its name"
                ),
            )

    def metadata(self, ref: FileRef) -> dict[str, str]:
        """Return what the store keeps with a version: type, encoding, and what its owner gave it.

        Raises:
            OSError: It does not answer.
        """
        request = self._request(ref)
        try:
            head = self._s3.call_s3("head_object", **request)
        except ERRORS as error:
            raise OSError(str(error)) from error
        self._heads[request["Key"], ref.version] = head
        if len(self._heads) > MOST_HEADS:
            self._heads.pop(next(iter(self._heads)), None)
        said = {name: str(head[name]) for name in HEADERS if head.get(name)}
        return said | {f"x-amz-meta-{name}": str(value) for name, value in head.get("Metadata", {}).items()}

    @contextlib.contextmanager
    def open(self, ref: FileRef) -> Iterator[Reader]:
        """Open the content of ``ref``; see ``Store.open``."""
        try:
            request = self._request(ref)
        except ValueError as error:
            raise changed(ref, str(error)) from error
        try:
            head = self._heads.pop((request["Key"], ref.version), None) or self._s3.call_s3(
                "head_object", **request
            )
        except ERRORS as error:
            if isinstance(error, FileNotFoundError):
                raise changed(ref, str(error)) from error
            raise OSError(str(error)) from error
        listed = Locator.parse(ref.locator).etag
        if head.get("ContentLength") != ref.size or not _is_listed(head, listed, ref):
            raise changed(ref)
        if etag := _etag(head):
            request["IfMatch"] = f'"{etag}"'
        yield ObjectReader(self._s3, request, ref)

    def _request(self, ref: FileRef) -> dict[str, str]:
        """Return what names a version in a request.

        Raises:
            ValueError: Its locator is none of a bucket.
        """
        request = {"Bucket": self._bucket, "Key": Locator.parse(ref.locator).key}
        return request | ({"VersionId": ref.version} if ref.version else {})

    def close(self) -> None:
        """Close the connections; a second call does nothing."""
        creator = getattr(self._s3, "_s3creator", None)
        if creator is not None:
            self._s3.close_session(self._s3.loop, creator)

    def _may_list_versions(self) -> bool:
        try:
            self._s3.call_s3("list_object_versions", Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        except OSError as error:
            if isinstance(error, PermissionError) or error.errno == errno.ENOSYS:
                return False
            raise
        return True

    def _files(self) -> Iterator[FileRef]:
        folder = self._prefix if self._prefix.endswith("/") or not self._prefix else self._prefix + "/"
        found = False
        for ref in self._versions(folder, len(folder)):
            found = True
            yield ref
        if not found and self._prefix != folder:  # not a folder, but an object
            start = self._prefix.rfind("/") + 1
            name = self._prefix[start:].encode()
            yield from (ref for ref in self._versions(self._prefix, start) if ref.path == name)

    def _versions(self, prefix: str, start: int) -> Iterator[FileRef]:
        """Yield all versions of keys that begin with ``prefix``; paths begin at character ``start``."""
        last = None
        deleted: dict[str, datetime] = {}
        for page in self._pages(prefix):
            # That a key is deleted is its newest entry: it comes on the page on which the versions of
            # the key begin, or on the one before.
            markers = [each for each in page.get("DeleteMarkers", []) if each.get("IsLatest")]
            gone = {each["Key"]: each["LastModified"] for each in markers}
            deleted = gone | {key: time for key, time in deleted.items() if last is None or key >= last}
            for version in page.get("Versions", []):
                key = version["Key"]
                rank = OLDER if key == last else CURRENT
                last = key
                if not (key.endswith("/") and not version["Size"]):  # what tools put for a folder
                    yield self._ref(version, rank, deleted.get(key), start)

    def _pages(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Yield what the store lists, page by page, in the shape of ``list_object_versions``."""
        method = "list_object_versions" if self._has_versions else "list_objects_v2"
        marker: dict[str, str] = {}
        while True:
            page = self._s3.call_s3(method, Bucket=self._bucket, Prefix=prefix, **marker)
            yield page if self._has_versions else {"Versions": page.get("Contents", [])}
            if not page.get("IsTruncated"):
                return
            following = {name: page[field] for name, field in MARKERS[method].items() if page.get(field)}
            if following == marker:
                raise OSError(errno.EIO, "the store sends the same page again and again")
            marker = following

    def _ref(self, version: dict[str, Any], rank: str, deleted: datetime | None, start: int) -> FileRef:
        key, identifier = version["Key"], version.get("VersionId", UNVERSIONED)
        is_plain = identifier == UNVERSIONED and rank == CURRENT and deleted is None
        return FileRef(
            source=self.source.id,
            path=(key[start:] or key).encode(),
            size=version["Size"],
            version="" if is_plain else identifier,
            deleted=deleted is not None,
            changed=_nanoseconds(deleted) if deleted else None,
            locator=str(Locator(rank, _etag(version), key)),
            modified=_nanoseconds(version["LastModified"]),
        )


def _etag(answer: dict[str, Any]) -> str:
    return str(answer.get("ETag", "")).strip('"')


def _is_listed(head: dict[str, Any], listed: str, ref: FileRef) -> bool:
    """Return whether an object is still the one whose ETag and time were listed.

    A store that keeps large objects in pieces (SeaweedFS) may list the ETag of the pieces, which ends with
    their number, and answer for the whole object with its MD5: then the time has to do.
    """
    etag = _etag(head)
    if not listed or etag == listed:
        return True
    return ("-" in listed) != ("-" in etag) and _nanoseconds(head["LastModified"]) == ref.modified


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000


def _is_of_another_content(error: BaseException) -> bool:
    """Return whether the store says that the object is not the one that was asked for (HTTP 412)."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    return str(cause.response["Error"].get("Code")) in {"PreconditionFailed", "412"}


def open_store(source: Source) -> Store:
    """Open the bucket at ``source.location``; nothing is asked of it before its files are listed."""

    def wrap(reader: Reader, _: FileRef) -> Reader:
        return CachedReader(RetryReader(reader, NETWORK))

    return WrappedStore(BucketStore(source), wrap)
