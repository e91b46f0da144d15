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
from ...segments.borders import OUTSIDE
from ...segments.branching import split_branching, split_regions
from ...segments.outlines import MAX_CORNERS, trace_outlines
from ...segments.strokes import Stroke
from ...segments.superpixels import Labels, connected_parts, merge_regions, merge_to, region_widths, segment
from .leads import lead_width

_SKETCH_PX = 90_000  # of the reduced picture, or _PIXELS_A_PANE
_PIXELS_A_PANE = 100
_MAX_SKETCH_PX = 300_000
_THINNEST = 1.8  # leads, of which simplified outlines take some
_MORE, _FEWER = 1.6, 0.46  # panes, before those too thin are united with others, and before some are split
_MOST_NEIGHBOURS, _CORNER_ROUNDS = (7, 8), 2
_WIDEST_LEAD = 0.3  # times the side of the smaller pane, so that a small light is not hidden
_LIGHT, _DARK, _BRIGHTER, _LIGHTS = 1.8, 35.0, 22.0, 120
"""Of lights in the dark, such as stars: the least radius in leads, how dark it is around, how much brighter they are
(lightness x 100), and the most of them."""


@dataclass(frozen=True, slots=True)
class Panes:
    """cells: without leads. leads: between them."""

    cells: FilledCells
    leads: list[Stroke]


def contour_panes(image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress) -> Panes:
    """About `count` panes for a result of `size`, with leads about `leading` pixels wide."""
    labels, lab = pane_labels(image, size, count, leading, progress.sub(0.0, 0.7))
    progress(0.8)
    colours = mean_colours(labels, lab)
    outlines = trace_outlines(labels, progress.sub(0.8, 1.0), colours=colours)
    progress(1.0)
    factor = np.array(size) / labels.shape[::-1]
    pitch = float((size[0] * size[1] / len(outlines.corners)) ** 0.5)
    front = PolygonCells(*size, outlines.points * factor, outlines.corners, pitch)
    cells = FilledCells(front, _nearest_panes(labels, factor, size, pitch))
    areas, leads = np.bincount(labels.ravel()) * factor.prod(), []
    for border in outlines.borders:
        if OUTSIDE not in (border.left, border.right):
            contrast = float(np.linalg.norm(colours[border.left] - colours[border.right]))
            widest = _WIDEST_LEAD * float(min(areas[border.left], areas[border.right])) ** 0.5
            leads.append(Stroke(border.points * factor, min(lead_width(leading, contrast), widest)))
    return Panes(cells, leads)


def pane_labels(
    image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress
) -> tuple[Labels, Floats]:
    """(rows, columns) of a reduced picture: the pane of each pixel, and OKLab x 100."""
    samples = min(_MAX_SKETCH_PX, max(_SKETCH_PX, count * _PIXELS_A_PANE))
    scale = min(1.0, (samples / (size[0] * size[1])) ** 0.5)
    sketch = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    lab = srgb_to_oklab(np.asarray(image.resize(sketch, Image.Resampling.BOX, reducing_gap=2.0))) * 100
    lead = leading * sketch[0] / size[0]
    labels = segment(lab, round(count * _MORE), progress)
    labels = _with_lights(_without_slivers(labels, lab, _THINNEST * lead), lab, max(2.0, _LIGHT * lead))
    labels = _without_slivers(labels, lab, _THINNEST * lead)
    labels = merge_to(labels, lab, max(1, round(count * _FEWER)), progress)
    for most in _MOST_NEIGHBOURS:  # what is cut off may be a sliver, and its union with another have many neighbours
        labels = _without_slivers(split_branching(labels, most), lab, _THINNEST * lead)
    for _ in range(_CORNER_ROUNDS):
        outlines = trace_outlines(labels, progress.sub(0.0, 1.0), colours=mean_colours(labels, lab))
        angular = np.flatnonzero(outlines.turns > MAX_CORNERS)
        if not len(angular):
            break
        labels = _without_slivers(split_regions(labels, angular), lab, _THINNEST * lead)
    return labels, lab


def _without_slivers(labels: Labels, lab: Floats, thickness: float) -> Labels:
    """Regions that are thinner everywhere become part of their most similar neighbour."""
    for _ in range(3):
        thin = region_widths(labels) < thickness
        if not thin.any():
            return labels
        labels = merge_regions(labels, lab, thin)
    return labels  # pragma: no cover - no picture is known of which regions are thin after three rounds


def _with_lights(labels: Labels, lab: Floats, radius: float) -> Labels:
    """A round pane for each of the brightest lights in the dark, which are smaller than any pane otherwise."""
    around = mean_colours(labels, lab)[labels, 0]
    bright = (lab[..., 0] - around > _BRIGHTER) & (around < _DARK)
    lights, count = ndimage().label(bright)
    if not count:
        return labels
    numbers = np.arange(1, count + 1)
    strength = ndimage().sum_labels(lab[..., 0] - around, lights, numbers)
    places = np.array(ndimage().center_of_mass(lab[..., 0] - around, lights, numbers)).reshape(-1, 2)
    sizes = np.maximum(radius, np.sqrt(ndimage().sum_labels(bright, lights, numbers) / np.pi) + 0.5)
    y, x = np.indices(labels.shape)
    parts = labels.copy()
    for light in np.argsort(-strength, kind="stable")[:_LIGHTS].tolist():
        disc = (y - places[light, 0]) ** 2 + (x - places[light, 1]) ** 2 <= sizes[light] ** 2
        parts[disc] = labels.max() + 1 + light
    return connected_parts(parts)


def _nearest_panes(labels: Labels, factor: Floats, size: tuple[int, int], pitch: float) -> PolygonCells:
    """What is nearest to each pane, for the few pixels that simplified outlines leave uncovered."""
    middles = ndimage().center_of_mass(np.ones(labels.shape), labels, np.arange(labels.max() + 1))
    seeds = (np.array(middles)[:, ::-1] + 0.5) * factor + np.arange(labels.max() + 1)[:, None] * 1e-6
    points, corners = voronoi_cells(seeds, size, Progress())
    return PolygonCells(*size, points, corners, pitch)


def mean_colours(labels: Labels, lab: Floats) -> Floats:
    """(count, 3)."""
    flat, areas = labels.ravel(), np.bincount(labels.ravel())
    return np.stack([np.bincount(flat, lab[..., channel].ravel()) / areas for channel in range(3)], 1)
