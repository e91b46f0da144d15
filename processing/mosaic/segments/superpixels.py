"""Superpixels: connected regions of similar colour whose borders lie on the contours of the picture.

SLIC (Achanta and others, 2012) with the candidates of a fixed grid (gSLIC, 2011), then merging of neighbours whose
union costs least (Ward, 1963). Written in NumPy instead of taken from scikit-image, which would add 60 MB of packages:
merging needs the regions' statistics anyway, and a hexagonal grid lets calm areas look less like a chequerboard.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..colour.oklab import srgb_to_oklab
from ..colour.srgb import Floats
from ..progress import Progress, pieces
from ..scipy_lazy import connected_components

Labels = NDArray[np.int64]

_PIECE_PX = 1 << 15  # converting to OKLab takes some hundred bytes a pixel

_ROUNDS = 3
_COMPACTNESS = 5.0  # how many units of OKLab x 100 a distance of one superpixel counts
_SUPERPIXELS = 2.6  # for each region of the result
_SLENDER = 0.4  # squared difference of colours that a union of squares side by side counts as
_LARGEST = 9.0  # region, in mean areas
_SMOOTHING_ROUNDS, _EDGE = 8, 3.0  # of diffusion; a difference of colour that stops it


def oklab_sketch(sketch: Image.Image) -> Floats:
    """(rows, columns, 3): OKLab x 100 of an RGB image, in memory one channel after the other."""
    planes = np.empty((3, sketch.height, sketch.width))
    for rows in pieces(sketch.height, max(1, _PIECE_PX // sketch.width)):
        band = np.asarray(sketch.crop((0, rows.start, sketch.width, rows.stop)))
        planes[:, rows] = np.moveaxis(srgb_to_oklab(band) * 100, -1, 0)
    return np.moveaxis(planes, 0, -1)


def segment(lab: Floats, count: int, progress: Progress) -> Labels:
    """(rows, columns): about `count` connected regions, numbered from 0. lab: (rows, columns, 3) OKLab x 100."""
    rows, columns = lab.shape[:2]
    smooth = _diffuse(np.ascontiguousarray(np.moveaxis(lab, -1, 0), np.float32))
    progress(0.2)
    side = max(1.0, (rows * columns / (count * _SUPERPIXELS)) ** 0.5)
    labels = connected_parts(_slic(smooth, side, progress.sub(0.2, 0.6)))
    progress(0.7)
    return merge_to(labels, np.moveaxis(smooth, 0, -1), count, progress.sub(0.7, 1.0))


def merge_regions(labels: Labels, lab: Floats, small: NDArray[np.bool_]) -> Labels:
    """Merge each of the `small` regions (n,) with its most similar neighbour."""
    return Neighbours.of(labels).merged(labels, lab, small)[0]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """pairs: (m, 2) regions that touch, the lower number first. sides: (m,) of pixels that they share."""

    pairs: Labels
    sides: Floats

    @classmethod
    def of(cls, labels: Labels) -> Neighbours:
        return cls(*_neighbours(labels, int(labels.max()) + 1))

    def renumbered(self, numbers: Labels) -> Neighbours:
        """numbers: (n,) what each region has become part of."""
        low, high = np.sort(numbers[self.pairs], axis=1).T
        apart, count = low != high, int(numbers.max()) + 1
        keys, inverse = np.unique(low[apart] * count + high[apart], return_inverse=True)
        sides = np.bincount(inverse, self.sides[apart], len(keys)).astype(np.float64)
        return Neighbours(np.stack(np.divmod(keys, count), 1), sides)

    def merged(self, labels: Labels, lab: Floats, small: NDArray[np.bool_]) -> tuple[Labels, Neighbours]:
        """Labels and neighbours after each of the `small` regions (n,) is part of its most similar neighbour."""
        regions = _Regions(labels, lab, small, self)
        for region in np.flatnonzero(small).tolist():
            neighbours = regions.neighbours[region]
            if regions.alive[region] and neighbours:
                regions.merge(min(neighbours, key=lambda other: (regions.distance(region, other), other)), region)
        numbers = regions.numbers(labels)
        return numbers[labels], self.renumbered(numbers)

    def united(self, labels: Labels, values: NDArray[np.integer]) -> tuple[Labels, Neighbours]:
        """Labels and neighbours after neighbours of the same value (n,) are one region. labels: numbered from top to
        bottom, as the result is."""
        first, second = self.pairs.T
        equal = values[first] == values[second]
        numbers = connected_components(first[equal], second[equal], len(values))
        return numbers[labels], self.renumbered(numbers)


def _diffuse(planes: Floats) -> Floats:
    """Smooth a picture (3, rows, columns), but not across edges (Perona and Malik, 1990)."""
    for _ in range(_SMOOTHING_ROUNDS):
        change = np.zeros_like(planes)
        for axis in (1, 2):
            step = np.diff(planes, axis=axis)
            step *= 0.2 * np.exp(-(step**2).sum(axis=0) / _EDGE**2)
            low, high = (slice(None, -1), slice(1, None))
            change[(slice(None), low) if axis == 1 else (..., low)] += step
            change[(slice(None), high) if axis == 1 else (..., high)] -= step
        planes = planes + change
    return planes


def _slic(planes: Floats, side: float, progress: Progress) -> Labels:
    """(rows, columns): the nearest centre of each pixel, of the nine around its square of the grid."""
    rows, columns = planes.shape[1:]
    high, wide = max(1, round(rows / side)), max(1, round(columns / side))
    y, x = np.arange(rows, dtype=np.float32)[:, None], np.arange(columns, dtype=np.float32)
    row = (y * high / rows).astype(np.int64)
    column = np.minimum((x * wide / columns + np.array([[0.0], [0.5]])).astype(np.int64), wide - 1)
    odd = row[:, 0] % 2  # these rows are offset
    labels: Labels = row * wide + column[odd]
    weight = np.float32(_COMPACTNESS / side)
    features = [*planes, *np.broadcast_arrays(y * weight, x * weight)]
    for number in range(_ROUNDS):
        areas = np.maximum(np.bincount(labels.ravel(), minlength=high * wide), 1)
        centres = [
            (np.bincount(labels.ravel(), feature.ravel(), high * wide) / areas).astype(np.float32)
            for feature in features
        ]
        least = np.full((rows, columns), np.inf, np.float32)
        for down, right in np.ndindex(3, 3):
            beside = np.clip(column + (right - 1), 0, wide - 1)
            centre = np.clip(row + (down - 1), 0, high - 1) * wide + beside[odd]
            distance = np.zeros((rows, columns), np.float32)
            for feature, means in zip(features, centres, strict=True):
                offset = means.take(centre)
                np.subtract(feature, offset, out=offset)
                np.multiply(offset, offset, out=offset)
                distance += offset
            nearer = distance < least
            np.copyto(least, distance, where=nearer)
            np.copyto(labels, centre, where=nearer)
        progress((number + 1) / _ROUNDS)
    return labels


def connected_parts(labels: Labels) -> Labels:
    """Numbers from 0 for the connected parts of equal labels, from top to bottom."""
    begins = np.full(labels.shape, True)  # a stretch of equal labels in a row
    begins[:, 1:] = labels[:, 1:] != labels[:, :-1]
    stretch = np.cumsum(begins.ravel(), dtype=np.int32).reshape(labels.shape) - 1
    meet = (labels[1:] == labels[:-1]) & (begins[1:] | begins[:-1])
    count = int(stretch[-1, -1]) + 1
    return connected_components(stretch[1:][meet], stretch[:-1][meet], count)[stretch]


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
    return _numbers(labels, into)[labels]


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

    def __init__(self, labels: Labels, lab: Floats, small: NDArray[np.bool_], touching: Neighbours) -> None:
        flat, count = labels.ravel(), int(labels.max()) + 1
        areas = np.bincount(flat, minlength=count)
        sums = [np.bincount(flat, lab[..., channel].ravel(), count) for channel in range(3)]
        means = (np.stack(sums) / areas).tolist()
        self.area: list[int] = areas.tolist()
        self._means: list[tuple[float, float, float]] = list(zip(*means, strict=True))
        self.alive, self._into = [True] * count, list(range(count))
        needed = small[touching.pairs].any(axis=1)
        pairs, shared = touching.pairs[needed], touching.sides[needed]
        self.neighbours = defaultdict[int, dict[int, float]](dict)  # how many sides of pixels they share
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

    def numbers(self, labels: Labels) -> Labels:
        """(count,): the new number of each region, from 0 from top to bottom."""
        roots = np.array(self._into)
        while (roots[roots] != roots).any():
            roots = roots[roots]
        return _numbers(labels, roots)


def _neighbours(labels: Labels, count: int) -> tuple[Labels, Floats]:
    """(m, 2) the pairs of regions that touch, the lower number first; (m,) how many sides of pixels they share."""
    low, high = [], []
    for first, second in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        differ = first != second
        one, other = first[differ], second[differ]
        low.append(np.minimum(one, other))
        high.append(np.maximum(one, other))
    keys, shared = np.unique(np.concatenate(low) * count + np.concatenate(high), return_counts=True)
    return np.stack(np.divmod(keys, count), 1), shared.astype(np.float64)


def _numbers(labels: Labels, into: Labels) -> Labels:
    """(n,): the numbers of merged regions, from 0 from top to bottom. into: what each has become part of."""
    flat = labels.ravel()
    first = np.full(len(into), flat.size)
    first[flat[::-1]] = np.arange(flat.size)[::-1]  # the last one assigned stays
    least = np.full(len(into), flat.size)
    np.minimum.at(least, into, first)
    rank = np.empty(len(into), np.int64)
    rank[np.argsort(least, kind="stable")] = np.arange(len(into))
    return np.asarray(rank[into], np.int64)
