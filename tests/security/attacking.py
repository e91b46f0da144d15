"""Connections that misbehave: raw bytes to a server, and how it takes them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from urllib.parse import urlsplit

from tests.support.client import Api

CLOSED_WITHIN_S = 10.0


async def exchange(
    base_url: str, *pieces: bytes, every_s: float = 0.0, within_s: float = CLOSED_WITHIN_S
) -> tuple[bytes, float]:
    """Send the pieces, then listen until the server closes: what it said, and seconds until it closed.

    Raises TimeoutError if it does not.
    """
    place = urlsplit(base_url)
    started = time.monotonic()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    sending = asyncio.create_task(_send(writer, pieces, every_s))
    heard = bytearray()
    try:
        async with asyncio.timeout(within_s):
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(65536):
                    heard += piece
        return bytes(heard), time.monotonic() - started
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
    """The head of a request; Host is given."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *lines, "", "")).encode("latin-1")


def cookie_line(api: Api) -> str:
    return "Cookie: " + "; ".join(f"{name}={value}" for name, value in api.cookies.items())
