"""A picture's own pieces: what a photomosaic is made of that was given no tile pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...progress import Stage
from .tile_pool import GRID, Tiles, grids_of

COUNT = 480
_LARGEST, _SMALLEST = 0.36, 0.05  # a piece's side as a share of the picture's shorter one
_LOOKED_AT_PX = 1200  # pieces are cut from the picture reduced to about this shorter side
_TOGETHER_PX = 1 << 17  # cut and looked at together
_KEPT_PX = 1 << 23  # above that, a piece is cut again once it is known that it is used


class Pieces:
    """Square pieces of the picture, from places and of sizes that the seed chooses; see pool.Supply.

    Their ids are 0 to COUNT - 1. Small pieces are more frequent than large ones; every other one is mirrored.
    """

    def __init__(self, image: Image.Image, side: int, seed: int, stage: Stage) -> None:
        """side: that pieces are scaled to, pixels. The picture is not looked at any more after that."""
        self.ids = np.arange(COUNT)
        self.grids = np.empty((COUNT, GRID * GRID, 3), np.float32)
        self._small = image.reduce(max(1, min(image.size) // _LOOKED_AT_PX))
        self._side, self._boxes = side, _boxes(self._small.size, seed)
        kept = []
        for first, tiles in self._cut(range(COUNT), stage):
            self.grids[first : first + len(tiles)] = grids_of(tiles)
            if COUNT * side * side <= _KEPT_PX:
                kept.append(tiles)
        self._kept = np.concatenate(kept) if kept else None

    def __len__(self) -> int:
        return COUNT

    def tiles_for(self, shown: NDArray[np.int32], stage: Stage) -> tuple[Tiles, NDArray[np.int32]]:
        if self._kept is not None:
            return self._kept, shown
        used, place = np.unique(shown, return_inverse=True)
        tiles = np.concatenate([some for _, some in self._cut(used.tolist(), stage)])
        return tiles, place.reshape(shown.shape).astype(np.int32)

    def _cut(self, numbers: Sequence[int], stage: Stage) -> Iterator[tuple[int, Tiles]]:
        """Some at a time, with the place of the first of them."""
        step = max(1, _TOGETHER_PX // self._side**2)
        for first in range(0, len(numbers), step):
            some = numbers[first : first + step]
            yield first, np.stack([_piece(self._small, self._boxes[number], self._side, number) for number in some])
            stage((first + len(some)) / len(numbers))


def _boxes(size: tuple[int, int], seed: int) -> list[list[float]]:
    """left, top, right, bottom of every piece."""
    chance, shorter = np.random.default_rng(seed), min(size)
    sides = shorter * _SMALLEST * (_LARGEST / _SMALLEST) ** (chance.random(COUNT) ** 1.5)
    sides = np.clip(sides, min(4, shorter), shorter)
    lefts, tops = ((length - sides) * chance.random(COUNT) for length in size)
    boxes: list[list[float]] = np.stack([lefts, tops, lefts + sides, tops + sides], axis=1).tolist()
    return boxes


def _piece(image: Image.Image, box: list[float], side: int, number: int) -> NDArray[np.uint8]:
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height))
    piece = image.resize((side, side), Image.Resampling.HAMMING, box=inside)
    return np.asarray(piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else piece)
