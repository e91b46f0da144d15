"""Assigns a palette's colours to the cells of a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.direct_search import MAX_SEARCHED, search_indices
from ..colour.dithering import MAX_DIFFUSED_CELLS, diffuse_indices
from ..colour.own_costs import FULL_MIXING, OwnWeights
from ..colour.palette_indices import palette_indices
from ..colour.srgb import Colours
from ..progress import Progress
from .grid import SquareGrid


def assign_colours(
    grid: SquareGrid,
    colours: Colours,
    palette: Colours,
    progress: Progress,
    *,
    dither: bool,
    still: bool,
    chroma_penalty: float,
    own_weights: OwnWeights = FULL_MIXING,
) -> NDArray[np.int32]:
    """(n,): the index in the palette of each cell's colour: the nearest one, or dithered.

    colours: (n, 3) means of the cells. still: not a frame of an animation, where mixtures would flicker; there, and in
    very fine grids, dithering is ordered; in fine grids errors are diffused. chroma_penalty: as of `nearest_indices`;
    ordered dithering has none. own_weights: as of `search_indices`, the only one that has it.
    """
    if dither and still and grid.count * len(palette) <= MAX_SEARCHED:
        cells = colours.reshape(grid.rows, -1, 3)
        searched = search_indices(cells, palette, progress, chroma_penalty=chroma_penalty, own_weights=own_weights)
        return searched.ravel().astype(np.int32)
    if dither and still and grid.count <= MAX_DIFFUSED_CELLS:
        centres = grid.centres(0, grid.count)
        diffused = diffuse_indices(colours, palette, centres, grid.pitch, progress, chroma_penalty=chroma_penalty)
        return diffused.astype(np.int32)
    indices = np.empty(len(colours), np.int32)
    assigned = palette_indices(
        colours, palette, grid.centres, grid.pitch, progress, dither=dither, chroma_penalty=chroma_penalty
    )
    for piece, chosen in assigned:
        indices[piece] = chosen
    return indices
