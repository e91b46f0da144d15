"""Where stones lie: in rows along the levels of the direction field, and in the gaps between rows."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...cells.convex import Counts, centroids
from ...colour.srgb import Floats
from ...progress import Progress
from ...scipy_lazy import kd_tree, nearest_point_map
from .contours import Polylines, iso_lines
from .direction_field import BORDER_ROWS, DirectionField
from .stones import HalfPlanes, clip_stones

_HALF = 0.68  # of a stone's side before it is clipped against its neighbours, while stones are placed
_REGULAR_HALF, _HALF_OF_IRREGULARITY = 0.56, 0.36  # of the final stones: regular ones leave gaps to the joints
_JITTER = 0.16  # along rows, in stones


class StoneParams(Protocol):
    """The parameters of a style that place stones."""

    @property
    def seed(self) -> int: ...

    @property
    def andamento(self) -> str: ...

    @property
    def irregularity(self) -> float: ...


def row_points(field: DirectionField, params: StoneParams, progress: Progress) -> Floats:
    """(n, 2) centres of stones in the field's pixels: in rows, and in the gaps between rows."""
    centres, andamento = _points_along_lines(iso_lines(field.level - 0.5), field, params), params.andamento
    if andamento != "follow":
        centres = np.concatenate([centres[field.levels(centres) < BORDER_ROWS], _straight_rows(field, andamento)])
    centres = centres[_thin_by_distance(centres, 0.66 * field.sizes(centres))]
    progress(0.2)
    centres = np.concatenate([centres, _empty_spots(centres, field, 0.78)])
    centres = _lloyd_step(field, centres, progress.sub(0.4, 1.0))
    return _off_edges(field, centres)


def irregular_stones(
    field: DirectionField, centres: Floats, params: StoneParams, joint: float, progress: Progress
) -> tuple[Floats, Counts]:
    """The corners of every stone with its halves of the joints in the field's pixels, with random deviations of size
    and angle. Stones end at the edges of the picture's objects."""
    rng = np.random.default_rng([params.seed, 1])
    count, irregularity = len(centres), params.irregularity
    angles = field.angles(centres) + rng.normal(0.0, 0.07 * irregularity, count)
    sizes = field.sizes(centres)
    half = _REGULAR_HALF + _HALF_OF_IRREGULARITY * irregularity
    halves: Floats = sizes[:, None] * (half + rng.uniform(-0.08, 0.08, (count, 2)) * irregularity) + joint / 2
    weights = sizes * (1 + 0.36 * irregularity * rng.uniform(-1.0, 1.0, count))
    return clip_stones(centres, angles, halves, progress, weights=weights, limits=_edge_planes(field, centres))


def _edge_planes(field: DirectionField, centres: Floats) -> HalfPlanes:
    """For each stone near an edge the half plane on its own side of it."""
    edges, distance = field.edges(centres)
    near = np.flatnonzero((distance > 0.2 * field.sizes(centres)) & (distance < field.sizes(centres)))
    towards = (edges[near] - centres[near]) / distance[near, None]
    normals = towards[:, 0] + 1j * towards[:, 1]
    return HalfPlanes(near, normals, (towards * edges[near]).sum(axis=1))


def _off_edges(field: DirectionField, centres: Floats) -> Floats:
    """The centres, those too near an edge moved away from it to half a stone's distance, so that their stones do not
    lie across it. Those on an edge, and those that come too near to others, are dropped."""
    edges, distance = field.edges(centres)
    wanted = 0.5 * field.sizes(centres)
    away = (centres - edges) / np.maximum(distance, 1e-6)[:, None]
    near = distance < wanted
    moved = np.where(near[:, None], edges + away * wanted[:, None], centres)[distance > 0.5]
    moved = moved[_thin_by_distance(moved, 0.6 * field.sizes(moved))]
    return moved if len(moved) > 0.75 * len(centres) else centres  # in a tiny picture, everything is an edge


def _straight_rows(field: DirectionField, andamento: str) -> Floats:
    """(n, 2): a grid in the background; with regulatum, every second row is offset by half a stone."""
    rows, columns = field.level.shape
    size = float(field.size.max())
    y, x = (np.arange(size / 2, length + size / 2, size) for length in (rows, columns))
    grid = np.stack(np.meshgrid(x, y), -1)
    if andamento == "regulatum":
        grid[1::2, :, 0] += size / 2
    points: Floats = grid.reshape(-1, 2)
    return points[field.levels(points) > BORDER_ROWS + 0.3]


def _lloyd_step(field: DirectionField, centres: Floats, progress: Progress) -> Floats:
    """Every centre moved to the centroid of its stone: Lloyd's method with Hausner's oriented squares instead of
    circles. Stones for which their neighbours leave no space are dropped."""
    sizes = field.sizes(centres)
    halves = np.repeat(_HALF * sizes[:, None], 2, axis=1)
    return centroids(*clip_stones(centres, field.angles(centres), halves, progress, weights=sizes))


def _points_along_lines(lines: Polylines, field: DirectionField, params: StoneParams) -> Floats:
    """(n, 2): points about one stone apart along each line, those of the rows next to the edges first, and of
    these the long ones: where two rows meet, the longer one goes on."""
    if not len(lines.points):
        return np.zeros((0, 2))
    rng = np.random.default_rng(params.seed)
    lasts = np.flatnonzero(np.diff(lines.polyline, append=-1))
    firsts = np.concatenate([[0], lasts[:-1] + 1])
    steps = np.diff(lines.along, prepend=0.0)
    steps[firsts] = 0.0
    steps /= field.sizes(lines.points)  # in stones
    along = np.cumsum(steps)
    along -= along[firsts][lines.polyline]
    lengths = along[lasts]
    counts = np.rint(lengths).astype(np.int64)
    counts[(counts == 0) & (lengths > 0.4)] = 1
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    starts = np.cumsum(lengths + 1.0) - lengths - 1.0  # of each line, all lines laid end to end
    phase = 0.5 + rng.uniform(-_JITTER, _JITTER, len(owner)) * params.irregularity
    positions = starts[owner] + (number + phase) * (lengths / np.maximum(counts, 1))[owner]
    scale = starts[lines.polyline] + along
    points = np.stack([np.interp(positions, scale, lines.points[:, axis]) for axis in (0, 1)], 1)
    order = np.lexsort((number, owner, -lengths[owner], lines.level[lasts][owner]))
    return points[order]


def _thin_by_distance(centres: Floats, min_distance: Floats) -> NDArray[np.bool_]:
    """(n,): which points to keep so that no two are nearer than the mean of their `min_distance` (n,); an earlier point
    wins over later ones unless it was removed itself."""
    keep = np.ones(len(centres), bool)
    if not len(centres):
        return keep
    pairs = np.sort(kd_tree(centres).query_pairs(float(min_distance.max()), output_type="ndarray"), axis=1)
    offsets = centres[pairs[:, 0]] - centres[pairs[:, 1]]
    near = np.hypot(offsets[:, 0], offsets[:, 1]) * 2 < min_distance[pairs[:, 0]] + min_distance[pairs[:, 1]]
    pairs = pairs[near]
    while len(pairs):
        first, second = pairs.T
        undecided = np.zeros(len(centres), bool)
        undecided[second] = True
        keep[second[~undecided[first]]] = False
        decided = keep & ~undecided
        pairs = pairs[keep[first] & keep[second] & ~decided[first]]
    return keep


def _empty_spots(centres: Floats, field: DirectionField, min_distance: float) -> Floats:
    """(n, 2): points at least `min_distance` stones from every centre, a little more from each other, the emptiest
    first."""
    shape = field.level.shape
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)  # every second pixel is enough
    if not len(centres):
        return np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]])
    y, x = np.divmod(np.arange(rows * columns), columns)
    places = np.stack([x, y], 1) * 2.0
    offsets = places - centres[nearest_point_map(centres / 2, (rows, columns)).ravel()]
    limits = min_distance * field.sizes(places)
    roomy = np.hypot(offsets[:, 0], offsets[:, 1]) > limits
    places, limits = places[roomy], limits[roomy]
    distances = kd_tree(centres).query(places)[0] / np.maximum(limits, 1e-9)
    empty = np.flatnonzero(distances > 1)
    empty = empty[np.argsort(-distances[empty], kind="stable")]
    return places[empty[_thin_by_distance(places[empty], 1.15 * limits[empty])]]
