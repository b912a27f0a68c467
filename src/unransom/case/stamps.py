"""Time stamps of RFC 3161: an authority outside says that the case was so at that time.

What is stamped is the Merkle root of the chain's entries, so that nothing of the case leaves the house.
A stamp that is wanted while no authority can be reached waits in the chain until it is taken.
"""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cryptography import x509

from unransom.case.case import Case
from unransom.case.chain import Flaw
from unransom.case.custody import Stamp, custody_of
from unransom.case.database import transaction
from unransom.core.errors import UnransomError, UsageError
from unransom.core.messages import say

SECONDS = 20.0  # that an authority may take
MOST = 1 << 20  # bytes of an answer
CERTIFICATES = 0xA0  # tag in SignedData
AUTHORITIES = "time stamp authorities"  # fact: one URL a line


class StampError(UnransomError):
    """An authority does not give a time stamp."""


def configure(case: Case, authorities: Sequence[str]) -> None:
    """Remember the authorities to ask.

    Raises:
        UsageError: One is no address of the web.
    """
    for each in authorities:
        if urllib.parse.urlsplit(each).scheme not in {"http", "https"}:
            raise UsageError(
                say("{authority} is no address of a time stamp authority", authority=each),
                hint=say("give a URL, e.g. https://freetsa.org/tsr"),
            )
    with transaction(case.database):
        case.set_fact(AUTHORITIES, "\n".join(authorities))


def configured(case: Case) -> list[str]:
    """Return the authorities to ask."""
    return case.fact(AUTHORITIES).split()


def want(case: Case) -> None:
    """Ask each authority for a stamp of all that the chain has; they wait until they are taken."""
    with transaction(case.database):
        tree = custody_of(case).tree
        entries, root = tree.size, tree.root()
        for authority in configured(case):
            case.record("time stamp wanted", _facts(entries, root, authority))
    case.publish()


def waiting(case: Case) -> list[Stamp]:
    """Return the stamps that are wanted and were not taken yet."""
    stamps = custody_of(case).stamps
    taken = {(each.root, each.authority) for each in stamps if each.token}
    return [each for each in stamps if not each.token and (each.root, each.authority) not in taken]


def take(case: Case) -> tuple[int, list[StampError]]:
    """Take the stamps that wait; return how many came, and why others did not."""
    came, errors = 0, []
    for stamp in waiting(case):
        try:
            token = _ask(stamp)
        except StampError as error:
            errors.append(error)
            continue
        with transaction(case.database):
            encoded = base64.b64encode(token).decode()
            case.record("time stamp", _facts(stamp.entries, stamp.root, stamp.authority) | {"token": encoded})
        case.publish()
        came += 1
    return came, errors


def check(stamps: Sequence[Stamp], roots: Sequence[x509.Certificate] = ()) -> Iterator[Flaw]:
    """Yield what is wrong with stamps.

    Args:
        stamps: Those of the chain.
        roots: Certificates of authorities that are trusted. Without them a stamp is checked against the
            certificates that it brings: that shows that it was not changed, not who made it.
    """
    for stamp in stamps:
        if not stamp.token:
            continue
        try:
            _verify(_decoded(base64.b64decode(stamp.token)), stamp, roots)
        except StampError as error:
            why = say("the time stamp of {authority} does not hold", authority=stamp.authority)
            yield Flaw(
                stamp.sequence,
                why if not error.detail else say("{why}: {detail}", why=str(why), detail=error.detail),
            )


def time_of(stamp: Stamp) -> str:
    """Return when a stamp that was taken says it was made."""
    return str(_decoded(base64.b64decode(stamp.token)).tst_info.gen_time.isoformat())


def trusted(paths: Sequence[Path]) -> list[x509.Certificate]:
    """Return the certificates in PEM files.

    Raises:
        UsageError: There are none.
    """
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            found += x509.load_pem_x509_certificates(path.read_bytes())
        except (ValueError, OSError) as error:
            raise UsageError(
                say("there is no certificate in {file}", file=str(path)),
                detail=str(error),
                hint=say("give the authority's root certificate as PEM"),
            ) from error
    return found


def _facts(entries: int, root: str, authority: str) -> dict[str, str | int]:
    return {"entries": entries, "root": root, "authority": authority}


def _ask(stamp: Stamp) -> bytes:
    import rfc3161_client as client  # noqa: PLC0415 an extra

    request = client.TimestampRequestBuilder(
        data=stamp.root.encode(), hash_algorithm=client.base.HashAlgorithm.SHA256
    ).build()
    post = urllib.request.Request(  # noqa: S310 the scheme is checked when it is configured
        stamp.authority,
        data=request.as_bytes(),
        headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
    )
    try:
        with urllib.request.urlopen(post, timeout=SECONDS) as answer:  # noqa: S310
            token: bytes = answer.read(MOST)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _error(stamp, str(error)) from error
    response = _decoded(token)
    if response.tst_info.nonce != request.nonce:
        raise _error(stamp, "nonce")
    _verify(response, stamp, ())
    return token


def _verify(response: Any, stamp: Stamp, roots: Sequence[x509.Certificate]) -> None:
    import rfc3161_client as client  # noqa: PLC0415 an extra

    own = [x509.load_der_x509_certificate(each) for each in response.signed_data.certificates]
    builder = client.VerifierBuilder(roots=list(roots or own))  # all that it is given it trusts
    try:
        builder.build().verify_message(response, stamp.root.encode())
    except (client.VerificationError, ValueError) as error:
        raise _error(stamp, str(error)) from error


def _decoded(token: bytes) -> Any:
    import rfc3161_client as client  # noqa: PLC0415 an extra

    try:
        response = client.decode_timestamp_response(in_order(token))
        if response.status == 0:
            return response
        detail = f"status {response.status}: {', '.join(response.status_string)}"
    except (ValueError, TypeError) as error:
        detail = str(error)
    raise StampError(say("this is no time stamp"), detail=detail)


def in_order(token: bytes) -> bytes:
    """Return an answer with its certificates in the order that DER asks for.

    OpenSSL writes them as they come, and strict readers refuse that. No signature covers their order.
    """
    answer = _inside(token, 0)  # TimeStampResp, RFC 3161: status, then a ContentInfo
    content = _inside(token, _end(token, answer[0]))  # its type, then [0] around SignedData
    signed = _inside(token, _inside(token, _end(token, content[0]))[0])
    position = signed[0]
    while position < signed[1] and token[position] != CERTIFICATES:
        position = _end(token, position)
    if position >= signed[1]:
        return token
    start, end = _inside(token, position)
    certificates = []
    while start < end:
        following = _end(token, start)
        certificates.append(token[start:following])
        start = following
    begin = _inside(token, position)[0]
    return token[:begin] + b"".join(sorted(certificates)) + token[end:]


def _inside(data: bytes, position: int) -> tuple[int, int]:
    """Return where the content of the element of DER at ``position`` begins and ends.

    Raises:
        ValueError: There is none.
    """
    if position + 2 > len(data):
        raise ValueError("the answer is cut off")
    length, start = data[position + 1], position + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[position + 2 : start])
    if start + length > len(data):
        raise ValueError("the answer is cut off")
    return start, start + length


def _end(data: bytes, position: int) -> int:
    return _inside(data, position)[1]


def _error(stamp: Stamp, detail: str) -> StampError:
    return StampError(
        say("{authority} gives no time stamp", authority=stamp.authority),
        detail=detail,
        hint=say("it waits in the chain: `unransom case stamp DIR` asks again"),
    )
