"""Renders per hour and thread: the table of docs/operations.md, as Markdown.

    .venv/bin/python -m tests.bench.sizing [rounds]

CPU seconds of a task without bucket and database: decode, mosaic with default parameters, encode.
"""

from __future__ import annotations

import io
import statistics
import sys
import time
from typing import Any

from PIL import Image

from processing import mosaic
from processing.process_setup import tune_process
from tests.bench.photos import photo, saved
from tests.bench.timing import table

SMALL_SIZE = (1632, 1224)
EXTRA_PARAMS: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.1, 0.1, 0.3, 0.3]]}}


def cpu_seconds(source: bytes, style: str) -> float:
    """CPU seconds of one render, all threads included."""
    recipe = mosaic.parse({"style": style, **EXTRA_PARAMS.get(style, {})})
    started = time.process_time()
    mosaic.render(source, recipe)
    return time.process_time() - started


def main(rounds: int) -> None:
    tune_process()
    large = photo()
    with Image.open(io.BytesIO(large)) as image:
        small = saved(image.resize(SMALL_SIZE), 90)
    rows: list[tuple[float, tuple[str, ...]]] = []
    for style in mosaic.STYLES:
        cpu_seconds(small, style)
        two = statistics.median(cpu_seconds(small, style) for _ in range(rounds))
        twelve = statistics.median(cpu_seconds(large, style) for _ in range(rounds))
        hourly = f"{round(3600 / twelve, -2):,.0f}"
        rows.append((twelve, (style, f"{two:.2f}", f"{twelve:.2f}", hourly)))
    head = ("style", "2 megapixels, s", "12 megapixels, s", "12 megapixel renders per thread and hour")
    print(table(head, [row for _, row in sorted(rows)]))
    mean = statistics.mean(twelve for twelve, _ in rows)
    print(f"\nmean of all styles at 12 megapixels: {mean:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
