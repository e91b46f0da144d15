"""A zip file as a stream: what is added comes out at once, and nothing is kept but the list of names.

Pictures are compressed already, so that they are stored as they are; text is deflated.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any


class ZipStream:
    """(blocks, a little) Call `add` in a thread: it sums up large pictures."""

    def __init__(self) -> None:
        self._buffer = _WriteBuffer()
        self._zip = zipfile.ZipFile(self._buffer, "w")

    def add(self, name: str, data: bytes, when: datetime, *, text: bool = False) -> bytes:
        """The next bytes of the zip file: one more member. when: its date, UTC."""
        info = zipfile.ZipInfo(name, (max(when.year, 1980), when.month, when.day, when.hour, when.minute, when.second))
        info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)
        return self._buffer.take()

    def close(self) -> bytes:
        """The last bytes of the zip file."""
        self._zip.close()
        return self._buffer.take()


class _WriteBuffer(io.RawIOBase):
    """A file that can only be written on, as zipfile sees it; without a place to go back to it streams."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
