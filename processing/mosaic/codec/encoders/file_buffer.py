"""The bytes of a file that is written in parts, without leaving holes as large as the file in the heap."""

from __future__ import annotations

import io

_LARGE_PX = 40_000_000
_MAPPED_BYTES = 33 << 20  # more than shared_heap.MMAP_THRESHOLD_BYTES


class FileBuffer:
    """Takes the parts of a file. size: of the picture in it, width and height.

    A small file finds room in the heap of a server, where the source was. A large one that grows there is copied many
    times, and the space of each copy is too small for the next one. So the file of a large picture begins in a block
    that glibc maps by itself (mallopt(3), M_MMAP_THRESHOLD): it is enlarged in place, and pages that are not written
    take no memory.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        is_large = size[0] * size[1] > _LARGE_PX
        # These bytes are not copied, as nothing else refers to them.
        self._file = io.BytesIO(bytes(_MAPPED_BYTES)) if is_large else io.BytesIO()

    def write(self, part: bytes) -> None:
        self._file.write(part)

    def finish(self) -> bytes:
        """All that was written."""
        self._file.truncate()
        return self._file.getvalue()
