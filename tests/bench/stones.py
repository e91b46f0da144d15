"""Figures of the stones of a Roman mosaic: how much colour varies inside them, how equal they are, lengths of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from processing.mosaic.cells.convex import centroids
from processing.mosaic.codec.decode import Source
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tesserae.tesserae import Stones, TesseraeParams, place_stones, sketch_field

ROW_REACH, ROW_ANGLE = 1.45, np.radians(30)  # of the next stone of a row: its distance in stones, and how far it is off


@dataclass(frozen=True, slots=True)
class StoneFigures:
    """spread: mean distance of a stone's pixels from its mean (OKLab x 100), of the stones that strong edges pass.
    areas: standard deviation of the areas / their mean. row: median number of stones in the row of a stone, along the
    style's own direction field. row_of_edges: the same along the distance from the strong edges and the frame, of which
    there are more than the style follows."""

    spread: float
    areas: float
    row: float
    row_of_edges: float


def stone_figures(image: Image.Image, edges: np.ndarray, **params: float | int) -> StoneFigures:
    """edges: (height, width) bool, the strong edges of the image."""
    source = Source(image, *image.size)
    context = RenderContext(source, TesseraeParams(**params), Progress())  # type: ignore[arg-type]
    stones = place_stones(context, Progress())
    areas = _areas(stones)
    field, scale = sketch_field(context, stones.pitch, Progress())
    return StoneFigures(
        _spread(image, stones, edges),
        float(areas.std() / areas.mean()),
        _row_length(stones, field.level, scale),
        _row_length(stones, _levels(edges, 0.2 * stones.pitch), 1.0),
    )


def _levels(edges: np.ndarray, blur: float) -> np.ndarray:
    """(height, width): the distance from an edge or from the frame."""
    height, width = edges.shape
    y, x = np.arange(height)[:, None], np.arange(width)
    to_frame = np.minimum(np.minimum(y, height - 1 - y), np.minimum(x, width - 1 - x)) + 0.5
    return np.asarray(ndimage.gaussian_filter(np.minimum(ndimage.distance_transform_edt(~edges), to_frame), blur))


def _spread(image: Image.Image, stones: Stones, edges: np.ndarray) -> float:
    runs = stones.inset().runs(0, image.height)
    labels = np.repeat(runs.cells, runs.lengths).astype(np.int64)
    lab = srgb_to_oklab(np.asarray(image).reshape(-1, 3))[labels >= 0]
    on_edge = ndimage.binary_dilation(edges, iterations=1).ravel()[labels >= 0]
    labels = labels[labels >= 0]
    count = np.bincount(labels, minlength=labels.max() + 1)
    means = np.stack([np.bincount(labels, lab[:, axis]) for axis in range(3)], 1) / np.maximum(count, 1)[:, None]
    distances = np.linalg.norm(lab - means[labels], axis=1) * 100
    spreads = np.bincount(labels, distances) / np.maximum(count, 1)
    passed = np.bincount(labels, on_edge) > 0
    return float(spreads[passed].mean()) if passed.any() else 0.0


def _areas(stones: Stones) -> np.ndarray:
    starts = np.cumsum(stones.corners) - stones.corners
    following = np.arange(len(stones.points)) + 1
    following[starts + stones.corners - 1] = starts
    x, y = stones.points.T
    return np.asarray(np.abs(np.add.reduceat(x * y[following] - x[following] * y, starts)) / 2)


def _row_length(stones: Stones, level: np.ndarray, scale: float) -> float:
    """A row is a chain of stones that are each other's nearest ahead and behind, along lines of equal level."""
    middles = centroids(stones.points, stones.corners)
    down, right = np.gradient(ndimage.gaussian_filter(level, 1))
    rows, columns = down.shape
    y, x = (np.clip(middles[:, axis] / scale, 0, last - 1).astype(int) for axis, last in ((1, rows), (0, columns)))
    tangent = np.stack([-down[y, x], right[y, x]], 1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1), 1e-9)[:, None]
    sizes = np.sqrt(_areas(stones))
    distances, neighbours = cKDTree(middles).query(middles, k=9)
    ahead, behind = (_nearest_along(middles, sign * tangent, distances, neighbours, sizes) for sign in (1, -1))
    own = np.arange(len(middles))
    mutual = [(links >= 0) & ((ahead[links] == own) | (behind[links] == own)) for links in (ahead, behind)]
    pairs = np.concatenate(
        [
            np.stack([own[is_linked], links[is_linked]])
            for links, is_linked in zip((ahead, behind), mutual, strict=True)
        ],
        1,
    )
    graph = coo_matrix((np.ones(pairs.shape[1]), tuple(pairs)), (len(own), len(own)))
    _, row = connected_components(graph, directed=False)
    return float(np.median(np.bincount(row)[row]))


def _nearest_along(
    middles: np.ndarray, direction: np.ndarray, distances: np.ndarray, neighbours: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """(n,): the nearest stone in that direction, -1 for none."""
    offsets = middles[neighbours] - middles[:, None]
    along = np.einsum("nki,ni->nk", offsets, direction)
    fits = (along > distances * np.cos(ROW_ANGLE)) & (distances > 0) & (distances < ROW_REACH * sizes[:, None])
    first = np.argmax(fits, axis=1)
    return np.where(fits.any(axis=1), neighbours[np.arange(len(middles)), first], -1)
