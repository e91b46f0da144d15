"""The download of sources from other hosts: listed hosts at checked addresses, limited in size and time.

Each redirect is checked like a URL of its own. Proxies of the environment are not used; a body is never decompressed.
Blocks: call it in an executor thread.
"""

from __future__ import annotations

import io
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.parse import urljoin

from models.errors import ClientError, SourceMissing, SourceTooLarge, SourceUnreachable, in_megabytes
from processing.fetch.allowlist import FetchPolicy, Target, check_source
from processing.fetch.connection import CHUNK_BYTES, BoundedReader, Deadline, connect

__all__ = ["FetchPolicy", "check_source", "fetch"]

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MISSING = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
_RETRYABLE = frozenset((HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS))


def fetch(url: str, policy: FetchPolicy) -> bytes:
    """Download a source. Returns the body as it was sent.

    Raises BadParameter and SourceNotAllowed as check_source does; SourceMissing (404, 410); SourceTooLarge;
    SourceUnreachable for every other failure, whose `retryable` says whether another try may help; and what
    policy.check_cancel raises.
    """
    deadline = Deadline(policy)
    target = check_source(url, policy)
    try:
        for _ in range(policy.max_redirects + 1):
            response = _get(target, policy, deadline)
            if isinstance(response, bytes):
                return response
            target = _follow_redirect(target, response, policy)
    except (ssl.SSLCertVerificationError, ValueError) as error:
        raise SourceUnreachable(retryable=False) from error
    except (OSError, HTTPException) as error:
        raise SourceUnreachable from error
    raise SourceUnreachable(retryable=False)


def _get(target: Target, policy: FetchPolicy, deadline: Deadline) -> bytes | str:
    """One request. Returns the body, or the Location of a redirect."""
    with connect(target, policy, deadline) as connection:
        connection.sendall(_request(target, policy))
        reader = BoundedReader(connection, deadline)
        with HTTPResponse(cast(socket.socket, reader), method="GET") as response:
            response.begin()
            if response.status in _REDIRECTS:
                return response.getheader("Location", "")
            _check_status(response.status)
            return _body(response, reader, policy.limit_bytes)


def _request(target: Target, policy: FetchPolicy) -> bytes:
    """check_source has ensured that every part is ASCII without spaces or line ends."""
    return (
        f"GET {target.request_target} HTTP/1.1\r\n"
        f"Host: {target.host_header}\r\n"
        f"User-Agent: {policy.user_agent}\r\n"
        "Accept: image/*\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n"
    ).encode("ascii")


def _check_status(status: int) -> None:
    if status in _MISSING:
        raise SourceMissing
    if status != HTTPStatus.OK:
        raise SourceUnreachable(retryable=status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _RETRYABLE)


def _body(response: HTTPResponse, reader: BoundedReader, limit_bytes: int) -> bytes:
    too_large = SourceTooLarge(limit_mb=in_megabytes(limit_bytes))
    if (response.length or 0) > limit_bytes:
        raise too_large
    body = io.BytesIO()
    while chunk := response.read1(CHUNK_BYTES):
        reader.allow(len(chunk))
        if body.write(chunk) and body.tell() > limit_bytes:
            raise too_large
    if response.length:
        raise SourceUnreachable  # the connection ended before the body did
    return body.getvalue()


def _follow_redirect(target: Target, location: str, policy: FetchPolicy) -> Target:
    """The target of a redirect, which must be an allowed source itself."""
    try:
        return check_source(urljoin(target.url, location.encode("latin-1").decode()), policy)
    except ClientError as error:
        raise SourceUnreachable(retryable=False) from error
