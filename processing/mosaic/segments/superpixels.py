"""Superpixels: connected regions of similar colour whose borders lie on the contours of the picture.

SLIC (Achanta and others, 2012) with the candidates of a fixed grid (gSLIC, 2011), then merging of neighbours whose
union costs least (Ward, 1963). Written in NumPy instead of taken from scikit-image, which would add 60 MB of packages:
merging needs the regions' statistics anyway, and a hexagonal grid lets calm areas look less like a chequerboard.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from ..colour.srgb import Floats
from ..progress import Progress
from ..scipy_lazy import connected_components, ndimage

Labels = NDArray[np.int64]

_ROUNDS = 3
_COMPACTNESS = 5.0  # how many units of OKLab x 100 a distance of one superpixel counts
_SUPERPIXELS = 2.6  # for each region of the result
_SLENDER = 0.4  # squared difference of colours that a union of squares side by side counts as
_LARGEST = 9.0  # region, in mean areas
_SMOOTHING_ROUNDS, _EDGE = 8, 3.0  # of diffusion; a difference of colour that stops it


def segment(lab: Floats, count: int, progress: Progress) -> Labels:
    """(rows, columns): about `count` connected regions, numbered from 0. lab: (rows, columns, 3) OKLab x 100."""
    rows, columns = lab.shape[:2]
    smooth = _diffuse(lab.astype(np.float32))
    progress(0.2)
    side = max(1.0, (rows * columns / (count * _SUPERPIXELS)) ** 0.5)
    labels = connected_parts(_slic(smooth, side, progress.sub(0.2, 0.6)))
    progress(0.7)
    return merge_to(labels, smooth, count, progress.sub(0.7, 1.0))


def merge_regions(labels: Labels, lab: Floats, small: NDArray[np.bool_]) -> Labels:
    """Merge each of the `small` regions (n,) with its most similar neighbour."""
    regions = _Regions(labels, lab)
    for region in np.flatnonzero(small).tolist():
        neighbours = regions.neighbours[region]
        if regions.alive[region] and neighbours:
            regions.merge(min(neighbours, key=lambda other: (regions.distance(region, other), other)), region)
    return regions.relabelled(labels)


def _diffuse(lab: Floats) -> Floats:
    """Smooth the picture, but not across edges (Perona and Malik, 1990)."""
    for _ in range(_SMOOTHING_ROUNDS):
        change = np.zeros_like(lab)
        for axis in (0, 1):
            step = np.diff(lab, axis=axis)
            step *= 0.2 * np.exp(-((step**2).sum(axis=-1, keepdims=True)) / _EDGE**2)
            low, high = (slice(None, -1), slice(1, None))
            change[(low,) if axis == 0 else (slice(None), low)] += step
            change[(high,) if axis == 0 else (slice(None), high)] -= step
        lab = lab + change
    return lab


def _slic(lab: Floats, side: float, progress: Progress) -> Labels:
    """(rows, columns): the nearest centre of each pixel, of the nine around its square of the grid."""
    rows, columns = lab.shape[:2]
    high, wide = max(1, round(rows / side)), max(1, round(columns / side))
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    row = (y * high / rows).astype(np.int64)
    column = np.minimum((x * wide / columns + row % 2 * 0.5).astype(np.int64), wide - 1)  # odd rows are offset
    labels: Labels = row * wide + column
    features = np.dstack([lab, y * np.float32(_COMPACTNESS / side), x * np.float32(_COMPACTNESS / side)])
    for number in range(_ROUNDS):
        areas = np.maximum(np.bincount(labels.ravel(), minlength=high * wide), 1)
        centres = np.stack(
            [np.bincount(labels.ravel(), f.ravel(), high * wide) / areas for f in np.moveaxis(features, -1, 0)], 1
        )
        centres = centres.astype(np.float32)
        least = np.full((rows, columns), np.inf, np.float32)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                other = np.clip(row + down, 0, high - 1) * wide + np.clip(column + right, 0, wide - 1)
                offset = features - centres[other]
                distance = np.einsum("yxi,yxi->yx", offset, offset)
                nearer = distance < least
                least[nearer], labels[nearer] = distance[nearer], other[nearer]
        progress((number + 1) / _ROUNDS)
    return labels


def connected_parts(labels: Labels) -> Labels:
    """Numbers from 0 for the connected parts of equal labels."""
    index = np.arange(labels.size).reshape(labels.shape)
    across, down = labels[:, 1:] == labels[:, :-1], labels[1:] == labels[:-1]
    first = np.concatenate([index[:, :-1][across], index[:-1][down]])
    second = np.concatenate([index[:, 1:][across], index[1:][down]])
    return connected_components(first, second, labels.size).reshape(labels.shape)


def region_widths(labels: Labels) -> Floats:
    """(count,): the width of each region at its widest place."""
    padded = np.pad(labels, 1, mode="edge")
    edge = np.zeros(labels.shape, bool)
    for y, x in ((0, 1), (2, 1), (1, 0), (1, 2)):
        edge |= padded[y : y + labels.shape[0], x : x + labels.shape[1]] != labels
    regions = np.arange(labels.max() + 1)
    if not edge.any():
        return np.full(1, float(min(labels.shape)))
    inside = ndimage().distance_transform_edt(~edge) + 0.5
    return np.asarray(ndimage().maximum(inside, labels, regions) * 2, np.float64)


def merge_to(labels: Labels, lab: Floats, count: int, progress: Progress) -> Labels:
    """Merge neighbours until `count` regions are left, those first whose union adds the least squared error."""
    regions = _Regions(labels, lab)
    largest = _LARGEST * labels.size / count
    every = range(len(regions.alive))
    queue = [(cost, a, b, 0, 0) for a in every for cost, b in regions.costs(a, largest) if a < b]
    heapq.heapify(queue)
    left, total = len(regions.alive), max(1, len(regions.alive) - count)
    while left > count and queue:
        _, a, b, version_a, version_b = heapq.heappop(queue)
        if (regions.version[a], regions.version[b]) != (version_a, version_b) or not (
            regions.alive[a] and regions.alive[b]
        ):
            continue
        regions.merge(a, b)
        version, versions = regions.version[a], regions.version
        for cost, other in regions.costs(a, largest):
            pair = (a, other, version, versions[other]) if a < other else (other, a, versions[other], version)
            heapq.heappush(queue, (cost, *pair))
        left -= 1
        if left % 256 == 0:
            progress(1 - (left - count) / total)
    return regions.relabelled(labels)


class _Regions:
    """Regions with their mean colours and neighbours, to be merged."""

    def __init__(self, labels: Labels, lab: Floats) -> None:
        flat, count = labels.ravel(), int(labels.max()) + 1
        areas = np.bincount(flat, minlength=count)
        sums = [np.bincount(flat, lab[..., channel].ravel(), count) for channel in range(3)]
        means = (np.stack(sums) / areas).tolist()
        self.area: list[int] = areas.tolist()
        self._means: list[tuple[float, float, float]] = list(zip(*means, strict=True))
        self.alive, self.version, self._into = [True] * count, [0] * count, list(range(count))
        borders = [
            np.stack([a[a != b], b[a != b]]) for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1]))
        ]
        low, high = np.sort(np.concatenate(borders, axis=1), axis=0)
        pairs, shared = np.unique(low * count + high, return_counts=True)
        self.neighbours: list[dict[int, int]] = [{} for _ in range(count)]  # how many sides of pixels they share
        for first, second, sides in zip(
            (pairs // count).tolist(), (pairs % count).tolist(), shared.tolist(), strict=True
        ):
            self.neighbours[first][second] = self.neighbours[second][first] = sides

    def distance(self, a: int, b: int) -> float:
        """The squared distance of the mean colours."""
        (l1, a1, b1), (l2, a2, b2) = self._means[a], self._means[b]
        return (l1 - l2) * (l1 - l2) + (a1 - a2) * (a1 - a2) + (b1 - b2) * (b1 - b2)

    def costs(self, region: int, largest: float) -> list[tuple[float, int]]:
        """The squared error that its union with each neighbour adds, and the neighbour; of unions up to `largest`.

        Where colours are equal, compact unions come first.
        """
        area, (lightness, red, yellow), areas, means = self.area[region], self._means[region], self.area, self._means
        costs = []
        for other, sides in self.neighbours[region].items():
            other_area = areas[other]
            if area + other_area <= largest:
                l2, a2, b2 = means[other]
                distance = (lightness - l2) ** 2 + (red - a2) ** 2 + (yellow - b2) ** 2
                slenderness = math.sqrt(area if area < other_area else other_area) / sides
                costs.append((area * other_area / (area + other_area) * (distance + _SLENDER * slenderness), other))
        return costs

    def merge(self, into: int, gone: int) -> None:
        (l1, a1, b1), (l2, a2, b2) = self._means[into], self._means[gone]
        area = self.area[into] + self.area[gone]
        share = self.area[gone] / area
        self._means[into] = (l1 + (l2 - l1) * share, a1 + (a2 - a1) * share, b1 + (b2 - b1) * share)
        self.area[into] = area
        self.alive[gone], self._into[gone] = False, into
        self.version[into] += 1
        for other, sides in self.neighbours[gone].items():
            del self.neighbours[other][gone]
            if other != into:
                together = self.neighbours[into].get(other, 0) + sides
                self.neighbours[other][into] = self.neighbours[into][other] = together
        self.neighbours[gone] = {}

    def relabelled(self, labels: Labels) -> Labels:
        """The labels of the merged regions, numbered from 0 from top to bottom."""
        roots = np.array(self._into)
        while (roots[roots] != roots).any():
            roots = roots[roots]
        merged = roots[labels]
        values, first, inverse = np.unique(merged, return_index=True, return_inverse=True)
        rank = np.empty(len(values), np.int64)
        rank[np.argsort(first)] = np.arange(len(values))
        return np.asarray(rank[inverse].reshape(labels.shape), np.int64)
