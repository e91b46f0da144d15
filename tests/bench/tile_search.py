"""Which of 20,000 pictures each of 10,000 cells shows: CPU seconds and memory of the matching, on generated features.

.venv/bin/python -m tests.bench.tile_search
"""

from __future__ import annotations

import resource
import time

import numpy as np

from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic.matching import assign_tiles, feasible_limits
from processing.mosaic.tile_pool import GRID, Features
from processing.process_setup import tune_process
from tests.bench.timing import table

ROWS, COLUMNS, PICTURES, MIN_DISTANCE = 100, 100, 20_000, 4
CAP = 5  # uses of a picture, in the second row


def report() -> str:
    rng = np.random.default_rng(1)
    cells = generate_features(rng, ROWS * COLUMNS).reshape(ROWS, COLUMNS, GRID * GRID, 3)
    tiles, rows = generate_features(rng, PICTURES), []
    for name, max_uses in (("any number of uses", None), (f"at most {CAP} uses", CAP)):
        limits = feasible_limits(MIN_DISTANCE, max_uses, tiles=PICTURES, cells=ROWS * COLUMNS)
        started = time.process_time()
        assign_tiles(cells, tiles, limits, 0, Progress(), mirror=True)
        rows.append((f"{name}, mirrored where nearer", f"{time.process_time() - started:.2f}", _peak_mib()))
    title = f"{ROWS * COLUMNS:,} cells, {PICTURES:,} pictures"
    return table((title, "CPU s", "peak memory of the process, MiB"), rows)


def generate_features(rng: np.random.Generator, count: int) -> Features:
    """(count, GRID * GRID, 3) OKLab: each a plain colour with variation inside it."""
    shape = (count, GRID * GRID)
    lightness = rng.uniform(0, 1, (count, 1)) + rng.normal(0, 0.1, shape)
    colours = rng.normal(0, 0.06, (2, count, 1)) + rng.normal(0, 0.02, (2, *shape))
    return np.stack([lightness, *colours], axis=-1).astype(np.float32)


def _peak_mib() -> str:
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


if __name__ == "__main__":
    tune_process()
    print(report())
