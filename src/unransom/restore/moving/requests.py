"""Requests to an S3-compatible store, tried again where that helps; a full one is told from a broken one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import botocore.session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
)

from unransom.core.messages import say
from unransom.restore.moving.place import FullError, MoveError

ERRORS = (OSError, BotoCoreError, ClientError)
ATTEMPTS = 6  # of a request
PAUSE = 0.25  # seconds before the second; every further one is twice as long
CONNECT, READ = 5, 60  # seconds
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
        config = Config(
            max_pool_connections=connections,
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"max_attempts": 1, "mode": "standard"},  # tried again here, where it is told apart
            request_checksum_calculation="when_required",  # not every store knows the newer ones
            response_checksum_validation="when_required",
        )
        self.bucket = bucket
        self._client = botocore.session.get_session().create_client("s3", config=config)
        self._sleep = sleep

    def __call__(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Return the answer to a request about the bucket.

        Raises:
            FileNotFoundError: There is no such object.
            FullError: The store has no room.
            MoveError: It does not work.
        """
        for attempt in range(ATTEMPTS):
            try:
                return dict(getattr(self._client, method)(Bucket=self.bucket, **arguments))
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

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _told(error: BaseException) -> tuple[str, int]:
    """Return the store's own code of an error, and the status of HTTP, "" and 0 where it sent none."""
    if not isinstance(error, ClientError):
        return "", 0
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(error.response.get("Error", {}).get("Code", "")), int(status)


def _may_pass(error: BaseException, status: int) -> bool:
    """Return whether it may work the next time: the server's own trouble, or the network's."""
    if status:
        return (status >= 500 and status not in {501, 505}) or status in {408, 429}
    return not isinstance(error, PermissionError | NoCredentialsError)
