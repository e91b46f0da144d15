"""Which few colours of a large palette to use: k-medoids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from .palette import squared_distances
from .srgb import Colours

_MAX_SAMPLES = 4096
_ROUNDS = 3  # of exchanges
_CHROMA_PENALTY = 3.0  # as for bricks: a colour that is less colourful is further away, so that faces do not turn grey


def choose_colours(colours: Colours, palette: Colours, count: int, progress: Progress) -> NDArray[np.intp]:
    """The indices, ascending, of the `count` entries of the palette that paint the colours best.

    The sum of the distances to the nearest entry is lowered first by adding the entry that lowers it most, then by
    exchanging entries (PAM, Kaufman and Rousseeuw, 1990). The entries used most would be the wrong ones: rare colours,
    such as those of a face, would all be lost. colours: (n, 3).
    """
    if count >= len(palette):
        return np.arange(len(palette))
    step = max(1, len(colours) // _MAX_SAMPLES)
    distances = _distances(colours[::step], palette)
    chosen: list[int] = []
    nearest = np.full(len(distances), np.inf)
    for number in range(count):
        totals = np.minimum(distances, nearest[:, None]).sum(axis=0)
        totals[chosen] = np.inf
        chosen.append(int(np.argmin(totals)))
        nearest = np.minimum(nearest, distances[:, chosen[-1]])
        progress(0.6 * (number + 1) / count)
    for number in range(_ROUNDS):
        if not _exchange(distances, chosen):
            break
        progress(0.6 + 0.4 * (number + 1) / _ROUNDS)
    return np.sort(np.array(chosen, np.intp))


def _distances(colours: Colours, palette: Colours) -> NDArray[np.float32]:
    """(colours, entries): in OKLab, with a penalty for losing chroma."""
    return np.sqrt(squared_distances(colours, palette, _CHROMA_PENALTY))


def _exchange(distances: NDArray[np.float32], chosen: list[int]) -> bool:
    """Replace each chosen entry by the best other one if that lowers the sum. Returns whether any was replaced."""
    changed = False
    for place in range(len(chosen)):
        others = [entry for index, entry in enumerate(chosen) if index != place]
        nearest = distances[:, others].min(axis=1) if others else np.full(len(distances), np.inf, np.float32)
        totals = np.minimum(distances, nearest[:, None]).sum(axis=0)
        totals[others] = np.inf
        best = int(np.argmin(totals))
        if totals[best] < totals[chosen[place]] - 1e-6:
            chosen[place], changed = best, True
    return changed
