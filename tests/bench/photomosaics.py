"""How near photomosaics are to their pictures, and what they cost, beside other programs: three photos over two pools.

Both pictures are reduced to 8 pixels a cell in linear light and blurred by half a cell and by a quarter of a cell.
Tiles are prepared before, at the size of the cells where a program can do so.
Lightness and colour are those of OKLab; SSIM is that of lightness (Wang et al. 2004, Gaussian window of 1.5 pixels).

    PHOTOS=folder PEERS=peers/bin/python HANZHI713=folder python -m tests.bench.photomosaics [TILES] [NAME ...]

TILES: of one pool alone, 765 or 1245. NAME: parts of the names of programs, to run these alone; `ours` runs ours.
PHOTOS: a folder of photos, by default the page's samples. The first three by name are made; the pool of each is cut
from all others. The other programs run where they are installed: mosaicraft and phomo in the environment whose
interpreter PEERS names (`pip install mosaicraft phomo lapjv imagesize tqdm`), hanzhi713's image-collage-maker there
too, from a copy in HANZHI713, and Debian's metapixel.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

from processing.mosaic import build_pool, parse, render
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.bench.timing import table

SAMPLES = Path(__file__).resolve().parents[2] / "static" / "samples"
CELL, TILE_PX, TIMEOUT_S = 32, 128, 900
RECIPES: dict[str, dict[str, Any]] = {
    "tint 0": {"tint": 0},
    "tint 25, the default": {},
    "tint 0, at most 5 uses": {"tint": 0, "most": 5},
    "tint 25, at most 5 uses": {"most": 5},
}
PEERS = (
    ("metapixel:subpixel", 0), ("metapixel:subpixel", 25), ("metapixel:wavelet", 25), ("hanzhi713:unfair", 0),
    ("hanzhi713:unfair", 25), ("hanzhi713:fair", 0), ("mosaicraft:vivid", 0), ("mosaicraft:ultra", 0), ("phomo:", 0),
)  # fmt: skip
HEAD = ("difference at half a cell", "SSIM at half a cell", "at a quarter", "4 px a cell", "edges", "CPU s")
Floats = np.ndarray


@dataclass(frozen=True)
class Grid:
    """tiles: of the pool."""

    tiles: int
    columns: int
    rows: int


GRIDS = (Grid(765, 40, 40), Grid(1245, 96, 64))


def report(words: Sequence[str] = ()) -> str:
    """A table for each pool; its figures are the means of the photos. words: of the command line."""
    tables, names = [], [word for word in words if not word.isdigit()]
    for grid in [grid for grid in GRIDS if str(grid.tiles) in words or names == list(words)]:
        rows = []
        with tempfile.TemporaryDirectory() as name:
            workdirs = list(_prepare(Path(name), grid))
            for recipe, params in RECIPES.items() if not names or "ours" in names else ():
                rows.append(
                    _row(f"**`photomosaic`**, {recipe}", [_ours(workdir, grid, params) for workdir in workdirs])
                )
            for peer, tint in PEERS:
                if not names or any(each in peer for each in names):
                    rows.append(_peer_row(peer, tint, grid, workdirs))
        title = f"{grid.tiles} tiles, {grid.columns} x {grid.rows} cells"
        tables.append(table((title, *HEAD), rows))
    return "\n\n".join(tables)


def _prepare(folder: Path, grid: Grid) -> Iterator[Path]:
    """A folder for each photo: source.jpg, source.png and tiles."""
    photos = sorted(Path(os.environ.get("PHOTOS", SAMPLES)).glob("*.[jp][pn]g"))
    photos = [photo for photo in photos if not photo.stem.endswith("-small") and "hero" not in photo.stem]
    for photo in photos[:3]:
        workdir = folder / photo.stem
        (workdir / "tiles").mkdir(parents=True)
        size = (CELL * grid.columns, CELL * grid.rows)
        source = ImageOps.fit(_opened(photo), size, Image.Resampling.LANCZOS)
        source.save(workdir / "source.png", compress_level=1)
        source.save(workdir / "source.jpg", quality=92)
        for number, tile in enumerate(crops([other for other in photos if other != photo], grid.tiles)):
            tile.save(workdir / "tiles" / f"{number:04}.jpg", quality=92)
        yield workdir


def crops(photos: list[Path], count: int) -> Iterator[Image.Image]:
    """Squares at seeded places and sizes."""
    rng, images = np.random.default_rng(5), [_opened(photo) for photo in photos]
    for number in range(count):
        image = images[number % len(images)]
        side = min(image.size) * rng.uniform(0.1, 0.7)
        left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
        box = (left, top, left + side, top + side)
        yield image.resize((TILE_PX, TILE_PX), Image.Resampling.LANCZOS, box=box)


def _ours(workdir: Path, grid: Grid, params: Mapping[str, Any]) -> list[float]:
    files = sorted((workdir / "tiles").iterdir())
    tiles = build_pool(((int(file.stem), file.read_bytes()) for file in files), side=CELL)
    recipe = parse({"style": "photomosaic", "cell": CELL, "format": "jpeg", "quality": 95, **params})
    started = time.process_time()
    data = render((workdir / "source.jpg").read_bytes(), recipe, pool=tiles).data
    cpu_s = time.process_time() - started
    return [*figures(_opened(workdir / "source.png"), Image.open(io.BytesIO(data)), grid), cpu_s]


def _peer_row(peer: str, tint: int, grid: Grid, workdirs: list[Path]) -> tuple[str, ...]:
    rows, name = [], f"{peer.replace(':', ' ').strip()}, tint {tint}"
    for workdir in workdirs:
        result = workdir / "peer.png"
        files = [workdir / "source.png", workdir / "tiles", result]
        numbers = [CELL, grid.columns, grid.rows, tint]
        script = Path(__file__).with_name("quality_peer.py")
        command = [os.environ.get("PEERS", sys.executable), "-P", script, peer, *files, *numbers]
        run = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=TIMEOUT_S)
        if run.returncode:
            missing = ("ModuleNotFoundError", "KeyError: 'HANZHI713'", "FileNotFoundError: [Errno 2]")
            reason = "not installed" if any(word in run.stderr for word in missing) else run.stderr.splitlines()[-1]
            return (f"{name}: {reason[:80]}", *[""] * len(HEAD))
        cpu_s = json.loads(run.stdout)["cpu_s"]
        rows.append([*figures(_opened(workdir / "source.png"), Image.open(result), grid), cpu_s])
    return _row(name, rows)


def _row(name: str, rows: list[list[float]]) -> tuple[str, ...]:
    *means, cpu_s = (fmean(values) for values in zip(*rows, strict=True))
    return (name, *(f"{mean:.2f}" for mean in means), f"{cpu_s:.3f}")


def figures(source: Image.Image, result: Image.Image, grid: Grid) -> tuple[float, ...]:
    """The columns of the table, without the last."""
    first, second = (_reduced(image, 8, grid) for image in (source, result))
    half, half_result = (_lab(gaussian_filter(light, (4, 4, 0))) for light in (first, second))
    quarter, quarter_result = (_lab(gaussian_filter(light, (2, 2, 0)))[..., 0] for light in (first, second))
    near, near_result = (_lab(_reduced(image, 4, grid))[..., 0] for image in (source, result))
    return (
        100 * float(np.linalg.norm(half - half_result, axis=-1).mean()),
        ssim(half[..., 0], half_result[..., 0]),
        ssim(quarter, quarter_result),
        ssim(near, near_result),
        float(np.corrcoef(_slopes(quarter), _slopes(quarter_result))[0, 1]),
    )


def ssim(first: Floats, second: Floats) -> float:
    """The mean structural similarity of two planes of lightness, 0 to 1."""
    means = [gaussian_filter(plane, 1.5) for plane in (first, second)]
    variances = [gaussian_filter(plane**2, 1.5) - mean**2 for plane, mean in zip((first, second), means, strict=True)]
    covariance = gaussian_filter(first * second, 1.5) - means[0] * means[1]
    structure = (2 * covariance + 9e-4) / (variances[0] + variances[1] + 9e-4)
    return float(((2 * means[0] * means[1] + 1e-4) / (means[0] ** 2 + means[1] ** 2 + 1e-4) * structure).mean())


def _opened(photo: Path) -> Image.Image:
    return Image.open(photo).convert("RGB")


def _reduced(image: Image.Image, across: int, grid: Grid) -> Floats:
    """(rows * across, columns * across, 3) means in linear light."""
    size = (CELL * grid.columns, CELL * grid.rows)
    pixels = np.asarray(image.convert("RGB").resize(size) if image.size != size else image.convert("RGB"))
    light, step = linearise(np.arange(256) / 255.0)[pixels], CELL // across
    reduced: Floats = light.reshape(grid.rows * across, step, grid.columns * across, step, 3).mean(axis=(1, 3))
    return reduced


def _lab(light: Floats) -> Floats:
    return srgb_to_oklab(np.rint(encode_srgb(light) * 255).astype(np.uint8))


def _slopes(plane: Floats) -> Floats:
    slopes: Floats = np.hypot(*np.gradient(plane)).ravel()
    return slopes


if __name__ == "__main__":
    print(report(sys.argv[1:]))
