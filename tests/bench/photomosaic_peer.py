"""One photomosaic by another library, run in that library's own environment: see photomosaic_speed.py.

    python photomosaic_peer.py pytomosaic|phomo SOURCE TILES_FOLDER RESULT ROUNDS

SOURCE is a JPEG with a PPM of the same name beside it. Prints a JSON object: the library's version, and the CPU seconds
of each round, from file to file and for painting alone (from the PPM, nothing written). The tile pool is ready before.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

CELL = 40
PHOMO_CELL = 8
"""phomo compares every pixel of every cell with every pixel of every tile, an hour with cells of 40 pixels. It gets a
source and tiles of a fifth of the size."""


def pytomosaic(source: Path, tiles: Path) -> Callable[[Path, Path | None], Any]:
    from pytomosaic import TileManager, createMosaic

    pool = TileManager(CELL, str(tiles))
    return lambda picture, result: createMosaic(str(picture), pool, savePath=result and str(result))


def phomo(source: Path, tiles: Path) -> Callable[[Path, Path | None], Any]:
    from phomo import Master, Mosaic, Pool

    pool = Pool.from_dir(tiles, tile_size=(PHOMO_CELL, PHOMO_CELL))

    def make(picture: Path, result: Path | None) -> Any:
        master = Master.from_file(picture, img_size=(4000 * PHOMO_CELL // CELL, 3000 * PHOMO_CELL // CELL))
        mosaic = Mosaic(master, pool, n_appearances=10)
        image = mosaic.build_greedy(mosaic.d_matrix())
        if result is not None:
            image.save(result)

    return make


def main() -> None:
    name, source, tiles, result = sys.argv[1], *map(Path, sys.argv[2:5])
    make = {"pytomosaic": pytomosaic, "phomo": phomo}[name](source, tiles)
    files, painting = [], []
    for _ in range(int(sys.argv[5])):
        files.append(_cpu_seconds(lambda: make(source, result)))
        painting.append(_cpu_seconds(lambda: make(source.with_suffix(".ppm"), None)))
    print(json.dumps({"version": version(name), "files": files, "painting": painting}))


def _cpu_seconds(call: Callable[[], Any]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


if __name__ == "__main__":
    main()
