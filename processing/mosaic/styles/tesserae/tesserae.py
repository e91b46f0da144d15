"""The style `tesserae`: stones in rows that follow the picture's edges, as in a Roman mosaic.

After Hausner, Simulating Decorative Mosaics (SIGGRAPH 2001), and Battiato, Milone and Puglisi, Artificial Mosaic
Generation with Gradient Vector Flow and Tile Cutting (2013). Here the direction field comes from the distance to the
edges; the rows are its iso lines, one stone apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from ...canvas import StyleResult
from ...cells.convex import Counts, centroids, inset_polygons, voronoi_cells
from ...cells.polygons import FilledCells, PolygonCells
from ...colour.srgb import Floats
from ...costs import FileSizes, RenderCost
from ...flat_cells import paint_flat_cells
from ...materials.pieces import lay, paint_pieces
from ...params import GroutParams, choice_param, default_cell, float_param, material_param
from ...progress import Progress
from ...style import RenderContext, Style
from .direction_field import DirectionField, compute_field, straighten
from .placement import irregular_stones, row_points

_STONE_PX = 5.0  # in the sketch, the reduced picture on which stones are placed
_MAX_SKETCH_PX = 500_000
_STONES_ACROSS = 110  # along the longer side
_MAX_STONES = 40_000
_ANDAMENTI = {
    "follow": ("Follow the outlines", "沿轮廓铺（vermiculatum）"),
    "regulatum": ("Straight rows, offset", "错缝直铺（regulatum）"),
    "tessellatum": ("Straight grid", "方格直铺（tessellatum）"),
}


class TesseraeParams(GroutParams):
    """cell: the side of a stone. detail: how much smaller stones are at edges, and larger in the background."""

    FLAT_GROUT: ClassVar[str] = "#2b2520"
    FLAT_JOINT: ClassVar[float] = 1 / 20
    JOINT: ClassVar[float] = 1 / 20

    material: str = material_param("stone")
    detail: float = float_param(0.6, low=0.0, high=1.0, step=0.05, en="Smaller stones at detail", zh="细节处用小石块")
    andamento: str = choice_param("follow", _ANDAMENTI, en="Rows of the background", zh="背景铺法")
    irregularity: float = float_param(0.5, low=0.0, high=1.0, step=0.05, en="Irregularity", zh="手工感")


def paint_tesserae(context: RenderContext[TesseraeParams]) -> StyleResult:
    """Place the stones, then paint each in the mean of its pixels."""
    params, progress = context.params, context.progress.sub(0.6, 1.0)
    stones = context.once("stones", lambda: place_stones(context, context.progress.sub(0.0, 0.6)))
    laying = lay(context, params.material, stones.pitch, stones.joint, params.grout_colour)
    if laying is None:
        return paint_flat_cells(context, stones.inset(), progress, gap_colour=params.gap_colour)
    return paint_pieces(context, stones.cells(), laying, progress, flat=stones.inset)


@dataclass(frozen=True, slots=True)
class Stones:
    """points, corners: of the stones with their halves of the joints, see PolygonCells. joint: in pixels."""

    size: tuple[int, int]
    points: Floats
    corners: Counts
    pitch: float
    joint: float

    def cells(self) -> PolygonCells | FilledCells:
        """The stones with their halves of the joints; without joints they also fill the gaps around them."""
        stones = PolygonCells(*self.size, self.points, self.corners, self.pitch)
        if self.joint:
            return stones
        return FilledCells(stones, _nearest_stones(centroids(self.points, self.corners), self.size, self.pitch))

    def inset(self) -> PolygonCells | FilledCells:
        """The stones without joints; those that joints cover completely become points."""
        if not self.joint:
            return self.cells()
        points, corners = inset_polygons(self.points, self.corners, self.joint / 2)
        hidden = corners == 0
        middles = centroids(self.points, self.corners)[hidden]
        points = np.insert(points, np.cumsum(corners)[hidden], middles, axis=0)
        return PolygonCells(*self.size, points, np.where(hidden, 1, corners), self.pitch)


def place_stones(context: RenderContext[TesseraeParams], progress: Progress) -> Stones:
    """The stones, placed on a sketch: a reduced picture in which a stone is a few pixels wide."""
    params, size = context.params, context.size
    pitch = stone_pitch(params, size)
    field, scale = sketch_field(context, pitch, progress.sub(0.1, 0.35))
    centres = row_points(field, params, progress.sub(0.35, 0.85))
    joint = params.joint_width(pitch)
    points, corners = irregular_stones(field, centres, params, joint / scale, progress.sub(0.85, 1.0))
    if not corners.any():  # pragma: no cover - of 3000 random tiny pictures each has a stone
        rows, columns = field.level.shape
        whole = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
        points, corners = whole - 0.5, np.array([4])
    points, corners = in_reading_order((points + 0.5) * scale, corners)
    return Stones(size, points, corners, pitch, joint)


def stone_pitch(params: TesseraeParams, size: tuple[int, int]) -> float:
    """The side of a stone in pixels of a result of `size`."""
    cell = params.cell or max(default_cell(*size, across=_STONES_ACROSS), min(8, min(size) // 4))
    return max(float(cell), math.sqrt(size[0] * size[1] / _MAX_STONES))


def sketch_field(
    context: RenderContext[TesseraeParams], pitch: float, progress: Progress
) -> tuple[DirectionField, float]:
    """The direction field of the sketch, and how many pixels of the result one of its pixels has."""
    width, height = context.size
    stone = min(_STONE_PX, (_MAX_SKETCH_PX * pitch**2 / (width * height)) ** 0.5)
    scale = pitch / stone
    sketch_size = max(1, round(width / scale)), max(1, round(height / scale))
    sketch = context.image.resize(sketch_size, Image.Resampling.BOX)
    field = compute_field(sketch, stone, context.params.detail, progress)
    return field if context.params.andamento == "follow" else straighten(field), scale


def _nearest_stones(middles: Floats, size: tuple[int, int], pitch: float) -> PolygonCells:
    """The part of the picture that is nearest to each stone: without joints, it also fills the gaps around it."""
    points, corners = voronoi_cells(middles, size, Progress())
    hidden = corners == 0  # two stones with the same middle
    points = np.insert(points, np.cumsum(corners)[hidden], middles[hidden], axis=0)
    return PolygonCells(*size, points, np.where(hidden, 1, corners), pitch)


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
    version=13,
    params=TesseraeParams,
    paint=paint_tesserae,
    en="Roman mosaic",
    zh="罗马镶嵌画",
    about_en="Stones in rows that follow the edges of the picture, with joints between them.",
    about_zh="石块沿画面轮廓成行排列，石缝相间，如古罗马镶嵌画。",
    cost=RenderCost(0.7, 0.055, small_pieces_s=0.2),
    file_mb=FileSizes(24, 5.6, 2.8),
    svg=True,
    laying="walk",
    seeded=True,
)
