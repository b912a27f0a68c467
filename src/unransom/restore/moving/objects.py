"""Requests about single objects, which are nearly all that a restore makes, put together and signed here.

The client of botocore spends more time of the processor on each of them than the store does. It is asked
for what does not change (where the bucket is, in which region, whose credentials) and for everything else.
"""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import S3SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.exceptions import ClientError, NoCredentialsError  # type: ignore[import-untyped]
from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]
from botocore.response import StreamingBody  # type: ignore[import-untyped]

METHODS = {"put_object": "PUT", "get_object": "GET", "head_object": "HEAD", "delete_object": "DELETE"}
HEADERS = {
    "ContentType": "content-type",
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentLanguage": "content-language",
    "ContentMD5": "content-md5",
}
ANSWERED = {
    **{name: header for name, header in HEADERS.items() if name != "ContentMD5"},
    "ETag": "etag",
    "VersionId": "x-amz-version-id",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
}
META = "x-amz-meta-"
REGION = "us-east-1"  # of a client that names none
ELSEWHERE = frozenset({301, 302, 307, 308})  # the bucket is in another region: the client finds it
MISPLACED = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect"})
LONGEST = 65536  # bytes of an error
_CODE = re.compile(rb"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(rb"<Message>([^<]{1,500})</Message>")
Answer = dict[str, Any]


class ObjectRequests:
    """``put_object``, ``get_object``, ``head_object``, ``delete_object`` of a bucket, from any thread."""

    def __init__(self, session: Any, client: Any, bucket: str) -> None:
        """Take over what a client knows.

        Args:
            session: Of botocore; it has the credentials.
            client: For S3.
            bucket: Its name.
        """
        config = client.meta.config
        self._credentials = session.get_credentials()
        self._region = (
            client.meta.region_name if client.meta.region_name not in {None, "aws-global"} else REGION
        )
        # Buckets of one zone are signed for with a session of their own.
        self._usable = (
            config.signature_version == "s3v4"
            and self._credentials is not None
            and not bucket.endswith("--x-s3")
        )
        if self._usable:
            url = client.generate_presigned_url("head_object", Params={"Bucket": bucket, "Key": "k"})
            self._base = url.partition("?")[0].removesuffix("k")
        self._http = URLLib3Session(
            verify=session.get_config_variable("ca_bundle") or True,
            proxies=config.proxies,
            timeout=(config.connect_timeout, config.read_timeout),
            max_pool_connections=config.max_pool_connections,
            # Head and body go in two pieces: without this the second waits 40 ms for the first's receipt.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def knows(self, method: str) -> bool:
        """Return whether a call is made here."""
        return self._usable and method in METHODS

    def __call__(self, method: str, Key: str, **arguments: Any) -> Answer | None:  # noqa: N803 as S3 names it
        """Return the answer, in the words of the client; None where only the client can ask.

        Raises:
            ClientError: The store says no.
            BotoCoreError: There is no connection.
        """
        request = self._request(METHODS[method], Key, arguments)
        response = self._http.send(request)
        if response.status_code >= 300:
            self._refuse(method, response)
            return None
        answer: Answer = {
            name: response.headers[key] for name, key in ANSWERED.items() if key in response.headers
        }
        answer["Metadata"] = {
            name[len(META) :].lower(): text
            for name, text in response.headers.items()
            if name.lower().startswith(META)
        }
        if "content-length" in response.headers:
            answer["ContentLength"] = int(response.headers["content-length"])
        if method == "get_object":
            answer["Body"] = StreamingBody(response.raw, response.headers.get("content-length"))
        return answer

    def _request(self, verb: str, key: str, arguments: dict[str, Any]) -> Any:
        """Return a request that is signed."""
        url = self._base + quote(key, safe="/~")
        if "VersionId" in arguments:
            url += "?" + urlencode({"versionId": arguments["VersionId"]})
        headers = {header: arguments[name] for name, header in HEADERS.items() if name in arguments}
        headers |= {META + name: text for name, text in arguments.get("Metadata", {}).items()}
        request = AWSRequest(verb, url, headers, arguments.get("Body", b""), stream_output=verb == "GET")
        credentials = self._credentials.get_frozen_credentials()
        if not credentials.access_key:
            raise NoCredentialsError
        S3SigV4Auth(credentials, "s3", self._region).add_auth(request)
        return request.prepare()

    def _refuse(self, method: str, response: Any) -> None:
        """Raise what the store said, save where the client would find the bucket elsewhere."""
        body = response.raw.read(LONGEST) if method == "get_object" else response.content
        if method == "get_object":
            response.raw.close()
        code, message = (
            found[1].decode(errors="replace") if (found := pattern.search(body or b"")) else ""
            for pattern in (_CODE, _MESSAGE)
        )
        if response.status_code in ELSEWHERE or code in MISPLACED:
            self._usable = False
            return
        told = {"Code": code or str(response.status_code), "Message": message}
        raise ClientError(
            {"Error": told, "ResponseMetadata": {"HTTPStatusCode": response.status_code}}, method
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
