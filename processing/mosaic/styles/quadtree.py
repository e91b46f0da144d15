"""The style `quadtree`: cells split in four where their colours differ most (Finkel and Bentley, 1974)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import fields
from ..canvas import Painting
from ..cells.polygons import PolygonCells
from ..codec.decode import Source
from ..colour.oklab import from_srgb
from ..colour.srgb import Floats
from ..flat_cells import paint_flat
from ..params import GroutParams, automatic_cell
from ..progress import Stage
from ..style import Style

_MOST_CELLS = 100_000
_SAMPLES = 1 << 16  # errors are measured on a picture reduced to about so many pixels, or one for each smallest cell
_BAND = 1 << 15
_DEEP = 4  # levels of which the sums are not kept: five numbers a cell
_STOPS = {"cells": ("at a number of cells", "达到数量"), "error": ("at an error", "达到误差")}

Counts = NDArray[np.int64]


class QuadtreeParams(GroutParams):
    """cell: the smallest side a cell may have."""

    stop: str = fields.choice("cells", _STOPS, en="Stop splitting", zh="停止条件")
    cells: int = fields.integer(3000, low=1, high=_MOST_CELLS, en="Number of cells", zh="单元数量")
    error: float = fields.number(4.0, low=0.0, high=100.0, step=0.5, en="Error, OKLab x 100", zh="误差(OKLab x 100)")
    grout: int = fields.integer(1, low=0, high=64, unit="px", en="Joint width, pixels", zh="填缝宽度(像素)")


@dataclass(frozen=True, slots=True)
class Roots:
    """The cells that splitting starts from: near to squares, and how often each side can be halved."""

    columns: int
    rows: int
    levels: int


def paint_quadtree(source: Source, params: QuadtreeParams, stage: Stage) -> Painting:
    """Each cell in the mean of its pixels."""
    size = (source.width, source.height)
    smallest = params.cell or automatic_cell(*size, across=320)
    roots = roots_for(*size, smallest)
    sums = pyramid(source, roots, stage.part(0.0, 0.1))
    split = by_count(sums, params.cells if params.stop == "cells" else _MOST_CELLS)
    if params.stop == "error":
        split = [both & far for both, far in zip(split, by_error(sums, size, params.error), strict=True)]
    boxes = leaves(split, roots, size)
    stage(0.15)
    pitch = float((size[0] * size[1] / len(boxes)) ** 0.5)
    cells = PolygonCells(*size, corners(boxes, params.joint(smallest)), np.full(len(boxes), 4), pitch)
    return paint_flat(source, cells, params, stage.part(0.2, 1.0), ground=params.ground)


def roots_for(width: int, height: int, smallest: int) -> Roots:
    """Up to six roots along the shorter side, whatever comes nearest to squares; no cell gets below `smallest`."""
    longer, shorter = max(width, height), min(width, height)
    most = max(1, min(6, shorter // smallest))
    short = min(range(min(2, most), most + 1), key=lambda count: _squareness(longer, shorter, count))
    long = max(1, min(round(short * longer / shorter), longer // smallest))
    columns, rows = (long, short) if width >= height else (short, long)
    levels = max(1, min(width // columns, height // rows) // smallest).bit_length() - 1
    return Roots(columns, rows, levels)


def pyramid(source: Source, roots: Roots, stage: Stage) -> list[Floats]:
    """For each level, roots first, the squared distance of a cell's pixels from their mean in OKLab, summed:
    (rows, columns). Estimated from one or more samples for each of the smallest cells.

    Splitting never raises the sum, so a cell that is worth splitting has parents that are.
    """
    sides = [(roots.rows << level, roots.columns << level) for level in range(roots.levels + 1)]
    levels: list[Floats] = [np.empty(side) for side in sides]
    rows, columns = sides[-1]
    deep = min(roots.levels, _DEEP)
    few, coarse = np.empty((1 << deep, columns, 5)), np.empty((rows >> deep, columns >> deep, 5))
    factor = _reduction(source, rows, columns)
    for row, sums in enumerate(_smallest(source, rows, columns, factor, stage)):
        number, place = divmod(row, len(few))
        few[place] = sums
        if place == len(few) - 1:
            fine = [level[number << depth : number + 1 << depth] for depth, level in enumerate(levels[-1 - deep :])]
            coarse[number] = _folded(few, fine, factor**2)[0]
    _folded(coarse, levels[: len(levels) - deep], factor**2)
    return levels


def _reduction(source: Source, rows: int, columns: int) -> int:
    """How many times smaller the picture is looked at that has so many of the smallest cells."""
    across: int = max(columns, round((_SAMPLES * columns / rows) ** 0.5))
    return max(1, min(source.width // across, source.height // rows))


def _smallest(source: Source, rows: int, columns: int, factor: int, stage: Stage) -> Iterator[Floats]:
    """(columns, 5), row by row of the smallest cells: see _block_sums."""
    cuts, step = _cuts(source.height, rows), max(1, _BAND * rows * factor**2 // (source.width * source.height))
    for first in range(0, rows, step):
        parts = cuts[first : first + step + 1]
        band = source.image.crop((0, int(parts[0]), source.width, int(parts[-1])))
        yield from _block_sums(band, (parts - parts[0]) / factor, columns, factor)
        stage(first / rows)


def _folded(sums: Floats, levels: list[Floats], weight: int) -> Floats:
    """Fill the levels, the finest of which has these sums; returns the sums of the first."""
    for level in reversed(levels):
        if level is not levels[-1]:
            sums = sums[::2, ::2] + sums[1::2, ::2] + sums[::2, 1::2] + sums[1::2, 1::2]
        level[:] = _spread(sums) * weight
    return sums


def by_count(sums: list[Floats], count: int) -> list[NDArray[np.bool_]]:
    """Which cells of each level split, so that at most `count` are left: those with the largest sums. As no sum is
    above its parent's, the largest ones of all levels are the ones that always splitting the worst would find."""
    wanted = max(0, (count - sums[0].size) // 3)
    ranked = np.sort(np.concatenate([level.ravel() for level in sums[:-1]] or [np.zeros(0)]))[::-1]
    least = ranked[wanted] if wanted < len(ranked) else 0.0
    return _reached([level > least for level in sums[:-1]])


def by_error(sums: list[Floats], size: tuple[int, int], error: float) -> list[NDArray[np.bool_]]:
    """Which cells of each level split: those whose root mean square distance in OKLab x 100 is above `error`."""
    areas = [size[0] * size[1] / level.size for level in sums[:-1]]
    far = [np.sqrt(level / area) * 100 > error for level, area in zip(sums, areas, strict=False)]
    return _reached(far)


def leaves(split: list[NDArray[np.bool_]], roots: Roots, size: tuple[int, int]) -> Counts:
    """(n, 4) left, top, right, bottom in pixels of the cells that do not split, in reading order."""
    found = []
    reached = np.ones((roots.rows, roots.columns), bool)
    for level in range(roots.levels + 1):
        ends = reached & ~split[level] if level < roots.levels else reached
        row, column = np.nonzero(ends)
        x, y = (_cuts(side, count << level) for side, count in zip(size, (roots.columns, roots.rows), strict=True))
        found.append(np.stack([x[column], y[row], x[column + 1], y[row + 1]], 1))
        reached = (reached & ~ends).repeat(2, 0).repeat(2, 1)
    boxes = np.concatenate(found)
    return boxes[np.lexsort((boxes[:, 0], boxes[:, 1]))]


def corners(boxes: Counts, joint: float) -> Floats:
    """(4 * n, 2): each box less half a joint on every side; whole pixels, so that all joints are as wide."""
    before = int(joint) // 2
    after = int(joint) - before
    left, top = boxes[:, 0] + before, boxes[:, 1] + before
    right, bottom = np.maximum(boxes[:, 2] - after, left + 1), np.maximum(boxes[:, 3] - after, top + 1)
    return np.stack([left, top, right, top, right, bottom, left, bottom], 1).reshape(-1, 2).astype(np.float64)


def _squareness(longer: int, shorter: int, count: int) -> float:
    ratio = longer / shorter * count
    return abs(log2(max(1, round(ratio)) / ratio)) + 0.01 * count


def _cuts(length: int, count: int) -> Counts:
    """Where `count` equal parts begin and end, in whole pixels."""
    return np.arange(count + 1) * length // count


def _block_sums(band: Image.Image, down: Floats, columns: int, factor: int) -> Floats:
    """(rows, columns, 5) over blocks of the reduced band: OKLab, its squared length, samples."""
    lab = from_srgb(np.asarray(band.reduce(factor)))
    values = np.concatenate([lab, (lab**2).sum(axis=-1, keepdims=True), np.ones((*lab.shape[:2], 1))], axis=-1)
    sums = np.add.reduceat(values, down[:-1].astype(np.int64), axis=0)
    return np.asarray(np.add.reduceat(sums, _cuts(lab.shape[1], columns)[:-1], axis=1))


def _spread(sums: Floats) -> Floats:
    """The squared distance from the mean, summed, never below 0."""
    found: Floats = np.maximum(sums[..., 3] - (sums[..., :3] ** 2).sum(axis=-1) / sums[..., 4], 0.0)
    return found


def _reached(split: list[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Only those whose parents split too."""
    for level in range(1, len(split)):
        split[level] &= split[level - 1].repeat(2, 0).repeat(2, 1)
    return split


QUADTREE = Style(
    name="quadtree",
    version=2,
    params=QuadtreeParams,
    paint=paint_quadtree,
    en="Quadtree",
    zh="四叉树",
    about_en="Large cells where the picture is calm, split again and again where it is not.",
    about_zh="平缓处用大格,细节处不断四分。",
    svg=True,
)
