"""Centering and crops: which parts of a picture its tiles may show, one of them found by detail."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CROPS = 5
"""Parts of a picture among which a cell may choose."""
CORNER_SIZE = 0.75
"""Of the four smaller crops: more of the picture is recognised, less differs more from the largest crop."""

_SHORT_PX = 16  # of the reduced picture in which detail is looked for
_PREFERENCE = 0.3  # by so much the share of detail must be larger at the other end of the picture
# The preferred start and all possible ones, few, so that duplicates in other qualities are cut alike; of an upright
# picture at most a third of what is cut off is at the top, where heads are.
_WIDE = 0.5, (0.0, 0.5, 1.0)
_UPRIGHT = 0.0, (0.0, 1 / 3)


def tile_crops(
    centerings: NDArray[np.float64], picture_aspects: NDArray[np.floating[Any]], aspect: float = 1.0
) -> NDArray[np.float64]:
    """(n, CROPS, 3): the crops of n pictures: the shares of what is cut off at the left and at the top, and the size.

    The first is as large as fits, at the centering of `tile_centering`; the others, of CORNER_SIZE times its sides, are
    in the corners, those of upright pictures at the top and a third below, so that heads stay whole.
    centerings: (n, 2). picture_aspects: (n,), width / height. aspect: of the tile.
    """
    crops = np.empty((len(centerings), CROPS, 3))
    crops[:, 0, :2], crops[:, 0, 2] = centerings, 1.0
    crops[:, 1:, 0], crops[:, 1:, 2] = (0.0, 1.0, 0.0, 1.0), CORNER_SIZE
    upright = picture_aspects < max(1.0, aspect)
    crops[:, 1:3, 1], crops[:, 3:, 1] = 0.0, np.where(upright, _UPRIGHT[1][1], 1.0)[:, None]
    return crops


def tile_centering(image: Image.Image, aspect: float = 1.0) -> tuple[float, float]:
    """What ImageOps.fit takes as `centering`: the shares of what is cut off at the left and at the top, 0 to 1.

    The part with the largest sum of differences of neighbouring pixels in lightness, of pictures in the tile's aspect
    the whole. Parts near the middle are preferred, and those at the top where the picture is narrower than the tile.
    aspect: width / height of the tile.
    """
    width, height = image.width / aspect, image.height  # as if squeezed until the tile is a square
    long_px = round(_SHORT_PX * max(width, height) / min(width, height))
    slack = long_px - _SHORT_PX
    if slack < 1:
        return 0.5, 0.5
    upright = height > width
    size = (_SHORT_PX, long_px) if upright else (long_px, _SHORT_PX)
    pixels = np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0).convert("L")).astype(np.float32)
    lines = pixels if upright else pixels.T  # (long, short)
    detail = np.abs(np.diff(lines, axis=1)).sum(axis=1)
    detail[1:] += np.abs(np.diff(lines, axis=0)).sum(axis=1)
    sums = np.concatenate([[0.0], np.cumsum(detail)])
    shares = (sums[_SHORT_PX:] - sums[:-_SHORT_PX]) / max(1.0, sums[-1])
    preferred, candidates = _UPRIGHT if upright else _WIDE
    gains = [shares[round(start * slack)] - _PREFERENCE * abs(start - preferred) for start in candidates]
    best = candidates[int(np.argmax(gains))]
    return (0.5, best) if upright else (best, 0.5)
