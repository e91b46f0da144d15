"""Draws a square grid whose cells are copies of few small images: studs, beads, stitches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..progress import BAND_PX, Progress, pieces
from ..scaled import Drawing, is_visible

Kinds = NDArray[np.signedinteger]
"""(rows, columns): what each cell looks like."""
LIGHT = (-0.55, -0.65)
"""Towards the light, on the screen, in the relief of beads and stitches."""
_DRAWN_PX = 1 << 18  # of stamps at a time: each pixel takes several floats


def paste_stamps(
    canvas: Drawing,
    shape: tuple[int, int],
    side: int,
    kinds_of: Callable[[slice, slice], Kinds],
    draw: Callable[[Kinds], NDArray[np.uint32]],
    progress: Progress,
) -> None:
    """Draw some rows of cells at a time, or some columns of one row if cells are large.

    shape: rows and columns of the grid. side: of a cell in pixels. kinds_of: the kinds of some rows and columns.
    draw: (k,) different kinds to (k, side, side) pixels, R, G, B, A in the bytes of each number.
    """
    row_count, column_count = shape
    for rows in pieces(row_count, max(1, BAND_PX // (side**2 * column_count))):
        if not is_visible(canvas, rows.start * side, rows.stop * side):
            continue
        for columns in pieces(column_count, max(1, BAND_PX // side**2)):
            kinds = kinds_of(rows, columns)
            used, indices = np.unique(kinds, return_inverse=True)
            strip = np.ascontiguousarray(draw(used)[indices.reshape(kinds.shape)].transpose(0, 2, 1, 3))
            size, corner = (kinds.shape[1] * side, kinds.shape[0] * side), (columns.start * side, rows.start * side)
            canvas.paste(Image.frombuffer("RGBA", size, strip, "raw", "RGBA", 0, 1), corner)
            progress((rows.start + columns.stop / column_count * (rows.stop - rows.start)) / row_count)


def drawn_in_pieces(side: int, draw: Callable[[Kinds], NDArray[np.uint8]]) -> Callable[[Kinds], NDArray[np.uint32]]:
    """What `paste_stamps` draws with, few kinds at a time. draw: (k,) kinds to (k, side, side, 4) bytes."""

    def draw_all(used: Kinds) -> NDArray[np.uint32]:
        drawn = [draw(used[some]) for some in pieces(len(used), max(1, _DRAWN_PX // side**2))]
        return np.concatenate(drawn).view(np.uint32)[..., 0]

    return draw_all
