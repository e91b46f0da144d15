"""A photomosaic for print out of many large photos: seconds and peak memory of the process that makes it.

.venv/bin/python -m tests.bench.print_tiles [PHOTOS] [CELL]

Draws PHOTOS (default 2,000) different JPEGs of 12 megapixels and makes a photomosaic of A1 at 300 dpi of them, in which
each is used. CELL: pixels of a tile (default 166). The photos have no thumbnails, so that each is read as it is. Each
step runs in a process of its own, as a job of a server does.
"""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import Job, run
from processing.fetch.allowlist import FetchPolicy
from processing.images.tile_pool import TileRef
from processing.process_setup import tune_process
from tests.bench.timing import table

PHOTO_SIZE, DRAWN, LIMIT_BYTES = (4000, 3000), 100, 50_000_000
A1_PX = 9933


def main(photos: int, cell: int) -> None:
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as name:
        folder = Path(name)
        size_mb = _store_photos(_bucket(folder), photos) / 1e6
        rows = [_run(folder, step, photos, cell) for step in ("measured once", "photomosaic")]
    rows = [("a process that does nothing", *_measure([sys.executable, "-m", __spec__.name, "nothing"])), *rows]
    title = f"{photos:,} photos of {PHOTO_SIZE[0] * PHOTO_SIZE[1] / 1e6:.0f} megapixels, {size_mb:,.0f} MB"
    print(table((title, "CPU s", "peak memory, MB"), rows))


def _run(folder: Path, step: str, photos: int, cell: int) -> tuple[str, str, str]:
    command = [sys.executable, "-m", __spec__.name, step, str(folder), str(photos), str(cell)]
    return (step, *_measure(command))


def _measure(command: list[str]) -> tuple[str, str]:
    seconds, peak_mb = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return seconds, peak_mb


def _step(step: str, folder: Path, photos: int, cell: int) -> None:
    """A process of its own: measures the photos, or makes the photomosaic of what was measured."""
    tune_process()
    bucket, features_file = _bucket(folder), folder / "features"
    tiles = tuple(TileRef(number + 1, f"source/{number}") for number in range(photos))
    if step == "measured once":
        recipe = {"style": "photomosaic", "size": 640, "tiles": [tile.image_id for tile in tiles]}
        result = run(_job(bucket, recipe, tiles), lambda _: None)
        features_file.write_bytes(pickle.dumps(result.features))
        return
    features = pickle.loads(features_file.read_bytes())
    tiles = tuple(replace(tile, features=features[tile.image_id]) for tile in tiles)
    recipe = {"style": "photomosaic", "size": A1_PX, "cell": cell, "format": "jpeg", "every": True}
    run(_job(bucket, {**recipe, "tiles": [tile.image_id for tile in tiles]}, tiles), lambda _: None)


def _job(bucket: EmbeddedBucket, recipe: dict[str, object], tiles: tuple[TileRef, ...]) -> Job:
    return Job(
        1,
        "",
        "source/0",
        mosaic.parse(recipe).to_dict(),
        bucket,
        FetchPolicy(limit_bytes=LIMIT_BYTES),
        max_megapixels=50,
        max_result_megapixels=150,
        timeout_s=3600,
        tiles=tiles,
    )


def _bucket(folder: Path) -> EmbeddedBucket:
    keys = Keys("access", "secret")
    return EmbeddedBucket(folder, keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=LIMIT_BYTES)


def _store_photos(bucket: EmbeddedBucket, count: int) -> int:
    """At most DRAWN are drawn; the others differ from these in their quantisation tables, and so in their colours."""
    rng, size_bytes = np.random.default_rng(1), 0
    drawn = [_draw_photo(rng) for _ in range(min(DRAWN, count))]
    for number in range(count):
        data = bytearray(drawn[number % DRAWN])
        for table_start in _quantisation_tables(data):
            data[table_start] = max(1, round(data[table_start] * (1 + number // DRAWN / 10)))
        size_bytes += len(data)
        bucket.put(f"source/{number}", bytes(data), mime="image/jpeg")
    return size_bytes


def _draw_photo(rng: np.random.Generator) -> bytes:
    """Soft shapes in all colours, with the noise of a camera."""
    shapes = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    image = Image.fromarray(shapes).resize(PHOTO_SIZE, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(PHOTO_SIZE, 12)
    image = Image.blend(image, Image.merge("RGB", (noise, noise, noise)), 0.2)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def _quantisation_tables(data: bytearray) -> list[int]:
    """Where the first value of each table is (ITU-T T.81, B.2.4.1)."""
    return [match + 5 for match in range(len(data[:2000])) if data[match : match + 2] == b"\xff\xdb"]


if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].isdigit():
        started = time.process_time()
        if sys.argv[1] != "nothing":
            _step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
        status = Path("/proc/self/status").read_text()  # the peak of this program, unlike getrusage(2) after a fork
        peak_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
        print(f"{time.process_time() - started:.1f} {peak_kib * 1.024 / 1000:.0f}")
    else:
        arguments = [int(argument) for argument in sys.argv[1:]]
        main(*(arguments + [2000, 166][len(arguments) :]))
