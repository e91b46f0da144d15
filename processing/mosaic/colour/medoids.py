"""Which few colours of a large palette to use: k-medoids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..progress import Progress
from .oklab import srgb_to_oklab
from .palette import fit_palette, squared_distances
from .srgb import Colours

_MAX_SAMPLES = 4096
_ROUNDS = 3  # of exchanges
_CANDIDATES = 128  # of a picture's own colours
_SKETCH_PX = 20_000
_BIN = 0.03  # the side of a bin of colours that count as equal, in OKLab
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


def sample_colours(image: Image.Image) -> Colours:
    """(n, 3): colours of a small copy of a picture; of many equal ones as many count as their square root.

    A wall behind a face would get most of the chosen colours otherwise.
    """
    scale = min(1.0, (_SKETCH_PX / (image.width * image.height)) ** 0.5)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    colours = np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0), np.uint8).reshape(-1, 3)
    bins = np.floor(srgb_to_oklab(colours) / _BIN).astype(np.int64) @ np.array([1 << 20, 1 << 10, 1])
    _, own, counts = np.unique(bins, return_inverse=True, return_counts=True)
    total = np.cumsum(1 / np.sqrt(counts[own.ravel()]))
    places = np.arange(min(_MAX_SAMPLES, len(colours))) * (total[-1] / min(_MAX_SAMPLES, len(colours)))
    return np.ascontiguousarray(colours[np.searchsorted(total, places, side="right")])


def own_colours(image: Image.Image, count: int, progress: Progress) -> Colours:
    """(k, 3), k at most `count`: colours that paint the picture best, from dark to light; see `sample_colours`."""
    sample = sample_colours(image)
    ones = np.ones(len(sample), np.uint32)
    candidates = fit_palette(sample, ones, _CANDIDATES, progress.sub(0.0, 0.4))
    candidates = candidates[np.argsort(candidates @ np.array([0.3, 0.6, 0.1]), kind="stable")]
    return candidates[choose_colours(sample, candidates, count, progress.sub(0.4, 1.0))]


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
