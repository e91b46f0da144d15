"""One GET of one address of our own bucket: bounded bytes, a deadline for the whole, no redirect, no proxy, no gzip.

An object of the type application/redirect302 makes Kodo answer a redirect to wherever its content says, so that a
redirect is an error here.
"""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from models.errors import BucketUnavailable, NotFound, SourceTooLarge

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
CHUNK_BYTES = 256 * 1024


def download(url: str, *, limit_bytes: int, timeout_s: float) -> bytes:
    """(blocks) The body of a 200. Raises NotFound, SourceTooLarge, BucketUnavailable."""
    try:
        with _exchange(url, timeout_s) as response:
            _check_status(response.status)
            return _body(response, limit_bytes)
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.warning("bucket: download failed: %s", type(error).__name__)
        raise BucketUnavailable() from error


@contextmanager
def _exchange(url: str, timeout_s: float) -> Iterator[http.client.HTTPResponse]:
    """The timeouts of sockets count each piece anew; the timer ends a server that drips."""
    start = time.monotonic()
    address = urlsplit(url)
    connection_class = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = connection_class(address.netloc, timeout=min(CONNECT_TIMEOUT_S, timeout_s))
    connection.connect()
    timer = threading.Timer(timeout_s - (time.monotonic() - start), _cut, (connection.sock,))
    timer.start()
    try:
        connection.sock.settimeout(timeout_s)
        connection.request("GET", f"{address.path}?{address.query}" if address.query else address.path)
        yield connection.getresponse()
    finally:
        timer.cancel()
        timer.join()
        connection.close()


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _check_status(status: int) -> None:
    if status == 404:
        raise NotFound(what="object", which="there")
    if status != 200:
        log.warning("bucket: download answered with %s", status)
        raise BucketUnavailable()


def _body(response: http.client.HTTPResponse, limit_bytes: int) -> bytes:
    promised = response.length
    if promised is not None and promised > limit_bytes:
        raise SourceTooLarge(limit_mb=limit_bytes // 2**20)
    data = bytearray()
    while piece := response.read(CHUNK_BYTES):
        data += piece
        if len(data) > limit_bytes:
            raise SourceTooLarge(limit_mb=limit_bytes // 2**20)
    if promised is not None and len(data) < promised:
        raise http.client.IncompleteRead(bytes(data[:0]), promised - len(data))
    if promised is None and not response.chunked:
        raise http.client.UnknownTransferEncoding()
    return bytes(data)
