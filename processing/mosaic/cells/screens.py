"""Halftone screens of four process inks, each a square lattice of dots turned by an angle of its own."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from ..colour.srgb import Colours, Floats, linear_lut, to_bytes
from ..progress import Progress, pieces
from ..scaled import Drawing, is_visible
from .discs import DiscCoverage, cell_distances

ANGLES = (15.0, 75.0, 0.0, 45.0)
"""Of cyan, magenta, yellow and black, in degrees, as is usual in print to avoid moiré."""
INKS = np.array([[0, 174, 239], [236, 0, 140], [255, 242, 0], [35, 31, 32]], np.uint8)
"""Cyan, magenta, yellow, black in sRGB."""

_SOLVER_STEPS = 8
_LIGHT_STEPS = 4096
_MODEL_SIDE = 64
_PIECE_MEANS = 1 << 15  # each takes some hundred bytes


def separate(light: Floats, ground: Floats) -> Floats:
    """(n, 4): the shares of the ground that the inks cover, by Demichel's model of inks that overlap at random.

    light: (n, 3) and ground: (3,) in linear light. Colours that the inks cannot mix are approximated.
    """
    absorbed = 1 - linear_lut(True)[INKS]
    target = np.clip(light / np.maximum(ground, 1e-3), 1e-4, 1)
    shares = np.zeros((len(light), 4))
    shares[:, :3] = 1 - target
    shares[:, 3] = shares[:, :3].min(axis=1) ** 2  # black replaces the dark part of grey only
    for _ in range(_SOLVER_STEPS):
        for ink in range(3):
            others = np.ones(len(light))
            for other in {0, 1, 2, 3} - {ink}:
                others *= 1 - shares[:, other] * absorbed[other, ink]
            shares[:, ink] = np.clip((1 - target[:, ink] / np.maximum(others, 1e-4)) / absorbed[ink, ink], 0, 1)
    return shares


class Screen:
    """Dots of one ink. pitch: their distance in pixels; angle: of their rows, in degrees."""

    def __init__(self, size: tuple[int, int], pitch: float, angle: float) -> None:
        self._size, self._pitch = size, pitch
        self._right = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))], np.float32)
        self._half = math.ceil(math.hypot(*size) / 2 / pitch) + 1

    def centres(self) -> Floats:
        """(n, n, 2) x, y of all dots in pixels; many lie outside the picture."""
        steps = np.arange(-self._half, self._half + 1, dtype=np.float32) * np.float32(self._pitch)
        down, right = np.meshgrid(steps, steps, indexing="ij")
        cosine, sine = self._right
        x, y = right * cosine - down * sine, right * sine + down * cosine
        return np.stack([x + self._size[0] / 2, y + self._size[1] / 2], axis=-1)

    def coverage(self, radii: Floats, top: int, bottom: int, *, smooth: bool) -> Floats:
        """(bottom - top, width) 0 to 1: how much of each pixel the dots cover. radii: (n, n) pixels."""
        cosine, sine = self._right / np.float32(self._pitch)
        x = np.arange(self._size[0], dtype=np.float32) + np.float32(0.5 - self._size[0] / 2)
        y = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - self._size[1] / 2))[:, None]
        right, down = x * cosine + y * sine, y * cosine - x * sine
        column, row = np.rint(right), np.rint(down)
        distance = np.hypot(right - column, down - row) * np.float32(self._pitch)
        index = (row.astype(np.int32) + self._half) * radii.shape[1] + column.astype(np.int32) + self._half
        depth = radii.ravel()[index] - distance
        covered: Floats = np.clip(depth + np.float32(0.5), 0, 1) if smooth else (depth > 0).astype(np.float32)
        return covered


def paint_screens(
    canvas: Drawing, means: Colours, side: float, pitch: float, ground: Floats, progress: Progress, *, smooth: bool
) -> float:
    """Paint the inks of a picture over the canvas. Returns the share of the ground that is covered, 0 to 1.

    means: (rows, columns, 3) of its squares of `side` pixels. ground: (3,) in linear light.
    """
    shares, flat = np.empty((*means.shape[:2], 4), np.uint8), means.reshape(-1, 3)
    separating, progress = progress.sub(0.0, 0.3), progress.sub(0.3, 1.0)
    for piece in pieces(len(flat), _PIECE_MEANS):
        shares.reshape(-1, 4)[piece] = np.rint(separate(linear_lut(True)[flat[piece]], ground) * 255)
        separating(piece.start / len(flat))
    discs = DiscCoverage(cell_distances(_MODEL_SIDE, _MODEL_SIDE, 0, 0), smooth=False)
    screens = [Screen(canvas.size, pitch, angle) for angle in ANGLES]
    radii = []
    for ink, screen in enumerate(screens):
        column, row = np.moveaxis(screen.centres() / side, -1, 0).astype(np.int32)
        nearest = np.clip(row, 0, len(means) - 1), np.clip(column, 0, means.shape[1] - 1)
        levels = discs.levels(shares[(*nearest, ink)] / np.float32(255))
        radii.append((discs.radii[levels] * pitch / _MODEL_SIDE).astype(np.float32))
    absorbed = (1 - linear_lut(True)[INKS]).astype(np.float32)
    encoded = to_bytes(np.linspace(0, 1, _LIGHT_STEPS), linear=True)
    bare_px = 0.0
    for top, bottom in progress.bands(*canvas.size):
        if not is_visible(canvas, top, bottom):
            continue
        light = np.empty((bottom - top, canvas.width, 3), np.float32)
        light[:] = ground
        bare = np.ones(light.shape[:2], np.float32)
        for ink, screen in enumerate(screens):
            coverage = screen.coverage(radii[ink], top, bottom, smooth=smooth)
            bare *= 1 - coverage
            for channel in range(3):
                light[..., channel] *= 1 - coverage * absorbed[ink, channel]
        bare_px += float(bare.sum(dtype=np.float64))
        light *= _LIGHT_STEPS - 1
        light += 0.5
        canvas.paste(Image.fromarray(encoded[light.astype(np.uint16)]), (0, top))
    return 1 - bare_px / (canvas.width * canvas.height)
