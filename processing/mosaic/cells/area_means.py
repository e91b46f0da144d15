"""Means of rectangles whose edges lie anywhere, also between pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.pixels import apply_lut
from ..colour.srgb import Colours, Floats, linear_lut, to_bytes
from ..progress import Progress
from ..scaled import Picture


def area_means(
    image: Picture, side: tuple[float, float], counts: tuple[int, int], linear: bool, progress: Progress
) -> Colours:
    """(rows, columns, 3): the means of rectangles from the top left corner; of pixels on edges, a part counts.

    side: width and height in pixels, at least 1. counts: columns and rows; the last ones may be cut, but begin inside.
    linear: average in linear light.
    """
    lefts, tops = (
        np.minimum(np.arange(count + 1) * each, length)
        for count, each, length in zip(counts, side, image.size, strict=True)
    )
    lefts[-1], tops[-1] = image.size
    sums = np.zeros((3, counts[1], counts[0]), np.float32)
    for top, bottom in progress.bands(*image.size):
        light = apply_lut(image.crop((0, top, image.width, bottom)), linear_lut(linear))
        first, last = np.searchsorted(tops, top, side="right") - 1, np.searchsorted(tops, bottom, side="left")
        y, begin, end = np.arange(top, bottom), tops[first:last, None], tops[first + 1 : last + 1, None]
        shares = np.clip(np.minimum(end, y + 1) - np.maximum(begin, y), 0.0, 1.0).astype(np.float32)
        sums[:, first:last] += shares @ _sums_between(light, lefts)
    areas = np.outer(np.diff(tops), np.diff(lefts))
    return to_bytes(np.moveaxis(sums / areas, 0, -1), linear)


def _sums_between(light: NDArray[np.float32], edges: Floats) -> NDArray[np.float32]:
    """(3, rows, columns): of (3, rows, width), from each of the edges (columns + 1,) to the next, 1 or more pixels."""
    whole = np.floor(edges).astype(np.intp)
    of_edges = light.take(whole, axis=-1, mode="clip")
    of_edges *= (edges - whole).astype(np.float32)
    sums: NDArray[np.float32] = np.add.reduceat(light, whole[:-1], axis=-1)
    sums += of_edges[..., 1:]
    sums -= of_edges[..., :-1]
    return sums
