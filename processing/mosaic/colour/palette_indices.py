"""Colours of a palette for any number of cells: the nearest ones, or mixed by ordered dithering."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, pieces
from ..scipy_lazy import kd_tree
from .oklab import srgb_to_oklab
from .palette import nearest_indices
from .srgb import Colours, Floats

Mixes = NDArray[np.uint8]
"""(n, steps): for each of n colours, indices of the palette colours that it is mixed of."""

_PIECE_CELLS = 1 << 15  # converting to OKLab takes some hundred bytes a cell
_MANY_CELLS = 1 << 17
_CELLS_PER_COLOUR = 4  # on average, from which on each colour is looked up once: the table takes 8 bytes a colour
_PIECE_WORDS = 1 << 11  # of 64 colours each, most of which are not there
_DITHER_STEPS = 8


def palette_indices(
    colours: Colours,
    palette: Colours,
    centres: Callable[[int, int], Floats],
    pitch: float,
    progress: Progress,
    *,
    dither: bool,
    chroma_penalty: float = 0,
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Piece by piece, a slice of the cells and the palette index of each of them.

    colours: (n, 3) of the cells; those of a piece may be changed once it was returned. palette: (k, 3), k at most 256.
    centres: of the cells from a first to before a last one, (m, 2) in pixels; pitch: the typical distance of
    neighbouring cells. chroma_penalty: as of `nearest_indices`; dithering has none.
    """

    def mixes(some: Colours) -> Mixes:
        return _dither_mixes(some, palette) if dither else _nearest(some, palette, chroma_penalty)

    lookup: Callable[[Colours], Mixes] = mixes
    later = progress
    if len(colours) > _MANY_CELLS:
        distinct = _ColourSet(colours)
        if len(distinct) * _CELLS_PER_COLOUR <= len(colours):
            lookup, later = _looked_up(distinct, mixes, progress.sub(0.0, 0.5)), progress.sub(0.5, 1.0)
    for piece in pieces(len(colours), _PIECE_CELLS):
        mix = lookup(colours[piece])
        if dither:
            yield piece, _select(mix, centres(piece.start, piece.stop), pitch)
        else:
            yield piece, mix[:, 0].astype(np.intp)
        later(piece.stop / len(colours))


class _ColourSet:
    """The different ones of many colours, by their numbers. colours: (n, 3).

    A bit for each of the 2^24 colours says whether it is there, and a number for each word of 64 bits how many are
    before: 3 MB, where a table of all ranks would take 64.
    """

    def __init__(self, colours: Colours) -> None:
        present = np.zeros(1 << 24, bool)
        for piece in pieces(len(colours), _PIECE_CELLS):
            present[_packed(colours[piece])] = True
        self._words = np.packbits(present, bitorder="little").view("<u8")
        counts = np.bitwise_count(self._words)
        self._before = np.cumsum(counts, dtype=np.uint32) - counts
        self._count = int(np.count_nonzero(present))

    def __len__(self) -> int:
        return self._count

    def ranks(self, colours: Colours) -> NDArray[np.uint32]:
        """(m,): how many colours of the set have a lower number than each of these, which are in the set."""
        numbers = _packed(colours)
        word, bit = numbers >> 6, (numbers & 63).astype(np.uint64)
        lower = self._words[word] & ((np.uint64(1) << bit) - np.uint64(1))
        ranks: NDArray[np.uint32] = self._before[word] + np.bitwise_count(lower)
        return ranks

    def colours(self) -> Iterator[Colours]:
        """(m, 3) piece by piece, in the order of their ranks."""
        for piece in pieces(len(self._words), _PIECE_WORDS):
            bits = np.unpackbits(self._words[piece].view(np.uint8), bitorder="little")
            numbers = np.flatnonzero(bits) + 64 * piece.start
            if len(numbers):
                yield np.stack([numbers >> 16, numbers >> 8, numbers], axis=1).astype(np.uint8)


def _looked_up(
    distinct: _ColourSet, mixes: Callable[[Colours], Mixes], progress: Progress
) -> Callable[[Colours], Mixes]:
    """The same as `mixes` for any of these colours, which takes what was computed once for each of them."""
    first, table = 0, np.empty((0, 0), np.uint8)
    for colours in distinct.colours():
        some = mixes(colours)
        if not first:
            table = np.empty((len(distinct), some.shape[1]), np.uint8)
        table[first : first + len(some)] = some
        first += len(some)
        progress(first / len(distinct))
    return lambda cells: table[distinct.ranks(cells)]


def _packed(colours: Colours) -> NDArray[np.uint32]:
    """(n,): red, green and blue in one number."""
    red, green, blue = colours.astype(np.uint32).T
    packed: NDArray[np.uint32] = red << 16 | green << 8 | blue
    return packed


def _nearest(colours: Colours, palette: Colours, chroma_penalty: float) -> Mixes:
    return nearest_indices(colours, palette, chroma_penalty)[:, None].astype(np.uint8)


def _dither_mixes(colours: Colours, palette: Colours) -> Mixes:
    """Knoll's pattern dithering: eight palette colours whose mean approximates each colour, ordered by lightness."""
    target, lab = srgb_to_oklab(colours), srgb_to_oklab(palette)
    tree, error = kd_tree(lab), np.zeros_like(target)
    mix = np.empty((len(target), _DITHER_STEPS), np.intp)
    for step in range(_DITHER_STEPS):
        mix[:, step] = tree.query(target + error * 0.75)[1]
        error += target - lab[mix[:, step]]
    return np.take_along_axis(mix, np.argsort(lab[:, 0][mix], axis=1, kind="stable"), axis=1).astype(np.uint8)


def _select(mixes: Mixes, centres: Floats, pitch: float) -> NDArray[np.intp]:
    """(n,): of each cell's mix the entry that a pattern of its position selects.

    The pattern is the R2 sequence, which works for cells of any shape.
    """
    position = np.floor(centres / pitch)
    pattern = (position @ np.array([0.7548776662466927, 0.5698402909980532])) % 1.0
    selected: NDArray[np.intp] = mixes[np.arange(len(mixes)), (pattern * mixes.shape[1]).astype(np.intp)].astype(
        np.intp
    )
    return selected
