"""Palettes: ordered lists of colours that cells are painted in instead of their own means."""

from __future__ import annotations

import re
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..errors import Message
from ..progress import Progress, pieces
from ..scipy_lazy import kd_tree
from .oklab import oklab_to_srgb, srgb_to_oklab
from .srgb import Colours, Floats

Palette = str | tuple[str, ...] | None

PALETTES = MappingProxyType(
    {
        "mono": ("#000000", "#ffffff"),
        "greys": ("#0b0b0b", "#2e2e2e", "#515151", "#757575", "#989898", "#bbbbbb", "#dedede", "#fbfbfb"),
        "sepia": ("#241a12", "#4a3423", "#735238", "#9c7450", "#c19a72", "#dcbf99", "#f0dfc4", "#fbf5e9"),
        "stones": (
            "#1d1b1a", "#3d3a38", "#6b6661", "#9d978d", "#cfc8ba", "#f1ebdd", "#5a1f1a", "#8e3b2a", "#b8643c",
            "#cf8e55", "#dfb878", "#e8d3a2", "#7a5a2e", "#4c3a22", "#2e3b24", "#56663a", "#8b9463", "#b9bd94",
            "#1f3440", "#3b5f73", "#6d94a3", "#a9c1c4", "#6d3b4a", "#b08a86",
        ),
        "glass": (
            "#14110f", "#7a1022", "#c1272d", "#e4572e", "#f29e38", "#f7d154", "#fdf3c7", "#1e4d2b", "#2f8f4e",
            "#9bc53d", "#0b2a5b", "#1f5fa8", "#3fa7d6", "#a8dadc", "#4a1e5c", "#8e4b9e", "#e3a5c7", "#f5f7fa",
        ),
        "handheld": ("#0f380f", "#306230", "#8bac0f", "#9bbc0f"),
    }
)  # fmt: skip
PALETTE_LABELS = MappingProxyType(
    {
        "mono": ("Black and white", "黑白"),
        "greys": ("Greys", "灰阶"),
        "sepia": ("Sepia", "棕褐"),
        "stones": ("Stones", "石材"),
        "glass": ("Glass", "玻璃"),
        "handheld": ("Handheld", "掌机"),
    }
)
"""Labels in English and Chinese."""
MAX_COLOURS = 256

_AUTO = re.compile(r"auto-([1-9][0-9]{0,2})")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
SAMPLED_CELLS = 20_000  # cells that an automatic palette is fitted to
PIECE_CELLS = 1 << 18
_PIECE_DISTANCES = 1 << 17
_KMEANS_STEPS = 12
_WIDENING = 1.1


def allowed_palettes() -> Message:
    """The valid values of a `palette` parameter, in English."""
    return Message(
        "null, auto-2 to auto-{most}, {names}, or a list of 2 to {most} colours like #1c2d3e",
        most=MAX_COLOURS,
        names=tuple(PALETTES),
    )


def check_palette(value: Palette) -> Palette:
    """The palette in its canonical form. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, str):
        auto = _AUTO.fullmatch(value)
        if value in PALETTES or (auto and 2 <= int(auto[1]) <= MAX_COLOURS):
            return value
        raise ValueError(allowed_palettes())
    colours = tuple(colour.lower() for colour in value)
    if 2 <= len(colours) <= MAX_COLOURS and all(_COLOUR.fullmatch(colour) for colour in colours):
        return colours
    raise ValueError(allowed_palettes())


def hex_to_rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb -> red, green, blue, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def resolve_palette(
    palette: str | tuple[str, ...],
    colours: Colours,
    areas: NDArray[np.uint32],
    progress: Progress,
    *,
    dither: bool = False,
) -> Colours:
    """(k, 3): the colours of a palette. An automatic palette is fitted to the cells, weighted by their areas.

    colours: (count, 3) and areas: (count,) of the cells. dither: whether the colours are to be mixed.
    """
    if isinstance(palette, tuple):
        return np.array([hex_to_rgb(colour) for colour in palette], np.uint8)
    if palette in PALETTES:
        return np.array([hex_to_rgb(colour) for colour in PALETTES[palette]], np.uint8)
    sample = sample_cells(areas)
    count = int(palette.removeprefix("auto-"))
    fitted = fit_palette(colours[sample], areas[sample], count, progress)
    return widen_palette(fitted, colours[sample], areas[sample]) if dither and len(fitted) == count else fitted


def sample_cells(areas: NDArray[np.uint32]) -> NDArray[np.intp]:
    """The indices of every n-th cell that has pixels, at most SAMPLED_CELLS."""
    step, count = -(-int(np.count_nonzero(areas)) // SAMPLED_CELLS), 0
    samples = []
    for piece in pieces(len(areas), PIECE_CELLS):
        cells = piece.start + np.flatnonzero(areas[piece])
        samples.append(cells[-count % step :: step].copy())  # a copy, so that the other indices are freed
        count += len(cells)
    return np.concatenate(samples)


def fit_palette(colours: Colours, weights: NDArray[np.uint32], count: int, progress: Progress) -> Colours:
    """(k, 3), k at most `count`: representative colours by weighted k-means in OKLab, deterministic.

    It starts from the colours that are farthest from those already chosen (Gonzalez, 1985), weighted by area.
    """
    lab, weight = srgb_to_oklab(colours), weights.astype(np.float64)
    centres = lab[[int(np.argmax(weight))]]
    distance = np.linalg.norm(lab - centres[0], axis=1)
    while len(centres) < count and distance.max() > 0:
        centres = np.vstack([centres, lab[np.argmax(distance * np.sqrt(weight))]])
        distance = np.minimum(distance, np.linalg.norm(lab - centres[-1], axis=1))
        progress(len(centres) / count / 2)
    for step in range(_KMEANS_STEPS):
        label = kd_tree(centres).query(lab)[1]
        total = np.bincount(label, weight, len(centres))
        sums = [np.bincount(label, weight * lab[:, axis], len(centres)) for axis in range(3)]
        centres = np.where(total[:, None] > 0, np.stack(sums, 1) / np.maximum(total, 1e-9)[:, None], centres)
        progress(0.5 + step / _KMEANS_STEPS / 2)
    return np.unique(oklab_to_srgb(centres), axis=0)


def widen_palette(palette: Colours, colours: Colours, weights: NDArray[np.uint32]) -> Colours:
    """The palette's colours moved a tenth away from the mean of what they were fitted to. Means of clusters lie inside
    of what they stand for, and dithering can mix only what lies between the colours of the palette."""
    mean = np.average(srgb_to_oklab(colours), axis=0, weights=np.maximum(weights, 1e-9))
    return oklab_to_srgb(mean + (srgb_to_oklab(palette) - mean) * _WIDENING)


def nearest_indices(colours: Colours, palette: Colours, chroma_penalty: float = 0) -> NDArray[np.intp]:
    """(n,): for each colour the index of the palette's nearest one, in OKLab.

    chroma_penalty: added to the squared distance, times the square of the chroma that is lost in the colour's own hue
    and a fixed cost for grey, so that pale colours such as skin are painted neither grey nor green, and times half the
    square of the chroma that the entry has beside this hue, so that a dark red is not painted orange brown. With it,
    what is darker than the darkest entry counts as dark as that one (and what is lighter likewise): a deep black is
    then not painted brown where a brown is the darkest of all.
    """
    if chroma_penalty:
        return _nearest_chromatic(colours, palette, chroma_penalty)
    return np.asarray(kd_tree(srgb_to_oklab(palette)).query(srgb_to_oklab(colours))[1], np.intp)


def _nearest_chromatic(colours: Colours, palette: Colours, chroma_penalty: float) -> NDArray[np.intp]:
    indices = np.empty(len(colours), np.intp)
    for piece in pieces(len(colours), max(1, _PIECE_DISTANCES // len(palette))):
        indices[piece] = squared_distances(colours[piece], palette, chroma_penalty).argmin(axis=1)
    return indices


# Chroma below which a hue is hardly seen: an entry of the opposite hue then loses no more than a grey one
_GREYISH = 0.02
_COLOURED = 0.08  # chroma from which on a hue is plain to see
_PALE = 0.03  # chroma below which an entry looks grey beside a coloured cell
_GREY_COST = 0.004  # of painting a coloured cell grey, beside the chroma that this loses
_HUE_SHARE = 0.5  # of the penalty: for a difference of hue, so that a dark red becomes no orange brown


def limit_lightness(lab: Floats, entries: Floats, margin: float = 0.0) -> Floats:
    """The colours with their lightness limited to that of the entries, and a margin."""
    limited = lab.copy()
    limited[..., 0] = np.clip(lab[..., 0], entries[:, 0].min() - margin, entries[:, 0].max() + margin)
    return limited


def squared_distances(
    colours: Colours, palette: Colours, chroma_penalty: float = 0, *, lightness: float = 1.0, hue: float = 1.0
) -> NDArray[np.float32]:
    """(n, k): of each colour from each of the palette, in OKLab; `chroma_penalty` as for `nearest_indices`.

    lightness, hue: weights of the squared differences of L, and of a and b.
    """
    entries = srgb_to_oklab(palette)
    distances = np.empty((len(colours), len(palette)), np.float32)
    for piece in pieces(len(colours), max(1, _PIECE_DISTANCES // len(palette))):
        lab = limit_lightness(srgb_to_oklab(colours[piece]), entries)
        distances[piece] = sum(
            weight * np.subtract.outer(lab[:, axis], entries[:, axis]) ** 2
            for axis, weight in enumerate((lightness, hue, hue))
        )
        if chroma_penalty:
            distances[piece] += chroma_penalty * _chroma_cost(lab[:, 1:], entries[:, 1:])
    return distances


def _chroma_cost(colours: Floats, entries: Floats) -> Floats:
    """(n, k): what painting the colours in the entries costs by their a and b alone."""
    chroma = np.hypot(colours[:, 0], colours[:, 1])[:, None]
    along_hue = colours @ entries.T / np.maximum(chroma, 1e-9)
    loss = np.maximum(chroma - np.maximum(along_hue, -10 * np.maximum(chroma - _GREYISH, 0)), 0)
    of_other_hue = np.maximum((entries**2).sum(axis=1) - along_hue**2, 0)
    visible = np.clip((chroma - _GREYISH) / (_COLOURED - _GREYISH), 0, 1)
    grey = np.clip(1 - np.hypot(entries[:, 0], entries[:, 1]) / _PALE, 0, 1)
    of_grey = _GREY_COST * grey * np.clip((chroma - _GREYISH) / (2 * _GREYISH), 0, 1)
    cost: Floats = loss**2 + _HUE_SHARE * visible * of_other_hue + of_grey
    return cost
