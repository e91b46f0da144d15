"""The engine's benchmark: squares beside peers, every style beside peers, threads. Prints Markdown.

make bench-engine                       everything, 20 minutes or more
.venv/bin/python -m tests.bench.engine squares paintings memory photomosaics threads [photo.jpg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from processing.process_setup import prepare
from tests.bench import memory, paintings, photomosaics, squares, threads
from tests.bench.photos import photo

PARTS = {
    "squares": ("Square blocks of 16 pixels, JPEG in, file out", squares.report),
    "paintings": ("Every style, decoded source to painted picture", paintings.report),
    "memory": ("Memory at its highest", memory.report),
    "photomosaics": ("A photomosaic of 7,500 cells over 2,000 tiles", photomosaics.report),
    "threads": ("Threads and the loop", threads.report),
}


def main() -> None:
    prepare()
    files = [Path(word) for word in sys.argv[1:] if word not in PARTS]
    chosen = [word for word in sys.argv[1:] if word in PARTS] or list(PARTS)
    data = files[0].read_bytes() if files else photo()
    print(f"Source: {len(data) / 1e6:.1f} MB JPEG")
    for part in chosen:
        title, report = PARTS[part]
        print(f"\n### {title}\n\n{report(data)}", flush=True)


if __name__ == "__main__":
    main()
