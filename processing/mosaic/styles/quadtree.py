"""The style `quadtree`: cells split in four where their colours differ most (Finkel and Bentley, 1974)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..canvas import StyleResult
from ..cells.rectangles import RectangleCells
from ..colour.oklab import srgb_to_oklab
from ..colour.srgb import Floats
from ..costs import FileSizes, RenderCost
from ..flat_cells import paint_flat_cells
from ..materials.pieces import lay, paint_pieces
from ..params import SEED_OF_MATERIAL, Condition, GroutParams, choice_param, default_cell, float_param, int_param
from ..progress import Progress, pieces
from ..scaled import Picture
from ..style import RenderContext, Style

MAX_CELLS = 100_000
_SAMPLES = 1 << 16  # pixels of the reduced picture that errors are measured on, or one for each smallest cell
_BAND_SAMPLES = 1 << 15
_STREAMED_LEVELS = 4  # finest levels, whose sums (five numbers a cell) are not held in memory all at once
_EXACT_BELOW_PX, _EXACT_IN_LARGE_PX, _LARGE_RESULT_PX = 64, 16, 16_000_000
_STOPS = {"cells": ("at a number of cells", "达到数量"), "error": ("at an error", "达到误差")}

Counts = NDArray[np.int64]


class QuadtreeParams(GroutParams):
    """cell: the smallest side that a cell may have. grout: None is a twelfth of it."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        "cells": Condition("stop", ("cells",)),
        "error": Condition("stop", ("error",)),
        "grout_colour": Condition("grout", (0,), negated=True),
        **SEED_OF_MATERIAL,
    }

    stop: str = choice_param("cells", _STOPS, en="Stop splitting", zh="停止条件")
    cells: int = int_param(3000, low=1, high=MAX_CELLS, en="Number of cells", zh="单元数量")
    error: float = float_param(4.0, low=0.0, high=100.0, step=0.5, en="Error, OKLab x 100", zh="误差（OKLab × 100）")
    grout: int | None = int_param(None, low=0, high=256, unit="px", en="Joint width, pixels", zh="填缝宽度（像素）")

    def joint_width(self, cell: float) -> float:
        """The width in pixels of the joints: `grout`, or a twelfth of the smallest cell; at most a quarter of it."""
        return min(cell / 12 if self.grout is None else self.grout, cell / 4)

    @property
    def gap_colour(self) -> str | None:
        return None if self.grout == 0 else self.grout_colour or self.FLAT_GROUT


@dataclass(frozen=True, slots=True)
class RootGrid:
    """The undivided cells, nearly square. levels: how many times their sides can be halved."""

    columns: int
    rows: int
    levels: int


def paint_quadtree(context: RenderContext[QuadtreeParams]) -> StyleResult:
    """Measure errors on all levels, split the worst cells, paint each leaf in the mean of its pixels."""
    params, progress, size = context.params, context.progress, context.size
    smallest = params.cell or default_cell(*size, across=320)
    boxes = context.once("boxes", lambda: split_boxes(context, smallest))
    progress(0.15)
    pitch = float((size[0] * size[1] / len(boxes)) ** 0.5)
    joint = params.joint_width(min(smallest, *size))
    halves = (joint / 2, joint / 2) if _has_exact_edges(size, smallest) else _whole_halves(joint)
    cells = RectangleCells(*size, inset(boxes, halves), pitch)
    laying = lay(context, params.material, pitch, joint, params.grout_colour, smallest=smallest)
    if laying is None:
        return paint_flat_cells(context, cells, progress.sub(0.2, 1.0), gap_colour=params.gap_colour)
    whole = RectangleCells(*size, boxes, pitch)
    return paint_pieces(context, whole, laying, progress.sub(0.2, 1.0), flat=lambda: cells)


def split_boxes(context: RenderContext[QuadtreeParams], smallest: int) -> Floats:
    """(n, 4): left, top, right, bottom of the leaves."""
    params, size = context.params, context.size
    roots = root_grid(*size, smallest)
    image = _measured_image(context, roots)
    errors = error_pyramid(image, roots, context.progress.sub(0.0, 0.1))
    split = by_count(errors, params.cells if params.stop == "cells" else MAX_CELLS)
    if params.stop == "error":
        above = by_error(errors, image.size, params.error)
        split = [level & level_above for level, level_above in zip(split, above, strict=True)]
    return leaves(split, roots, size, exact=_has_exact_edges(size, smallest)).astype(np.float64)


def _has_exact_edges(size: tuple[int, int], smallest: int) -> bool:
    """Whether edges are drawn where they are, not at the nearest pixel: of larger cells, and fewer in larger results,
    nobody sees the difference, which takes time."""
    return smallest < (_EXACT_BELOW_PX if size[0] * size[1] <= _LARGE_RESULT_PX else _EXACT_IN_LARGE_PX)


def _whole_halves(joint: float) -> tuple[float, float]:
    width = round(joint)
    return width // 2, width - width // 2


def _measured_image(context: RenderContext[QuadtreeParams], roots: RootGrid) -> Picture:
    """At the size of the result; before it is enlarged, if there is a pixel for each of the smallest cells."""
    source = context.source.image
    enlarged = source.width < context.size[0]
    columns, rows = roots.columns << roots.levels, roots.rows << roots.levels
    return source if enlarged and source.width >= columns and source.height >= rows else context.image


def root_grid(width: int, height: int, smallest: int) -> RootGrid:
    """Up to six roots along the shorter side, as nearly square as possible; no cell becomes less than `smallest`."""
    longer, shorter = max(width, height), min(width, height)
    limit = max(1, min(6, shorter // smallest))
    short = min(range(min(2, limit), limit + 1), key=lambda count: _squareness(longer, shorter, count))
    long = max(1, min(round(short * longer / shorter), longer // smallest))
    columns, rows = (long, short) if width >= height else (short, long)
    levels = max(1, min(width // columns, height // rows) // smallest).bit_length() - 1
    return RootGrid(columns, rows, levels)


def error_pyramid(image: Picture, roots: RootGrid, progress: Progress) -> list[Floats]:
    """For each level, roots first: (rows, columns) the sum of a cell's squared distances from its mean in OKLab.

    Estimated from at least one sample for each of the smallest cells. The parts of a cell never sum up to more than
    the cell, so the ancestors of a cell with a large error have large errors too.
    """
    shapes = [(roots.rows << level, roots.columns << level) for level in range(roots.levels + 1)]
    levels: list[Floats] = [np.empty(shape) for shape in shapes]
    rows, columns = shapes[-1]
    streamed = min(roots.levels, _STREAMED_LEVELS)
    block, coarse = np.empty((1 << streamed, columns, 5)), np.empty((rows >> streamed, columns >> streamed, 5))
    across = max(columns, round((_SAMPLES * columns / rows) ** 0.5))
    factor = max(1, min(image.width // across, image.height // rows))
    for row, sums in enumerate(_smallest_cell_sums(image, rows, columns, factor, progress)):
        number, row_in_block = divmod(row, len(block))
        block[row_in_block] = sums
        if row_in_block == len(block) - 1:
            fine = [level[number << depth : number + 1 << depth] for depth, level in enumerate(levels[-1 - streamed :])]
            coarse[number] = _fill_levels(block, fine, factor**2)[0]
    _fill_levels(coarse, levels[: len(levels) - streamed], factor**2)
    return levels


def _smallest_cell_sums(image: Picture, rows: int, columns: int, factor: int, progress: Progress) -> Iterator[Floats]:
    """For each row of the smallest cells: (columns, 5), see _block_sums."""
    tops = _split_points(image.height, rows)
    for piece in pieces(rows, max(1, _BAND_SAMPLES * rows * factor**2 // (image.width * image.height))):
        band_tops = tops[piece.start : piece.stop + 1]
        band = image.reduce(factor, (0, int(band_tops[0]), image.width, int(band_tops[-1])))
        yield from _block_sums(band, (band_tops - band_tops[0]) / factor, columns)
        progress(piece.start / rows)


def _fill_levels(sums: Floats, levels: list[Floats], weight: int) -> Floats:
    """Fill the levels with errors. sums: of the finest of them. Returns the sums of the coarsest."""
    for level in reversed(levels):
        if level is not levels[-1]:
            sums = sums[::2, ::2] + sums[1::2, ::2] + sums[::2, 1::2] + sums[1::2, 1::2]
        level[:] = _squared_error(sums) * weight
    return sums


def by_count(errors: list[Floats], count: int) -> list[NDArray[np.bool_]]:
    """Which cells of each level to split, so that at most `count` leaves result: those with the largest errors.

    As no error exceeds that of the parent, the largest errors of all levels are exactly the cells that repeatedly
    splitting the worst leaf would split.
    """
    splits = max(0, (count - errors[0].size) // 3)
    ranked = np.sort(np.concatenate([level.ravel() for level in errors[:-1]] or [np.zeros(0)]))[::-1]
    threshold = ranked[splits] if splits < len(ranked) else 0.0
    return _reachable([level > threshold for level in errors[:-1]])


def by_error(errors: list[Floats], size: tuple[int, int], error: float) -> list[NDArray[np.bool_]]:
    """Which cells of each level to split: those whose root mean square distance in OKLab x 100 is above `error`."""
    areas = [size[0] * size[1] / level.size for level in errors[:-1]]
    return _reachable([np.sqrt(level / area) * 100 > error for level, area in zip(errors, areas, strict=False)])


def leaves(
    split: list[NDArray[np.bool_]], roots: RootGrid, size: tuple[int, int], *, exact: bool = False
) -> Counts | Floats:
    """(n, 4) left, top, right, bottom of the cells that are not split, in reading order; in whole pixels, or exact."""
    points = _exact_points if exact else _split_points
    boxes_by_level = []
    exists = np.ones((roots.rows, roots.columns), bool)
    for level in range(roots.levels + 1):
        is_leaf = exists & ~split[level] if level < roots.levels else exists
        row, column = np.nonzero(is_leaf)
        x, y = (points(side, count << level) for side, count in zip(size, (roots.columns, roots.rows), strict=True))
        boxes_by_level.append(np.stack([x[column], y[row], x[column + 1], y[row + 1]], 1))
        exists = (exists & ~is_leaf).repeat(2, 0).repeat(2, 1)
    boxes = np.concatenate(boxes_by_level)
    return boxes[np.lexsort((boxes[:, 0], boxes[:, 1]))]


def inset(boxes: Floats, halves: tuple[float, float]) -> Floats:
    """(n, 4): each box less its halves of the joints, those at the left and at the top and the others."""
    before, after = halves
    inner: Floats = boxes + np.array([before, before, -after, -after])
    return inner


def _squareness(longer: int, shorter: int, count: int) -> float:
    """0 for squares if the shorter side has `count` cells, with a small penalty for many cells."""
    ratio = longer / shorter * count
    return abs(log2(max(1, round(ratio)) / ratio)) + 0.01 * count


def _split_points(length: int, count: int) -> Counts:
    """(count + 1,) the ends of `count` nearly equal parts, in whole pixels."""
    return np.arange(count + 1) * length // count


def _exact_points(length: int, count: int) -> Floats:
    """(count + 1,) the ends of `count` equal parts."""
    points: Floats = np.arange(count + 1) * (length / count)
    return points


def _block_sums(band: Image.Image, tops: Floats, columns: int) -> Floats:
    """(rows, columns, 5) sums over blocks of the reduced band: OKLab, its squared length, number of samples.

    tops: (rows + 1,) where the blocks begin in the reduced band, and where the last one ends.
    """
    lab = srgb_to_oklab(np.asarray(band))
    values = np.concatenate([lab, (lab**2).sum(axis=-1, keepdims=True), np.ones((*lab.shape[:2], 1))], axis=-1)
    sums = np.add.reduceat(values, tops[:-1].astype(np.int64), axis=0)
    return np.asarray(np.add.reduceat(sums, _split_points(lab.shape[1], columns)[:-1], axis=1))


def _squared_error(sums: Floats) -> Floats:
    """(..., 5) as _block_sums gives them -> the sum of squared distances from the mean, never below 0."""
    error: Floats = np.maximum(sums[..., 3] - (sums[..., :3] ** 2).sum(axis=-1) / sums[..., 4], 0.0)
    return error


def _reachable(split: list[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Keep only cells whose parents are split too."""
    for level in range(1, len(split)):
        split[level] &= split[level - 1].repeat(2, 0).repeat(2, 1)
    return split


QUADTREE = Style(
    name="quadtree",
    version=13,
    params=QuadtreeParams,
    paint=paint_quadtree,
    en="Quadtree",
    zh="四叉树",
    about_en="Large cells where the picture is calm, split again and again where it is not.",
    about_zh="平缓处用大格，细节处不断四分。",
    cost=RenderCost(0.25, 0.02, pieces_s=0.09, small_pieces_s=0.2),
    file_mb=FileSizes(0.2, 1.7, 0.8, shapes=0),
    svg=True,
    laying="middle",
    seeded=True,
)
