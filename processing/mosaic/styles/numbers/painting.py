"""Regions of a picture that can be painted by hand, each in one of a few colours, and where their numbers stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...cells.polygons import FilledCells, PolygonCells
from ...colour.medoids import own_colours
from ...colour.palette import nearest_indices
from ...colour.srgb import Colours, Floats, encode_srgb, linearise
from ...progress import Progress
from ...scipy_lazy import ndimage
from ...segments.outlines import trace_outlines
from ...segments.superpixels import Labels, Neighbours, connected_parts, oklab_sketch, segment
from ...segments.widths import are_thinner, region_edges

_SAMPLES_ALONG_CELL = 12
_MIN_SKETCH_PX, _MAX_SKETCH_PX = 90_000, 250_000
_REGIONS_A_CELL, _MAX_REGIONS = 1.5, 3000  # before those of one colour are united
_THINNEST = 0.66  # the width of a region at its widest place, in cells
_CHROMA_PENALTY = 1.0


@dataclass(frozen=True, slots=True)
class Painting:
    """cells: the regions. labels: (rows, columns) of them in a small copy of the picture. lines: their borders, each
    (n, 2) x, y. palette: (k, 3) the colours in use, from dark to light. colours: (count,) the index of each region's.
    poles: (count, 2) x, y of the place in each region that is farthest from its border. radii: (count,) how far."""

    cells: FilledCells
    labels: Labels
    lines: list[Floats]
    palette: Colours
    colours: NDArray[np.int64]
    poles: Floats
    radii: Floats


def plan_painting(image: Image.Image, size: tuple[int, int], cell: float, count: int, progress: Progress) -> Painting:
    """A painting in at most `count` colours for a result of `size`.

    cell: in pixels; no region is smaller than its square, or thinner everywhere than _THINNEST of it.
    """
    wanted = size[0] * size[1] / cell**2 * _SAMPLES_ALONG_CELL**2
    samples = min(_MAX_SKETCH_PX, max(_MIN_SKETCH_PX, wanted), image.width * image.height)
    scale = (samples / (size[0] * size[1])) ** 0.5
    columns, rows = (max(1, round(side * scale)) for side in size)
    sketch = image.resize((columns, rows), Image.Resampling.BOX, reducing_gap=2.0)
    lab = oklab_sketch(sketch)
    regions = max(1, min(_MAX_REGIONS, round(_REGIONS_A_CELL * size[0] * size[1] / cell**2)))
    labels = segment(lab, min(regions, rows * columns), progress.sub(0.0, 0.5))
    palette = own_colours(image, count, progress.sub(0.5, 0.6))
    paint = nearest_indices(mean_colours(np.asarray(sketch, np.uint8), labels), palette, _CHROMA_PENALTY)[labels]
    labels, paint = _paintable(paint, lab, cell * columns / size[0], progress.sub(0.6, 0.8))
    del lab, sketch
    poles, radii = _poles(labels)
    outlines = trace_outlines(labels, progress.sub(0.8, 1.0), max_corners=None)
    factor = np.array(size) / (columns, rows)
    pitch = float((size[0] * size[1] / len(outlines.corners)) ** 0.5)
    front = PolygonCells(*size, outlines.points * factor, outlines.corners, pitch)
    exact_points, exact_corners = outlines.exact()
    back = PolygonCells(*size, exact_points * factor, exact_corners, pitch)
    colours = np.zeros(len(outlines.corners), np.int64)
    colours[labels] = paint
    used, colours = np.unique(colours, return_inverse=True)
    progress(1.0)
    return Painting(
        FilledCells(front, back),
        labels,
        [border.points * factor for border in outlines.borders],
        palette[used],
        colours,
        poles * factor,
        radii * factor.min(),
    )


def mean_colours(pixels: Colours, labels: Labels) -> Colours:
    """(count, 3): of each region, in linear light. pixels: (rows, columns, 3)."""
    flat, areas = labels.ravel(), np.bincount(labels.ravel())
    light = linearise(np.arange(256) / 255.0)
    sums = [np.bincount(flat, light[pixels[..., channel].ravel()]) for channel in range(3)]
    return np.asarray(np.rint(encode_srgb(np.stack(sums, 1) / areas[:, None]) * 255), np.uint8)


def _paintable(
    paint: NDArray[np.intp], lab: Floats, cell: float, progress: Progress
) -> tuple[Labels, NDArray[np.intp]]:
    """Regions of one colour, and the colours (rows, columns) after regions that are too small have become part of
    their most similar neighbours. cell: in pixels of these."""
    labels = connected_parts(paint)
    first, neighbours = max(1, int(labels.max())), Neighbours.of(labels)
    while True:
        count = int(labels.max()) + 1
        areas = np.bincount(labels.ravel())
        small = (areas < cell**2) | are_thinner(labels, _THINNEST * cell, framed=True)
        progress(1 - np.count_nonzero(small) / (first + 1))
        if count == 1 or not small.any():
            return labels, paint
        smallest = small & (areas <= np.median(areas[small]))  # the others may grow first
        merged, neighbours = neighbours.merged(labels, lab, smallest)
        votes = np.bincount(
            (merged * (paint.max() + 1) + paint).ravel(), minlength=(merged.max() + 1) * (paint.max() + 1)
        )
        winners = votes.reshape(merged.max() + 1, -1).argmax(axis=1)
        paint = winners[merged]
        labels, neighbours = neighbours.united(merged, winners)


def _poles(labels: Labels) -> tuple[Floats, Floats]:
    """For each region the place that is farthest from its border (count, 2) x, y, and how far (count,)."""
    depths = _depths(labels)
    regions = np.arange(labels.max() + 1)
    places = np.array(ndimage().maximum_position(depths, labels, regions), np.float64).reshape(-1, 2)
    rows, columns = places.astype(np.int64).T
    return places[:, ::-1] + 0.5, depths[rows, columns]


def _depths(labels: Labels) -> Floats:
    """(rows, columns): how far each pixel is from the border of its region."""
    return np.asarray(ndimage().distance_transform_edt(~region_edges(labels, framed=True)) + 0.5)
