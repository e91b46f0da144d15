"""Triangles filled with a linear gradient instead of one colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...cells.polygons import PolygonCells
from ...cells.raster import LARGE_PX, SAMPLES, SAMPLES_OF_LARGE
from ...cells.runs import BACKGROUND
from ...codec.encoders.vector_image import CellGradients
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours, Floats
from ...progress import Progress
from ...scaled import Drawing, is_visible

_SMOOTH_BELOW_PX = 64.0  # larger triangles have few edges
_FINEST_PX = 4_000_000  # of a result; larger ones would take too long
_STEADY = 0.02  # of a triangle's area: how much its variance of position is enlarged, which tames splinters


@dataclass(frozen=True, slots=True)
class Gradients:
    """A colour that changes along one direction in each triangle, in 8-bit sRGB numbers, as SVG interpolates them.

    centre: (count, 2) x, y in pixels where the colour is the triangle's own. direction: (count, 2), of length 1.
    slope: (count, 3), change of the colour by pixel of that direction. reach: (count, 2), the least and the greatest
    distance of a corner from the centre along the direction; between them no colour leaves 0 to 255.
    """

    centre: Floats
    direction: Floats
    slope: Floats
    reach: Floats

    def as_lines(self, colours: Colours) -> CellGradients:
        """colours: (count, 3), of the triangles."""
        ends = self.centre[:, None] + self.reach[:, :, None] * self.direction[:, None]
        stops = colours[:, None] + self.reach[:, :, None] * self.slope[:, None]
        exact: Colours = np.rint(np.clip(stops, 0, 255)).astype(np.uint8)
        return CellGradients(ends[:, 0], ends[:, 1], exact[:, 0], exact[:, 1])


def fit_gradients(reduced: Image.Image, size: tuple[int, int], corners: Floats, colours: Colours) -> Gradients:
    """The least-squares gradients of a picture that was reduced.

    size: width and height of the result; corners: (count, 3, 2) x, y in its pixels; colours: (count, 3), of the
    triangles.
    """
    samples = np.asarray(reduced).astype(np.float64)
    height, width, count = *samples.shape[:2], len(corners)
    sample_px = np.array(size) / (width, height)
    cells = PolygonCells(width, height, corners.reshape(-1, 2) / sample_px, np.full(count, 3), 1.0)
    runs = cells.runs(0, height)
    owner = np.repeat(runs.cells, runs.lengths) + 1
    row, column = np.divmod(np.arange(width * height), width)

    def mean(values: Floats) -> Floats:
        result: Floats = np.bincount(owner, values, count + 1)[1:] / total
        return result

    total = np.maximum(np.bincount(owner, minlength=count + 1)[1:], 1)
    places = (np.stack([column, row]) + 0.5) * sample_px[:, None]
    centre = np.stack([mean(axis) for axis in places], axis=1)
    offsets = places - np.pad(centre, ((1, 0), (0, 0)))[owner].T
    square = [mean(offsets[i] * offsets[j]) for i, j in ((0, 0), (0, 1), (1, 1))]
    steady = (_STEADY * total + 1e-6) * sample_px.prod()
    variance = np.stack([square[0] + steady, square[1], square[1], square[2] + steady], axis=1).reshape(-1, 2, 2)
    moments = np.stack([[mean(axis * samples[..., c].ravel()) for c in range(3)] for axis in offsets])
    planes = np.linalg.solve(variance, np.moveaxis(moments, -1, 0))  # (count, 2, 3)
    direction = np.linalg.eigh(planes @ planes.transpose(0, 2, 1))[1][:, :, 1]
    slope = (direction[:, :, None] * planes).sum(axis=1)
    centre = np.where(total[:, None] > 1, centre, corners.mean(axis=1))
    distances = ((corners - centre[:, None]) * direction[:, None]).sum(axis=-1)
    reach = np.stack([distances.min(axis=1), distances.max(axis=1)], axis=1)
    return Gradients(centre, direction, slope * _headroom(colours, slope, reach)[:, None], reach)


def _headroom(colours: Colours, slope: Floats, reach: Floats) -> Floats:
    """(count,): the largest factor up to 1 with which no colour leaves 0 to 255."""
    change = slope[:, None] * reach[:, :, None]
    margin = np.where(change > 0, 255.0 - colours[:, None], colours[:, None])
    factors: Floats = (margin / np.maximum(np.abs(change), 1e-9)).min(axis=(1, 2))
    return np.minimum(factors, 1.0)


def fill_gradients(
    canvas: Drawing, cells: PolygonCells, colours: Colours, gradients: Gradients, gap_colour: str, progress: Progress
) -> None:
    """Paint every cell with antialiased edges; pixels of no cell in `gap_colour`."""
    samples, px = 1, cells.width * cells.height
    if cells.pitch < _SMOOTH_BELOW_PX and px <= LARGE_PX:
        samples = SAMPLES if px <= _FINEST_PX else SAMPLES_OF_LARGE
    fine = cells if samples == 1 else cells.scaled(cells.width * samples, cells.height * samples)
    for top, bottom in progress.bands(canvas.width * samples, canvas.height):
        if not is_visible(canvas, top, bottom):
            continue
        pixels = Image.fromarray(_gradient_rows(fine, colours, gradients, gap_colour, top, bottom, samples))
        canvas.paste(pixels if samples == 1 else pixels.reduce(samples), (0, top))


def _gradient_rows(
    cells: PolygonCells, colours: Colours, gradients: Gradients, gap_colour: str, top: int, bottom: int, samples: int
) -> Colours:
    """The samples of rows top to bottom - 1. cells: `samples` times as large as the picture."""
    across, down = gradients.direction.T
    origin = (gradients.direction * gradients.centre).sum(axis=1)
    runs = cells.runs(top * samples, bottom * samples)
    cell, lengths = runs.cells, runs.lengths
    row, first = np.divmod(runs.starts, cells.width)
    x, y = (first + 0.5) / samples, (row + 0.5) / samples + top
    distance = across[cell] * x + down[cell] * y - origin[cell]
    step = np.arange(runs.size, dtype=np.float32) - np.repeat(runs.starts, lengths).astype(np.float32)
    pixels = np.empty(((bottom - top) * samples, cells.width, 3), np.uint8)
    for channel in range(3):
        slope = np.where(cell == BACKGROUND, 0.0, gradients.slope[cell, channel])
        start = np.where(cell == BACKGROUND, hex_to_rgb(gap_colour)[channel], colours[cell, channel] + slope * distance)
        values = np.repeat((slope * across[cell] / samples).astype(np.float32), lengths)
        values *= step
        values += np.repeat((start + 0.5).astype(np.float32), lengths)
        np.clip(values, 0, 255, out=values)
        pixels[..., channel] = values.reshape(pixels.shape[:2])
    return pixels
