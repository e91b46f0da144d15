"""A photomosaic without a tile pool: each cell shows the whole picture, small, in the mean of the cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...cells.raster import cell_means
from ...cells.strips import Strips
from ...colour.srgb import Colours, linear_lut
from ...progress import Progress
from ...square_means import rectangle_means
from ...style import RenderContext
from .arrangement import Arrangement, Rectangles
from .assembly import TileLayout

CONTRAST = 0.55
"""Of a tile: enough to recognise the picture, little enough that the eye joins the cells to the large one."""

_MAX_ASPECT = 2.0  # of a cell; longer pictures show their middle
_LEAST_TILE_PX = 128  # of the tile; smaller cells show it reduced
_MIDDLE = 128  # the mean of a tile of neutral colour, to which offsets are added


def own_cell_size(side: int, size: tuple[int, int]) -> tuple[float, float]:
    """Width and height of a cell, in the aspect ratio of the picture and with the area of a square of `side`.

    They are no whole numbers, so that a picture four times as large has the same cells four times as large.
    """
    aspect = min(_MAX_ASPECT, max(1 / _MAX_ASPECT, size[0] / size[1]))
    return side * math.sqrt(aspect), side / math.sqrt(aspect)


def own_layout(context: RenderContext[Any], arrangement: Arrangement, progress: Progress) -> TileLayout:
    """Every second cell shows the picture mirrored."""
    means = _means(context, arrangement, progress)
    drawn = arrangement.enlarged(math.ceil(_LEAST_TILE_PX / min(arrangement.cell)))
    small = ImageOps.fit(context.source.image, drawn.cell, Image.Resampling.BOX, centering=(0.5, 0.5))
    pixels, inside = np.asarray(small).astype(np.float32), drawn.inside()
    deviations = np.rint((pixels - pixels[inside].mean(axis=0)) * CONTRAST).astype(np.int16)
    tile = np.clip(deviations + _MIDDLE, 0, 255).astype(np.uint8)
    places = arrangement.places
    is_part = places.shares < 1
    turns = np.where(is_part, places.part // 2 + places.part, places.row + places.column) % 2 == 1
    offsets = offsets_to_means(deviations[inside], means) - _MIDDLE
    return TileLayout(tile[None], arrangement, np.zeros(turns.shape, np.int32), turns, offsets)


def _means(context: RenderContext[Any], arrangement: Arrangement, progress: Progress) -> Colours:
    """(count, 3): of the picture in each cell."""
    if isinstance(arrangement, Rectangles) and context.alpha is None:
        return rectangle_means(context, arrangement.exact, True, progress).reshape(-1, 3)
    image = context.image
    cells = arrangement.reduced(context.reduction, image.size)
    return cell_means(image, Strips(cells), True, progress, alpha=context.alpha).colours


def offsets_to_means(deviations: NDArray[np.int16], means: Colours) -> NDArray[np.int16]:
    """(..., 3): added to the deviations of a tile, they give it the mean in linear light, although bytes saturate.

    deviations: (..., 3), of a tile's pixels from its mean. means: (..., 3).
    """
    light = linear_lut(True)
    offsets = np.empty(means.shape, np.int16)
    for channel in range(3):
        values, counts = np.unique(deviations[..., channel], return_counts=True)
        candidates = np.arange(-255 - values.max(), 511 - values.min())
        light_means = light[np.clip(candidates[:, None] + values, 0, 255)] @ counts / counts.sum()
        nearest = np.rint(np.interp(light, light_means, candidates)).astype(np.int16)
        offsets[..., channel] = nearest[means[..., channel]]
    return offsets
