"""A zip file as a stream: each member is returned at once, and only the directory is kept in memory.

Images are compressed already and are stored as they are; text is deflated.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any


class ZipStream:
    """Call `add` in a thread: it computes checksums of large images."""

    def __init__(self) -> None:
        self._buffer = _WriteBuffer()
        self._zip = zipfile.ZipFile(self._buffer, "w")

    def add(self, name: str, data: bytes, when: datetime, *, text: bool = False) -> bytes:
        """Add a member. when: its date, UTC. Returns the next bytes of the zip file."""
        info = zipfile.ZipInfo(name, (max(when.year, 1980), when.month, when.day, when.hour, when.minute, when.second))
        info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)
        return self._buffer.take()

    def close(self) -> bytes:
        """Returns the last bytes of the zip file: its directory."""
        self._zip.close()
        return self._buffer.take()


class _WriteBuffer(io.RawIOBase):
    """A file without seek, so that zipfile writes a stream."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def writable(self) -> bool:  # pragma: no cover - for users of the file protocol; zipfile does not ask
        return True

    def write(self, data: Any, /) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
