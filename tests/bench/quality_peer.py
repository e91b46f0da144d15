"""One photomosaic by another program, run in that program's own environment: see photomosaics.py.

    python quality_peer.py NAME SOURCE TILES_FOLDER RESULT CELL COLUMNS ROWS TINT

Prints a JSON object: the CPU seconds from file to file. Libraries and metapixel have analysed the tiles before;
hanzhi713's program reads them in each run.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

PHOMO_CELL = 16
"""phomo compares every pixel of every cell with every pixel of every tile; its result is enlarged afterwards."""


def main() -> None:
    name, mode = sys.argv[1].split(":")
    source, tiles, result = map(Path, sys.argv[2:5])
    cell, columns, rows, tint = map(int, sys.argv[5:9])
    makers: dict[str, Callable[..., Callable[[], Any]]] = {
        "metapixel": _metapixel, "hanzhi713": _hanzhi713, "mosaicraft": _mosaicraft, "phomo": _phomo,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as workdir:
        make = makers[name](mode, source, tiles, result, (cell, columns, rows), tint, Path(workdir))
        before = _cpu_s()
        make()
        print(json.dumps({"cpu_s": _cpu_s() - before}))


def _metapixel(
    mode: str, source: Path, tiles: Path, result: Path, grid: tuple[int, int, int], tint: int, workdir: Path
) -> Callable[[], Any]:
    size = ["--width", str(grid[0]), "--height", str(grid[0])]
    _run("metapixel-prepare", *size, str(tiles), str(workdir))
    options = ["--library", str(workdir), *size, "--distance", "4", "--metric", mode, "--cheat", str(tint)]
    return lambda: _run("metapixel", "--metapixel", str(source), str(result), *options)


def _hanzhi713(
    mode: str, source: Path, tiles: Path, result: Path, grid: tuple[int, int, int], tint: int, _: Path
) -> Callable[[], Any]:
    cell, columns, rows = grid
    unfair = ["--unfair", "--max_width", str(columns), "--deterministic"]
    fair = ["--dup", str(columns * rows / len(list(tiles.iterdir())))]
    files = ["--path", str(tiles), "--dest_img", str(source), "--out", str(result)]
    options = ["--size", str(cell), str(cell), "--num_process", "1", "--blending_level", str(tint / 100), "--quiet"]
    script = str(Path(os.environ["HANZHI713"]) / "make_img.py")
    return lambda: _run(sys.executable, script, *files, *options, *(unfair if mode == "unfair" else fair))


def _mosaicraft(
    mode: str, source: Path, tiles: Path, result: Path, grid: tuple[int, int, int], tint: int, _: Path
) -> Callable[[], Any]:
    from mosaicraft import MosaicGenerator

    cell, columns, rows = grid
    generator = MosaicGenerator(str(tiles), preset=mode)
    generator._get_tiles(cell)
    return lambda: generator.generate(str(source), str(result), target_tiles=columns * rows, tile_size=cell)


def _phomo(
    mode: str, source: Path, tiles: Path, result: Path, grid: tuple[int, int, int], tint: int, _: Path
) -> Callable[[], Any]:
    from phomo import Master, Mosaic, Pool

    cell, columns, rows = grid
    pool = Pool.from_dir(tiles, tile_size=(PHOMO_CELL, PHOMO_CELL))

    def make() -> None:
        master = Master.from_file(source, img_size=(columns * PHOMO_CELL, rows * PHOMO_CELL))
        mosaic = Mosaic(master, pool, n_appearances=20)
        image = mosaic.build_greedy(mosaic.d_matrix(workers=1))
        image.resize((columns * cell, rows * cell)).save(result)

    return make


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _cpu_s() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
