"""Tile pools: small pictures that a photomosaic is put together from, looked at once and used many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...colour.oklab import from_srgb
from ...colour.srgb import to_bytes, to_linear
from ...errors import BadParameter
from ...progress import Stage

GRID = 4
"""Tiles and cells are compared on GRID x GRID fields."""

_FEW = 16
_PIECE_PX = 1 << 17  # converted at a time: NumPy needs some 60 bytes for each, and holds the lock meanwhile

Tiles = NDArray[np.uint8]  # (n, side, side, 3), sRGB
Grids = NDArray[np.float32]  # (..., GRID * GRID, 3), OKLab, row by row


class Supply(Protocol):
    """What a photomosaic is made of. ids: (n,) int64. grids: see Grids."""

    @property
    def ids(self) -> NDArray[np.int64]: ...

    @property
    def grids(self) -> Grids: ...

    def __len__(self) -> int: ...

    def tiles_for(self, shown: NDArray[np.int32], stage: Stage) -> tuple[Tiles, NDArray[np.int32]]:
        """Tiles, and the place among them of those that are shown."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Plain data, safe to keep, to pickle, and to share between threads: nothing writes to it.

    ids: (n,) int64, the caller's names of the pictures. tiles: (n, side, side, 3) uint8. grids: see Grids.
    """

    ids: NDArray[np.int64]
    tiles: Tiles
    grids: Grids

    def __len__(self) -> int:
        return len(self.ids)

    def tiles_for(self, shown: NDArray[np.int32], _stage: Stage) -> tuple[Tiles, NDArray[np.int32]]:
        return self.tiles, shown

    def only(self, ids: Sequence[int]) -> Pool:
        """The pool of these pictures alone. Raises BadParameter naming `tiles` for one that it does not hold."""
        place = {name: index for index, name in enumerate(self.ids.tolist())}
        missing = [name for name in ids if name not in place]
        if missing:
            raise BadParameter(field="tiles", value=missing[0], allowed="pictures of the tile pool")
        kept = np.array([place[name] for name in dict.fromkeys(ids)])
        return Pool(self.ids[kept], self.tiles[kept], self.grids[kept])


def make_pool(ids: Sequence[int], tiles: Tiles) -> Pool:
    """A pool of square tiles. tiles: (n, side, side, 3) uint8, side a multiple of 2 * GRID, n at least 1."""
    return Pool(np.asarray(ids, np.int64), tiles, grids_of(tiles))


def grids_of(squares: Tiles) -> Grids:
    """(n, side, side, 3) sRGB bytes -> (n, GRID * GRID, 3) OKLab of the fields' means in linear light."""
    count, side = squares.shape[:2]
    table = to_linear(np.arange(256) / 255.0).astype(np.float32)
    grids = np.empty((count, GRID * GRID, 3), np.float32)
    piece = max(1, _PIECE_PX // (side * side))
    for first in range(0, count, piece):
        means = to_bytes(_field_means(table[squares[first : first + piece]]), linear=True)
        grids[first : first + piece] = from_srgb(means).reshape(-1, GRID * GRID, 3)
    return grids


def _field_means(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, side, side, 3) -> (n, GRID, GRID, 3). Adds pixel by pixel of a field, which NumPy does a row at a time."""
    across = light.shape[1] // GRID
    sums = np.zeros((len(light), GRID, GRID, 3), np.float32)
    if across > _FEW:  # large tiles, of which few are given at a time: row by row first
        rows = np.zeros((len(light), GRID, light.shape[2], 3), np.float32)
        for y in range(across):
            rows += light[:, y::across]
        for x in range(across):
            sums += rows[:, :, x::across]
    else:
        for y in range(across):
            for x in range(across):
                sums += light[:, y::across, x::across]
    sums /= across * across
    return sums
