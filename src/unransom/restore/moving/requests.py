"""Requests to an S3-compatible store, tried again where that helps; a full one is told from a broken one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import fsspec
from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from fsspec.asyn import sync

from unransom.core.messages import say
from unransom.restore.moving.place import FullError, MoveError

ERRORS = (OSError, BotoCoreError)
ATTEMPTS = 6  # of a request
PAUSE = 0.25  # seconds before the second; every further one is twice as long
FULL = frozenset(
    {
        *("QuotaExceeded", "BucketQuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"),
        *("StorageFull", "InsufficientStorage", "InsufficientCapacity", "ServiceQuotaExceeded", "507"),
        *("QuotaLimitExceeded", "UserQuotaExceeded", "OverQuota"),
    }
)
GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound"})


class Requests:
    """Calls of S3 by name, from any thread."""

    def __init__(self, bucket: str, connections: int, sleep: Callable[[float], None] = time.sleep) -> None:
        """Connect when it is first asked; endpoint and credentials come from the environment."""
        config = {
            "max_pool_connections": connections,
            "connect_timeout": 5,
            "read_timeout": 60,
            "retries": {"max_attempts": 1, "mode": "standard"},  # tried again here, where it is told apart
            "request_checksum_calculation": "when_required",  # not every store knows the newer ones
            "response_checksum_validation": "when_required",
        }
        self.bucket = bucket
        self.s3 = fsspec.filesystem(
            "s3", skip_instance_cache=True, use_listings_cache=False, config_kwargs=config
        )
        self._sleep = sleep

    def __call__(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to a request about the bucket.

        Raises:
            FileNotFoundError: There is no such object.
            FullError: The store has no room.
            MoveError: It does not work.
        """
        arguments = {"Bucket": self.bucket, **arguments}
        for attempt in range(ATTEMPTS):
            try:
                return self.s3.call_s3(method, **arguments)
            except ERRORS as error:
                code, status = _told(error)
                if code in GONE or (status == 404 and not code):
                    raise FileNotFoundError(str(error)) from error
                if code in FULL or status == 507:
                    raise FullError(str(error)) from error
                if not _may_pass(error, status) or attempt == ATTEMPTS - 1:
                    raise MoveError(say("the store refuses it: {error}", error=str(error)[:200])) from error
                self._sleep(PAUSE * 2**attempt)
        raise AssertionError("unreachable")

    def body(self, answer: dict[str, Any], length: int) -> bytes:
        """Return the next ``length`` bytes of an answer; fewer where it ends."""
        return bytes(sync(self.s3.loop, answer["Body"].read, length))

    def close(self) -> None:
        """Close the connections."""
        creator = getattr(self.s3, "_s3creator", None)
        if creator is not None:
            self.s3.close_session(self.s3.loop, creator)


def _told(error: BaseException) -> tuple[str, int]:
    """Return the store's own code of an error, and the status of HTTP, "" and 0 where it sent none."""
    cause = error if isinstance(error, ClientError) else error.__cause__
    if not isinstance(cause, ClientError):
        return ("404", 404) if isinstance(error, FileNotFoundError) else ("", 0)
    status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(cause.response.get("Error", {}).get("Code", "")), int(status)


def _may_pass(error: BaseException, status: int) -> bool:
    """Return whether it may work the next time: the server's own trouble, or the network's."""
    if status:
        return (status >= 500 and status not in {501, 505}) or status in {408, 429}
    return not isinstance(error, PermissionError)
