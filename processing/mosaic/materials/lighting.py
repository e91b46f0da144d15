"""Light on pieces: the pixels of some runs of cells in their material, with joints between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cells.runs import BACKGROUND
from ..colour.srgb import Floats
from .material import Material

LIGHT = np.array([-0.6, -0.8], np.float32)  # towards the light, on the screen
_MOST_SIDES = 4  # of a cell near one row of pixels
_JOINT_GRAIN = 0.19
_JOINT_SHADOW = 0.20
_NARROW_PX = 2.0  # edges up to so wide are measured across pixels, not at their middles alone
_GLINT = 0.55  # half the width of a mirrored band of light, in cells


@dataclass(frozen=True, slots=True)
class RunGeometry:
    """Consecutive runs. x, y: (n,) float32, the centre of each run's first pixel. lengths: (n,) pixels. cells: (n,)
    counted from the first of `sides`, or BACKGROUND. step: from one pixel of a run to the next; more than 1 if the
    surface is sampled more coarsely than it is painted."""

    x: Floats
    y: Floats
    lengths: NDArray[np.int64]
    cells: NDArray[np.int32]
    step: float = 1.0

    def of(self, some: NDArray[np.bool_]) -> RunGeometry:
        """Some of the runs."""
        return RunGeometry(self.x[some], self.y[some], self.lengths[some], self.cells[some], self.step)

    def offsets(self) -> Floats:
        """(pixels,) float32: how far each pixel is from the first of its run."""
        first = (np.cumsum(self.lengths) - self.lengths).astype(np.float32)
        offsets: Floats = np.arange(int(self.lengths.sum()), dtype=np.float32)
        offsets -= np.repeat(first, self.lengths)
        if self.step != 1.0:
            offsets *= np.float32(self.step)
        return offsets


@dataclass(frozen=True, slots=True)
class NearSides:
    """The sides nearest to some runs, nearest first, all (n, sides).

    start: the distance of the first pixel. across: how much it grows from pixel to pixel. facing: how far the side
    faces the light, -1 to 1. needed: whether any pixel is within reach of it.
    """

    start: Floats
    across: Floats
    facing: Floats
    needed: NDArray[np.bool_]


class LitSides:
    """The sides of some cells, and how they face the light. sides: (cells, k, 3), see cells.sides."""

    def __init__(self, sides: Floats) -> None:
        self.count, self._most = sides.shape[:2]
        self._planes = np.ascontiguousarray(np.moveaxis(sides, -1, 0))
        self._facing = -(sides[..., :2] @ LIGHT)

    def near(self, runs: RunGeometry, reach: float, seen: NDArray[np.bool_]) -> tuple[NearSides, list[float]]:
        """Of the runs that are `seen` (n,), and for each place in the order which share of all runs needs such a side.

        Numbers are taken by flat indices, which is several times as fast as by pairs of them.
        """
        cells = np.maximum(runs.cells, 0)
        x, y, d = self._planes.take(cells, axis=1)
        start = x * runs.x[:, None] + y * runs.y[:, None] + d
        nearest = np.minimum(start, start + x * ((runs.lengths - 1) * runs.step)[:, None])
        nearest[runs.cells == BACKGROUND] = -np.inf
        order = np.argsort(nearest, axis=1)[:, :_MOST_SIDES]
        places = order + np.arange(0, nearest.size, self._most)[:, None]
        needed = nearest.take(places) < reach
        shares = (np.count_nonzero(needed, axis=0) / len(needed)).tolist()
        if not seen.all():
            cells, order, places, needed = cells[seen], order[seen], places[seen], needed[seen]
        facing = self._facing.take(order + (cells * self._most)[:, None])
        return NearSides(start.take(places), x.take(places), facing, needed), shares


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


def measure_surface(
    runs: RunGeometry, sides: LitSides, joint: float, bevel: float, round_px: float, seen: NDArray[np.bool_]
) -> Surface:
    """The surface of pieces at the pixels of the runs that are `seen` (n,); all others decide with them how it is
    computed, so that a part of a picture has the pixels of the whole.

    sides: of the cells. joint: its width in pixels; pieces reach half a joint less than their cells.
    bevel: the width of the rounded edge in pixels. round_px: how near two sides are where their distances blend.

    Only sides nearer than joint and edge matter, which are two or three in most rows. Where two are near, their
    distances blend, so that corners are rounded as if cut by hand.
    """
    reach = joint / 2 + 1.5 * bevel
    near, shares = sides.near(runs, reach, seen)
    runs = runs if seen.all() else runs.of(seen)
    start, across, facing, offset = near.start, near.across, near.facing, runs.offsets()
    np.copyto(start, np.float32(reach), where=~near.needed)
    np.copyto(across, np.float32(0), where=~near.needed)
    start[runs.cells == BACKGROUND] = -reach
    distance = _along(start[:, 0], across[:, 0], offset, runs.lengths)
    toward = np.repeat(facing[:, 0], runs.lengths)
    for rank, share in enumerate(shares[1:], 1):
        if not share:
            break
        if share > 0.4:
            _blend(distance, toward, start[:, rank], across[:, rank], facing[:, rank], offset, runs.lengths, round_px)
            continue
        used = near.needed[:, rank]
        pixels = np.flatnonzero(np.repeat(used, runs.lengths))
        some, some_toward = distance[pixels], toward[pixels]
        values = (start[used, rank], across[used, rank], facing[used, rank])
        _blend(some, some_toward, *values, offset[pixels], runs.lengths[used], round_px)
        distance[pixels], toward[pixels] = some, some_toward
    distance -= joint / 2
    depth = np.clip(distance * np.float32(1 / bevel), 0.0, 1.0)
    covered = np.clip(distance + np.float32(0.5), 0.0, 1.0)
    if bevel < _NARROW_PX:
        edge = _mean_steepness(distance, covered, bevel)
    else:
        edge = (1 - depth) * depth
        edge *= 4
    return Surface(covered if joint else np.ones_like(distance), edge, toward, depth)


def _mean_steepness(distance: Floats, covered: Floats, bevel: float) -> Floats:
    """(pixels,): the mean steepness of the rounded edge over the part of each pixel that the piece covers.

    distance: of the middle of each pixel from the edge of the piece. covered: pixels of that part, across the edge.
    Where an edge is hardly wider than a pixel, the middles alone would show it on some sides and not on others.
    """
    scale = np.float32(1 / bevel)
    outer = np.clip((distance + np.float32(0.5)) * scale, 0.0, 1.0)
    inner = np.clip((distance - np.float32(0.5)) * scale, 0.0, 1.0)
    steepness = _rise(outer)
    steepness -= _rise(inner)
    steepness *= np.float32(bevel)
    steepness /= np.maximum(covered, np.float32(1e-3))
    return steepness


def _rise(depth: Floats) -> Floats:
    """(pixels,): how much the rounded edge has risen from 0 to this depth: the integral of its steepness."""
    risen: Floats = depth * np.float32(-4 / 3)
    risen += 2
    risen *= depth
    risen *= depth
    return risen


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


def light_on(surface: Surface, glint: Floats | None, texture: Floats, material: Material) -> tuple[Floats, Floats]:
    """(pixels,) twice: how much lighter than its colour the piece is, as a share of it, and the mirrored light, 0 to 1.

    glint: (pixels,) how much of the light the tilted piece mirrors, 0 to 1; None of a material without gloss, which
    mirrors nothing. texture: (pixels,) of unit contrast.
    """
    relief = surface.edge * surface.facing
    lighter = relief * np.float32(material.relief)
    lighter += texture * np.float32(material.mottling)
    if material.glow:
        lighter += (surface.depth - np.float32(0.7)) * np.float32(material.glow)
    if glint is None:
        return lighter, np.zeros(0, np.float32)
    np.maximum(relief, 0.0, out=relief)
    relief *= relief
    relief *= np.float32(0.6)
    relief += glint * (0.4 * surface.depth + 0.1)
    relief *= np.float32(material.gloss)
    return lighter, relief


def glints(runs: RunGeometry, centres: Floats, places: Floats, strengths: Floats, pitch: float) -> Floats:
    """(pixels,): how much of the light each pixel mirrors: a soft band across the piece.

    Of each run: centres: (n, 2) of its piece; places: (n,) where the band lies, in cells towards the light from there;
    strengths: (n,) in the middle of the band.
    """
    scale = np.float32(1 / (_GLINT * pitch))
    start = ((runs.x - centres[:, 0]) * LIGHT[0] + (runs.y - centres[:, 1]) * LIGHT[1]) * scale - places / _GLINT
    across = np.full(len(start), LIGHT[0] * scale, np.float32)
    glint = _along(start.astype(np.float32), across, runs.offsets(), runs.lengths)
    glint *= glint
    np.subtract(1, glint, out=glint)
    np.maximum(glint, 0.0, out=glint)
    glint *= glint
    glint *= np.repeat(strengths, runs.lengths)
    return glint


def joint_light(surface: Surface, grain: Floats) -> Floats:
    """(pixels,): how much lighter than its colour a joint is: sand, beside a lit piece or in its shadow."""
    lighter = surface.facing * np.float32(_JOINT_SHADOW)
    lighter += grain * np.float32(_JOINT_GRAIN)
    return lighter
