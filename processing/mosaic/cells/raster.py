"""Means of cells from an image's pixels, and painting cells to an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colour.pixels import apply_lut, pixels
from ..colour.srgb import Colours, linear_lut, to_bytes
from ..progress import Progress
from ..scaled import Drawing, Picture, is_visible, visible_box
from .lattice import Lattice
from .lattice_raster import fill_lattice
from .rectangles import RectangleCells
from .runs import BACKGROUND, Runs
from .strips import Strip, Strips

SAMPLES, SAMPLES_OF_LARGE = 3, 2  # a pixel, across and down, at the edges of cells
LARGE_PX = 16_000_000
_LEAN_PX = 10_000_000
Over = Callable[[Image.Image, int, int], Image.Image]
MIN_SMOOTH_PITCH = 4.0
"""Smaller cells have little but edges, and are not antialiased."""


@dataclass(frozen=True, slots=True)
class CellMeans:
    """colours: (count, 3), the mean of each cell's pixels, rounded; black for a cell without pixels.
    areas: (count,) pixels of each cell. alphas: (count,) the mean alpha of each cell, 0 to 255; None for an opaque
    image."""

    colours: Colours
    areas: NDArray[np.uint32]
    alphas: NDArray[np.uint8] | None = None


def cell_means(
    image: Picture, strips: Strips, linear: bool, progress: Progress, *, alpha: Picture | None = None
) -> CellMeans:
    """The exact mean of every cell, in linear light or of the numbers themselves.

    image: RGB, of the cells' size. alpha: L, the weight of each pixel. Sums are held only for cells that may continue
    below: where cells are small, the sums of all of them would be as large as the picture.
    """
    cells, lut = strips.cells, linear_lut(linear)
    alphas = None if alpha is None else np.zeros(cells.count, np.uint8)
    means = CellMeans(np.zeros((cells.count, 3), np.uint8), np.zeros(cells.count, np.uint32), alphas)
    channels = 3 if alpha is None else 4
    first, sums = 0, np.zeros((0, channels), np.float32)  # sums of the cells first to first + len(sums) - 1
    for strip in strips:
        bottom = strip.bands[-1].bottom
        new = _sums(image, alpha, strip, lut, progress.sub(strip.bands[0].top / cells.height, bottom / cells.height))
        means.areas[new.low : new.high] += new.areas
        complete = cells.lowest_index(bottom) if bottom < cells.height else cells.count
        missing = max(complete, new.high) - first - len(sums)
        sums = np.concatenate([sums, np.zeros((max(0, missing), channels), np.float32)])
        sums[new.low - first : new.high - first] += new.light
        weights = np.maximum(means.areas[first:complete], 1)
        if alphas is not None:
            alphas[first:complete] = np.rint(sums[: complete - first, 3] / weights * 255)
            weights = np.maximum(sums[: complete - first, 3], 1e-6)
        light = sums[: complete - first, :3] / weights[:, None]
        means.colours[first:complete] = to_bytes(light.astype(np.float32), linear)
        first, sums = complete, sums[complete - first :]
    return means


def fill_cells(
    canvas: Drawing,
    strips: Strips,
    colours: Colours,
    background: tuple[int, int, int],
    progress: Progress,
    *,
    alphas: NDArray[np.uint8] | None = None,
    over: Over | None = None,
) -> None:
    """Paint every cell in its colour, all other pixels in `background`, with antialiased edges.

    canvas: RGB, of the cells' size.

    colours: (count, 3). alphas: (count,) for a canvas in RGBA, whose other pixels become transparent.
    over: draws over a part of the finished picture, given its pixels, left and top.
    """
    cells = strips.cells
    samples = SAMPLES if cells.width * cells.height <= LARGE_PX else SAMPLES_OF_LARGE
    fine = cells.enlarged(samples) if cells.pitch >= MIN_SMOOTH_PITCH else None
    packed_colours = _pack_rgba(colours, background, alphas)
    if isinstance(fine, Lattice) and alphas is None and over is None:
        fill_lattice(canvas, fine, samples, packed_colours, progress)
        return
    factor = 1 if fine is None else samples
    mode = "RGBX" if alphas is None else "RGBA"
    left, first, right, last = visible_box(canvas)
    for strip in (strips if fine is None else Strips(fine, step=factor)).between(first * factor, last * factor):
        low, high, indices = _cell_range(strip.runs)
        palette = np.append(packed_colours[low:high], packed_colours[-1])
        packed, lengths = palette[indices], strip.runs.lengths
        for band in strip.bands:
            top, bottom = band.top // factor, band.bottom // factor
            if not is_visible(canvas, top, bottom):
                continue
            values = np.repeat(packed[band.runs], lengths[band.runs])
            if isinstance(cells, RectangleCells):
                cells.blend_cut_pixels(values.reshape(-1, cells.width), band.top, packed_colours)
            size = (cells.width * factor, band.bottom - band.top)
            image = Image.frombuffer(mode, size, values, "raw", mode, 0, 1)  # shares the memory
            if right - left < cells.width:
                image = image.crop((left * factor, 0, right * factor, image.height))
            painted = image if factor == 1 else image.reduce(factor)
            canvas.paste(painted if over is None else over(painted.convert("RGB"), left, top), (left, top))
            progress(bottom / cells.height)


@dataclass(frozen=True, slots=True)
class _StripSums:
    """Of the cells low to high - 1 in one strip: light (n, 3), or (n, 4) with alpha; areas (n,)."""

    low: int
    high: int
    light: NDArray[np.float32]
    areas: NDArray[np.uint32]


def _sums(
    image: Picture, alpha: Picture | None, strip: Strip, lut: NDArray[np.float32], progress: Progress
) -> _StripSums:
    """Pillow looks up the values of a band and NumPy sums each run, both without the interpreter lock; then the runs
    are added to their cells. Of large pictures, the three channels are processed together, as each call ends by
    acquiring the lock; of small ones they would take more memory than all the rest."""
    channels = 3 if alpha is None else 4
    runs, totals, channel = strip.runs, [], np.arange(channels)[:, None]
    together = 3 if image.width * image.height > _LEAN_PX else 1
    low, high, indices = _cell_range(runs)
    count = high - low + 1  # the last is the background
    for number, band in enumerate(strip.bands, 1):
        box = (0, band.top, image.width, band.bottom)
        part = image.crop(box)
        opacity: NDArray[np.float32] | None = None
        if alpha is not None:
            opacity = pixels(alpha.crop(box)).astype(np.float32) / np.float32(255)
        starts, of_band = runs.starts[band.runs] - band.first_pixel, []
        for first in range(0, 3, together):
            light = apply_lut(part, lut, slice(first, first + together))
            of_band.append(_run_sums(light if opacity is None else light * opacity, starts))
            del light  # before the next one is there
        if opacity is not None:
            of_band.append(_run_sums(opacity[None], starts))
        totals.append(np.concatenate(of_band))
        progress(number / len(strip.bands))
    weights = np.concatenate(totals, axis=1).ravel()
    sums = np.bincount((indices + channel * count).ravel(), weights, channels * count).reshape(channels, -1)[:, :-1]
    areas = np.bincount(indices, runs.lengths, count)[:-1]
    return _StripSums(low, high, sums.T.astype(np.float32), areas.astype(np.uint32))


def _run_sums(planes: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """(k, runs): the sums of each run of the planes (k, rows, columns)."""
    firsts = starts + np.arange(len(planes))[:, None] * planes[0].size
    return np.add.reduceat(planes.ravel(), firsts.ravel()).reshape(len(planes), -1)


def _cell_range(runs: Runs) -> tuple[int, int, NDArray[np.int32]]:
    """Lowest cell, highest cell + 1, and each run's cell counted from the lowest; the background counts as the last."""
    covered = runs.cells[runs.cells != BACKGROUND]
    low, high = (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 0)
    return low, high, np.where(runs.cells == BACKGROUND, high - low, runs.cells - low)


def _pack_rgba(
    colours: Colours, background: tuple[int, int, int], alphas: NDArray[np.uint8] | None
) -> NDArray[np.uint32]:
    """(n, 3) -> (n + 1,) numbers whose bytes are R, G, B, A on any machine; the background is the last."""
    rgba = np.full((len(colours) + 1, 4), 255, np.uint8)
    rgba[:-1, :3], rgba[-1, :3] = colours, background
    if alphas is not None:
        rgba[:-1, 3], rgba[-1, 3] = alphas, 0
    return rgba.view(np.uint32).ravel()
