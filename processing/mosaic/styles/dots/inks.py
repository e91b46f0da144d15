"""Inks that keep the picture's tone: with the ground between the dots, they add up to the mean of each cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ...cells.cells import Outline
from ...cells.discs import CutDisc, DiscCoverage, cell_distances, window_margin
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours, Floats, linear_lut, to_bytes
from .dot_grid import DotGrid

MIN_COVERAGE = 0.02  # even a picture in the colour of the ground keeps its pattern
_COVERAGE_EXPONENT = 0.6  # with 1, the least coverage, inks are saturated and amplify the noise of skin and walls
_BELOW_PX = 0.75
_FULL_COVERAGE = 0.96  # from here on no gap is left: a few bright pixels in a dark picture look like dust


class InkBlend:
    """Dots that are cut at the edges of their cells: hexagons, or squares in a square lattice.

    Soft edges are blended in linear light: blended as numbers they would be too dark, and so would the picture.
    """

    def __init__(self, grid: DotGrid, ground: str, *, smooth: bool) -> None:
        self.margin = max(window_margin(grid.side, step, grid.row_offset) for step in set(grid.steps.tolist()))
        self._grid = grid
        rows = np.column_stack([grid.steps[:-1], grid.steps[1:], grid.offsets])
        _, first, self._kinds = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        self._kinds = self._kinds.ravel()
        self._discs = [DiscCoverage(self._distances(row), smooth=smooth) for row in first.tolist()]
        self._outline = CutDisc(grid.side, grid.row_height, grid.row_offset)
        self.ground = linear_lut(True)[list(hex_to_rgb(ground))]
        alpha = np.arange(256)[:, None, None] / 255
        self._blended = to_bytes(alpha * linear_lut(True)[:, None] + (1 - alpha) * self.ground, linear=True)

    def discs(self, shares: Floats, first: int) -> tuple[Floats, Floats]:
        """(n,) twice: how much the smallest discs cover that cover these shares of the cells from `first` on, and their
        radii in pixels."""
        kinds = self._kinds[np.arange(first, first + len(shares)) // self._grid.columns]
        coverage, radii = np.empty(len(shares)), np.empty(len(shares))
        for kind, discs in enumerate(self._discs):
            some = kinds == kind
            levels = discs.levels(shares[some])
            coverage[some], radii[some] = discs.coverage[levels], discs.radii[levels]
        return coverage, radii

    def distances(self, row: int) -> Floats:
        """As of `cell_distances`, for the cells of a row."""
        return self._distances(row, is_first=row == 0, is_last=row == self._grid.rows - 1)

    def _distances(self, row: int, *, is_first: bool = False, is_last: bool = False) -> Floats:
        grid, (right, down) = self._grid, self._grid.offsets[row].tolist()
        above, below = grid.steps[row : row + 2].tolist()
        return cell_distances(
            grid.side,
            above,
            grid.row_offset,
            self.margin,
            below=below,
            offset=(right, down),
            is_first=is_first,
            is_last=is_last,
        )

    def blend(self, alpha: NDArray[np.uint8], colours: Colours) -> Colours:
        """(rows, n * side, 3). alpha: (rows, n * side), 0 to 255; colours: (n, 3)."""
        high, wide = alpha.shape
        pixels = np.empty((high, wide, 3), np.uint8)
        rows_of_table = alpha.reshape(high, len(colours), -1).astype(np.uint16) << 8
        for channel in range(3):
            table = np.ascontiguousarray(self._blended[..., channel]).ravel()
            pixels[..., channel] = table[rows_of_table + colours[:, None, channel]].reshape(high, wide)
        return pixels

    def underlay(self, visible: NDArray[np.bool_], radii: Floats) -> Iterator[Outline]:
        """What is drawn below the `outlines`, so that no line of the ground shows where they touch: viewers antialias
        each alone, and rows may lie a little farther apart than their cells are high."""
        apart = float(self._grid.steps.max()) - self._grid.row_height
        return self.outlines(visible, radii, beyond=_BELOW_PX + max(0.0, apart))

    def outlines(self, visible: NDArray[np.bool_], radii: Floats, *, beyond: float = 0.0) -> Iterator[Outline]:
        """The dots of the visible cells. visible: (count,); radii: (count,) pixels. beyond: as of `CutDisc.outline`."""
        grid, cells = self._grid, np.flatnonzero(visible)
        places = grid.centres(0, grid.count)[cells] + grid.offsets[cells // grid.columns]
        for (x, y), radius in zip(places.tolist(), radii[cells].tolist(), strict=True):
            yield self._outline.outline(x, y, radius, beyond=beyond)


def ink_coverage(light: Floats, ground: Floats) -> Floats:
    """(n,): how much of each cell a dot covers. light: (n, 3), the cells' means; ground: (3,), both in linear light.

    There is an ink, ground + (light - ground) / coverage, from the least coverage on that keeps it in 0..1.
    """
    darker = (ground - light) / np.maximum(ground, 1e-9)
    lighter = (light - ground) / np.maximum(1.0 - ground, 1e-9)
    least = np.clip(np.maximum(darker, lighter).max(axis=1), MIN_COVERAGE, 1.0)
    coverage = least**_COVERAGE_EXPONENT
    return np.where(coverage > _FULL_COVERAGE, 1.0, coverage)
