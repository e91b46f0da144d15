"""What it costs to paint a cell in a colour that is not its own, beside what is seen from a distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..scipy_lazy import ndimage
from .oklab import srgb_to_oklab
from .palette import nearest_indices, squared_distances
from .srgb import Colours, Floats

Costs = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """How much a cell's own difference counts in the cost, beside that of the blurred picture.

    lightness, hue: of the squared differences of L, and of a and b. penalty: of the chroma penalty. dark: how many
    times more all of them count in the dark. plain: areas of one colour, as of a logo, are not mixed. foreign: of the
    square of how much farther from the cell a colour is in a and b than the nearest colour, less _SIMILAR. skin: what
    counts in addition where the picture has colours of skin.
    """

    lightness: float
    hue: float
    penalty: float
    dark: float = 1.0
    plain: bool = False
    foreign: float = 0.0
    skin: OwnWeights | None = None


FULL_MIXING: Final = OwnWeights(0.022, 0.022, 0.022)
"""The least that keeps noise down: nearest to the picture from a distance."""

GENTLE_MIXING: Final = OwnWeights(
    0.008, 0.012, 0.008, dark=150.0, plain=True, skin=OwnWeights(0.007, 0.012, 0.007, foreign=5.0)
)
"""As near from a distance, but faces have hardly any pieces of colours that no skin has."""

SIMILAR_MIXING: Final = OwnWeights(
    0.015, 0.015, 0.015, dark=100.0, plain=True, foreign=30.0, skin=OwnWeights(0.01, 0.02, 0.01)
)
"""Of palettes with many colours: those whose hue is similar are mixed, hardly any others."""

_SIMILAR: Final = 0.03  # a and b that may differ more than those of the nearest colour
_DARK: Final = 0.28, 0.18  # lightness below which, and from which on fully, `dark` counts
_SKIN_CHROMA: Final = (0.02, 0.035), (0.125, 0.1)  # from none to all of it, from below and from above
_SKIN_HUE: Final = (5.0, 20.0), (85.0, 72.0)  # degrees
_SKIN_LIGHTNESS: Final = 0.35, 0.45
_BIN: Final = 4  # of 255, in which colours are counted
_ALIKE: Final = 3  # bins across, of colours that look alike
_NEARBY: Final = 9
_PLAIN_SHARE: Final = 0.01
# A colour is plain if _PLAIN_SHARE of all cells have it or one that looks like it, and if these are _PLAIN_OF_NEARBY of
# the cells with any colour near it. The colours of a gradient have many others near them
_PLAIN_OF_NEARBY: Final = 0.8
# Of a picture: with fewer plain cells it is a photograph, whose black is clipped or whose wall is even
_PLAIN_PICTURE: Final = 0.2
_EVEN: Final = 8  # of 255: how much the colours around a cell of a drawing may differ where it is plain, too


def own_costs(
    colours: Colours, palette: Colours, chroma_penalty: float, weights: OwnWeights, skin: Costs | None = None
) -> Costs:
    """(n, k): of painting each cell alone in each colour of the palette. skin: of each, see `skin_shares`."""
    costs = squared_distances(
        colours, palette, chroma_penalty * weights.penalty, lightness=weights.lightness, hue=weights.hue
    )
    if weights.foreign:
        costs += np.float32(weights.foreign) * _foreignness(colours, palette, chroma_penalty)
    start, full = _DARK
    darkness = _ramp(srgb_to_oklab(colours)[:, 0], start, full)
    costs *= (1 + (weights.dark - 1) * darkness).astype(np.float32)[:, None]
    if weights.skin is not None and skin is not None:
        own, shares = np.flatnonzero(skin), skin.ravel()
        costs[own] += shares[own, None] * own_costs(colours[own], palette, chroma_penalty, weights.skin)
    return costs


def _foreignness(colours: Colours, palette: Colours, chroma_penalty: float) -> Costs:
    """(n, k): the square of what a and b differ more than those of the nearest colour, less _SIMILAR."""
    own, entries = (srgb_to_oklab(each)[:, 1:].astype(np.float32) for each in (colours, palette))
    apart = np.hypot(*(np.subtract.outer(own[:, axis], entries[:, axis]) for axis in (0, 1)))
    nearest = nearest_indices(colours, palette, chroma_penalty)
    least = np.take_along_axis(apart, nearest[:, None], 1)
    return np.asarray(np.maximum(apart - least - np.float32(_SIMILAR), 0) ** 2)


def skin_shares(colours: Colours) -> Costs:
    """(rows, columns): 1 where a picture has colours of skin, whether light or dark, 0 where it has none."""
    lightness, a, b = np.moveaxis(ndimage().gaussian_filter(srgb_to_oklab(colours), (1, 1, 0), mode="nearest"), -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    shares = _ramp(lightness, *_SKIN_LIGHTNESS)
    for values, limits in ((chroma, _SKIN_CHROMA), (hue, _SKIN_HUE)):
        for start, full in limits:
            shares *= _ramp(values, start, full)
    return shares.astype(np.float32)


def _ramp(values: Floats, start: float, full: float) -> Floats:
    """0 at `start`, 1 at `full` and beyond."""
    return np.asarray(np.clip((values - start) / (full - start), 0, 1))


def plain_cells(colours: Colours) -> NDArray[np.bool_]:
    """(rows, columns): which cells have a plain colour, if a picture has many such, as a logo or a drawing has."""
    bins = np.moveaxis(colours // _BIN, -1, 0).astype(np.intp)
    counts = np.zeros((-(-256 // _BIN),) * 3, np.float32)
    np.add.at(counts, tuple(bins), 1)
    alike, nearby = (
        ndimage().uniform_filter(counts, size, mode="constant")[*bins] * size**3 for size in (_ALIKE, _NEARBY)
    )
    is_plain = np.asarray((alike >= _PLAIN_SHARE * bins[0].size) & (alike >= _PLAIN_OF_NEARBY * nearby))
    if is_plain.mean() < _PLAIN_PICTURE:
        return np.zeros_like(is_plain)
    darkest, lightest = (
        around(colours, size=(3, 3, 1), mode="nearest").astype(np.int16)
        for around in (ndimage().minimum_filter, ndimage().maximum_filter)
    )
    return np.asarray(is_plain | ((lightest - darkest).max(axis=-1) <= _EVEN))
