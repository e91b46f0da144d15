"""The relief of pieces: how far light and shadow, texture and joints make each pixel differ from the piece's colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cells.cells import Pieces
from ..cells.runs import BACKGROUND, Runs
from ..cells.strips import Band, Strip
from ..colour.srgb import Floats
from .lighting import LIGHT, LitSides, RunGeometry, glints, joint_light, light_on, measure_surface
from .material import Material
from .texture import mottling, sand

_CHUNK_PX = 1 << 16  # shaded at a time: some twenty arrays of them stay in the processor's cache
_MIRROR = LIGHT * np.float32(0.12)  # the slope at which a piece mirrors the light
_SMALL_PIECE = 1.5  # edges are at most as wide as on a piece this many times as large as the smallest
_ROUNDING = 0.8  # the radius of a corner, as a share of the width of the edge
_ROUNDED_BEVEL = 0.13  # in cells: a wider edge rounds its corners as one of this width
_GLINT_SPREAD = 0.28  # of the places of glints, in cells


@dataclass(frozen=True, slots=True)
class Shading:
    """Of some pixels, all (pixels,) float32.

    cover: how much of the pixel the piece covers. lighter: how much lighter than its colour the piece is, as a share of
    it. mirrored: the mirrored light, 0 to 1; empty without gloss. sand: how much lighter than its colour a joint
    is, as a share of it; None without joints.
    """

    cover: Floats
    lighter: Floats
    mirrored: Floats
    sand: Floats | None


class Relief:
    """Light and texture on the pieces of a material. joint: its width in pixels. smallest: the side of the smallest
    piece, where pieces differ: it has no wider edges than fit on it."""

    def __init__(self, cells: Pieces, material: Material, joint: float, seed: int, smallest: float | None) -> None:
        self.cells, self.material, self.joint = cells, material, joint
        self.mottling, self.grain = mottling(cells.pitch, material.streaks, seed), sand(cells.pitch, seed)
        rng = np.random.default_rng([seed, 5])
        self.slopes = rng.normal(0.0, material.tilt, (cells.count, 2)).astype(np.float32)
        pitch = cells.pitch if smallest is None else min(cells.pitch, _SMALL_PIECE * smallest)
        self._bevel = max(1.0, material.bevel * pitch)
        self._round_px = _ROUNDING * max(1.0, min(material.bevel, _ROUNDED_BEVEL) * pitch)
        if material.gloss:
            away = (self.slopes + _MIRROR) / max(material.tilt, 0.03)
            self._strengths = np.exp(-(away**2).sum(axis=1))
            self._places = rng.normal(0.0, _GLINT_SPREAD, cells.count).astype(np.float32)

    def shade(
        self,
        geometry: RunGeometry,
        sides: LitSides,
        first: int,
        seen: NDArray[np.bool_],
        textures: tuple[Floats, Floats],
    ) -> Shading:
        """sides: of the cells `first` and those after it, from which the geometry counts. seen: (n,) the runs whose
        pixels are wanted. textures: the mottling and the grain of these pixels."""
        surface = measure_surface(geometry, sides, self.joint, self._bevel, self._round_px, seen)
        glint = None
        if self.material.gloss:
            runs = geometry if seen.all() else geometry.of(seen)
            cells = np.maximum(runs.cells, 0)
            centres = self.cells.centres(first, first + sides.count)[cells]
            places, strengths = self._places[first + cells], self._strengths[first + cells]
            glint = glints(runs, centres, places, strengths, self.cells.pitch)
        lighter, mirrored = light_on(surface, glint, textures[0], self.material)
        return Shading(surface.cover, lighter, mirrored, joint_light(surface, textures[1]) if self.joint else None)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some runs of a band. geometry: counts cells from `first`. pixels: the slice of the band's pixels."""

    geometry: RunGeometry
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pixels: slice


def chunks(strip: Strip, band: Band, width: int, first: int, step: float = 1.0) -> Iterator[Chunk]:
    """Parts of a band of about _CHUNK_PX pixels. step: how many pixels of the result one of the strip's is wide."""
    starts = strip.runs.starts[band.runs]
    chunk = (starts - starts[0]) // _CHUNK_PX
    bounds = np.flatnonzero(np.diff(chunk, prepend=-1)).tolist()
    for low, high in zip(bounds, [*bounds[1:], len(starts)], strict=True):
        runs = slice(band.runs.start + low, band.runs.start + high)
        some, lengths, cells = strip.runs.starts[runs], strip.runs.lengths[runs], strip.runs.cells[runs]
        row, column = np.divmod(some, width)
        x = ((column + 0.5) * step).astype(np.float32)
        y = ((row + strip.bands[0].top + 0.5) * step).astype(np.float32)
        geometry = RunGeometry(x, y, lengths, np.where(cells == BACKGROUND, BACKGROUND, cells - first), step)
        begin = int(some[0]) - band.first_pixel
        yield Chunk(geometry, row, column, slice(begin, begin + int(lengths.sum())))


def cell_range(runs: Runs) -> tuple[int, int]:
    """The lowest cell, and the highest + 1."""
    covered = runs.cells[runs.cells != BACKGROUND]
    return (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 1)
