"""The style `tesserae`: stones in rows that follow the picture's edges, in the manner of the antique.

After Hausner, Simulating Decorative Mosaics (SIGGRAPH 2001), and Battiato, Milone and Puglisi, Artificial Mosaic
Generation with Gradient Vector Flow and Tile Cutting (2013). Here the direction field comes from the distance to the
edges, whose level lines, one stone apart, are the rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ... import fields
from ...canvas import Painting
from ...cells.convex import Counts, middles
from ...cells.polygons import PolygonCells
from ...codec.decode import Source
from ...colour.srgb import Floats
from ...flat_cells import paint_flat
from ...params import CellParams, automatic_cell
from ...progress import Stage
from ...scipy_lazy import nearest_of, tree_of
from ...style import Style
from .contours import Lines, level_lines
from .direction_field import Field, field_of
from .stones import cut_stones

_STONE_PX = 5.0  # of the sketch, the reduced picture that the rows are planned on
_SKETCH_PX = 500_000
_ACROSS = 110  # stones along the longer side
_MOST_STONES = 40_000


class TesseraeParams(CellParams):
    """cell: the side of a stone. grout: None is a sixteenth of it."""

    grout: int | None = fields.integer(None, low=0, high=64, unit="px", en="Joint width, pixels", zh="填缝宽度(像素)")
    grout_colour: str = fields.colour("#2b2520", en="Joint colour", zh="填缝颜色")
    irregularity: float = fields.number(0.5, low=0.0, high=1.0, step=0.05, en="Cut by hand", zh="手工感")


def paint_tesserae(source: Source, params: TesseraeParams, stage: Stage) -> Painting:
    """Every stone in the mean of its pixels."""
    cells = planned(source, params, stage.part(0.0, 0.6))
    ground = params.grout_colour if params.grout != 0 else None
    return paint_flat(source, cells, params, stage.part(0.6, 1.0), ground=ground)


def planned(source: Source, params: TesseraeParams, stage: Stage) -> PolygonCells:
    """The stones. They are planned on a sketch, a reduced picture in which a stone is a few pixels wide."""
    size = (source.width, source.height)
    cell = params.cell or max(automatic_cell(*size, across=_ACROSS), min(8, min(size) // 4))
    pitch = max(float(cell), (size[0] * size[1] / _MOST_STONES) ** 0.5)
    stone = min(_STONE_PX, (_SKETCH_PX * pitch**2 / (size[0] * size[1])) ** 0.5)
    scale = pitch / stone
    sketch = source.image.resize([max(1, round(side / scale)) for side in size], Image.Resampling.BOX)
    field = field_of(sketch, stone, stage.part(0.1, 0.35))
    centres = rows_of(field, stone, np.random.default_rng(params.seed), stage.part(0.35, 0.85))
    joint = min(pitch / 16 if params.grout is None else params.grout, pitch / 4)
    points, corners = hewn(field, centres, stone, params, joint / scale, stage.part(0.85, 1.0))
    return PolygonCells(*size, *in_reading_order((points + 0.5) * scale, corners), pitch)


def rows_of(field: Field, stone: float, rng: np.random.Generator, stage: Stage) -> Floats:
    """(n, 2) centres of stones, in the field's pixels: in rows, and one wherever a gap is left between rows."""
    lines = level_lines(field.distance / stone - 0.5)
    centres = _beads(lines, stone, rng)
    centres = centres[_apart(centres, 0.66 * stone)]
    for step, least in enumerate((0.78, 0.76)):
        stage(0.2 + step * 0.4)
        centres = np.concatenate([centres, _gaps(centres, field.distance.shape, least * stone)])
        centres = _settled(field, centres, stone, stage.part(0.3 + step * 0.4, 0.6 + step * 0.4))
    return centres


def _settled(field: Field, centres: Floats, stone: float, stage: Stage) -> Floats:
    """Every centre moved to the middle of its stone: Lloyd's method with Hausner's turned squares instead of
    circles. Stones that their neighbours leave no room for are dropped."""
    points, counts = cut_stones(centres, field.angles(centres), np.full((len(centres), 2), 0.68 * stone), 0.0, stage)
    return middles(points, counts)


def _beads(lines: Lines, stone: float, rng: np.random.Generator) -> Floats:
    """Places at equal distances of about a stone along each line, those of the rows next to the edges first."""
    points, along, line = lines.points, lines.along, lines.line
    if not len(points):
        return np.zeros((0, 2))
    lasts = np.flatnonzero(np.diff(line, append=-1))
    lengths = along[lasts]
    counts = np.rint(lengths / stone).astype(np.int64)
    counts[(counts == 0) & (lengths > 0.4 * stone)] = 1
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    starts = np.cumsum(lengths + 1.0) - lengths - 1.0
    phase = 0.5 + rng.uniform(-0.08, 0.08, len(owner))
    where = starts[owner] + (number + phase) * (lengths / np.maximum(counts, 1))[owner]
    scale = starts[line] + along
    beads = np.stack([np.interp(where, scale, points[:, axis]) for axis in (0, 1)], 1)
    order = np.lexsort((rng.random(len(beads)), lines.level[lasts][owner]))
    return beads[order]


def _apart(centres: Floats, least: float) -> NDArray[np.bool_]:
    """Which to keep so that no two are nearer than `least`: of two the first, unless another one removed it."""
    kept = np.ones(len(centres), bool)
    if not len(centres):
        return kept
    pairs = np.sort(tree_of(centres).query_pairs(least, output_type="ndarray"), axis=1)
    while len(pairs):
        first, second = pairs.T
        waits = np.zeros(len(centres), bool)
        waits[second] = True
        kept[second[~waits[first]]] = False
        settled = kept & ~waits
        pairs = pairs[kept[first] & kept[second] & ~settled[first]]
    return kept


def _gaps(centres: Floats, shape: tuple[int, ...], least: float) -> Floats:
    """Places that are `least` from every centre and a little more from each other, the emptiest first."""
    rows, columns = -(-shape[0] // 2), -(-shape[1] // 2)  # every second place is enough
    if not len(centres):
        return np.array([[(shape[1] - 1) / 2, (shape[0] - 1) / 2]])
    y, x = np.divmod(np.arange(rows * columns), columns)
    places = np.stack([x, y], 1) * 2.0
    near = places - centres[nearest_of(centres / 2, (rows, columns)).ravel()]
    places = places[np.hypot(near[:, 0], near[:, 1]) > least]
    far = tree_of(centres).query(places)[0]
    found = np.flatnonzero(far > least)
    found = found[np.argsort(-far[found], kind="stable")]
    return places[found[_apart(places[found], 1.15 * least)]]


def hewn(
    field: Field, centres: Floats, stone: float, params: TesseraeParams, joint: float, stage: Stage
) -> tuple[Floats, Counts]:
    """The corners of every stone, in the field's pixels, a little irregular."""
    rng = np.random.default_rng([params.seed, 1])
    count, loose = len(centres), params.irregularity
    angles = field.angles(centres) + rng.normal(0.0, 0.05 * loose, count)
    halves: Floats = stone * (0.68 + rng.uniform(-0.08, 0.08, (count, 2)) * loose)
    return cut_stones(centres, angles, halves, joint, stage)


def in_reading_order(points: Floats, counts: Counts) -> tuple[Floats, Counts]:
    """The polygons that have corners, from the top down."""
    counts = counts[counts > 0]
    starts = np.cumsum(counts) - counts
    order = np.argsort(np.minimum.reduceat(points[:, 1], starts), kind="stable")
    starts, counts = starts[order], counts[order]
    corner = np.arange(len(points)) + np.repeat(starts - np.cumsum(counts) + counts, counts)
    return points[corner], counts


TESSERAE = Style(
    name="tesserae",
    version=2,
    params=TesseraeParams,
    paint=paint_tesserae,
    en="Roman mosaic",
    zh="罗马镶嵌画",
    about_en="Stones in rows that follow the edges of the picture, with joints between them.",
    about_zh="石块沿图像边缘成行排列,石缝相间,如古罗马镶嵌画。",
    svg=True,
)
