"""Panes whose borders lie on the contours of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...cells.convex import Counts, centroids, voronoi_cells
from ...cells.polygons import FilledCells, PolygonCells
from ...colour.srgb import Floats
from ...progress import Progress
from ...scipy_lazy import ndimage
from ...segments.borders import OUTSIDE
from ...segments.branching import split_branching
from ...segments.inscribed import inscribed_widths, polygon_areas
from ...segments.outlines import Outlines, trace_straight
from ...segments.strokes import Stroke
from ...segments.superpixels import Labels, connected_parts, merge_regions, merge_to, oklab_sketch, segment
from ...segments.widths import are_thinner
from .leads import lead_width

_SKETCH_PX = 90_000  # of the reduced picture, or _PIXELS_A_PANE
_PIXELS_A_PANE = 100
_MAX_SKETCH_PX = 300_000
_THINNEST, _THINNEST_OUTLINE = 1.8, 1.5  # leads; simplified outlines take some
_WIDTH_ROUNDS, _ROUNDING = 5, 1.15  # rounded corners take some of the width
_MORE, _FEWER = 1.6, 0.46  # panes, before those too thin are united with others, and before some are split
_MOST_NEIGHBOURS = 7, 8
_WIDEST_LEAD = 0.3  # times the side of the smaller pane, so that a small light is not hidden
# Of lights in the dark, such as stars: the least radius in leads, how dark it is around, how much brighter they are
# (lightness x 100), and the most of them
_LIGHT, _DARK, _BRIGHTER, _LIGHTS = 1.8, 35.0, 22.0, 120


@dataclass(frozen=True, slots=True)
class PaneSketch:
    """labels: (rows, columns), the region of each pixel of a reduced picture. colours: of the regions, OKLab x 100.
    outlines: of the panes; each is a region or a part of one."""

    labels: Labels
    colours: Floats
    outlines: Outlines


@dataclass(frozen=True, slots=True)
class Panes:
    """cells: without leads. leads: between them. lead_shares: (count,), of the area of each pane, 0 to 1."""

    cells: FilledCells
    leads: list[Stroke]
    lead_shares: Floats


def contour_panes(image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress) -> Panes:
    """About `count` panes for a result of `size`, with leads about `leading` pixels wide."""
    sketch = sketch_panes(image, size, count, leading, progress)
    outlines, factor = sketch.outlines, np.array(size) / sketch.labels.shape[::-1]
    colours = sketch.colours[outlines.origins]
    points, corners = outlines.points * factor, outlines.corners
    pitch = float((size[0] * size[1] / len(corners)) ** 0.5)
    cells = FilledCells(PolygonCells(*size, points, corners, pitch), _nearest_panes(points, corners, size, pitch))
    areas, leads = polygon_areas(points, corners), []
    covered = np.zeros(len(areas))
    for border in outlines.borders:
        if OUTSIDE not in (border.left, border.right):
            contrast = float(np.linalg.norm(colours[border.left] - colours[border.right]))
            widest = _WIDEST_LEAD * float(min(areas[border.left], areas[border.right])) ** 0.5
            lead = Stroke(border.points * factor, min(lead_width(leading, contrast), widest))
            covered[[border.left, border.right]] += lead.length * lead.width / 2
            leads.append(lead)
    return Panes(cells, leads, np.minimum(covered / np.maximum(areas, 1e-9), 1.0))


def sketch_panes(
    image: Image.Image, size: tuple[int, int], count: int, leading: float, progress: Progress
) -> PaneSketch:
    """The panes of a result of `size`, on a reduced picture."""
    samples = min(_MAX_SKETCH_PX, max(_SKETCH_PX, count * _PIXELS_A_PANE), image.width * image.height)
    scale = (samples / (size[0] * size[1])) ** 0.5
    sketch = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    lab = oklab_sketch(image.resize(sketch, Image.Resampling.BOX, reducing_gap=2.0))
    lead = leading * sketch[0] / size[0]
    labels = segment(lab, round(count * _MORE), progress.sub(0.0, 0.5))
    labels = _with_lights(_without_slivers(labels, lab, _THINNEST * lead), lab, max(2.0, _LIGHT * lead))
    labels = _without_slivers(labels, lab, _THINNEST * lead)
    labels = merge_to(labels, lab, max(1, round(count * _FEWER)), progress.sub(0.5, 0.6))
    for most in _MOST_NEIGHBOURS:  # what is cut off may be a sliver, and its union with another have many neighbours
        labels = _without_slivers(split_branching(labels, most), lab, _THINNEST * lead)
    return _with_outlines(labels, lab, _THINNEST_OUTLINE * lead, progress.sub(0.6, 1.0))


def _with_outlines(labels: Labels, lab: Floats, thinnest: float, progress: Progress) -> PaneSketch:
    """Regions that simplified outlines make too thin become part of others."""
    for round_ in range(_WIDTH_ROUNDS + 1):
        colours = mean_colours(labels, lab)
        tracing = progress.sub(0.12 * round_, 0.12 * (round_ + 1))
        borders = trace_straight(labels, tracing, colours=colours)
        outlines = borders.outlines(tracing, thinnest=None)
        thin = inscribed_widths(outlines.points, outlines.corners, thinnest) < thinnest
        if round_ == _WIDTH_ROUNDS or len(thin) == 1 or not thin.any():
            break
        labels = merge_regions(labels, lab, thin)
    outlines = borders.outlines(progress.sub(0.8, 1.0), thinnest=_ROUNDING * thinnest)
    progress(1.0)
    return PaneSketch(labels, colours, outlines)


def _without_slivers(labels: Labels, lab: Floats, thickness: float) -> Labels:
    """Regions that are thinner everywhere become part of their most similar neighbour."""
    for _ in range(3):
        thin = are_thinner(labels, thickness, framed=False)
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


def _nearest_panes(points: Floats, corners: Counts, size: tuple[int, int], pitch: float) -> PolygonCells:
    """What is nearest to each pane, for the few pixels that simplified outlines leave uncovered."""
    seeds = np.clip(centroids(points, corners), 0, size) + np.arange(len(corners))[:, None] * 1e-6
    return PolygonCells(*size, *voronoi_cells(seeds, size, Progress()), pitch)


def mean_colours(labels: Labels, lab: Floats) -> Floats:
    """(count, 3)."""
    flat, areas = labels.ravel(), np.bincount(labels.ravel())
    return np.stack([np.bincount(flat, lab[..., channel].ravel()) / areas for channel in range(3)], 1)
