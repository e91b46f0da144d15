"""Dithering by direct search: palette colours that are nearest to the picture both from a distance and each by itself.

Direct binary search (Analoui and Allebach, 1992), with many colours: each cell in turn takes the colour that lowers the
cost of the picture most. The cost is the squared difference from the picture after a Gaussian blur of one cell in
linear light, measured in OKLab, and the cell's own costs, without which dithering would be coarse.

Cells decide late, by deterministic annealing (Rose, 1998): at first each shows a mixture of the colours, weighted by
exp(-cost / temperature), and the temperature falls. That ends nearer to the picture than deciding at once, and without
random numbers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from .oklab import light_to_oklab, oklab_slopes, oklab_to_light, srgb_to_oklab
from .own_costs import FULL_MIXING, Costs, OwnWeights, own_costs, plain_cells, skin_shares
from .palette import limit_lightness, nearest_indices
from .srgb import Colours, Floats, linear_lut

MAX_SEARCHED = 1 << 22  # cells times colours: a second or two

_TEMPERATURES: Final = tuple(np.geomspace(1.5e-3, 3e-5, 12).tolist())
_ROUNDS: Final = 4  # at most, in which cells have one colour
_STEP: Final = 4  # cells that are chosen at once lie so far apart that they hardly see each other
_SETTLED: Final = 0.002  # of the cells changed in a round: the search ends
_REACH: Final = 4
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
    chosen = nearest_indices(colours.reshape(-1, 3), palette, chroma_penalty).reshape(colours.shape[:2])
    entries = linear_lut(True)[palette].astype(np.float64)
    target = _target(colours, palette)
    is_plain = plain_cells(colours) if own_weights.plain else np.zeros(chosen.shape, bool)
    target[is_plain] = entries[chosen[is_plain]]
    metric = _metric(target, float(srgb_to_oklab(palette)[:, 0].min()))
    skin = skin_shares(colours) if own_weights.skin is not None else np.zeros(chosen.shape, np.float32)
    painted = entries[chosen]
    error = np.pad(painted - target, ((_REACH, _REACH), (_REACH, _REACH), (0, 0)))
    inner = error[_REACH:-_REACH, _REACH:-_REACH]
    costs_alone: list[Costs] = []
    weighed = _weighed_by_error(entries)
    rounds = [*_TEMPERATURES, *[0.0] * _ROUNDS]
    for search_round, temperature in enumerate(rounds):
        changed = 0
        for number in range(_STEP**2):
            top, left = divmod(number * 7 % _STEP**2, _STEP)
            cells = (slice(top, None, _STEP), slice(left, None, _STEP))
            if search_round == 0:
                alone = own_costs(colours[cells].reshape(-1, 3), palette, chroma_penalty, own_weights, skin[cells])
                costs_alone.append(alone)
            seen = _blurred(error, top, left) - _SEEN_SHARE * painted[cells]
            costs = costs_alone[number] + _seen_factors(seen, metric[cells]) @ weighed
            best = np.where(is_plain[cells], chosen[cells], costs.argmin(axis=1).reshape(chosen[cells].shape))
            changed += int(np.count_nonzero(best != chosen[cells]))
            chosen[cells] = best
            after = entries[best]
            if temperature:
                mixed = (_mixtures(costs, temperature) @ entries.astype(np.float32)).reshape(after.shape)
                after = np.where(is_plain[cells][..., None], after, mixed)
            inner[cells] += after - painted[cells]
            painted[cells] = after
            progress((search_round + (number + 1) / _STEP**2) / len(rounds))
        if not temperature and changed <= _SETTLED * chosen.size:
            break
    return chosen


def _weighed_by_error(entries: Floats) -> Costs:
    """(9, k): what `_seen_factors` are multiplied by, to be the costs of each colour from a distance."""
    products = np.einsum("ki,kj->kij", entries, entries)[:, *_PAIRS] * _PAIR_COUNT
    return np.concatenate([entries.T, products.T]).astype(np.float32)


def _seen_factors(seen: Floats, metric: Floats) -> Costs:
    """(n, 9): of the costs from a distance, but for what does not depend on the colour.

    seen: (..., 3), the error there without the cell itself, blurred twice. metric: see `_metric`.
    """
    local = metric.reshape(-1, 3, 3)
    linear = 2 * np.einsum("nij,nj->ni", local, seen.reshape(-1, 3))
    return np.concatenate([linear, _SEEN_SHARE * local[:, *_PAIRS]], axis=1).astype(np.float32)


def _mixtures(costs: Costs, temperature: float) -> Costs:
    """(n, k): the share of each colour, of which the cheapest have most."""
    shares: Costs = (costs.min(axis=1, keepdims=True) - costs) / np.float32(temperature)
    np.exp(shares, out=shares)
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _gaussian(sigma: float) -> Floats:
    kernel = np.exp(-0.5 * (np.arange(-_REACH, _REACH + 1) / sigma) ** 2)
    normalised: Floats = kernel / kernel.sum()
    return normalised


_KERNEL: Final = _gaussian(1.0)
_SEEN_SHARE: Final = float((_KERNEL**2).sum() ** 2)  # of a cell's own error, blurred twice, at its place
_SEEN: Final = _gaussian(2.0**0.5)  # the blur of the blur: how the error of one cell is seen from the place of another
_PAIRS: Final = np.triu_indices(3)
_PAIR_COUNT: Final = np.where(_PAIRS[0] == _PAIRS[1], 1.0, 2.0)


def _target(colours: Colours, palette: Colours) -> Floats:
    """(rows, columns, 3) in linear light: what the cells should look like together, as far as colours can."""
    lab = limit_lightness(srgb_to_oklab(colours), srgb_to_oklab(palette), _DARKER)
    return np.maximum(oklab_to_light(lab), 0)


def _metric(target: Floats, darkest: float) -> Floats:
    """(rows, columns, 3, 3): the metric of OKLab at each target colour.

    For a small difference d of light, d @ metric @ d is the square of its difference in OKLab.
    """
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
