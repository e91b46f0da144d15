"""Transfer: tiles take on the mean and the spread of the colours of their cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...colour.oklab import oklab_to_srgb
from ...progress import pieces
from ...tiles.features import Features
from .offsets import Strip, along_row

if TYPE_CHECKING:
    from .assembly import TileLayout

_LEAST_GAIN, _MOST_GAIN = 0.25, 4.0  # of contrast: below, a photo is not recognised; above, its noise is seen
_LEAST_SPREAD = 1.0  # of a tile, of 255: a plain one has no contrast to raise
_PIECE_CELLS = 1 << 13  # converted at a time, in double precision
_PIECE_BYTES = 1 << 16  # of a strip, changed at a time in single precision


@dataclass(frozen=True, slots=True)
class Transfer:
    """A byte of a tile becomes byte * gain + bias. gains, biases: (..., 3) float32, of each cell and channel."""

    gains: NDArray[np.float32]
    biases: NDArray[np.float32]

    def of(self, cells: slice | NDArray[np.intp]) -> Transfer:
        return Transfer(self.gains[cells], self.biases[cells])

    def change(self, strip: Strip, wide: int) -> None:
        """In place: a strip of these cells."""
        row = Transfer(
            along_row(np.pad(self.gains, ((0, 0), (0, 1)), constant_values=1.0), wide),
            along_row(np.pad(self.biases, ((0, 0), (0, 1))), wide),
        )
        for rows in pieces(len(strip), max(1, _PIECE_BYTES // strip.shape[1])):
            strip[rows] = np.rint(row.apply(strip[rows], axis=()))

    def apply(self, colours: NDArray[Any], axis: int | tuple[int, ...]) -> NDArray[np.float32]:
        """0 to 255, not rounded. axis: of the pixels in `colours`, which the gains have not."""
        changed = colours * np.expand_dims(self.gains, axis) + np.expand_dims(self.biases, axis)
        clipped: NDArray[np.float32] = np.clip(changed, 0.0, 255.0)
        return clipped


def colour_transfer(cells: Features, tiles: Features, layout: TileLayout, share: float) -> Transfer:
    """What moves mean and spread of each tile towards those of its cell. share: how far, 0 to 1.

    Both are measured on the 4 x 4 fields: smaller details keep their contrast beside the larger ones.
    """
    count = len(layout.assignment)
    used, places = np.unique(layout.assignment, return_inverse=True)
    tile_means, tile_spreads = _statistics(tiles[used])
    gains, biases = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
    for piece in pieces(count, _PIECE_CELLS):
        means, spreads = _statistics(cells[piece])
        current, tile = tile_means[places[piece]], tile_spreads[places[piece]]
        ratio = np.clip(spreads / np.maximum(tile, _LEAST_SPREAD), _LEAST_GAIN, _MOST_GAIN)
        gains[piece] = 1.0 + share * (ratio - 1.0)
        biases[piece] = current + share * (means - current) - gains[piece] * current
    return Transfer(gains, biases)


def _statistics(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(..., fields, 3) OKLab -> mean and standard deviation of the bytes, (..., 3) each."""
    colours = oklab_to_srgb(features).astype(np.float64)
    return colours.mean(axis=-2), colours.std(axis=-2)
