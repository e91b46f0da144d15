"""The picture in a PDF that we have written."""

from __future__ import annotations

import re

_JPEG = re.compile(rb"/Filter /DCTDecode/Length (\d+)>>\nstream\n")


def jpeg_in_pdf(data: bytes) -> bytes | None:
    """The JPEG of a mosaic that is pixels; None if it is shapes."""
    stream = _JPEG.search(data)
    return None if stream is None else data[stream.end() : stream.end() + int(stream[1])]
