"""Upright rectangles: cells whose edges may lie between pixels, and are painted by the exact area of each pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..progress import pieces
from .polygons import PolygonCells

PIECE_PX = 1 << 17  # at a time: a pixel that is cut takes some hundred bytes
Packed = NDArray[np.uint32]
Indices = NDArray[np.int64]


class RectangleCells(PolygonCells):
    """Cells from rectangles that do not overlap; implements cells.Cells.

    boxes: (n, 4) left, top, right, bottom in pixels, in reading order.
    """

    def __init__(self, width: int, height: int, boxes: Floats, pitch: float) -> None:
        points = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)
        super().__init__(width, height, points, np.full(len(boxes), 4), pitch)
        self.boxes = boxes

    def scaled(self, width: int, height: int) -> RectangleCells:
        """The same cells on a picture of another size."""
        across, down = width / self.width, height / self.height
        return RectangleCells(width, height, self.boxes * (across, down, across, down), self.pitch * across)

    def enlarged(self, factor: int) -> None:
        return None  # see blend_cut_pixels

    def blend_cut_pixels(self, painted: Packed, top: int, colours: Packed) -> None:
        """Mix the colours of cells, and of what none covers, in the pixels that an edge cuts, by their areas.

        painted: (rows, width) the rows of the picture from `top` on, by pixel centres, changed in place. colours:
        (count + 1,) numbers whose bytes are R, G, B and opacity; the last is that of what no cell covers.
        """
        rows, width = painted.shape
        for piece in pieces(rows, max(1, PIECE_PX // width)):
            first, last = top + piece.start, top + piece.stop
            cells = np.flatnonzero((self.boxes[:, 1] < last) & (self.boxes[:, 3] > first))
            boxes = np.clip(self.boxes[cells], (0, first, 0, first), (width, last, width, last)) - (0, first, 0, first)
            owners, x, y = _cut_pixels(boxes)
            if len(owners):
                left, upper, right, lower = boxes[owners].T
                shares = (np.minimum(x + 1, right) - np.maximum(x, left)) * (
                    np.minimum(y + 1, lower) - np.maximum(y, upper)
                )
                _mix(painted[piece].reshape(-1), y * width + x, shares, colours[cells[owners]], colours[-1:])


def _cut_pixels(boxes: Floats) -> tuple[Indices, Indices, Indices]:
    """The rectangle, x and y of every pixel that lies partly in a rectangle; one of several as often."""
    low, high = np.floor(boxes[:, :2]).astype(np.int64), np.ceil(boxes[:, 2:]).astype(np.int64)
    (x0, y0), (x1, y1) = low.T, high.T
    (left, upper), (right, lower) = (boxes[:, :2] > low).T, (boxes[:, 2:] < high).T
    lower &= ~upper | (y1 - y0 > 1)  # a pixel cut on both sides counts once
    right &= ~left | (x1 - x0 > 1)
    owners, xs, ys = [], [], []
    for cut, row in ((upper, y0), (lower, y1 - 1)):
        owner, step = _repeated(np.where(cut, x1 - x0, 0))
        owners.append(owner)
        xs.append(x0[owner] + step)
        ys.append(row[owner])
    inner, rows = y0 + upper, y1 - y0 - upper - lower
    for cut, column in ((left, x0), (right, x1 - 1)):
        owner, step = _repeated(np.where(cut, rows, 0))
        owners.append(owner)
        xs.append(column[owner])
        ys.append(inner[owner] + step)
    return np.concatenate(owners), np.concatenate(xs), np.concatenate(ys)


def _repeated(counts: Indices) -> tuple[Indices, Indices]:
    """Each index as often as its count says, and 0, 1, 2, … for each of them."""
    indices = np.repeat(np.arange(len(counts)), counts)
    return indices, np.arange(len(indices)) - (np.cumsum(counts) - counts)[indices]


def _mix(painted: Packed, pixels: Indices, shares: Floats, colours: Packed, background: Packed) -> None:
    """pixels: (n,) places in `painted`, some repeatedly. shares: (n,) of each one's area. colours: (n,)."""
    is_cut = np.zeros(len(painted), bool)
    is_cut[pixels] = True
    cut = np.flatnonzero(is_cut)
    place = np.empty(len(painted), np.int32)
    place[cut] = np.arange(len(cut))
    places, (*channels, opacity) = place[pixels], _channels(colours)
    (*behind, behind_opacity) = _channels(background)
    rest = np.maximum(1 - np.bincount(places, shares, len(cut)), 0) * behind_opacity
    weights = shares * opacity
    opacities = np.bincount(places, weights, len(cut)) + rest
    mixed = np.empty((len(cut), 4), np.uint8)
    for number, (channel, other) in enumerate(zip(channels, behind, strict=True)):
        sums = np.bincount(places, weights * channel, len(cut)) + rest * other
        mixed[:, number] = np.rint(sums / np.maximum(opacities, 1e-9))
    mixed[:, 3] = np.rint(opacities)
    painted[cut] = mixed.view(np.uint32)[:, 0]


def _channels(packed: Packed) -> NDArray[np.uint8]:
    """(4, n)."""
    return packed[:, None].view(np.uint8).T
