"""How wide regions of pixels are at their widest place."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..scipy_lazy import ndimage
from .superpixels import Labels

Mask = NDArray[np.bool_]


def region_edges(labels: Labels, *, framed: bool) -> Mask:
    """(rows, columns): the pixels beside another region. framed: or beside the edge of the picture."""
    edge = np.full(labels.shape, False)
    for first, second in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None),), (slice(None, -1),)),
    ):
        differ = labels[first] != labels[second]
        edge[first] |= differ
        edge[second] |= differ
    if framed:
        edge[[0, -1]] = edge[:, [0, -1]] = True
    return edge


def region_widths(labels: Labels) -> Floats:
    """(count,): the width of each region at its widest place."""
    edge = region_edges(labels, framed=False)
    if not edge.any():
        return np.full(1, float(min(labels.shape)))
    depths = np.zeros(labels.max() + 1)
    np.maximum.at(depths, labels.ravel(), ndimage().distance_transform_edt(~edge).ravel())
    return np.asarray((depths + 0.5) * 2, np.float64)


def are_thinner(labels: Labels, width: float, *, framed: bool) -> Mask:
    """(count,): which regions are thinner than `width` everywhere. framed: the edge of the picture counts as a border.

    Takes a tenth of the time of measuring how wide they are.
    """
    edge = region_edges(labels, framed=framed)
    if not edge.any():
        return np.full(1, min(labels.shape) < width)
    thin = np.full(labels.max() + 1, True)
    thin[labels[~_near(edge, width)]] = False
    return thin


def _near(edge: Mask, width: float) -> Mask:
    """The pixels around which no circle of that diameter fits: those in a disc around a pixel of an edge."""
    squared = max(0, math.floor((width / 2 - 0.5) ** 2) - 2) if width > 1 else 0
    while (math.sqrt(squared) + 0.5) * 2 < width:
        squared += 1  # the least squared distance that is enough
    near = np.zeros_like(edge)
    wide, reach = edge.copy(), 0  # the edge, and what is at most `reach` beside it
    for down in range(math.isqrt(squared), -1, -1):
        if down * down >= squared:
            continue
        while (reach + 1) ** 2 + down * down < squared:
            reach += 1
            if reach < edge.shape[1]:
                wide[:, reach:] |= edge[:, :-reach]
                wide[:, :-reach] |= edge[:, reach:]
        if down < len(edge):
            near[down:] |= wide[: len(edge) - down]
            near[: len(edge) - down] |= wide[down:]
    return near
