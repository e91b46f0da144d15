"""The style `tesserae`: stones in rows that follow the picture's edges, as in a Roman mosaic.

After Hausner, Simulating Decorative Mosaics (SIGGRAPH 2001), and Battiato, Milone and Puglisi, Artificial Mosaic
Generation with Gradient Vector Flow and Tile Cutting (2013). Here the direction field comes from the distance to the
edges; the rows are its iso lines, one stone apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...canvas import StyleResult
from ...cells.convex import Counts, centroids, voronoi_cells
from ...cells.polygons import FilledCells, PolygonCells
from ...colour.srgb import Floats
from ...flat_cells import paint_flat_cells
from ...params import CellParams, Condition, colour_param, default_cell, float_param, int_param
from ...progress import Progress
from ...scipy_lazy import kd_tree, nearest_point_map
from ...style import RenderContext, Style
from .contours import Polylines, iso_lines
from .direction_field import DirectionField, compute_field
from .stones import clip_stones

_STONE_PX = 5.0  # in the sketch, the reduced picture on which stones are placed
_MAX_SKETCH_PX = 500_000
_STONES_ACROSS = 110  # along the longer side
_MAX_STONES = 40_000


class TesseraeParams(CellParams):
    """cell: the side of a stone. grout: None is a sixteenth of it."""

    conditions: ClassVar[Mapping[str, Condition]] = {"grout_colour": Condition("grout", (0,), negated=True)}

    grout: int | None = int_param(None, low=0, high=64, unit="px", en="Joint width, pixels", zh="填缝宽度（像素）")
    grout_colour: str = colour_param("#2b2520", en="Joint colour", zh="填缝颜色")
    irregularity: float = float_param(0.5, low=0.0, high=1.0, step=0.05, en="Irregularity", zh="手工感")


def paint_tesserae(context: RenderContext[TesseraeParams]) -> StyleResult:
    """Place the stones, then paint each in the mean of its pixels."""
    cells = context.once("stones", lambda: place_stones(context, context.progress.sub(0.0, 0.6)))
    gap_colour = context.params.grout_colour if context.params.grout != 0 else None
    return paint_flat_cells(context, cells, context.progress.sub(0.6, 1.0), gap_colour=gap_colour)


def place_stones(context: RenderContext[TesseraeParams], progress: Progress) -> PolygonCells | FilledCells:
    """The stones, placed on a sketch: a reduced picture in which a stone is a few pixels wide."""
    params, size = context.params, context.size
    cell = params.cell or max(default_cell(*size, across=_STONES_ACROSS), min(8, min(size) // 4))
    pitch = max(float(cell), (size[0] * size[1] / _MAX_STONES) ** 0.5)
    stone = min(_STONE_PX, (_MAX_SKETCH_PX * pitch**2 / (size[0] * size[1])) ** 0.5)
    scale = pitch / stone
    sketch_size = [max(1, round(side / scale)) for side in size]
    sketch = context.image.resize(tuple(sketch_size), Image.Resampling.BOX)
    field = compute_field(sketch, stone, progress.sub(0.1, 0.35))
    centres = row_points(field, stone, np.random.default_rng(params.seed), progress.sub(0.35, 0.85))
    joint = min(pitch / 16 if params.grout is None else params.grout, pitch / 4)
    points, corners = irregular_stones(field, centres, stone, params, joint / scale, progress.sub(0.85, 1.0))
    points, corners = in_reading_order((points + 0.5) * scale, corners)
    stones = PolygonCells(*size, points, corners, pitch)
    return (
        FilledCells(stones, _nearest_stones(centroids(points, corners), size, pitch)) if params.grout == 0 else stones
    )


def _nearest_stones(middles: Floats, size: tuple[int, int], pitch: float) -> PolygonCells:
    """The part of the picture that is nearest to each stone: without joints, it also fills the gaps around it."""
    points, corners = voronoi_cells(middles, size, Progress())
    hidden = corners == 0  # two stones with the same middle
    points = np.insert(points, np.cumsum(corners)[hidden], middles[hidden], axis=0)
    return PolygonCells(*size, points, np.where(hidden, 1, corners), pitch)


def row_points(field: DirectionField, stone: float, rng: np.random.Generator, progress: Progress) -> Floats:
    """(n, 2) centres of stones in the field's pixels: in rows, and in the gaps between rows."""
    lines = iso_lines(field.distance / stone - 0.5)
    centres = _points_along_lines(lines, stone, rng)
    centres = centres[_thin_by_distance(centres, 0.66 * stone)]
    for step, min_distance in enumerate((0.78, 0.76)):
        progress(0.2 + step * 0.4)
        centres = np.concatenate([centres, _empty_spots(centres, field.distance.shape, min_distance * stone)])
        centres = _lloyd_step(field, centres, stone, progress.sub(0.3 + step * 0.4, 0.6 + step * 0.4))
    return centres


def _lloyd_step(field: DirectionField, centres: Floats, stone: float, progress: Progress) -> Floats:
    """Every centre moved to the centroid of its stone: Lloyd's method with Hausner's oriented squares instead of
    circles. Stones for which their neighbours leave no space are dropped."""
    halves = np.full((len(centres), 2), 0.68 * stone)
    return centroids(*clip_stones(centres, field.angles(centres), halves, 0.0, progress))


def _points_along_lines(lines: Polylines, stone: float, rng: np.random.Generator) -> Floats:
    """(n, 2): points about one stone apart along each line, those of the rows next to the edges first."""
    if not len(lines.points):
        return np.zeros((0, 2))
    lasts = np.flatnonzero(np.diff(lines.polyline, append=-1))
    lengths = lines.along[lasts]
    counts = np.rint(lengths / stone).astype(np.int64)
    counts[(counts == 0) & (lengths > 0.4 * stone)] = 1
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    starts = np.cumsum(lengths + 1.0) - lengths - 1.0  # of each line, all lines laid end to end
    phase = 0.5 + rng.uniform(-0.08, 0.08, len(owner))
    positions = starts[owner] + (number + phase) * (lengths / np.maximum(counts, 1))[owner]
    scale = starts[lines.polyline] + lines.along
    points = np.stack([np.interp(positions, scale, lines.points[:, axis]) for axis in (0, 1)], 1)
    order = np.lexsort((rng.random(len(points)), lines.level[lasts][owner]))
    return points[order]


def _thin_by_distance(centres: Floats, min_distance: float) -> NDArray[np.bool_]:
    """(n,): which points to keep so that no two are nearer than `min_distance`; an earlier point wins over later ones
    unless it was removed itself."""
    keep = np.ones(len(centres), bool)
    if not len(centres):
        return keep
    pairs = np.sort(kd_tree(centres).query_pairs(min_distance, output_type="ndarray"), axis=1)
    while len(pairs):
        first, second = pairs.T
        undecided = np.zeros(len(centres), bool)
        undecided[second] = True
        keep[second[~undecided[first]]] = False
        decided = keep & ~undecided
        pairs = pairs[keep[first] & keep[second] & ~decided[first]]
    return keep


def _empty_spots(centres: Floats, shape: tuple[int, ...], min_distance: float) -> Floats:
    """(n, 2): points at least `min_distance` from every centre, a little more from each other, the emptiest first."""
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)  # every second pixel is enough
    if not len(centres):
        return np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]])
    y, x = np.divmod(np.arange(rows * columns), columns)
    places = np.stack([x, y], 1) * 2.0
    offsets = places - centres[nearest_point_map(centres / 2, (rows, columns)).ravel()]
    places = places[np.hypot(offsets[:, 0], offsets[:, 1]) > min_distance]
    distances = kd_tree(centres).query(places)[0]
    empty = np.flatnonzero(distances > min_distance)
    empty = empty[np.argsort(-distances[empty], kind="stable")]
    return places[empty[_thin_by_distance(places[empty], 1.15 * min_distance)]]


def irregular_stones(
    field: DirectionField, centres: Floats, stone: float, params: TesseraeParams, joint: float, progress: Progress
) -> tuple[Floats, Counts]:
    """The corners of every stone in the field's pixels, with random deviations of size and angle."""
    rng = np.random.default_rng([params.seed, 1])
    count, irregularity = len(centres), params.irregularity
    angles = field.angles(centres) + rng.normal(0.0, 0.05 * irregularity, count)
    halves: Floats = stone * (0.68 + rng.uniform(-0.08, 0.08, (count, 2)) * irregularity)
    return clip_stones(centres, angles, halves, joint, progress)


def in_reading_order(points: Floats, counts: Counts) -> tuple[Floats, Counts]:
    """The polygons that have corners, sorted by their top."""
    counts = counts[counts > 0]
    starts = np.cumsum(counts) - counts
    order = np.argsort(np.minimum.reduceat(points[:, 1], starts), kind="stable")
    starts, counts = starts[order], counts[order]
    corner = np.arange(len(points)) + np.repeat(starts - np.cumsum(counts) + counts, counts)
    return points[corner], counts


TESSERAE = Style(
    name="tesserae",
    version=4,
    params=TesseraeParams,
    paint=paint_tesserae,
    en="Roman mosaic",
    zh="罗马镶嵌画",
    about_en="Stones in rows that follow the edges of the picture, with joints between them.",
    about_zh="石块沿图像边缘成行排列，石缝相间，如古罗马镶嵌画。",
    svg=True,
    seeded=True,
)
