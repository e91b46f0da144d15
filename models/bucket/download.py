"""One GET of an object in our bucket: bounded size, one deadline for everything, no redirect, no proxy, no gzip.

An object of the type application/redirect302 makes Kodo answer with a redirect to wherever its content says, so that a
redirect is an error here.
"""

from __future__ import annotations

import http.client
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from urllib.parse import unquote, urlsplit

import urllib3.connection
from urllib3.exceptions import HTTPError

from models.errors import BucketUnavailable, NotFound, SourceTooLarge, in_megabytes

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
CHUNK_BYTES = 256 * 1024


def download(url: str, *, limit_bytes: int, timeout_s: float) -> bytes:
    """(blocks) The body of a 200. Raises NotFound, SourceTooLarge, BucketUnavailable."""
    try:
        with _get(url, timeout_s) as response:
            if response.status == 404:
                raise NotFound(what="object", which=ascii(unquote(urlsplit(url).path[1:])[:80]))
            if response.status != 200:
                log.warning("bucket: download answered with %s", response.status)
                raise BucketUnavailable()
            return _body(response, limit_bytes)
    except (OSError, HTTPError, http.client.HTTPException, ValueError) as error:
        log.warning("bucket: download failed: %s", type(error).__name__)
        raise BucketUnavailable() from error


@contextmanager
def _get(url: str, timeout_s: float) -> Iterator[urllib3.BaseHTTPResponse]:
    """Socket timeouts apply to each read alone: a timer closes the connection of a server that sends slowly."""
    start, address = time.monotonic(), urlsplit(url)
    connect_s = min(CONNECT_TIMEOUT_S, timeout_s)
    connection: urllib3.connection.HTTPConnection
    if address.scheme == "https":
        connection = urllib3.connection.HTTPSConnection(address.hostname or "", address.port, timeout=connect_s)
    else:
        connection = urllib3.connection.HTTPConnection(address.hostname or "", address.port, timeout=connect_s)
    connection.connect()
    timer = Timer(timeout_s - (time.monotonic() - start), _shut_down, (connection.sock,))
    timer.start()
    try:
        connection.sock.settimeout(timeout_s)
        target = f"{address.path}?{address.query}" if address.query else address.path
        connection.request("GET", target, preload_content=False, decode_content=False)
        yield connection.getresponse()
    finally:
        timer.cancel()
        timer.join()
        connection.close()


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _body(response: urllib3.BaseHTTPResponse, limit_bytes: int) -> bytes:
    """urllib3 raises for a body that is shorter than its Content-Length; without any length it could be cut off."""
    length = response.length_remaining
    if length is None and "chunked" not in response.headers.get("Transfer-Encoding", ""):
        raise http.client.UnknownTransferEncoding()
    data = bytearray()
    if length is None or length <= limit_bytes:
        for chunk in response.stream(CHUNK_BYTES):
            data += chunk
            if len(data) > limit_bytes:
                break
        else:
            return bytes(data)
    raise SourceTooLarge(limit_mb=in_megabytes(limit_bytes))
