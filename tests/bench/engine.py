"""The engine benchmark: square blocks and every style beside other libraries, memory, threads. Prints Markdown.

make bench-engine                       everything, 20 minutes or more
.venv/bin/python -m tests.bench.engine squares styles memory photomosaics quality threads [photo.jpg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from processing.process_setup import tune_process
from tests.bench import memory, photomosaic_speed, photomosaics, squares, style_renders, threads
from tests.bench.photos import photo

REPORTS = {
    "squares": ("Square blocks of 16 pixels, JPEG in, file out", squares.report),
    "styles": ("Every style, decoded source to painted image", style_renders.report),
    "memory": ("Peak memory", memory.report),
    "photomosaics": ("A photomosaic of 7,500 cells over 2,000 tiles", photomosaic_speed.report),
    "quality": ("How near photomosaics are to their pictures", lambda _: photomosaics.report()),
    "threads": ("Threads and the loop", threads.report),
}


def main() -> None:
    tune_process()
    files = [Path(word) for word in sys.argv[1:] if word not in REPORTS]
    chosen = [word for word in sys.argv[1:] if word in REPORTS] or list(REPORTS)
    data = files[0].read_bytes() if files else photo()
    print(f"Source: {len(data) / 1e6:.1f} MB JPEG")
    for name in chosen:
        title, report = REPORTS[name]
        print(f"\n### {title}\n\n{report(data)}", flush=True)


if __name__ == "__main__":
    main()
