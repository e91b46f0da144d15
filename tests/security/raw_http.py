"""Raw bytes over a connection, for requests that no HTTP client sends."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

CLOSED_WITHIN_S = 120.0


async def exchange(base_url: str, *pieces: bytes, every_s: float = 0.0, within_s: float = CLOSED_WITHIN_S) -> bytes:
    """Send the pieces, one every every_s, and read until the server closes the connection. Returns the response.

    Raises TimeoutError if the server does not close.
    """
    address = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    sending = asyncio.create_task(_send(writer, pieces, every_s))
    response = bytearray()
    try:
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(65536):
                    response += piece
        return bytes(response)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...], every_s: float) -> None:
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if every_s:
                await asyncio.sleep(every_s)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    """A request line and headers, with Host."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *lines, "", "")).encode("latin-1")
