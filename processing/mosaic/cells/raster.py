"""Raster: the means of cells, taken from a picture's pixels, and the picture that cells are painted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colour.pixels import looked_up
from ..colour.srgb import Colours, light_table, to_bytes
from ..progress import Stage
from .runs import GROUND, Runs
from .strips import Slab, Slabs


@dataclass(frozen=True, slots=True)
class Means:
    """colours: (count, 3), the mean of each cell's pixels to the nearest number; areas: (count,) pixels of each cell.
    A cell without pixels is black."""

    colours: Colours
    areas: NDArray[np.uint32]


def measure(image: Image.Image, slabs: Slabs, linear: bool, stage: Stage) -> Means:
    """The exact mean of every cell, in linear light or of the numbers themselves.

    image: RGB, of the cells' size. Sums are kept of those cells only that may go on below: where cells are small,
    those of all of them would be as large as the picture.
    """
    cells, table = slabs.cells, light_table(linear)
    means = Means(np.zeros((cells.count, 3), np.uint8), np.zeros(cells.count, np.uint32))
    first, sums = 0, np.zeros((0, 3), np.float32)
    for slab in slabs:
        bottom = slab.bands[-1].bottom
        found = _sums(image, slab, table, stage.part(slab.bands[0].top / cells.height, bottom / cells.height))
        means.areas[found.low : found.high] += found.areas
        done = cells.first(bottom) if bottom < cells.height else cells.count
        missing = max(done, found.high) - first - len(sums)
        sums = np.concatenate([sums, np.zeros((max(0, missing), 3), np.float32)])
        sums[found.low - first : found.high - first] += found.light
        light = sums[: done - first] / np.maximum(means.areas[first:done], 1)[:, None]
        means.colours[first:done] = to_bytes(light.astype(np.float32), linear)
        first, sums = done, sums[done - first :]
    return means


def paint(canvas: Image.Image, slabs: Slabs, colours: Colours, ground: tuple[int, int, int], stage: Stage) -> None:
    """Every cell in its colour, the rest in the ground's. canvas: RGB, of the cells' size. colours: (count, 3)."""
    cells = slabs.cells
    for slab in slabs:
        low, high, where = _within(slab.runs)
        packed, lengths = _packed(colours[low:high], ground)[where], slab.runs.lengths
        for band in slab.bands:
            pixels = np.repeat(packed[band.runs], lengths[band.runs])
            size = (cells.width, band.bottom - band.top)
            canvas.paste(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1), (0, band.top))  # no copy
            stage(band.bottom / cells.height)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of the cells low to high - 1 in one slab: light (n, 3), areas (n,)."""

    low: int
    high: int
    light: NDArray[np.float32]
    areas: NDArray[np.uint32]


def _sums(image: Image.Image, slab: Slab, table: NDArray[np.float32], stage: Stage) -> _Sums:
    """Pillow looks the values of a band up, NumPy sums each run, both without the interpreter lock; the runs are then
    added to their cells. The three channels go through it together, for each call ends in asking for the lock again."""
    runs, totals, channel = slab.runs, [], np.arange(3)[:, None]
    low, high, where = _within(runs)
    count = high - low + 1  # the last is the ground
    for number, band in enumerate(slab.bands, 1):
        light = looked_up(image.crop((0, band.top, image.width, band.bottom)), table)
        starts = runs.starts[band.runs] + (channel * light[0].size - band.first)
        totals.append(np.add.reduceat(light.ravel(), starts.ravel()).reshape(3, -1))
        stage(number / len(slab.bands))
    weights = np.concatenate(totals, axis=1).ravel()
    summed = np.bincount((where + channel * count).ravel(), weights, 3 * count).reshape(3, count)[:, :-1]
    areas = np.bincount(where, runs.lengths, count)[:-1]
    return _Sums(low, high, summed.T.astype(np.float32), areas.astype(np.uint32))


def _within(runs: Runs) -> tuple[int, int, NDArray[np.int32]]:
    """The first cell of some runs, one after the last, and each run's place between; that of the ground is the last."""
    covered = runs.cells[runs.cells != GROUND]
    low, high = (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 0)
    return low, high, np.where(runs.cells == GROUND, high - low, runs.cells - low)


def _packed(colours: Colours, ground: tuple[int, int, int]) -> NDArray[np.uint32]:
    """(n, 3) -> (n + 1,), four bytes a colour in the order R, G, B, 255 on any machine; the ground's is the last."""
    four = np.full((len(colours) + 1, 4), 255, np.uint8)
    four[:-1, :3], four[-1, :3] = colours, ground
    return four.view(np.uint32).ravel()
