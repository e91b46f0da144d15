"""An animation in which a mosaic is laid: piece after piece, on an empty ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .canvas import Laid, StyleResult
from .cells.cells import Cells
from .cells.runs import BACKGROUND
from .codec.encoders.encode import encode_animation
from .colour.palette import hex_to_rgb
from .colour.srgb import Colours, Floats
from .errors import BadParameter, Message
from .params import SizedParams
from .progress import Progress
from .recipe import Recipe
from .scipy_lazy import kd_tree, ndimage

PAINTED_SIDE_PX = 1280
"""The longer side at which a larger mosaic is painted for its animation."""
MAX_SIDE_PX, MAX_MS, MAX_BYTES = 640, 8000, 5_000_000
"""Of an animation."""

_FRAMES, _FRAME_MS = 60, 95  # the first of the empty ground, the last but one complete
_LAST_MS = MAX_MS - _FRAMES * _FRAME_MS
_SMALLER = ((1.0, 100), (1.0, 60), (0.7, 60), (0.5, 40))  # shares of the side, qualities: until it is small enough
_NEIGHBOURS = 16
_TURN = 0.6  # how much longer a way back counts than one ahead
_POLL = 256  # cells

SortKeys = NDArray[np.float64] | NDArray[np.int64]


def is_revealed(params: object) -> bool:
    """Whether a recipe gives the animation."""
    return isinstance(params, SizedParams) and params.is_revealed


def painted_params(recipe: Recipe, source: tuple[int, int]) -> SizedParams:
    """The parameters with which the same mosaic is painted no larger than an animation needs."""
    params = recipe.params
    assert isinstance(params, SizedParams)
    if max(params.result_size(*source)) <= PAINTED_SIDE_PX:
        return params
    scale = PAINTED_SIDE_PX / max(source)
    reduced = max(1, round(source[0] * scale)), max(1, round(source[1] * scale))
    smaller = recipe.scaled(scale, reduced).params
    assert isinstance(smaller, SizedParams)
    return smaller.model_copy(update={"size": PAINTED_SIDE_PX})


def encode_reveal(
    result: StyleResult, order: str, format: str, quality: int, progress: Progress
) -> tuple[bytes, tuple[int, int]]:
    """The file and its width and height. order: "rows", "middle" or "walk", of styles whose cells have none.

    At most MAX_SIDE_PX, MAX_MS and MAX_BYTES. Raises BadParameter if the cells cannot be told apart.
    """
    if result.laid is None:
        raise BadParameter(field="reveal", value=True, allowed=Message("false for this recipe"))
    moments = _moments(result.laid, order, progress.sub(0.0, 0.3))
    image = result.canvas.to_image()
    durations = [*[_FRAME_MS] * _FRAMES, _LAST_MS]
    for number, (share, limit) in enumerate(_SMALLER):
        frames = _frames(
            image, moments, result.laid.ground, share, progress.sub(0.3 + number * 0.17, 0.47 + number * 0.17)
        )
        first = next(frames)
        data = encode_animation(_chained(first, frames), durations, format, min(quality, limit), differences=True)
        if len(data) <= MAX_BYTES:
            break
    return data, first.size


def _chained(first: Image.Image, others: Iterator[Image.Image]) -> Iterator[Image.Image]:
    yield first
    yield from others


def _frames(
    image: Image.Image, moments: Floats, ground: str, share: float, progress: Progress
) -> Iterator[Image.Image]:
    """From the empty ground to the complete mosaic. moments: (rows, columns), when each pixel appears, 0 to 1."""
    scale = min(1.0, share * MAX_SIDE_PX / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    finished: Colours = np.asarray(image.resize(size, Image.Resampling.BOX), np.uint8)
    appears = np.asarray(Image.fromarray(moments.astype(np.float32)).resize(size, Image.Resampling.NEAREST))
    empty = (*hex_to_rgb(ground), 0)[: finished.shape[2]]
    for number in range(_FRAMES + 1):
        now = number / (_FRAMES - 1)
        eased = now * now * (3 - 2 * now) * 0.5 + now * 0.5 if now < 1 else 2.0
        yield Image.fromarray(np.where((appears < eased)[..., None], finished, np.array(empty, np.uint8)))
        progress(number / _FRAMES)


def _moments(laid: Laid, order: str, progress: Progress) -> Floats:
    """(rows, columns): when each pixel appears, 0 to 1: with its cell, or with the nearest one."""
    cells = laid.cells
    labels = cell_labels(cells)
    gaps = labels == BACKGROUND
    if gaps.any() and not gaps.all():
        row, column = ndimage().distance_transform_edt(gaps, return_distances=False, return_indices=True)
        labels = labels[row, column]
    progress(0.3)
    ranks = np.empty(cells.count, np.float64)
    keys = laid.keys if laid.keys is not None else _keys(cells, order, progress.sub(0.3, 1.0))
    seen = np.bincount(np.maximum(labels, 0).ravel(), minlength=cells.count) > 0
    _, places = np.unique(keys[seen], return_inverse=True)
    ranks[seen] = places / max(1, int(places.max()) + 1)
    moments: Floats = ranks[np.maximum(labels, 0)]
    return moments


def cell_labels(cells: Cells) -> NDArray[np.int64]:
    """(rows, columns): the cell of each pixel, or BACKGROUND."""
    runs = cells.runs(0, cells.height)
    return np.repeat(runs.cells, runs.lengths).reshape(cells.height, cells.width).astype(np.int64)


def _keys(cells: Cells, order: str, progress: Progress) -> SortKeys:
    """(count,): cells with a lower key are laid earlier."""
    centres = cells.centres(0, cells.count)
    if order == "middle":
        offset = centres - (cells.width / 2, cells.height / 2)
        return np.asarray(np.hypot(offset[:, 0], offset[:, 1]), np.float64)
    rows = np.floor(centres[:, 1] / (cells.pitch * 0.8))
    across = np.where(rows % 2 == 0, centres[:, 0], -centres[:, 0])  # there and back
    keys = np.empty(cells.count, np.int64)
    in_rows = np.lexsort((across, rows))
    if order == "walk":
        in_rows = walk_order(centres, in_rows, progress)
    keys[in_rows] = np.arange(cells.count)
    return keys


@dataclass(slots=True)
class _Mason:
    """Where the last piece was laid, and the direction from the one before."""

    place: complex
    ahead: complex

    def cost(self, other: complex) -> float:
        way = other - self.place
        length = abs(way)
        turn = 1 - (way * self.ahead.conjugate()).real / length if length and self.ahead else 0.0
        return length * (1 + _TURN * turn)


def walk_order(centres: Floats, fallback: NDArray[np.intp], progress: Progress) -> NDArray[np.intp]:
    """(count,): from each piece to the nearest that is not laid yet, ahead rather than back, so that rows are followed.

    Where all around is laid, it goes on at the first free piece in the order `fallback`.
    """
    count = len(centres)
    near = kd_tree(centres).query(centres, min(count, _NEIGHBOURS + 1))[1].reshape(count, -1).tolist()
    places = (centres @ np.array([1, 1j])).tolist()
    free, waiting = [True] * count, iter(fallback.tolist())
    order: list[int] = []
    mason, piece = _Mason(0j, 0j), -1
    for number in range(count):
        around = [other for other in near[piece] if free[other]] if piece >= 0 else []
        if around:
            following = min(around, key=lambda other: mason.cost(places[other]))
            way = places[following] - places[piece]
            mason.ahead = way / abs(way) if way else mason.ahead
        else:
            following = next(other for other in waiting if free[other])
            mason.ahead = 0j
        piece, free[following], mason.place = following, False, places[following]
        order.append(piece)
        if number % _POLL == 0:
            progress(number / count)
    return np.array(order, np.intp)
