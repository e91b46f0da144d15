"""Raster: the means of cells, taken from a picture's pixels, and the picture that cells are painted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pixels import looked_up
from .runs import GROUND, Runs
from .slabs import Slabs
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Means:
    """light: (count, 3) float32, the mean of each cell's pixels, 0 to 1, in the light asked for; areas: (count,)
    pixels of each cell. A cell without pixels is black."""

    light: NDArray[np.float32]
    areas: NDArray[np.uint32]


def measure(image: Image.Image, slabs: Slabs, table: NDArray[np.float32], stage: Stage) -> Means:
    """The exact mean of every cell.

    image: RGB, of the cells' size. table: see light.light_table. Pillow looks the values of a band up, NumPy sums each
    run, both without the interpreter lock; a slab's runs are added to their cells. The three channels go through it
    together, for each call ends in asking for the lock again.
    """
    cells = slabs.cells
    sums = np.zeros((cells.count, 3), np.float32)
    channel = np.arange(3)[:, None]
    areas = np.zeros(cells.count, np.uint32)
    for slab in slabs:
        runs = slab.runs
        low, high = _span(runs)
        count = high - low + 1  # the last is the ground
        where = np.where(runs.cells == GROUND, high - low, runs.cells - low)
        areas[low:high] += np.bincount(where, runs.lengths, count)[:-1].astype(np.uint32)
        totals = []
        for band in slab.bands:
            light = looked_up(image.crop((0, band.top, cells.width, band.bottom)), table)
            starts = runs.starts[band.runs] + (channel * light[0].size - band.first)
            totals.append(np.add.reduceat(light.ravel(), starts.ravel()).reshape(3, -1))
            stage(band.bottom / cells.height)
        weights = np.concatenate(totals, axis=1).ravel()
        summed = np.bincount((where + channel * count).ravel(), weights, 3 * count).reshape(3, count)
        sums[low:high] += summed[:, :-1].T.astype(np.float32)
    sums /= np.maximum(areas, 1)[:, None]
    return Means(sums, areas)


def paint(
    canvas: Image.Image, slabs: Slabs, colours: NDArray[np.uint8], ground: tuple[int, int, int], stage: Stage
) -> None:
    """Every cell in its colour, the rest in the ground's. canvas: RGB, of the cells' size. colours: (count, 3)."""
    cells = slabs.cells
    table = _packed(colours, ground)
    for slab in slabs:
        packed, lengths = table[slab.runs.cells], slab.runs.lengths
        for band in slab.bands:
            pixels = np.repeat(packed[band.runs], lengths[band.runs])
            size = (cells.width, band.bottom - band.top)
            canvas.paste(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1), (0, band.top))  # no copy
            stage(band.bottom / cells.height)


def _span(runs: Runs) -> tuple[int, int]:
    covered = runs.cells[runs.cells != GROUND]
    return (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 0)


def _packed(colours: NDArray[np.uint8], ground: tuple[int, int, int]) -> NDArray[np.uint32]:
    """(n, 3) -> (n + 1,), four bytes a colour in the order R, G, B, 255 on any machine; GROUND, -1, finds the last."""
    four = np.full((len(colours) + 1, 4), 255, np.uint8)
    four[:-1, :3], four[-1, :3] = colours, ground
    return four.view(np.uint32).ravel()
