"""Which of 20,000 pictures each of 10,000 cells shows: CPU seconds and memory, on generated features.

.venv/bin/python -m tests.bench.tile_search [PICTURES]

The features are stored in a mongod of its own and read back as a task reads them.
"""

from __future__ import annotations

import asyncio
import io
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from models.database import Database
from models.embedded_mongod import Mongod
from models.images.image import ImageKind, NewImage, Owner
from models.images.images import Images
from processing.images.tile_pool import resolve_measured_tiles, save_features
from processing.mosaic import CROPS, PackedFeatures, parse, pool_of_features, render
from processing.mosaic.colour.oklab import oklab_to_srgb
from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic.matching import assign_tiles, feasible_limits
from processing.mosaic.styles.photomosaic.places import Places
from processing.mosaic.tiles.duplicates import first_equals
from processing.mosaic.tiles.features import GRID, Features
from processing.mosaic.tiles.packed import RECORD
from processing.process_setup import tune_process
from tests.bench.timing import table

ROWS, COLUMNS, PICTURES, MIN_DISTANCE = 100, 100, 20_000, 4
PREVIEW_SIZE = 1024, 768
OWNER = Owner(7, "ada")
CAP = 5  # uses of a picture, in the last row


async def report(pictures: int) -> str:
    rng = np.random.default_rng(1)
    cells = generate_features(rng, ROWS * COLUMNS)
    with tempfile.TemporaryDirectory(prefix="tessera-bench-") as folder:
        async with Mongod(Path(folder) / "db") as mongod:
            database = Database(mongod.uri, "bench")
            images = Images(database)
            await database.create_indexes({"images": images.indexes})
            ids = await _store(images, generate_records(rng, pictures))
            rows = [("generated and stored", "", _peak_mib())]
            started = time.process_time()
            tiles = await resolve_measured_tiles({"tiles": ids}, OWNER, images)
            rows.append(_row("checked for their owner and read from the database", started))
            database.close()
    started = time.process_time()
    packed = PackedFeatures.of([tile.features or b"" for tile in tiles], "1:1")
    rows.append(_row("unpacked", started))
    started = time.process_time()
    distinct = np.unique(first_equals(packed.features[::CROPS], packed.miniatures))
    rows.append(_row("duplicates found", started))
    for name, max_uses in (("any number of uses", None), (f"at most {CAP} uses", CAP)):
        limits = feasible_limits(MIN_DISTANCE, max_uses, tiles=len(distinct), cells=ROWS * COLUMNS)
        started = time.process_time()
        crops = packed.features.reshape(-1, CROPS, GRID * GRID, 3)[distinct]
        assign_tiles(cells, Places.of_grid(ROWS, COLUMNS), crops, limits, 0, Progress(), mirror=True)
        rows.append(_row(f"matched, {name}, mirrored where nearer", started))
    picture, recipe = generate_picture(rng), parse({"style": "photomosaic", "size": PREVIEW_SIZE[0], "cell": 10})
    started = time.process_time()
    render(picture, recipe, pool=pool_of_features([tile.image_id for tile in tiles], packed, packed))
    rows.append(_row(f"a preview of {PREVIEW_SIZE[0]} pixels, from the unpacked features to the file", started))
    title = f"{ROWS * COLUMNS:,} cells, {pictures:,} pictures"
    return table((title, "CPU s", "peak memory of the process, MiB"), rows)


async def _store(images: Images, records: Sequence[bytes]) -> list[int]:
    new = (
        NewImage(
            ImageKind.SOURCE, OWNER, key=f"source/{number}", url="", filename=f"{number}.jpg", filesize=1, param=""
        )
        for number in range(len(records))
    )
    ids = [image.id for image in await asyncio.gather(*map(images.add, new))]
    await save_features(dict(zip(ids, records, strict=True)), images)
    return ids


def generate_features(rng: np.random.Generator, count: int) -> Features:
    """(count, GRID * GRID, 3) OKLab: each a plain colour with variation inside it."""
    shape = (count, GRID * GRID)
    lightness = rng.uniform(0, 1, (count, 1)) + rng.normal(0, 0.1, shape)
    colours = rng.normal(0, 0.06, (2, count, 1)) + rng.normal(0, 0.02, (2, *shape))
    return np.stack([lightness, *colours], axis=-1).astype(np.float32)


def generate_picture(rng: np.random.Generator) -> bytes:
    """Soft shapes in all colours."""
    shapes, file = Image.fromarray(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)), io.BytesIO()
    shapes.resize(PREVIEW_SIZE, Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


def generate_records(rng: np.random.Generator, count: int) -> list[bytes]:
    """Packed features of such pictures, with the same means in every shape.

    Their miniatures, in which the corners are measured, are noise.
    """
    records = np.zeros(count, RECORD)
    records["means"] = oklab_to_srgb(generate_features(rng, count).astype(float))[:, None]
    records["miniature"] = rng.integers(0, 256, records["miniature"].shape)
    records["aspect"] = 4 / 3
    return [record.tobytes() for record in records]


def _row(name: str, started: float) -> tuple[str, str, str]:
    return name, f"{time.process_time() - started:.2f}", _peak_mib()


def _peak_mib() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


if __name__ == "__main__":
    tune_process()
    print(asyncio.run(report(int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)))
