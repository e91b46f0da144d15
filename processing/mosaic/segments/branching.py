"""Regions with many neighbours are split: each border with another one takes a corner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from .superpixels import Labels, connected_parts

_ROUNDS = 3


def split_branching(labels: Labels, most: int) -> Labels:
    """The regions, those with more than `most` neighbours cut in two until none is left, or for _ROUNDS."""
    for _ in range(_ROUNDS):
        branching = np.flatnonzero(neighbour_counts(labels) > most)
        if not len(branching):
            break
        labels = split_regions(labels, branching)
    return labels


def split_regions(labels: Labels, regions: NDArray[np.intp]) -> Labels:
    """The regions, some cut across their longer axes."""
    count = int(labels.max()) + 1
    middles, axes = _axes(labels)
    y, x = np.nonzero(np.isin(labels, regions))
    region = labels[y, x]
    beyond = (y - middles[region, 0]) * axes[region, 0] + (x - middles[region, 1]) * axes[region, 1] > 0
    parts = labels.copy()
    parts[y[beyond], x[beyond]] += count
    return connected_parts(parts)


def neighbour_counts(labels: Labels) -> NDArray[np.intp]:
    """(count,): how many other regions each touches; the outside of the picture counts as one."""
    padded = np.pad(labels, 1, constant_values=labels.max() + 1)
    count = int(padded.max()) + 1
    pairs = []
    for first, second in ((padded[1:], padded[:-1]), (padded[:, 1:], padded[:, :-1])):
        differ = first != second
        low, high = np.minimum(first, second)[differ], np.maximum(first, second)[differ]
        pairs.append(low * count + high)
    touching = np.unique(np.concatenate(pairs))
    both = np.concatenate([touching // count, touching % count])
    return np.bincount(both, minlength=count)[:-1]


def _axes(labels: Labels) -> tuple[Floats, Floats]:
    """(count, 2) twice, y and x: the middle of each region, and the direction in which it is longest."""
    flat = labels.ravel()
    area = np.bincount(flat)
    y, x = (places.ravel().astype(np.float64) for places in np.indices(labels.shape))
    middles = np.stack([np.bincount(flat, y) / area, np.bincount(flat, x) / area], 1)
    down, right = y - middles[flat, 0], x - middles[flat, 1]
    yy, xx, xy = (np.bincount(flat, product) for product in (down * down, right * right, down * right))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return middles, np.stack([np.sin(angle), np.cos(angle)], 1)
