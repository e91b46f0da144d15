"""Brick colours by name, and how cells of one colour are merged to larger bricks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours
from ...progress import Progress
from .catalogue import BRICKS

ColourIndices = NDArray[np.int32]  # (rows, columns), an index of the palette for each cell

COLOURS = MappingProxyType(
    {
        "White": "#f4f4f4", "Black": "#1b2a34", "Bright Red": "#b40000", "Bright Blue": "#1e5aa8",
        "Bright Yellow": "#fac80a", "Dark Green": "#00852b", "Bright Green": "#58ab41", "Bright Orange": "#d67923",
        "Reddish Brown": "#5f3109", "Brick Yellow": "#b0a06f", "Medium Stone Grey": "#969696",
        "Dark Stone Grey": "#646464", "Light Stone Grey": "#c8c8c8", "Warm Tan": "#cca373", "Medium Brown": "#755945",
        "Nougat": "#bb805a", "Light Nougat": "#ffc995", "Medium Nougat": "#aa7d55", "Dark Orange": "#91501c",
        "Dark Brown": "#352100", "New Dark Red": "#720012", "Vibrant Coral": "#ff6d77", "Sand Yellow": "#897d62",
        "Flame Yellowish Orange": "#fcac00", "Cool Yellow": "#ffec6c", "Spring Yellowish Green": "#e2f99a",
        "Bright Yellowish Green": "#a5ca18", "Olive Green": "#77774e", "Sand Green": "#708e7c",
        "Earth Green": "#00451a", "Bright Bluish Green": "#069d9f", "Aqua": "#d3f2ea", "Medium Azur": "#68c3e2",
        "Dark Azur": "#469bc3", "Light Royal Blue": "#9dc3f7", "Medium Blue": "#7396c8", "Sand Blue": "#70819a",
        "Earth Blue": "#19325a", "Medium Lilac": "#441a91", "Lavender": "#cda4de", "Medium Lavender": "#a06eb9",
        "Bright Reddish Violet": "#901f76", "Bright Purple": "#d3359d", "Light Purple": "#ff9ecd",
    }
)  # fmt: skip
"""Solid colours in production and their values in LDraw's LDConfig.ldr of 2023-04-13, by the manufacturer's names."""

BASIC = MappingProxyType({name: COLOURS[name] for name in list(COLOURS)[:12]})
GREYS = MappingProxyType({name: COLOURS[name] for name in ("White", "Medium Stone Grey", "Dark Stone Grey", "Black")})

CHROMA_PENALTY = 3.0
"""Of the chroma lost in the colour's own hue, for choosing the nearest colour: without it, skin becomes grey."""

ANY = "any"
"""The colour in the parts list of bricks that have no named colour."""

_KIND_SHAPE = (256, 16, 16)  # exceeds the number of colours, and the studs along a brick
_SIZES = ((2, 8), (2, 6), (2, 4), (2, 3), (2, 2), (1, 8), (1, 6), (1, 4), (1, 3), (1, 2), (1, 1))


@dataclass(frozen=True, slots=True)
class BrickLayout:
    """owner: (rows, columns) the index of each cell's brick, which is the index of its upper left cell, row by row.
    boxes: (n, 4) top, left, rows, columns of each brick in cells."""

    owner: ColourIndices
    boxes: NDArray[np.int32]


def named_colours(names: Iterable[str]) -> tuple[Colours, list[str]]:
    """(k, 3) the brick colours of these names, and the names, both in the order of COLOURS."""
    chosen = set(names)
    ordered = [name for name in COLOURS if name in chosen]
    return np.array([hex_to_rgb(COLOURS[name]) for name in ordered], np.uint8), ordered


def unique_colours(colours: Colours) -> tuple[Colours, NDArray[np.intp]]:
    """(k, 3) the distinct colours, sorted, and (n,) the index in these of each colour."""
    numbers, indices = np.unique(colours @ np.array([1 << 16, 1 << 8, 1]), return_inverse=True)
    return (numbers[:, None] >> (16, 8, 0)).astype(np.uint8), indices


def merge_bricks(colours: ColourIndices, progress: Progress, *, larger: bool) -> BrickLayout:
    """Cover cells of one colour by bricks of at most 2 x 8, the largest first; without `larger`, each cell alone.

    Windows of one size at one offset do not overlap, so they are all decided at once.
    """
    rows, columns = colours.shape
    numbers = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    owner = np.full_like(numbers, -1)
    boxes, sizes = [], _with_rotations(_SIZES if larger else ((1, 1),))
    for done, (high, wide) in enumerate(sizes):
        for top in range(min(high, rows - high + 1)):
            for left in range(min(wide, columns - wide + 1)):
                free = _windows(np.where(owner < 0, colours, -1 - numbers), top, left, (high, wide))
                fits = (free == free[:, :1, :, :1]).all(axis=(1, 3)) & (free[:, 0, :, 0] >= 0)
                first = _windows(numbers, top, left, (high, wide))[:, :1, :, :1]
                np.copyto(_windows(owner, top, left, (high, wide)), first, where=fits[:, None, :, None])
                ys, xs = np.nonzero(fits)
                new = np.empty((len(ys), 4), np.int32)
                new[:, 0], new[:, 1], new[:, 2:] = ys * high + top, xs * wide + left, (high, wide)
                boxes.append(new)
            progress((done + (top + 1) / high) / len(sizes))
    return BrickLayout(owner, np.concatenate(boxes))


def parts_list(layout: BrickLayout, colours: ColourIndices, names: Sequence[str] | None) -> list[dict[str, object]]:
    """Colour, size, design number and count of every kind of brick, the most frequent first.

    names: of the colours; None: they have none, and bricks of all colours are counted together as ANY.
    """
    top, left, high, wide = layout.boxes.T
    colour = colours[top, left] if names is not None else np.zeros_like(top)
    sizes = np.stack([colour, np.minimum(high, wide), np.maximum(high, wide)])
    kinds, counts = np.unique(np.ravel_multi_index(sizes, _KIND_SHAPE), return_counts=True)
    order = np.lexsort((kinds, -counts))
    rows = np.stack(np.unravel_index(kinds[order], _KIND_SHAPE), 1).tolist()
    return [
        {
            "colour": ANY if names is None else names[colour],
            "size": f"{short}x{long}",
            "part": BRICKS[f"{short}x{long}"],
            "count": count,
        }
        for (colour, short, long), count in zip(rows, counts[order].tolist(), strict=True)
    ]


def _with_rotations(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return list(dict.fromkeys(rotated for high, wide in sizes for rotated in ((high, wide), (wide, high))))


def _windows(cells: ColourIndices, top: int, left: int, size: tuple[int, int]) -> ColourIndices:
    """(n, high, m, wide): a view of all complete windows from that offset on."""
    high, wide = size
    rows, columns = (cells.shape[0] - top) // high, (cells.shape[1] - left) // wide
    part = cells[top : top + rows * high, left : left + columns * wide]
    strides = (part.strides[0] * high, part.strides[0], part.strides[1] * wide, part.strides[1])
    return np.lib.stride_tricks.as_strided(part, (rows, high, columns, wide), strides)
