"""The picture as the placement of triangles sees it: OKLab colours, weights, edges, and sums over any triangle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...colour.oklab import srgb_to_oklab
from ...colour.srgb import Floats
from ...progress import Progress, pieces
from ...scipy_lazy import ndimage

_SAMPLES = 320_000  # of the reduced picture, at most
_PIECE_SAMPLES = 1 << 14  # converting to OKLab takes some hundred bytes a sample
_CONTRAST_EXPONENT = 1.5  # weights: 0 would be the plain squared error, where black against white decides alone
_LEAST_CONTRAST = 2.0  # OKLab x 100; noise of calm areas is below
_BLUR = 0.7  # samples
_PIECE_EDGES = 1 << 11
_CONTRAST_RADIUS = 0.026  # of the square root of the picture's area


class ErrorField:
    """A reduced picture with row sums, from which the squared error of a triangle is read along its three edges.

    image: RGB. alpha: L; what is invisible counts as white.
    lab: (height, width, 3) OKLab x 100, slightly blurred by `add_up`. weights: (height, width), mean 1: errors count
    less where the contrast around is high, so that eyes and lips hold their own against a dark jacket. strength:
    (height, width) how much the colour changes across the edge here. ridges: (height, width), whether no more changes
    beside it.
    Memory: about 90 bytes a sample.
    """

    def __init__(self, image: Image.Image, progress: Progress, *, alpha: Image.Image | None = None) -> None:
        self.lab = _reduced_lab(image, alpha, progress.sub(0.0, 0.4))
        self.height, self.width = self.lab.shape[:2]
        self.weights = _weights(self.lab, progress.sub(0.4, 0.7))
        self.strength, angle = _edges(self.lab)
        progress(0.9)
        self.ridges = self._ridges(angle)
        self._row_sums: Floats = np.empty((0, 5))
        progress(1.0)

    def add_up(self) -> None:
        """Make the row sums, and blur `lab`. Once, after whatever needs memory beside the edges alone."""
        self._row_sums = _row_sums(self.lab, self.weights)
        ndimage().gaussian_filter(self.lab, (_BLUR, _BLUR, 0), output=self.lab, truncate=3.0)

    def index_of(self, points: Floats) -> NDArray[np.int64]:
        """The index, row by row, of the sample nearest to each point; points: (..., 2) x, y in samples."""
        column = np.clip(points[..., 0].astype(np.int64), 0, self.width - 1)
        row = np.clip(points[..., 1].astype(np.int64), 0, self.height - 1)
        index: NDArray[np.int64] = row * self.width + column
        return index

    def sums_left_of(self, starts: Floats, ends: Floats) -> Floats:
        """(n, 5): weighted sums of L, a, b, their squared length, and weights, of all samples left of each edge.

        Negative for edges that go up, so that the edges of a polygon add up to the sums inside it. starts, ends: (n, 2)
        x, y. A sample is left of an edge if its centre is, exactly as cells.PolygonCells decides it.
        """
        sums = np.zeros((len(starts), 5))
        for some in pieces(len(starts), _PIECE_EDGES):
            sums[some] = self._sums_left_of_some(starts[some], ends[some])
        return sums

    def _sums_left_of_some(self, starts: Floats, ends: Floats) -> Floats:
        """The same, at 90 bytes for each row of samples that an edge crosses."""
        downward = ends[:, 1] > starts[:, 1]
        top, bottom = np.where(downward[:, None], starts, ends), np.where(downward[:, None], ends, starts)
        first = np.clip(np.ceil(top[:, 1] - 0.5), 0, self.height).astype(np.int64)
        rows = np.clip(np.ceil(bottom[:, 1] - 0.5), 0, self.height).astype(np.int64) - first
        offsets = np.cumsum(rows) - rows
        row = np.arange(rows.sum()) - np.repeat(offsets - first, rows)
        slope = (bottom[:, 0] - top[:, 0]) / np.maximum(bottom[:, 1] - top[:, 1], 1e-12)
        x = (row + 0.5 - np.repeat(top[:, 1], rows)) * np.repeat(slope, rows) + np.repeat(top[:, 0], rows) - 0.5
        column = np.clip(np.ceil(x), 0, self.width).astype(np.int64)
        sums, crossing = np.zeros((len(starts), 5)), rows > 0
        if crossing.any():
            values = self._row_sums.take(row * (self.width + 1) + column, axis=0)
            sums[crossing] = np.add.reduceat(values, offsets[crossing], axis=0)
        sums[~downward] *= -1
        return sums

    def _ridges(self, angle: Floats) -> NDArray[np.bool_]:
        """(height, width): whether the edge strength is the largest across the edge. angle: of the normal to it."""
        ridges = np.empty(self.strength.shape, bool)
        for rows in pieces(self.height, max(1, _PIECE_SAMPLES // self.width)):
            row, column = np.mgrid[rows, 0 : self.width] + 0.5
            offset = np.stack([np.cos(angle[rows]), np.sin(angle[rows])], axis=-1)
            centre, strength = np.stack([column, row], axis=-1), self.strength[rows]
            ahead, behind = (self.strength.take(self.index_of(place)) for place in (centre + offset, centre - offset))
            ridges[rows] = (strength >= ahead) & (strength >= behind)
        return ridges


def reduce_to_samples(image: Image.Image) -> Image.Image:
    """The picture with at most _SAMPLES pixels, each the mean of what it covers."""
    scale = math.sqrt(_SAMPLES / (image.width * image.height))
    if scale >= 1:
        return image
    width, height = (max(1, int(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)


def _reduced_lab(image: Image.Image, alpha: Image.Image | None, progress: Progress) -> Floats:
    """(height, width, 3): OKLab x 100."""
    reduced = reduce_to_samples(image)
    if alpha is not None:
        reduced = Image.composite(reduced, Image.new("RGB", reduced.size, "white"), reduce_to_samples(alpha))
    progress(0.3)
    lab = np.empty((reduced.height, reduced.width, 3))
    for rows in pieces(reduced.height, max(1, _PIECE_SAMPLES // reduced.width)):
        band = reduced.crop((0, rows.start, reduced.width, rows.stop))
        lab[rows] = 100 * srgb_to_oklab(np.asarray(band))
        progress(0.3 + 0.7 * rows.stop / reduced.height)
    return lab


def _weights(lab: Floats, progress: Progress) -> Floats:
    """Less where the standard deviation of the colours around is high; mean 1."""
    size = 2 * round(_CONTRAST_RADIUS * (lab.shape[0] * lab.shape[1]) ** 0.5) + 1
    variance = np.zeros(lab.shape[:2])
    for number, channel in enumerate(np.moveaxis(lab, -1, 0)):
        mean = ndimage().uniform_filter(channel, size)
        variance += ndimage().uniform_filter(channel**2, size) - mean**2
        progress(number / 3)
    weights: Floats = np.sqrt(np.maximum(variance, 0.0, out=variance), out=variance)
    weights += _LEAST_CONTRAST
    weights **= -_CONTRAST_EXPONENT
    weights /= weights.mean()
    return weights


def _row_sums(lab: Floats, weights: Floats) -> Floats:
    """(height x (width + 1), 5): sums of what is left of each sample, as `sums_left_of` adds them up."""
    sums = np.zeros((lab.shape[0], lab.shape[1] + 1, 5))
    for rows in pieces(len(lab), max(1, _PIECE_SAMPLES // lab.shape[1])):
        part, squares = sums[rows, 1:], np.zeros(lab[rows].shape[:2])
        for number, channel in enumerate(np.moveaxis(lab[rows], -1, 0)):
            np.cumsum(channel * weights[rows], axis=1, out=part[..., number])
            squares += channel**2
        np.cumsum(np.multiply(squares, weights[rows], out=squares), axis=1, out=part[..., 3])
        np.cumsum(weights[rows], axis=1, out=part[..., 4])
    return sums.reshape(-1, 5)


def _edges(lab: Floats) -> tuple[Floats, Floats]:
    """Strength and direction of the largest change of colour, from the structure tensor (Di Zenzo, 1986)."""
    # What lasts is in memory first, and is overwritten: freed memory in between would be too small for the row sums.
    xx, xy, yy = (np.zeros(lab.shape[:2]) for _ in range(3))
    for sharp in np.moveaxis(lab, -1, 0):  # one at a time takes a third of the memory
        channel = ndimage().gaussian_filter(sharp, 1.0, truncate=3.0)
        across = np.gradient(channel, axis=1) if lab.shape[1] > 1 else np.zeros_like(channel)
        down = np.gradient(channel, axis=0) if lab.shape[0] > 1 else np.zeros_like(channel)
        xy += across * down
        xx += np.multiply(across, across, out=across)
        yy += np.multiply(down, down, out=down)
        del across, down
    for tensor in (xx, xy, yy):
        ndimage().gaussian_filter(tensor, 1.0, output=tensor)
    total = xx + yy
    np.subtract(xx, yy, out=yy)
    xy *= 2
    strength = np.hypot(yy, xy, out=xx)
    strength += total
    np.maximum(strength, 0.0, out=strength)
    strength /= 2
    angle = np.arctan2(xy, yy, out=xy)
    angle /= 2
    return np.sqrt(strength, out=strength), angle
