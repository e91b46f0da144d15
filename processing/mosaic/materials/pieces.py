"""Paint cells as pieces of a material: the counterpart of flat_cells.paint_flat_cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..canvas import Laid, StyleResult, finished
from ..cells.cells import Cells, Pieces
from ..cells.runs import BACKGROUND
from ..cells.strips import Band, Strip, Strips
from ..codec.encoders.vector_image import VectorImage
from ..colour.srgb import Colours, Floats
from ..flat_cells import measure_cells, measured_cells
from ..params import FLAT, CellParams
from ..progress import Progress
from ..scaled import Drawing, is_visible, visible_box
from ..style import RenderContext
from .lighting import RunGeometry, joint_light, light_on, measure_surface
from .material import MATERIALS, Material
from .texture import JointColours, mottling, sand, vary_colours

_MIN_PITCH_PX = 6.0  # nothing of the material of smaller pieces could be seen
_CHUNK_PX = 1 << 16  # shaded at a time: some twenty arrays of them stay in the processor's cache
_MIRROR = np.array([-0.6, -0.8], np.float32) * 0.12  # the slope at which a piece mirrors the light


@dataclass(frozen=True, slots=True)
class Laying:
    """How pieces are laid. joint: the width of joints in pixels. joint_colour: #rrggbb; None follows the picture."""

    material: Material
    joint: float
    joint_colour: str | None = None


def lay(
    context: RenderContext[CellParams], material: str, pitch: float, joint: float, joint_colour: str | None
) -> Laying | None:
    """How to lay pieces of a named material; None if they are to be painted flat: because they are flat, too small, or
    have transparent parts."""
    if material == FLAT or pitch < _MIN_PITCH_PX or context.source.alpha is not None:
        return None
    return Laying(MATERIALS[material], joint, joint_colour)


def paint_pieces(
    context: RenderContext[CellParams], cells: Pieces, laying: Laying, progress: Progress, *, flat: Callable[[], Cells]
) -> StyleResult:
    """Paint every cell as a piece of a material, with joints inside the cells' edges.

    cells: with their halves of the joints. flat: gives the cells without joints, for the SVG, which has no material.
    Each piece has the mean of its cell, deviating as the material does.
    """
    strips = Strips(cells)
    image = context.source.image
    joints = context.once("joints", lambda: JointColours(image, cells.pitch, laying.joint_colour))
    measured = measured_cells(context, cells)
    measured_strips = strips if measured is cells else Strips(measured)
    measuring = progress.sub(0.0, 0.4)
    colours, areas, _ = context.once_measured(
        "means", cells.count, lambda: measure_cells(context, measured_strips, measuring)
    )
    painter = _Painter(cells, laying, colours, joints, context.params.seed)
    visible = int(np.count_nonzero(areas))
    covered = float(areas.sum(dtype=np.int64)) / (measured.width * measured.height)
    canvas = context.new_canvas()
    _, first, _, last = visible_box(canvas)
    for strip in strips.between(first, last):
        for band, pixels in painter.paint(strip, canvas):
            size = (cells.width, band.bottom - band.top)
            canvas.paste(Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1), (0, band.top))
            progress.sub(0.4, 1.0)(band.bottom / cells.height)
    gap_colour = joints.mean if laying.joint else None
    return StyleResult(
        finished(canvas),
        cells=visible,
        pitch=cells.pitch,
        coverage=covered * max(0.0, 1 - laying.joint / cells.pitch) ** 2,
        laid=Laid(cells),
        vector=lambda: VectorImage(context.size, flat().outlines, colours, gap_colour, exact=False),
    )


class _Painter:
    def __init__(self, cells: Pieces, laying: Laying, colours: Colours, joints: JointColours, seed: int) -> None:
        self._cells, self._laying, self._joints = cells, laying, joints
        material = laying.material
        slopes = np.random.default_rng([seed, 5]).normal(0.0, material.tilt, (len(colours), 2)).astype(np.float32)
        self._lit = (1 - slopes @ np.array([-0.6, -0.8], np.float32) * 0.22)[:, None]
        self._colours = vary_colours(colours, material.lightness, material.hue, seed)
        self._mirrored = np.exp(-(((slopes + _MIRROR) / max(material.tilt, 0.03)) ** 2).sum(axis=1))
        self._bevel = max(1.0, material.bevel * cells.pitch)
        self._mottling = mottling(cells.pitch, material.streaks, seed)
        self._grain = sand(cells.pitch, seed)

    def paint(self, strip: Strip, canvas: Drawing) -> Iterator[tuple[Band, Colours]]:
        """Each band of the strip that the canvas needs with its pixels: (pixels, 4)."""
        covered = strip.runs.cells[strip.runs.cells != BACKGROUND]
        low, high = (int(covered.min()), int(covered.max()) + 1) if covered.size else (0, 1)
        sides, top = self._cells.sides(low, high), strip.bands[0].top
        left, _, right, _ = visible_box(canvas)
        for band in strip.bands:
            if not is_visible(canvas, band.top, band.bottom):
                continue
            width = self._cells.width
            pixels = np.full(((band.bottom - band.top) * width, 4), 255, np.uint8)
            texture = self._mottling.rows(band.top, band.bottom, width)
            grain = self._grain.rows(band.top, band.bottom, width)
            for runs in _chunks(strip, band):
                starts, lengths = strip.runs.starts[runs], strip.runs.lengths[runs]
                cells = strip.runs.cells[runs]
                row, column = np.divmod(starts, width)
                seen = (column < right) & (column + lengths > left)
                if not seen.any():
                    continue
                x, y = (column + 0.5).astype(np.float32), (row + top + 0.5).astype(np.float32)
                geometry = RunGeometry(x, y, lengths, np.where(cells == BACKGROUND, BACKGROUND, cells - low))
                piece = slice(int(starts[0]) - band.first_pixel, int(starts[-1] + lengths[-1]) - band.first_pixel)
                places = slice(None) if seen.all() else np.flatnonzero(np.repeat(seen, lengths))
                part = pixels[piece][places]
                textures = texture[piece][places], grain[piece][places]
                self._shade(geometry, sides, seen, np.maximum(cells, 0)[seen], textures, part)
                pixels[piece][places] = part
            yield band, pixels

    def _shade(
        self,
        all_runs: RunGeometry,
        sides: Floats,
        seen: NDArray[np.bool_],
        cells: NDArray[np.int32],
        textures: tuple[Floats, Floats],
        pixels: Colours,
    ) -> None:
        """seen: (n,) the runs whose pixels are painted; cells, textures and pixels are those of these."""
        surface = measure_surface(all_runs, sides, self._laying.joint, self._bevel, seen)
        runs, (texture, grain) = all_runs.of(seen), textures
        material, lengths = self._laying.material, runs.lengths
        mirrored = np.repeat(self._mirrored[cells], lengths) if material.gloss else np.zeros(0, np.float32)
        factor, mirror = light_on(surface, mirrored, texture, material)
        sand = joint_light(surface, grain) if self._laying.joint else None
        colours = self._colours[cells] * self._lit[cells]
        joints = self._joints.at(runs, (self._cells.width, self._cells.height))
        for channel in range(3):
            colour = np.repeat(colours[:, channel], lengths)
            colour *= factor
            if material.gloss:
                colour += mirror * np.float32(255 * material.shine[channel])
            if sand is not None:
                joint = np.repeat(joints[:, channel], lengths)
                joint *= sand
                colour -= joint
                colour *= surface.cover
                colour += joint
            pixels[:, channel] = np.clip(colour, 0.0, 255.0, out=colour)


def _chunks(strip: Strip, band: Band) -> Iterator[slice]:
    """Slices of the strip's runs that together cover the band, each of about _CHUNK_PX pixels."""
    starts = strip.runs.starts[band.runs]
    chunk = (starts - starts[0]) // _CHUNK_PX
    bounds = np.flatnonzero(np.diff(chunk, prepend=-1)).tolist()
    for first, last in zip(bounds, [*bounds[1:], len(starts)], strict=True):
        yield slice(band.runs.start + first, band.runs.start + last)
