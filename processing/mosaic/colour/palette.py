"""Palettes: ordered colours that cells are painted with instead of their own means."""

from __future__ import annotations

import re
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..progress import Stage
from ..scipy_lazy import tree_of
from .oklab import from_srgb, to_colours
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
PALETTE_NAMES = MappingProxyType(
    {
        "mono": ("Black and white", "黑白"),
        "greys": ("Greys", "灰阶"),
        "sepia": ("Sepia", "棕褐"),
        "stones": ("Stones", "石材"),
        "glass": ("Glass", "玻璃"),
        "handheld": ("Handheld", "掌机"),
    }
)
"""For people, in English and Chinese."""
MOST_COLOURS = 256
_AUTO = re.compile(r"auto-([1-9][0-9]{0,2})")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SAMPLE = 20_000  # cells that an automatic palette is fitted to
_PIECE = 1 << 18  # cells looked at together
_STEPS = 12  # of k-means
_DITHER_STEPS = 8


def allowed_palettes() -> str:
    """In words, for errors and forms."""
    return f"null, auto-2 to auto-{MOST_COLOURS}, {', '.join(PALETTES)}, or a list of 2 to 256 colours like #1c2d3e"


def check_palette(value: Palette) -> Palette:
    """The palette in its canonical spelling. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, str):
        auto = _AUTO.fullmatch(value)
        if value in PALETTES or (auto and 2 <= int(auto[1]) <= MOST_COLOURS):
            return value
        raise ValueError(allowed_palettes())
    colours = tuple(colour.lower() for colour in value)
    if 2 <= len(colours) <= MOST_COLOURS and all(_COLOUR.fullmatch(colour) for colour in colours):
        return colours
    raise ValueError(allowed_palettes())


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb -> three numbers."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def choose(palette: str | tuple[str, ...], colours: Colours, areas: NDArray[np.uint32], stage: Stage) -> Colours:
    """The colours (k, 3) that a palette stands for; an automatic one is fitted to the cells by their areas."""
    if isinstance(palette, tuple):
        return np.array([rgb(colour) for colour in palette], np.uint8)
    if palette in PALETTES:
        return np.array([rgb(colour) for colour in PALETTES[palette]], np.uint8)
    sample = _sample(areas)
    return fitted(colours[sample], areas[sample], int(palette.removeprefix("auto-")), stage)


def _sample(areas: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Of the cells that have pixels, every so many."""
    step, seen = -(-int(np.count_nonzero(areas)) // _SAMPLE), 0
    picked = []
    for first in range(0, len(areas), _PIECE):
        cells = first + np.flatnonzero(areas[first : first + _PIECE])
        picked.append(cells[-seen % step :: step].copy())  # the others go
        seen += len(cells)
    return np.concatenate(picked)


def fitted(colours: Colours, weights: NDArray[np.uint32], count: int, stage: Stage) -> Colours:
    """At most `count` colours that stand for the given ones: weighted k-means in OKLab, without any chance in it.

    It starts from the colours that lie farthest from those already taken (Gonzalez 1985), weighted by area.
    """
    lab, weight = from_srgb(colours), weights.astype(np.float64)
    centres = lab[[int(np.argmax(weight))]]
    nearest = np.linalg.norm(lab - centres[0], axis=1)
    while len(centres) < count and nearest.max() > 0:
        centres = np.vstack([centres, lab[np.argmax(nearest * np.sqrt(weight))]])
        nearest = np.minimum(nearest, np.linalg.norm(lab - centres[-1], axis=1))
        stage(len(centres) / count / 2)
    for step in range(_STEPS):
        label = tree_of(centres).query(lab)[1]
        share = np.bincount(label, weight, len(centres))
        moved = [np.bincount(label, weight * lab[:, axis], len(centres)) for axis in range(3)]
        centres = np.where(share[:, None] > 0, np.stack(moved, 1) / np.maximum(share, 1e-9)[:, None], centres)
        stage(0.5 + step / _STEPS / 2)
    return np.unique(to_colours(centres), axis=0)


def nearest(colours: Colours, palette: Colours) -> NDArray[np.intp]:
    """For each colour the index of the palette's nearest one, in OKLab."""
    return np.asarray(tree_of(from_srgb(palette)).query(from_srgb(colours))[1], np.intp)


def dithered(colours: Colours, palette: Colours, centres: Floats, cell: float) -> NDArray[np.intp]:
    """Palette indices whose mean over neighbouring cells comes near the colour itself.

    Each colour is approached by a mix of eight palette colours, ordered by lightness, of which a pattern that
    depends on the cell's place picks one (Knoll's pattern dithering, with the R2 sequence as its pattern), so that
    it works for cells of any shape. centres: (n, 2) in pixels; cell: their typical distance.
    """
    goal, lab = from_srgb(colours), from_srgb(palette)
    tree, error = tree_of(lab), np.zeros_like(goal)
    mix = np.empty((len(goal), _DITHER_STEPS), np.intp)
    for step in range(_DITHER_STEPS):
        mix[:, step] = tree.query(goal + error * 0.75)[1]
        error += goal - lab[mix[:, step]]
    mix = np.take_along_axis(mix, np.argsort(lab[:, 0][mix], axis=1, kind="stable"), axis=1)
    place = np.floor(centres / cell)
    pattern = (place @ np.array([0.7548776662466927, 0.5698402909980532])) % 1.0
    picked: NDArray[np.intp] = mix[np.arange(len(goal)), (pattern * _DITHER_STEPS).astype(np.intp)]
    return picked
