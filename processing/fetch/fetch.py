"""The only download of a foreign URL: from listed hosts at checked addresses, bounded in size and in time.

Redirects are followed by hand, each checked like a URL of its own. Proxies of the environment are not used;
a body is never inflated. Blocking: call it in an executor thread.
"""

from __future__ import annotations

import io
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.parse import urljoin

from models.errors import Refused, SourceMissing, SourceTooLarge, SourceUnreachable
from processing.fetch.allowlist import FetchRules, Place, check_source
from processing.fetch.connection import PIECE_BYTES, Line, Watch, connect

__all__ = ["FetchRules", "check_source", "fetch"]

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MISSING = frozenset((HTTPStatus.NOT_FOUND, HTTPStatus.GONE))
_LATER = frozenset((HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS))


def fetch(url: str, rules: FetchRules) -> bytes:
    """Download a source. Returns the body as it was sent.

    Raises BadParameter or SourceNotAllowed as check_source does; SourceMissing (404, 410); SourceTooLarge;
    SourceUnreachable for all else that can go wrong out there, whose `passing` says whether another try is
    worth while; and what rules.check_cancel raises.
    """
    watch = Watch(rules)
    place = check_source(url, rules)
    try:
        for _ in range(rules.max_redirects + 1):
            answer = _get(place, rules, watch)
            if isinstance(answer, bytes):
                return answer
            place = _follow(place, answer, rules)
    except (ssl.SSLCertVerificationError, ValueError) as error:
        raise SourceUnreachable(passing=False) from error
    except (OSError, HTTPException) as error:
        raise SourceUnreachable from error
    raise SourceUnreachable(passing=False)


def _get(place: Place, rules: FetchRules, watch: Watch) -> bytes | str:
    """One hop: the body, or the Location to which the server sends us instead."""
    with connect(place, rules, watch) as connection:
        connection.sendall(_request(place, rules))
        line = Line(connection, watch)
        with HTTPResponse(cast(socket.socket, line), method="GET") as response:
            response.begin()
            if response.status in _REDIRECTS:
                return response.getheader("Location", "")
            _check_status(response.status)
            return _body(response, line, rules.limit_bytes)


def _request(place: Place, rules: FetchRules) -> bytes:
    """Every part is ASCII without blanks or line ends: check_source saw to it."""
    return (
        f"GET {place.target} HTTP/1.1\r\n"
        f"Host: {place.host_header}\r\n"
        f"User-Agent: {rules.user_agent}\r\n"
        "Accept: image/*\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n"
    ).encode("ascii")


def _check_status(status: int) -> None:
    if status in _MISSING:
        raise SourceMissing
    if status != HTTPStatus.OK:
        raise SourceUnreachable(passing=status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER)


def _body(response: HTTPResponse, line: Line, limit_bytes: int) -> bytes:
    too_large = SourceTooLarge(limit_mb=f"{round(limit_bytes / 1e6, 1):g}")
    if (response.length or 0) > limit_bytes:
        raise too_large
    body = io.BytesIO()
    while piece := response.read1(PIECE_BYTES):
        line.grant(len(piece))
        if body.write(piece) and body.tell() > limit_bytes:
            raise too_large
    if response.length:
        raise SourceUnreachable  # the connection ended before the body did
    return body.getvalue()


def _follow(place: Place, location: str, rules: FetchRules) -> Place:
    """Where a redirect leads; what may not be named may not be redirected to either."""
    try:
        return check_source(urljoin(place.url, location.encode("latin-1").decode()), rules)
    except Refused as error:
        raise SourceUnreachable(passing=False) from error
