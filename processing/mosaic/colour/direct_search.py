"""Dithering by direct search: palette colours that are nearest to the picture both from a distance and each by itself.

Direct binary search (Analoui and Allebach, 1992), with many colours: each cell in turn takes the colour that lowers the
cost of the picture most. The cost is the squared difference from the picture after a Gaussian blur of one cell in
linear light, measured in OKLab, and the cell's own difference, without which dithering would be coarse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..scipy_lazy import ndimage
from .oklab import light_to_oklab, oklab_slopes, oklab_to_light, srgb_to_oklab
from .palette import limit_lightness, nearest_indices, squared_distances
from .srgb import Colours, Floats, linear_lut

MAX_SEARCHED = 1 << 23  # cells times colours: half a second


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """How much a cell's own difference counts in the cost, beside that of the blurred picture.

    lightness, hue: of the squared differences of L, and of a and b. penalty: of the chroma penalty. dark: how many
    times more all of them count in the dark. plain: areas of one colour, as of a logo, are not mixed. foreign: of the
    square of how much farther from the cell a colour is in a and b than the nearest colour, less _SIMILAR.
    """

    lightness: float
    hue: float
    penalty: float
    dark: float = 1.0
    plain: bool = False
    foreign: float = 0.0


FULL_MIXING: Final = OwnWeights(0.022, 0.022, 0.022)
"""The least that keeps noise down: nearest to the picture from a distance."""

GENTLE_MIXING: Final = OwnWeights(0.08, 0.5, 0.1, dark=12.0, plain=True)
"""Light and dark of a hue are mixed rather than hues, so that a face has few studs of colours that no skin has."""

SIMILAR_MIXING: Final = OwnWeights(0.03, 0.03, 0.03, dark=32.0, plain=True, foreign=30.0)
"""Of palettes with many colours: those whose hue is similar are mixed, hardly any others."""

_SIMILAR: Final = 0.03  # a and b that may differ more than those of the nearest colour
_ROUNDS: Final = 6
_STEP: Final = 4  # cells that are chosen at once lie so far apart that they hardly see each other
_SETTLED: Final = 0.002  # of the cells changed in a round: the search ends
_REACH: Final = 4
_DARK: Final = 0.32, 0.22  # lightness below which, and from which on fully, `dark` counts
_BIN: Final = 4  # of 255, in which colours are counted
_ALIKE: Final = 3  # bins across, of colours that look alike
_NEARBY: Final = 9
_PLAIN_SHARE: Final = 0.01
_PLAIN_OF_NEARBY: Final = 0.8
"""Colours are plain if so many of all cells have them or such as look alike, and few others have one nearby: those of a
gradient have."""
_DARKER: Final = 0.12  # lightness by which what is darker than all colours may pull the cells around it


def search_indices(
    colours: Colours,
    palette: Colours,
    progress: Progress,
    *,
    chroma_penalty: float = 0,
    own_weights: OwnWeights = FULL_MIXING,
) -> NDArray[np.intp]:
    """(rows, columns): an index of the palette for each cell. colours: (rows, columns, 3), of a square grid.

    chroma_penalty: as of `nearest_indices`. own_weights: the larger, the less are colours mixed that differ much.
    """
    rows, columns = colours.shape[:2]
    chosen = nearest_indices(colours.reshape(-1, 3), palette, chroma_penalty).reshape(rows, columns)
    entries = linear_lut(True)[palette].astype(np.float64)
    target = _target(colours, palette)
    is_plain = _is_plain(colours) if own_weights.plain else np.zeros((rows, columns), bool)
    target[is_plain] = entries[chosen[is_plain]]
    metric = _metric(target, float(srgb_to_oklab(palette)[:, 0].min()))
    products = np.einsum("ki,kj->kij", entries, entries)[:, *_PAIRS] * _PAIR_COUNT
    seen_share = float((_KERNEL**2).sum() ** 2)
    error = np.pad(entries[chosen] - target, ((_REACH, _REACH), (_REACH, _REACH), (0, 0)))
    for search_round in range(_ROUNDS):
        changed = 0
        for number in range(_STEP**2):
            top, left = divmod(number * 7 % _STEP**2, _STEP)
            cells = (slice(top, None, _STEP), slice(left, None, _STEP))
            before = chosen[cells]
            local = metric[cells].reshape(-1, 3, 3)
            seen = _blurred(error, top, left).reshape(-1, 3) - seen_share * entries[before.ravel()]
            cost = 2 * np.einsum("nij,nj->ni", local, seen) @ entries.T
            cost += seen_share * local[:, *_PAIRS] @ products.T
            cost += _own_costs(colours[cells].reshape(-1, 3), palette, chroma_penalty, own_weights)
            after = np.where(is_plain[cells], before, cost.argmin(axis=1).reshape(before.shape))
            changed += int(np.count_nonzero(after != before))
            error[_REACH:-_REACH, _REACH:-_REACH][cells] += entries[after] - entries[before]
            chosen[cells] = after
            progress((search_round + (number + 1) / _STEP**2) / _ROUNDS)
        if changed <= _SETTLED * chosen.size:
            break
    return chosen


def _own_costs(colours: Colours, palette: Colours, chroma_penalty: float, weights: OwnWeights) -> Floats:
    """(n, k): of painting each cell alone in each colour of the palette."""
    costs = squared_distances(
        colours, palette, chroma_penalty * weights.penalty, lightness=weights.lightness, hue=weights.hue
    )
    if weights.foreign:
        costs += weights.foreign * _foreignness(colours, palette, chroma_penalty)
    start, full = _DARK
    darkness = np.clip((start - srgb_to_oklab(colours)[:, 0]) / (start - full), 0, 1)
    return np.asarray(costs * (1 + (weights.dark - 1) * darkness)[:, None])


def _foreignness(colours: Colours, palette: Colours, chroma_penalty: float) -> Floats:
    """(n, k): the square of what a and b differ more than those of the nearest colour, less _SIMILAR."""
    own, entries = srgb_to_oklab(colours)[:, 1:], srgb_to_oklab(palette)[:, 1:]
    apart = np.hypot(*(np.subtract.outer(own[:, axis], entries[:, axis]) for axis in (0, 1)))
    nearest = nearest_indices(colours, palette, chroma_penalty)
    least = np.take_along_axis(apart, nearest[:, None], 1)
    return np.asarray(np.maximum(apart - least - _SIMILAR, 0.0) ** 2)


def _is_plain(colours: Colours) -> NDArray[np.bool_]:
    """(rows, columns): which cells have a plain colour."""
    bins = np.moveaxis(colours // _BIN, -1, 0).astype(np.intp)
    counts = np.zeros((-(-256 // _BIN),) * 3, np.float32)
    np.add.at(counts, tuple(bins), 1)
    alike, nearby = (
        ndimage().uniform_filter(counts, size, mode="constant")[*bins] * size**3 for size in (_ALIKE, _NEARBY)
    )
    return np.asarray((alike >= _PLAIN_SHARE * bins[0].size) & (alike >= _PLAIN_OF_NEARBY * nearby))


def _gaussian(sigma: float) -> Floats:
    kernel = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / sigma) ** 2)
    normalised: Floats = kernel / kernel.sum()
    return normalised


_KERNEL: Final = _gaussian(1.0)
_SEEN: Final = _gaussian(2.0**0.5)
"""The blur of the blur: how the error of one cell is seen from the place of another."""
_PAIRS: Final = np.triu_indices(3)
_PAIR_COUNT: Final = np.where(_PAIRS[0] == _PAIRS[1], 1.0, 2.0)


def _target(colours: Colours, palette: Colours) -> Floats:
    """(rows, columns, 3) in linear light: what the cells should look like together, as far as colours can."""
    lab = limit_lightness(srgb_to_oklab(colours), srgb_to_oklab(palette), _DARKER)
    return np.maximum(oklab_to_light(lab), 0)


def _metric(target: Floats, darkest: float) -> Floats:
    """(rows, columns, 3, 3): what a small difference of light, multiplied by from both sides, is in OKLab, squared."""
    lab = light_to_oklab(target)
    lab[..., 0] = np.maximum(lab[..., 0], darkest)
    slopes = oklab_slopes(np.maximum(oklab_to_light(lab), 0))
    product: Floats = np.swapaxes(slopes, -1, -2) @ slopes
    return product


def _blurred(error: Floats, top: int, left: int) -> Floats:
    """The error, blurred twice, at every _STEP-th cell from `top` and `left` on. error: with margins of _REACH."""
    rows, columns = error.shape[0] - 2 * _REACH, error.shape[1] - 2 * _REACH
    down = sum(
        (weight * error[top + shift : rows + shift : _STEP] for shift, weight in enumerate(_SEEN.tolist())),
        np.zeros(()),
    )
    across: Floats = sum(
        (weight * down[:, left + shift : columns + shift : _STEP] for shift, weight in enumerate(_SEEN.tolist())),
        np.zeros(()),
    )
    return across
