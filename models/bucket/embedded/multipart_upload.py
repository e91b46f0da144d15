"""An upload in progress and its parts, as `multipart.py` stores them, and how long it lives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from models.bucket.etag import of_blocks

LIFE_S = 24 * 3600
IDLE_LIFE_S = 20 * 60
"""While no part arrives: as long as a token, which a client needs to go on."""
EMPTY_LIFE_S = 5 * 60
"""The same for an upload without a complete part."""


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """One upload in progress. expires: Unix time in seconds. address: of the client, as a key of limits."""

    id: str
    key: str
    owner: str
    expires: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One stored part. etag: Kodo's hash with the part as one block."""

    number: int
    sha1: bytes
    size_bytes: int

    @property
    def etag(self) -> str:
        return of_blocks([self.sha1])

    @property
    def name(self) -> str:
        return f"{self.number}-{self.sha1.hex()}-{self.size_bytes}"


@dataclass(frozen=True, slots=True)
class UploadActivity:
    """active_at: when a part was arriving or was stored last, or else when the upload was started; Unix time."""

    upload: MultipartUpload
    is_receiving: bool
    is_empty: bool
    active_at: float

    @property
    def need(self) -> tuple[bool, bool, float]:
        """Uploads are aborted in this order."""
        return self.is_receiving, not self.is_empty, self.active_at

    @property
    def ends(self) -> float:
        """Unix time."""
        if self.is_receiving:
            return self.upload.expires
        return min(self.upload.expires, self.active_at + (EMPTY_LIFE_S if self.is_empty else IDLE_LIFE_S))


def has_content(folder: Path) -> bool:
    """Whether there is a part with a byte. Raises FileNotFoundError."""
    with os.scandir(folder) as entries:
        return any("-" in entry.name and not entry.name.endswith("-0") for entry in entries)


def part_of(name: str) -> Part:
    number, sha1, size = name.split("-")
    return Part(int(number), bytes.fromhex(sha1), int(size))
