"""A zip file as a stream: what is added comes out at once, and nothing is kept but the list of names.

Pictures are compressed already, so that they are stored as they are; text is deflated.
"""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any


class Archive:
    """(blocks, a little) Call `add` in a thread: it sums up large pictures."""

    def __init__(self) -> None:
        self._written = _Written()
        self._zip = zipfile.ZipFile(self._written, "w")

    def add(self, name: str, data: bytes, when: datetime, *, text: bool = False) -> bytes:
        """The next bytes of the zip file: one more member. when: its date, UTC."""
        info = zipfile.ZipInfo(name, (max(when.year, 1980), when.month, when.day, when.hour, when.minute, when.second))
        info.compress_type = zipfile.ZIP_DEFLATED if text else zipfile.ZIP_STORED
        info.external_attr = 0o644 << 16
        self._zip.writestr(info, data)
        return self._written.take()

    def close(self) -> bytes:
        """The last bytes of the zip file."""
        self._zip.close()
        return self._written.take()


class _Written(io.RawIOBase):
    """A file that can only be written on, as zipfile sees it; without a place to go back to it streams."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
