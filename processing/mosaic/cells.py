"""Cells: the one list from which means, raster and SVG of a flat mosaic all come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .light import Floats
from .pixels import looked_up
from .runs import GROUND, Runs
from .slabs import Slab, Slabs
from .stage import Stage


@dataclass(frozen=True, slots=True)
class Polygon:
    """An outline in pixels; what lies outside the picture is cut off by it."""

    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Circle:
    """An outline in pixels."""

    x: float
    y: float
    radius: float


Outline = Polygon | Circle


class Cells(Protocol):
    """A picture cut into cells numbered 0 to count - 1, best in reading order (means are gathered by bands).

    pitch: the typical distance of neighbours in pixels. A cell may have no pixel at all.
    """

    width: int
    height: int
    count: int
    pitch: float

    def runs(self, top: int, bottom: int) -> Runs:
        """The runs of rows top to bottom - 1. They are asked for twice or more: the same answer every time."""
        ...

    def centres(self) -> Floats:
        """(count, 2) x, y in pixels, where a dithering pattern looks each cell up."""
        ...

    def outlines(self) -> Iterable[Outline]:
        """One outline a cell, in order, agreeing with the runs at every pixel's centre."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """light: (count, 3) float32, the mean of each cell's pixels, 0 to 1, in the light asked for; areas: (count,)
    pixels of each cell. A cell without pixels is black."""

    light: NDArray[np.float32]
    areas: NDArray[np.uint32]


def measure(
    image: Image.Image,
    cells: Cells,
    table: NDArray[np.float32],
    stage: Stage,
    slabs: Iterable[Slab] | None = None,
) -> Means:
    """The exact mean of every cell.

    image: RGB, of the cells' size. table: see light.light_table. slabs: the cells' own unless given. Pillow looks
    the values of a band up, NumPy sums each run, both without the interpreter lock; a slab's runs are added to their
    cells. The three channels go through it together, for each call ends in asking for the lock again.
    """
    sums = np.zeros((cells.count, 3), np.float32)
    channel = np.arange(3)[:, None]
    areas = np.zeros(cells.count, np.uint32)
    for slab in slabs or Slabs(cells):
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
    cells: Cells,
    colours: NDArray[np.uint8],
    ground: tuple[int, int, int],
    stage: Stage,
    slabs: Iterable[Slab] | None = None,
) -> Image.Image:
    """The picture: every cell in its colour, the rest in the ground's. colours: (count, 3). slabs: as above."""
    table = _packed(colours, ground)
    result = Image.new("RGB", (cells.width, cells.height), None)  # black all the same, but filled once
    for slab in slabs or Slabs(cells):
        packed, lengths = table[slab.runs.cells], slab.runs.lengths
        for band in slab.bands:
            pixels = np.repeat(packed[band.runs], lengths[band.runs])
            size = (cells.width, band.bottom - band.top)
            result.paste(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1), (0, band.top))  # no copy
            stage(band.bottom / cells.height)
    return result


def _span(runs: Runs) -> tuple[int, int]:
    covered = runs.cells[runs.cells != GROUND]
    return (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 0)


def _packed(colours: NDArray[np.uint8], ground: tuple[int, int, int]) -> NDArray[np.uint32]:
    """(n, 3) -> (n + 1,), four bytes a colour in the order R, G, B, 255 on any machine; GROUND, -1, finds the last."""
    four = np.full((len(colours) + 1, 4), 255, np.uint8)
    four[:-1, :3], four[-1, :3] = colours, ground
    return four.view(np.uint32).ravel()
