"""What a fuse bead looks like from above: a short tube on a peg board."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...cells.stamps import LIGHT
from ...colour.srgb import Colours, Floats
from ...progress import pieces

Shares = NDArray[np.float32]

RADIUS, HOLE = 0.47, 0.17
"""Of a bead and of its hole, in cells."""

_IN_SHADOW, _BOARD_SEEN = 0.62, 0.12  # of the light above, in holes and gaps; of their colour, that of the board
_THROUGH_LIGHT = np.float32(0.8)  # of what holes and gaps lack, white beads pass on: light shines through them
_LIT_BY_BLACK = np.float32(0.1)  # what is left of highlights, and of the light on the board, where all is black
_SAMPLES = 3
_PIECE_PX = 1 << 18  # each pixel takes several floats
_SHINE = (-0.20, -0.22)  # where it is brightest, in cells from the middle


def bead_cover(side: int) -> Shares:
    """(side, side): how much of each pixel a bead covers, from 3 x 3 samples."""
    offset = (np.arange(side * _SAMPLES) + 0.5) / (side * _SAMPLES) - 0.5
    cover = np.empty((side, side), np.float32)
    for rows in pieces(side, max(1, _PIECE_PX // (side * _SAMPLES**2))):
        distance = np.hypot(offset[rows.start * _SAMPLES : rows.stop * _SAMPLES, None], offset)
        inside = (distance < RADIUS) & (distance >= HOLE)
        cover[rows] = inside.reshape(-1, _SAMPLES, side, _SAMPLES).mean(axis=(1, 3))
    return cover


def bead_shade(side: int) -> Shares:
    """(side, side): -1 black to 1 white, 0 the bead's own colour: a rounded rim, a dark hole, and a highlight."""
    y, x = _offsets(side)
    distance = np.maximum(np.hypot(x, y), 1e-6)
    middle, half = (RADIUS + HOLE) / 2, (RADIUS - HOLE) / 2
    slope = np.clip((distance - middle) / half, -1, 1)  # inwards, level on top, outwards
    facing = slope * (x * LIGHT[0] + y * LIGHT[1]) / distance
    shine = np.exp(-(((x - _SHINE[0]) ** 2 + (y - _SHINE[1]) ** 2) / 0.008))
    shade = 0.30 * facing * np.abs(slope) - 0.12 * np.abs(slope) ** 3 + 0.5 * shine
    return np.asarray(np.clip(shade, -0.6, 0.7), np.float32)


def draw_beads(colours: Colours, board: tuple[int, int, int], cover: Shares, shade: Shares | None) -> Colours:
    """(n, side, side, 4): one picture for each colour (n, 3), opaque.

    With `shade`, holes and gaps are in shadow, where the walls of the beads around are seen rather than the board, and
    the tops are as much lighter, so that a picture of beads is no paler and no greyer than their colours. Dark beads
    shine less, and throw less light on the board between them: equal highlights would make black look like slate.
    Light beads cannot be lighter; holes and gaps of these are lighter instead, or white would look grey.
    """
    pictures = np.full((len(colours), *cover.shape, 4), 255, np.uint8)
    covered = np.float32(cover.mean())
    for rows in pieces(len(cover), max(1, _PIECE_PX // (cover.shape[1] * len(colours)))):
        base: Floats = colours.astype(np.float32)[:, None, None, :]
        ground: Floats = np.array(board, np.float32)
        share = cover[rows, :, None]
        if shade is not None:
            lit = _LIT_BY_BLACK + (1 - _LIT_BY_BLACK) / 255 * base.max(axis=-1, keepdims=True)
            through = _THROUGH_LIGHT * (base.max(axis=-1, keepdims=True) / 255) ** 4
            in_shadow = _IN_SHADOW + (1 - _IN_SHADOW) * through
            ground = in_shadow * (_BOARD_SEEN * lit * ground + (1 - _BOARD_SEEN) * base)
            light = shade[rows, :, None]
            mean = covered + (1 - covered) * in_shadow
            base = np.minimum(base / mean, 255)
            base = base + np.where(light > 0, (255 - base) * lit, base) * light
        pictures[:, rows, :, :3] = np.rint(ground + (base - ground) * share)
    return pictures


def _offsets(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each pixel's centre from the middle, in cells: (side, 1) and (1, side)."""
    offset = (np.arange(side) + 0.5) / side - 0.5
    return offset[:, None], offset[None, :]
