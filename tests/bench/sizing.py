"""What one thread does in an hour: the table of docs/operations.md, as Markdown.

    .venv/bin/python -m tests.bench.sizing [rounds]

Processor seconds of a whole task without its bucket and its records: decode, mosaic with default parameters, encode.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from typing import Any

from PIL import Image

from processing import mosaic
from processing.process_setup import prepare
from tests.bench.photos import photo, saved
from tests.bench.timing import table

SMALL = (1632, 1224)
MORE: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


def seconds(source: bytes, style: str) -> float:
    """Of this thread and of what it starts."""
    recipe = mosaic.parse({"style": style, **MORE.get(style, {})})
    begun = time.process_time()
    mosaic.render(source, recipe)
    return time.process_time() - begun


def main(rounds: int) -> None:
    prepare()
    large = photo()
    with Image.open(io.BytesIO(large)) as image:
        small = saved(image.resize(SMALL), 90)
    rows: list[tuple[float, tuple[str, ...]]] = []
    for style in mosaic.STYLES:
        seconds(small, style)
        two, twelve = (statistics.median(seconds(source, style) for _ in range(rounds)) for source in (small, large))
        hourly = f"{round(3600 / twelve, -2):,.0f}"
        rows.append((twelve, (style, f"{two:.2f}", f"{twelve:.2f}", hourly)))
    head = ("style", "2 megapixels, s", "12 megapixels, s", "pictures of 12 megapixels a thread makes in an hour")
    print(table(head, [row for _, row in sorted(rows)]))
    mean = statistics.mean(twelve for twelve, _ in rows)
    print(f"\nmean of all styles at 12 megapixels: {mean:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
