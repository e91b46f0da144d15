"""Offsets: what is added to the bytes of tiles, to whole tiles or blended from field to field.

A strip holds tiles side by side: (high, cells * wide * 4) uint8, the pixels of a row as R, G, B, X. So all that is
added to a row lies in memory like the row itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...colour.oklab import oklab_to_srgb
from ...progress import pieces
from ...tiles.features import GRID, Features, mirrored_features

if TYPE_CHECKING:
    from .assembly import TileLayout

Offsets = NDArray[np.signedinteger[Any]]
Strip = NDArray[np.uint8]

_ONE = 128  # in fixed point: its products with differences of bytes fit into 16 bits
_HALF, _SHIFT = 64, 7
_PIECE_CELLS = 1 << 13  # converted at a time, in double precision
_PIECE_BYTES = 1 << 17  # of a strip, whose sums fit into the processor's cache


def tint_offsets(cells: Features, tiles: Features, layout: TileLayout, tint: float) -> NDArray[np.int8]:
    """(n, GRID, GRID, 3): added to the bytes of the tiles, they move each field towards that of the cell.

    tint: how far, 0 to 1. Unlike a blend with the colour, an offset preserves what is smaller than a field.
    """
    offsets = np.empty((len(layout.assignment), GRID, GRID, 3), np.int8)
    used, places = np.unique(layout.assignment, return_inverse=True)
    plain = oklab_to_srgb(tiles[used]).astype(np.int16)
    current, sides = np.stack([plain, mirrored_features(plain)]), layout.mirrored.astype(np.int8)
    for piece in pieces(len(offsets), _PIECE_CELLS):
        tile: NDArray[Any] = current[sides[piece], places[piece]]
        if layout.transfer is not None:
            tile = layout.transfer.of(piece).apply(tile, axis=-2)
        differences = (oklab_to_srgb(cells[piece]).astype(np.float64) - tile) * tint
        fields = sharpened(differences.reshape(-1, GRID, GRID, 3))
        offsets[piece] = np.rint(np.clip(fields, -127, 127))
    return offsets


def add_offsets(strip: Strip, offsets: Offsets, wide: int) -> None:
    """In place, saturating: offsets (cells, 3), of whole tiles."""
    row = along_row(np.pad(offsets, ((0, 0), (0, 1))), wide)
    more, less = np.clip(row, 0, 255).astype(np.uint8), np.clip(-row, 0, 255).astype(np.uint8)
    np.minimum(strip, 255 - more, out=strip)
    strip += more
    np.maximum(strip, less, out=strip)
    strip -= less


def add_fields(strip: Strip, offsets: Offsets, wide: int) -> None:
    """In place, saturating: offsets (cells, GRID, GRID, 3), of the fields of tiles, -127 to 127.

    They are those of the fields' middles, and blended linearly between these. Beyond the outer middles they are
    constant, so that nothing is blended from tile to tile.
    """
    lines = _lines(offsets, wide)
    steps, firsts = np.diff(lines, axis=0), lines * np.int16(_ONE) + np.int16(_HALF)
    before, shares = _between_middles(len(strip))
    for field in range(GRID - 1):
        first, last = np.searchsorted(before, [field, field + 1]).tolist()
        for piece in pieces(last - first, max(1, _PIECE_BYTES // strip.shape[1])):
            rows = slice(first + piece.start, first + piece.stop)
            sums = shares[rows, None] * steps[field]
            sums += firsts[field]
            sums >>= _SHIFT
            sums += strip[rows]
            strip[rows] = np.clip(sums, 0, 255, out=sums)


def along_row(values: NDArray[Any], wide: int) -> NDArray[Any]:
    """(cells, 4) -> (cells * wide * 4,): the numbers of each cell for all of its pixels in a row."""
    return np.repeat(values, wide, axis=0).ravel()


def sharpened(fields: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., GRID, GRID, 3): offsets that have these means in each field once they are blended from field to field."""
    means = 0.75 * np.eye(GRID) + 0.125 * (np.eye(GRID, k=1) + np.eye(GRID, k=-1))
    means[[0, -1], [0, -1]] += 0.125
    inverse = np.linalg.inv(means)
    preimages: NDArray[np.float64] = np.einsum("...jkc,ij,lk->...ilc", fields, inverse, inverse, optimize=True)
    return preimages


def _lines(offsets: Offsets, wide: int) -> NDArray[np.int16]:
    """(GRID, cells * wide * 4): the offsets of each row of fields, blended from left to right."""
    fields = np.zeros((GRID, len(offsets), GRID, 4), np.int16)
    fields[..., :3] = offsets.transpose(1, 0, 2, 3)
    packed = fields.view(np.int64)[..., 0]  # a field's four numbers are copied as one
    before, shares = _between_middles(wide)
    lines = packed.take(before, axis=2).view(np.int16).reshape(GRID, -1)
    following = packed.take(before + 1, axis=2).view(np.int16).reshape(GRID, -1)
    following -= lines
    following *= np.tile(np.repeat(shares, 4), len(offsets))
    following += _HALF
    following >>= _SHIFT
    lines += following
    return lines


def _between_middles(pixels: int) -> tuple[NDArray[np.intp], NDArray[np.int16]]:
    """(pixels,) each: the field whose middle comes before that of a pixel, 0 to GRID - 2, and how far it is from there
    to the next, 0 to _ONE."""
    middles = (np.arange(pixels) + 0.5) * GRID / pixels - 0.5
    before = np.clip(middles.astype(np.intp), 0, GRID - 2)
    return before, np.rint(np.clip(middles - before, 0.0, 1.0) * _ONE).astype(np.int16)
