"""Light on pieces: the pixels of some runs of cells in their material, with joints between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cells.runs import BACKGROUND
from ..colour.srgb import Floats
from .material import Material

_LIGHT = np.array([-0.6, -0.8], np.float32)  # towards the light, on the screen
_MOST_SIDES = 4  # of a cell near one row of pixels
_JOINT_GRAIN = 0.16
_JOINT_SHADOW = 0.34


@dataclass(frozen=True, slots=True)
class RunGeometry:
    """Consecutive runs. x, y: (n,) float32, the centre of each run's first pixel. lengths: (n,) pixels. cells: (n,)
    counted from the first of `sides` and `slopes`, or BACKGROUND."""

    x: Floats
    y: Floats
    lengths: NDArray[np.int64]
    cells: NDArray[np.int32]

    def of(self, some: NDArray[np.bool_]) -> RunGeometry:
        """Some of the runs."""
        return RunGeometry(self.x[some], self.y[some], self.lengths[some], self.cells[some])


@dataclass(frozen=True, slots=True)
class Surface:
    """What shading needs for the pixels of some runs, all (pixels,) float32.

    cover: how much of the pixel the piece covers, 0 to 1. edge: the steepness of the rounded edge, 0 to 1. facing: how
    far the nearest side faces the light, -1 to 1. depth: 0 at the edge of the piece, 1 where it is even.
    """

    cover: Floats
    edge: Floats
    facing: Floats
    depth: Floats


def measure_surface(runs: RunGeometry, sides: Floats, joint: float, bevel: float, seen: NDArray[np.bool_]) -> Surface:
    """The surface of pieces at the pixels of the runs that are `seen` (n,); all others decide with them how it is
    computed, so that a part of a picture has the pixels of the whole.

    sides: of the cells, see cells.sides. joint: its width in pixels; pieces reach half a joint less than their cells.
    bevel: the width of the rounded edge in pixels.

    Only sides nearer than joint and edge matter, which are two or three in most rows. Where two are near, their
    distances blend, so that corners are rounded as if cut by hand.
    """
    reach, round_px = joint / 2 + 1.5 * bevel, 0.8 * bevel
    own = sides[np.maximum(runs.cells, 0)]
    start = own[..., 0] * runs.x[:, None] + own[..., 1] * runs.y[:, None] + own[..., 2]
    nearest = np.minimum(start, start + own[..., 0] * (runs.lengths - 1)[:, None])
    nearest[runs.cells == BACKGROUND] = -np.inf
    order = np.argsort(nearest, axis=1)[:, :_MOST_SIDES]
    needed = np.take_along_axis(nearest, order, 1) < reach
    shares = needed.mean(axis=0).tolist()
    runs, own, start, order, needed = runs.of(seen), own[seen], start[seen], order[seen], needed[seen]
    first = np.cumsum(runs.lengths) - runs.lengths
    offset = np.arange(int(runs.lengths.sum()), dtype=np.float32) - np.repeat(first.astype(np.float32), runs.lengths)
    across = np.take_along_axis(own[..., 0], order, 1)
    start = np.take_along_axis(start, order, 1)
    start[~needed], across[~needed] = reach, 0.0
    start[runs.cells == BACKGROUND] = -reach
    facing = -np.take_along_axis(own[..., :2] @ _LIGHT, order, 1)
    distance = _along(start[:, 0], across[:, 0], offset, runs.lengths)
    toward = np.repeat(facing[:, 0], runs.lengths)
    for rank in range(1, order.shape[1]):
        used = needed[:, rank]
        if not shares[rank]:
            break
        if shares[rank] > 0.4:
            _blend(distance, toward, start[:, rank], across[:, rank], facing[:, rank], offset, runs.lengths, round_px)
            continue
        pixels = np.flatnonzero(np.repeat(used, runs.lengths))
        some, some_toward = distance[pixels], toward[pixels]
        values = (start[used, rank], across[used, rank], facing[used, rank])
        _blend(some, some_toward, *values, offset[pixels], runs.lengths[used], round_px)
        distance[pixels], toward[pixels] = some, some_toward
    distance -= joint / 2
    depth = np.clip(distance * np.float32(1 / bevel), 0.0, 1.0)
    edge = (1 - depth) * depth
    edge *= 4
    cover = np.clip(distance + np.float32(0.5), 0.0, 1.0) if joint else np.ones_like(distance)
    return Surface(cover, edge, toward, depth)


def _along(start: Floats, across: Floats, offset: Floats, lengths: NDArray[np.int64]) -> Floats:
    """(pixels,): the distance from one side for each pixel of every run."""
    distance: Floats = np.repeat(across, lengths)
    distance *= offset
    distance += np.repeat(start, lengths)
    return distance


def _blend(
    distance: Floats,
    toward: Floats,
    start: Floats,
    across: Floats,
    facing: Floats,
    offset: Floats,
    lengths: NDArray[np.int64],
    round_px: float,
) -> None:
    """Take another side into account: the smooth minimum of both distances (Quílez), changed in place."""
    other = _along(start, across, offset, lengths)
    share = distance - other
    share *= np.float32(0.5 / round_px)
    share += np.float32(0.5)
    np.clip(share, 0.0, 1.0, out=share)
    other -= distance
    other *= share
    distance += other
    toward += (np.repeat(facing, lengths) - toward) * share
    share *= 1 - share
    share *= np.float32(round_px)
    distance -= share


def light_on(surface: Surface, mirrored: Floats, texture: Floats, material: Material) -> tuple[Floats, Floats]:
    """(pixels,) twice: the factor of the piece's colour, and the mirrored light that is added, 0 to 1.

    mirrored: (pixels,) what the tilted piece mirrors, 0 to 1. texture: (pixels,) of unit contrast.
    """
    relief = surface.edge * surface.facing
    factor = relief * np.float32(material.relief)
    factor += texture * np.float32(material.mottling)
    factor += 1
    if material.glow:
        factor += (surface.depth - np.float32(0.7)) * np.float32(material.glow)
    if not material.gloss:
        return factor, np.zeros(0, np.float32)
    np.maximum(relief, 0.0, out=relief)
    relief *= relief
    relief *= np.float32(0.6)
    relief += mirrored * (0.4 * surface.depth + 0.1)
    relief *= np.float32(material.gloss)
    return factor, relief


def joint_light(surface: Surface, grain: Floats) -> Floats:
    """(pixels,): the factor of the joint's colour: sand, in the shadow of the piece beside it."""
    factor = surface.facing * np.float32(_JOINT_SHADOW / 2)
    factor += grain * np.float32(_JOINT_GRAIN)
    factor += np.float32(1 - _JOINT_SHADOW / 2)
    return factor
