"""A picture's own pieces: the tile pool of a photomosaic that was given no other."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .pool import Pool, make_pool
from .stage import Stage

COUNT = 480
_LARGEST, _SMALLEST = 0.36, 0.05  # a piece's side as a share of the picture's shorter one
_LOOKED_AT_PX = 1200  # pieces are cut from the picture reduced to about this shorter side


def own_pieces(image: Image.Image, side: int, seed: int, stage: Stage) -> Pool:
    """Square pieces of the picture, `side` pixels each, from places and of sizes that the seed chooses.

    Their ids are 0 to COUNT - 1. Small pieces are more frequent than large ones; every other one is mirrored.
    """
    small = image.reduce(max(1, min(image.size) // _LOOKED_AT_PX))
    chance = np.random.default_rng(seed)
    shorter = min(small.size)
    sides = shorter * _SMALLEST * (_LARGEST / _SMALLEST) ** (chance.random(COUNT) ** 1.5)
    sides = np.clip(sides, min(4, shorter), shorter)
    lefts, tops = ((length - sides) * chance.random(COUNT) for length in small.size)
    tiles = np.empty((COUNT, side, side, 3), np.uint8)
    for index, box in enumerate(np.stack([lefts, tops, lefts + sides, tops + sides], axis=1).tolist()):
        tiles[index] = _piece(small, box, side, mirrored=index % 2 == 1)
        if index % 16 == 0:
            stage(index / COUNT)
    return make_pool(range(COUNT), tiles)


def _piece(image: Image.Image, box: list[float], side: int, *, mirrored: bool) -> np.ndarray:
    inside = (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height))
    piece = image.resize((side, side), Image.Resampling.HAMMING, box=inside)
    return np.asarray(piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else piece)
