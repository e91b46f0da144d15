"""Tiles cut from the source itself, for a photomosaic without a tile pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...progress import Progress, pieces
from ...tile_pool import GRID, Tiles, thumbnail_features

COUNT = 480
_LARGEST, _SMALLEST = 0.36, 0.05  # a tile's side as a share of the source's shorter side
_WORKING_SIDE_PX = 1200  # tiles are cut from the source reduced to about this shorter side
_PIECE_PX = 1 << 17  # tile pixels cut and analysed at a time
_MAX_CACHED_PX = 1 << 23  # if all tiles have more pixels, those in use are cut a second time instead of cached


class OwnTiles:
    """Square pieces of the source at seeded positions and sizes; implements tile_pool.TileSource.

    Their ids are 0 to COUNT - 1. Small pieces are more frequent than large ones; every other one is mirrored.
    """

    def __init__(self, image: Image.Image, side: int, seed: int, progress: Progress) -> None:
        """side: of the tiles in pixels. The image is not read after this."""
        self.ids = np.arange(COUNT)
        self.features = np.empty((COUNT, GRID * GRID, 3), np.float32)
        self._small = image.reduce(max(1, min(image.size) // _WORKING_SIDE_PX))
        self._side, self._boxes = side, _random_boxes(self._small.size, seed)
        cached = []
        for piece, tiles in self._cut(range(COUNT), progress):
            self.features[piece] = thumbnail_features(tiles)
            if COUNT * side * side <= _MAX_CACHED_PX:
                cached.append(tiles)
        self._tiles = np.concatenate(cached) if cached else None

    def __len__(self) -> int:
        return COUNT

    def tiles_for(self, assignment: NDArray[np.int32], progress: Progress) -> tuple[Tiles, NDArray[np.int32]]:
        if self._tiles is not None:
            return self._tiles, assignment
        used, indices = np.unique(assignment, return_inverse=True)
        tiles = np.concatenate([tiles for _, tiles in self._cut(used.tolist(), progress)])
        return tiles, indices.reshape(assignment.shape).astype(np.int32)

    def _cut(self, numbers: Sequence[int], progress: Progress) -> Iterator[tuple[slice, Tiles]]:
        """Slices of `numbers` and the tiles of each."""
        for piece in pieces(len(numbers), max(1, _PIECE_PX // self._side**2)):
            boxes = [(self._boxes[number], number) for number in numbers[piece]]
            yield piece, np.stack([_cut_piece(self._small, box, self._side, number) for box, number in boxes])
            progress(piece.stop / len(numbers))


def _random_boxes(size: tuple[int, int], seed: int) -> list[list[float]]:
    """left, top, right, bottom of every tile in pixels of the reduced source."""
    rng, shorter = np.random.default_rng(seed), min(size)
    sides = shorter * _SMALLEST * (_LARGEST / _SMALLEST) ** (rng.random(COUNT) ** 1.5)
    sides = np.clip(sides, min(4, shorter), shorter)
    lefts, tops = ((length - sides) * rng.random(COUNT) for length in size)
    boxes: list[list[float]] = np.stack([lefts, tops, lefts + sides, tops + sides], axis=1).tolist()
    return boxes


def _cut_piece(image: Image.Image, box: list[float], side: int, number: int) -> NDArray[np.uint8]:
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height))
    piece = image.resize((side, side), Image.Resampling.HAMMING, box=inside)
    return np.asarray(piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else piece)
