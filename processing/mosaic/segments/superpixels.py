"""Superpixels: connected regions of similar colour whose borders lie on the contours of the picture.

SLIC (Achanta and others, 2012) with the candidates of a fixed grid (gSLIC, 2011), then merging of neighbours whose
union costs least (Ward, 1963). Written in NumPy instead of taken from scikit-image, which would add 60 MB of packages:
merging needs the regions' statistics anyway, and a hexagonal grid lets calm areas look less like a chequerboard.
"""

from __future__ import annotations

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
    regions = _Regions(labels, lab, small)
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
    nearby = [
        (np.clip(row + down, 0, high - 1) * wide + np.clip(column + right, 0, wide - 1)).astype(np.int32)
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    features = np.dstack([lab, y * np.float32(_COMPACTNESS / side), x * np.float32(_COMPACTNESS / side)])
    for number in range(_ROUNDS):
        areas = np.maximum(np.bincount(labels.ravel(), minlength=high * wide), 1)
        centres = np.stack(
            [np.bincount(labels.ravel(), f.ravel(), high * wide) / areas for f in np.moveaxis(features, -1, 0)], 1
        )
        centres = centres.astype(np.float32)
        least = np.full((rows, columns), np.inf, np.float32)
        for centre in nearby:
            offset = centres.take(centre, axis=0)
            np.subtract(features, offset, out=offset)
            distance = np.einsum("yxi,yxi->yx", offset, offset)
            nearer = distance < least
            np.copyto(least, distance, where=nearer)
            np.copyto(labels, centre, where=nearer)
        progress((number + 1) / _ROUNDS)
    return labels


def connected_parts(labels: Labels) -> Labels:
    """Numbers from 0 for the connected parts of equal labels."""
    index = np.arange(labels.size).reshape(labels.shape)
    across, down = labels[:, 1:] == labels[:, :-1], labels[1:] == labels[:-1]
    first = np.concatenate([index[:, :-1][across], index[:-1][down]])
    second = np.concatenate([index[:, 1:][across], index[1:][down]])
    return connected_components(first, second, labels.size).reshape(labels.shape)


def unite_equal(labels: Labels, values: NDArray[np.integer]) -> Labels:
    """Unite neighbours of the same value (n,). labels: numbered from 0 from top to bottom, as the result is."""
    first, second = _neighbours(labels, len(values))[0].T
    equal = values[first] == values[second]
    return connected_components(first[equal], second[equal], len(values))[labels]


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
    """Merge neighbours until `count` regions are left, those first whose union adds the least squared error.

    In each round the cheaper half of the pairs merge that are each other's best neighbours: no union makes another one
    cheaper, so they would merge later anyway (reciprocal nearest neighbours; Murtagh, 1983).
    """
    borders = _Borders.between(labels, lab)
    into, left = np.arange(len(borders.areas)), len(borders.areas)
    largest, total = _LARGEST * labels.size / count, max(1, left - count)
    while left > count:
        remaining, gone = borders.best_pairs(largest)
        if not len(remaining):
            break
        most = min(left - count, max(1, len(remaining) // 2))
        target = borders.merge(remaining[:most], gone[:most])
        into, left = target[into], left - most
        progress(1 - (left - count) / total)
    return _relabelled(labels, into)


class _Borders:
    """Regions with their mean colours, and the borders between neighbours, as arrays.

    areas: (n,) pixels. means: (n, 3). pairs: (m, 2) regions, the lower number first. sides: (m,) of pixels that they
    share.
    """

    def __init__(self, areas: Floats, means: Floats, pairs: Labels, sides: Floats) -> None:
        self.areas, self.means, self.pairs, self.sides = areas, means, pairs, sides

    @classmethod
    def between(cls, labels: Labels, lab: Floats) -> _Borders:
        flat, count = labels.ravel(), int(labels.max()) + 1
        areas = np.bincount(flat, minlength=count).astype(np.float64)
        sums = [np.bincount(flat, lab[..., channel].ravel(), count) for channel in range(3)]
        return cls(areas, np.stack(sums, 1) / areas[:, None], *_neighbours(labels, count))

    def best_pairs(self, largest: float) -> tuple[Labels, Labels]:
        """The pairs of regions that are each other's cheapest neighbour, those first that cost least.

        The cost is the squared error that a union of at most `largest` adds; where colours are equal, compact unions
        come first.
        """
        first, second = self.pairs.T
        areas, others = self.areas[first], self.areas[second]
        distances = ((self.means[first] - self.means[second]) ** 2).sum(axis=1)
        slenderness = np.sqrt(np.minimum(areas, others)) / self.sides
        costs = areas * others / (areas + others) * (distances + _SLENDER * slenderness)
        allowed = np.flatnonzero(areas + others <= largest)
        cheapest_first = allowed[np.argsort(costs[allowed], kind="stable")]
        rank = np.arange(len(cheapest_first))[::-1]
        best = np.full(len(self.areas), -1)
        np.maximum.at(best, np.concatenate([first[cheapest_first], second[cheapest_first]]), np.tile(rank, 2))
        mutual = cheapest_first[(best[first[cheapest_first]] == rank) & (best[second[cheapest_first]] == rank)]
        return first[mutual], second[mutual]

    def merge(self, remaining: Labels, gone: Labels) -> Labels:
        """Unite disjoint pairs. Returns (n,) the region that each has become part of."""
        target = np.arange(len(self.areas))
        target[gone] = remaining
        areas = self.areas[remaining] + self.areas[gone]
        share = (self.areas[gone] / areas)[:, None]
        self.means[remaining] += (self.means[gone] - self.means[remaining]) * share
        self.areas[remaining] = areas
        count, pairs = len(target), np.sort(target[self.pairs], axis=1)
        apart = pairs[:, 0] != pairs[:, 1]
        keys, inverse = np.unique(pairs[apart, 0] * count + pairs[apart, 1], return_inverse=True)
        self.sides = np.bincount(inverse, self.sides[apart], len(keys)).astype(np.float64)
        self.pairs = np.stack(np.divmod(keys, count), 1)
        return target


class _Regions:
    """Regions with their mean colours and neighbours, to be merged. small: (n,) those whose neighbours are needed."""

    def __init__(self, labels: Labels, lab: Floats, small: NDArray[np.bool_]) -> None:
        flat, count = labels.ravel(), int(labels.max()) + 1
        areas = np.bincount(flat, minlength=count)
        sums = [np.bincount(flat, lab[..., channel].ravel(), count) for channel in range(3)]
        means = (np.stack(sums) / areas).tolist()
        self.area: list[int] = areas.tolist()
        self._means: list[tuple[float, float, float]] = list(zip(*means, strict=True))
        self.alive, self._into = [True] * count, list(range(count))
        pairs, shared = _neighbours(labels, count)
        needed = small[pairs].any(axis=1)
        pairs, shared = pairs[needed], shared[needed]
        self.neighbours: list[dict[int, float]] = [{} for _ in range(count)]  # how many sides of pixels they share
        for (first, second), sides in zip(pairs.tolist(), shared.tolist(), strict=True):
            self.neighbours[first][second] = self.neighbours[second][first] = sides

    def distance(self, a: int, b: int) -> float:
        """The squared distance of the mean colours."""
        (l1, a1, b1), (l2, a2, b2) = self._means[a], self._means[b]
        return (l1 - l2) * (l1 - l2) + (a1 - a2) * (a1 - a2) + (b1 - b2) * (b1 - b2)

    def merge(self, into: int, gone: int) -> None:
        (l1, a1, b1), (l2, a2, b2) = self._means[into], self._means[gone]
        area = self.area[into] + self.area[gone]
        share = self.area[gone] / area
        self._means[into] = (l1 + (l2 - l1) * share, a1 + (a2 - a1) * share, b1 + (b2 - b1) * share)
        self.area[into] = area
        self.alive[gone], self._into[gone] = False, into
        for other, sides in self.neighbours[gone].items():
            del self.neighbours[other][gone]
            if other != into:
                together = self.neighbours[into].get(other, 0) + sides
                self.neighbours[other][into] = self.neighbours[into][other] = together
        self.neighbours[gone] = {}

    def relabelled(self, labels: Labels) -> Labels:
        roots = np.array(self._into)
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return _relabelled(labels, roots)


def _neighbours(labels: Labels, count: int) -> tuple[Labels, Floats]:
    """(m, 2) the pairs of regions that touch, the lower number first; (m,) how many sides of pixels they share."""
    borders = [
        np.stack([a[a != b], b[a != b]]) for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1]))
    ]
    low, high = np.sort(np.concatenate(borders, axis=1), axis=0)
    keys, shared = np.unique(low * count + high, return_counts=True)
    return np.stack(np.divmod(keys, count), 1), shared.astype(np.float64)


def _relabelled(labels: Labels, into: Labels) -> Labels:
    """The labels of merged regions, numbered from 0 from top to bottom. into: what each has become part of."""
    merged = into[labels]
    flat = merged.ravel()
    first = np.full(len(into), flat.size)
    first[flat[::-1]] = np.arange(flat.size)[::-1]  # the last one assigned stays
    rank = np.empty(len(into), np.int64)
    rank[np.argsort(first)] = np.arange(len(into))
    return np.asarray(rank[merged], np.int64)
