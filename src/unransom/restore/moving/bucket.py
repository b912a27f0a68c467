"""A bucket of an S3-compatible store as a target.

What is in the way stays as an older version where the bucket keeps versions, and is copied aside within
the bucket where it does not. Every object that is put says which plan has put it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from unransom.core.errors import UsageError
from unransom.core.messages import say
from unransom.core.outputs import FileReader
from unransom.core.streams import CHUNK
from unransom.core.text import guess_text
from unransom.restore.moving.place import (
    NOTHING,
    OTHER,
    SAME,
    Found,
    FullError,
    KeptError,
    MoveError,
    Room,
    Throttle,
)
from unransom.restore.moving.plan import Entry
from unransom.restore.moving.requests import ERRORS, Requests

BUCKET = "s3://"
ASIDE = ".unransom-aside"  # where objects are kept that were in the way
PART = 16 << 20  # bytes of a part of an upload
MOST_PARTS = 10_000
MOST_PAGES = 4  # of a listing; what lies behind them is asked for one by one
MOST_COPIED = 5 << 30  # bytes that one request copies
PLAN, NUMBER = "unransom-plan", "unransom-number"  # metadata
KEPT_HEADERS = ("ContentType", "CacheControl", "ContentDisposition", "ContentLanguage")
Head = dict[str, Any]


class BucketPlace:
    """Objects of a bucket, or below a prefix."""

    def __init__(self, location: str, plan: str, throttle: Throttle, connections: int = 32) -> None:
        """Open the bucket.

        Raises:
            UsageError: It does not answer, or not to this user.
        """
        self.location = location
        bucket, _, prefix = location.removeprefix(BUCKET).partition("/")
        self._prefix = prefix.rstrip("/") + "/" if prefix.rstrip("/") else ""
        self._plan = plan
        self._throttle = throttle
        self._absent: frozenset[str] = frozenset()
        self._ask = Requests(bucket, connections)
        try:
            self._ask("list_objects_v2", Prefix=self._prefix, MaxKeys=1)
            self._keeps_versions = self._versioned()
        except (MoveError, FullError, FileNotFoundError, *ERRORS) as error:
            raise UsageError(
                say("the bucket {bucket} does not answer", bucket=bucket),
                detail=str(error),
                hint=say(
                    "set AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to those of a user "
                    "who may list, read and write it, and check its name"
                ),
            ) from error

    def room(self) -> Room:
        """Return nothing: a bucket does not say what is free."""
        return Room(None, None)

    def survey(self, entries: Sequence[Entry]) -> None:
        """List what is there, a thousand at once, instead of asking for each; see ``Place.survey``."""
        keys = sorted((self._key(entry) for entry in entries), key=str.encode)
        if not keys:
            return
        there: set[str] = set()
        marker: dict[str, str] = {"StartAfter": keys[0][:-1]}  # which sorts before it
        until = ""  # the listing got so far
        for _ in range(MOST_PAGES):
            page = self._ask("list_objects_v2", Prefix=self._prefix, **marker)
            found = [each["Key"] for each in page.get("Contents", [])]
            there.update(found)
            until = found[-1] if page.get("IsTruncated") and found else keys[-1]
            if until.encode() >= keys[-1].encode() or not page.get("NextContinuationToken"):
                break
            marker = {"ContinuationToken": page["NextContinuationToken"]}
        self._absent = frozenset(key for key in keys if key not in there and key.encode() <= until.encode())

    def look(self, entry: Entry, source: Path) -> Found:
        """Return what is there; see ``Place.look``."""
        key = self._key(entry)
        head = None if key in self._absent else self._head(key)
        if head is None:
            return Found(NOTHING)
        kind = SAME if self._is_ours(entry, head) else OTHER
        return Found(kind, self._mark(head))

    def put(self, number: int, entry: Entry, source: Path, before: Found) -> str:
        """Upload and read back; see ``Place.put``."""
        key = self._key(entry)
        now = None if before.fresh and before.kind == NOTHING else self._head(key)
        if now is not None and self._has_put(now, number) and self._is_ours(entry, now):
            return self._mark(now)  # a run was killed behind this
        stale = not before.fresh and entry.size > PART
        if stale:
            self._abort_uploads(key)
        if now is not None and not self._has_put(now, number):
            if before.kind != OTHER or self._mark(now) != before.mark:
                raise MoveError(say("somebody has put another file there meanwhile"))
            if not self._keeps_versions:
                self._copy(key, self._aside(number, key), now)
        headers = {name: now[name] for name in KEPT_HEADERS if now and now.get(name)}
        guessed = mimetypes.guess_type(entry.path)[0]
        if "ContentType" not in headers and guessed:
            headers["ContentType"] = guessed
        headers |= {"Metadata": {PLAN: self._plan, NUMBER: str(number)}}
        answer = self._upload(key, entry, source, headers)
        request = {"VersionId": answer["VersionId"]} if answer.get("VersionId") else {}
        if self._sha256(key, **request) != entry.sha256:
            raise MoveError(say("what was read back is not what the plan says: its source has changed"))
        return answer.get("VersionId") or _etag(answer)

    def back(self, number: int, entry: Entry, before: Found, mark: str) -> None:
        """Remove what was put, and bring back what was there; see ``Place.back``."""
        key = self._key(entry)
        if entry.size > PART:
            self._abort_uploads(key)
        try:
            if self._keeps_versions:
                self._back_to_version(number, key, before, mark)
            else:
                self._back_from_aside(number, key, before, mark)
        except FileNotFoundError as error:
            raise MoveError(say("what was kept aside is not there")) from error

    def forget(self, number: int, entry: Entry, before: Found) -> None:
        """Delete the copy that was kept aside."""
        if before.kind == OTHER and not self._keeps_versions:
            self._ask("delete_object", Key=self._aside(number, self._key(entry)))

    def digest(self, entry: Entry, source: Path) -> str | None:
        """Return the SHA-256 of what is there; see ``Place.digest``."""
        try:
            return self._sha256(self._key(entry))
        except FileNotFoundError:
            return None

    def settle(self) -> None:
        """Do nothing: what the store has acknowledged lasts."""

    def remove_folders(self, folders: Iterable[bytes]) -> None:
        """Do nothing: there are none."""

    def close(self) -> None:
        """Close the connections."""
        self._ask.close()

    def _versioned(self) -> bool:
        with contextlib.suppress(MoveError):  # a store without the call keeps none
            return self._ask("get_bucket_versioning").get("Status") == "Enabled"
        return False

    def _key(self, entry: Entry) -> str:
        return self._prefix + guess_text(entry.target).text

    def _aside(self, number: int, key: str) -> str:
        return f"{self._prefix}{ASIDE}/{self._plan[:12]}/{number}/{key.removeprefix(self._prefix)}"

    def _head(self, key: str, **request: str) -> Head | None:
        try:
            return self._ask("head_object", Key=key, **request)
        except FileNotFoundError:
            return None

    def _mark(self, head: Head) -> str:
        return (head.get("VersionId") if self._keeps_versions else "") or _etag(head)

    def _has_put(self, head: Head, number: int) -> bool:
        metadata = head.get("Metadata", {})
        return bool(metadata.get(PLAN) == self._plan and metadata.get(NUMBER) == str(number))

    def _is_ours(self, entry: Entry, head: Head) -> bool:
        """Return whether an object has the entry's bytes; they are read unless size or ETag deny it."""
        etag = _etag(head)
        if head["ContentLength"] != entry.size:
            return False
        if entry.md5 and len(etag) == 32 and etag != entry.md5 and "SSECustomerAlgorithm" not in head:
            return False
        return self._sha256(self._key(entry)) == entry.sha256

    def _sha256(self, key: str, **request: str) -> str:
        """Return the SHA-256 of an object, read anew.

        Raises:
            FileNotFoundError: There is none.
        """
        for last in (False, True):
            answer = self._ask("get_object", Key=key, **request)
            digest, size = hashlib.sha256(), 0
            try:
                while piece := answer["Body"].read(CHUNK):
                    self._throttle(len(piece))
                    digest.update(piece)
                    size += len(piece)
                if size == answer["ContentLength"]:
                    break
            except ERRORS as error:  # the connection broke; what is wrong with the object shows the next time
                if last:
                    raise MoveError(say("it cannot be read: {error}", error=str(error)[:200])) from error
        return digest.hexdigest()

    def _upload(self, key: str, entry: Entry, source: Path, headers: dict[str, Any]) -> Head:
        try:
            with FileReader(source) as reader:
                if reader.size != entry.size:
                    raise MoveError(say("the file in the case is not what the plan says"))
                if reader.size <= PART:
                    body = reader.read_at(0, PART)
                    self._throttle(len(body))
                    return self._ask("put_object", Key=key, Body=body, ContentMD5=_md5(body), **headers)
                return self._upload_parts(key, reader, headers)
        except OSError as error:
            raise MoveError(say("it cannot be read: {error}", error=str(error.strerror))) from error

    def _upload_parts(self, key: str, reader: FileReader, headers: dict[str, Any]) -> Head:
        step = max(PART, -(-reader.size // MOST_PARTS))
        with self._parts(key, headers) as add:
            for offset in range(0, reader.size, step):
                body = reader.read_at(offset, step)
                self._throttle(len(body))
                add("upload_part", Body=body, ContentMD5=_md5(body))
        return add.answer

    @contextlib.contextmanager
    def _parts(self, key: str, headers: dict[str, Any]) -> Iterator[_Parts]:
        """Give what takes the parts of an object, which is whole at the end, or was never there."""
        parts = _Parts(self._ask, key, self._ask("create_multipart_upload", Key=key, **headers)["UploadId"])
        try:
            yield parts
            parts.complete()
        except BaseException:
            with contextlib.suppress(MoveError, FullError, FileNotFoundError):
                self._ask("abort_multipart_upload", Key=key, UploadId=parts.upload)
            raise

    def _abort_uploads(self, key: str) -> None:
        """Abort uploads that a killed run has left unfinished."""
        with contextlib.suppress(MoveError, FileNotFoundError):
            for upload in self._ask("list_multipart_uploads", Prefix=key).get("Uploads", []):
                if upload["Key"] == key:
                    self._ask("abort_multipart_upload", Key=key, UploadId=upload["UploadId"])

    def _copy(self, key: str, other: str, head: Head) -> None:
        """Copy an object within the bucket, with its metadata.

        Raises:
            FileNotFoundError: There is none.
            MoveError: The copy is not like it.
        """
        source = {"Bucket": self._ask.bucket, "Key": key}
        if head["ContentLength"] > MOST_COPIED:
            about = {name: head[name] for name in (*KEPT_HEADERS, "Metadata") if head.get(name)}
            with self._parts(other, about) as add:
                for offset in range(0, head["ContentLength"], MOST_COPIED):
                    last = min(offset + MOST_COPIED, head["ContentLength"]) - 1
                    add("upload_part_copy", CopySource=source, CopySourceRange=f"bytes={offset}-{last}")
        else:
            self._ask("copy_object", Key=other, CopySource=source)
        copied = self._head(other)
        if copied is None or copied["ContentLength"] != head["ContentLength"]:
            raise MoveError(say("the store's copy of what is there is not like it"))

    def _back_to_version(self, number: int, key: str, before: Found, mark: str) -> None:
        """Delete our versions; a request that was tried again may have left more than one."""
        ours = []
        for version in self._newer_than(key, before.mark):
            is_ours = version["VersionId"] == mark
            if not is_ours:
                head = self._head(key, VersionId=version["VersionId"])
                is_ours = head is not None and self._has_put(head, number)
            if is_ours:
                ours.append(version["VersionId"])
            elif not ours:
                raise KeptError(say("somebody has changed it since it was moved"))
        for version_id in ours:
            self._ask("delete_object", Key=key, VersionId=version_id)

    def _newer_than(self, key: str, mark: str) -> Iterator[Head]:
        """Yield the versions of ``key`` that came after the one with ``mark``, the newest first."""
        marker: dict[str, str] = {}
        while True:
            page = self._ask("list_object_versions", Prefix=key, **marker)
            for version in page.get("Versions", []):
                if version["Key"] != key or version["VersionId"] == mark:
                    return
                yield version
            following = {"KeyMarker": page.get("NextKeyMarker", key)}
            if page.get("NextVersionIdMarker"):
                following["VersionIdMarker"] = page["NextVersionIdMarker"]
            if not page.get("IsTruncated") or following == marker or following["KeyMarker"] != key:
                return
            marker = following

    def _back_from_aside(self, number: int, key: str, before: Found, mark: str) -> None:
        now = self._head(key)
        is_ours = now is not None and (self._has_put(now, number) or _etag(now) == mark)
        if before.kind == NOTHING:
            if now is None:
                return
            if not is_ours:
                raise KeptError(say("somebody has changed it since it was moved"))
            self._ask("delete_object", Key=key)
            return
        aside = self._head(self._aside(number, key))
        if now is not None and not is_ours:
            if _etag(now) in {before.mark, _etag(aside or {})}:
                return  # it never left, or is back already
            raise KeptError(say("somebody has changed it since it was moved"))
        if aside is None:
            raise FileNotFoundError(key)
        self._copy(self._aside(number, key), key, aside)


class _Parts:
    """An upload in parts; ``answer`` is the store's when it is complete."""

    def __init__(self, ask: Requests, key: str, upload: str) -> None:
        self.upload = upload
        self.answer: Head = {}
        self._ask = ask
        self._key = key
        self._parts: list[dict[str, Any]] = []

    def __call__(self, method: str, **arguments: Any) -> None:
        """Add the next part."""
        number = len(self._parts) + 1
        answer = self._ask(method, Key=self._key, UploadId=self.upload, PartNumber=number, **arguments)
        etag = answer.get("CopyPartResult", answer)["ETag"]
        self._parts.append({"ETag": etag, "PartNumber": number})

    def complete(self) -> None:
        """Put the parts together."""
        whole = {"UploadId": self.upload, "MultipartUpload": {"Parts": self._parts}}
        self.answer = self._ask("complete_multipart_upload", Key=self._key, **whole)


def _etag(answer: Head) -> str:
    return str(answer.get("ETag", "")).strip('"')


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
