"""The disk that holds the data folder: embedded database, embedded bucket, keys."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

MIN_FREE_BYTES = 1_000_000_000
"""Below this health warns; at half of it, mongod cannot add a file to its journal and stops: that is a problem."""


@dataclass(frozen=True, slots=True)
class Disk:
    """folder: the data folder. min_free_bytes: below this there is a warning, below its half a problem."""

    folder: Path
    min_free_bytes: int = MIN_FREE_BYTES

    @property
    def free_bytes(self) -> int:
        """Free space for this process's user; 0 if the folder cannot be read any more."""
        try:
            return shutil.disk_usage(self.folder).free
        except OSError:
            return 0

    @property
    def warnings(self) -> list[str]:
        """Lines for the health page."""
        return self._lines_below(self.min_free_bytes)

    @property
    def problems(self) -> list[str]:
        """Lines for the health page while this server should get no requests."""
        return self._lines_below(self.min_free_bytes // 2)

    def _lines_below(self, limit_bytes: int) -> list[str]:
        free = self.free_bytes
        return [f"disk: {free // 1_000_000} MB are free where data_dir is"] if free < limit_bytes else []
