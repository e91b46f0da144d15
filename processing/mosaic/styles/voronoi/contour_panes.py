"""Panes whose borders lie on the contours of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...cells.convex import voronoi_cells
from ...cells.polygons import FilledCells, PolygonCells
from ...colour.oklab import srgb_to_oklab
from ...colour.srgb import Floats
from ...progress import Progress
from ...scipy_lazy import ndimage
from ...segments.outlines import OUTSIDE, trace_outlines
from ...segments.strokes import Stroke
from ...segments.superpixels import Labels, merge_regions, segment
from .leads import lead_width

_SKETCH_PX = 90_000  # of the reduced picture, or _PIXELS_A_PANE
_PIXELS_A_PANE = 100
_MAX_SKETCH_PX = 300_000
_THINNEST = 1.5  # leads


@dataclass(frozen=True, slots=True)
class Panes:
    """cells: without leads. leads: between them."""

    cells: FilledCells
    leads: list[Stroke]


def contour_panes(image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress) -> Panes:
    """About `count` panes for a result of `size`, with leads about `leading` pixels wide."""
    labels, lab = pane_labels(image, size, count, leading, progress.sub(0.0, 0.7))
    progress(0.8)
    outlines = trace_outlines(labels, progress.sub(0.8, 1.0))
    progress(1.0)
    factor = np.array(size) / labels.shape[::-1]
    pitch = float((size[0] * size[1] / len(outlines.corners)) ** 0.5)
    front = PolygonCells(*size, outlines.points * factor, outlines.corners, pitch)
    cells = FilledCells(front, _nearest_panes(labels, factor, size, pitch))
    colours = _mean_colours(labels, lab)
    leads = []
    for border in outlines.borders:
        if OUTSIDE not in (border.left, border.right):
            contrast = float(np.linalg.norm(colours[border.left] - colours[border.right]))
            leads.append(Stroke(border.points * factor, lead_width(leading, contrast)))
    return Panes(cells, leads)


def pane_labels(
    image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress
) -> tuple[Labels, Floats]:
    """(rows, columns) of a reduced picture: the pane of each pixel, and OKLab x 100."""
    samples = min(_MAX_SKETCH_PX, max(_SKETCH_PX, count * _PIXELS_A_PANE))
    scale = min(1.0, (samples / (size[0] * size[1])) ** 0.5)
    sketch = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    lab = srgb_to_oklab(np.asarray(image.resize(sketch, Image.Resampling.BOX, reducing_gap=2.0))) * 100
    labels = segment(lab, count, progress)
    return _without_slivers(labels, lab, _THINNEST * leading * sketch[0] / size[0]), lab


def _without_slivers(labels: Labels, lab: Floats, thickness: float) -> Labels:
    """Regions that are thinner everywhere become part of their most similar neighbour."""
    for _ in range(3):
        padded = np.pad(labels, 1, mode="edge")
        edge = np.zeros(labels.shape, bool)
        for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
            edge |= padded[y : y + labels.shape[0], x : x + labels.shape[1]] != labels
        if not edge.any():
            return labels
        inside = ndimage().distance_transform_edt(~edge) + 0.5
        widest = ndimage().maximum(inside, labels, np.arange(labels.max() + 1)) * 2
        thin = widest < thickness
        if not thin.any():
            return labels
        labels = merge_regions(labels, lab, thin)
    return labels  # pragma: no cover - no picture is known of which regions are thin after three rounds


def _nearest_panes(labels: Labels, factor: Floats, size: tuple[int, int], pitch: float) -> PolygonCells:
    """What is nearest to each pane, for the few pixels that simplified outlines leave uncovered."""
    middles = ndimage().center_of_mass(np.ones(labels.shape), labels, np.arange(labels.max() + 1))
    seeds = (np.array(middles)[:, ::-1] + 0.5) * factor + np.arange(labels.max() + 1)[:, None] * 1e-6
    points, corners = voronoi_cells(seeds, size, Progress())
    return PolygonCells(*size, points, corners, pitch)


def _mean_colours(labels: Labels, lab: Floats) -> Floats:
    """(count, 3)."""
    flat, areas = labels.ravel(), np.bincount(labels.ravel())
    return np.stack([np.bincount(flat, lab[..., channel].ravel()) / areas for channel in range(3)], 1)
