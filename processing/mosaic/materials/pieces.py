"""Paint cells as pieces of a material: the counterpart of flat_cells.paint_flat_cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..canvas import Laid, StyleResult, finished
from ..cells.cells import Cells, Pieces
from ..cells.strips import Band, Strip, Strips
from ..codec.encoders.vector_image import VectorImage
from ..colour.srgb import Colours, Floats
from ..flat_cells import measure_cells, measured_cells
from ..params import FLAT, CellParams
from ..progress import Progress, pieces
from ..scaled import Drawing, is_visible, visible_box
from ..style import RenderContext
from .balance import SAMPLED_PITCH, SAMPLED_PITCH_WITH_JOINTS, Moments, Pigments, balance, deviating, measure_moments
from .lighting import LitSides, RunGeometry
from .material import MATERIALS, Material
from .reliefs import Relief, Shading, cell_range, chunks
from .texture import JointColours

_BALANCED_PIECES = 1 << 14  # at a time: each takes some hundred numbers
_MIN_PITCH_PX = 6.0  # nothing of the material of smaller pieces could be seen
_WORTHWHILE = 0.8  # to measure fewer samples than pixels
_LIGHTEST_JOINT = 0.9  # of the number of the piece beside it
_PALE_FROM = 0.85  # of 255: the number of pieces from which on joints may be pale
_PALEST_JOINT, _PALE_CONTRAST = 0.985, 0.1  # beside white: of the number of the piece; of the contrast of sand
_LEAST_SAMPLES = 1 << 19  # of a picture: few samples of large pieces could all miss their edges
_LEAST_SAMPLED_PITCH = 5.0  # of the smallest pieces, where these are smaller than others


@dataclass(frozen=True, slots=True)
class Laying:
    """How pieces are laid. joint: the width of joints in pixels. joint_colour: #rrggbb; None follows the picture.
    outweighed: pieces are so much lighter that they have their means together with their joints. smallest: the side of
    the smallest piece, where pieces differ."""

    material: Material
    joint: float
    joint_colour: str | None = None
    outweighed: bool = False
    smallest: float | None = None


def lay(
    context: RenderContext[CellParams],
    material: str,
    pitch: float,
    joint: float,
    joint_colour: str | None,
    *,
    outweighed: bool = False,
    smallest: float | None = None,
) -> Laying | None:
    """How to lay pieces of a named material; None if they are to be painted flat: because they are flat, too small, or
    have transparent parts."""
    if material == FLAT or pitch < _MIN_PITCH_PX or context.source.alpha is not None:
        return None
    return Laying(MATERIALS[material], joint, joint_colour, outweighed and joint > 0, smallest)


def paint_pieces(
    context: RenderContext[CellParams], cells: Pieces, laying: Laying, progress: Progress, *, flat: Callable[[], Cells]
) -> StyleResult:
    """Paint every cell as a piece of a material, with joints inside the cells' edges.

    cells: with their halves of the joints. flat: gives the cells without joints, for the SVG, which has no material.
    Each piece has the mean of its cell, deviating as the material does.
    """
    strips = Strips(cells)
    image = context.source.image
    joints = context.once("joints", lambda: JointColours(image, context.size, cells.pitch, laying.joint_colour))
    of_means = cells if laying.outweighed or not laying.joint else flat()  # the same as in flat paint
    measured = measured_cells(context, of_means)
    measured_strips = strips if measured is cells else Strips(measured)
    measuring = progress.sub(0.0, 0.35)
    colours, areas, _ = context.once_measured(
        "means", cells.count, lambda: measure_cells(context, measured_strips, measuring)
    )
    relief = Relief(cells, laying.material, laying.joint, context.params.seed, laying.smallest)
    moments = context.once("moments", lambda: _moments(relief, laying, progress.sub(0.35, 0.4)))
    wanted, rng = np.empty((cells.count, 3), np.float32), np.random.default_rng([context.params.seed, 4])
    for piece in pieces(cells.count, _BALANCED_PIECES):
        wanted[piece] = deviating(colours[piece], laying.material, relief.slopes[piece], rng)
    beside = _Joints(joints, wanted, context.size, laying)
    painter = _Painter(relief, _pigments(relief, laying, wanted, moments, beside), beside)
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


def _pigments(relief: Relief, laying: Laying, wanted: Floats, moments: Moments, beside: _Joints) -> Pigments:
    cells = relief.cells
    balanced = Pigments(np.empty_like(wanted), np.empty(cells.count, np.float32), np.empty_like(wanted))
    for some in pieces(cells.count, _BALANCED_PIECES):
        joints = None
        if laying.outweighed:
            x, y = cells.centres(some.start, some.stop).T
            joints = beside.at(x, y, np.arange(some.start, some.stop))
        part = balance(wanted[some], moments.of(some), laying.material, joints)
        balanced.colours[some], balanced.contrast[some], balanced.mirror[some] = (
            part.colours,
            part.contrast,
            part.mirror,
        )
    return balanced


def _moments(relief: Relief, laying: Laying, progress: Progress) -> Moments:
    cells = relief.cells
    factor = (SAMPLED_PITCH_WITH_JOINTS if laying.outweighed else SAMPLED_PITCH) / cells.pitch
    factor = max(factor, (_LEAST_SAMPLES / (cells.width * cells.height)) ** 0.5)
    if laying.smallest is not None:
        factor = max(factor, _LEAST_SAMPLED_PITCH / laying.smallest)
    samples = cells.scaled(round(cells.width * factor), round(cells.height * factor)) if factor < _WORTHWHILE else cells
    return measure_moments(relief, samples, progress)


class _Joints:
    """The colours of joints beside pieces (n, 3), 0 to 255: darker than these. Where joints are outweighed, those of
    the lightest pieces are pale: such a piece could not be lighter for a dark one."""

    def __init__(self, colours: JointColours, painted: Floats, size: tuple[int, int], laying: Laying) -> None:
        self._colours, self._painted, self._size = colours, painted, size
        self._lightest = painted.max(axis=1)
        number = self._lightest / 255
        self._pale = np.clip((number - _PALE_FROM) / (1 - _PALE_FROM), 0.0, 1.0) ** 2 * laying.outweighed
        self._follow = laying.joint_colour is None

    def at(self, x: Floats, y: Floats, beside: NDArray[np.integer]) -> Floats:
        """(n, 3): at some points, beside these pieces."""
        joints = self._colours.at(x, y, self._size)
        if not self._follow:
            return joints
        painted, pale = self._painted[beside], self._pale[beside][:, None]
        brightest = np.maximum(np.maximum(joints[:, 0], joints[:, 1]), joints[:, 2])
        lightest = _LIGHTEST_JOINT * self._lightest[beside] / np.maximum(brightest, 1e-3)
        joints = joints * np.minimum(1.0, lightest)[:, None]
        joints += (_PALEST_JOINT * painted - joints) * pale
        return np.asarray(joints, np.float32)

    def contrast(self, beside: NDArray[np.integer]) -> Floats:
        """(n,): of the sand, 0 to 1."""
        return np.asarray(1 - (1 - _PALE_CONTRAST) * self._pale[beside], np.float32)


class _Painter:
    def __init__(self, relief: Relief, pigments: Pigments, joints: _Joints) -> None:
        self._relief, self._pigments, self._joints = relief, pigments, joints

    def paint(self, strip: Strip, canvas: Drawing) -> Iterator[tuple[Band, Colours]]:
        """Each band of the strip that the canvas needs with its pixels: (pixels, 4)."""
        relief, (low, high) = self._relief, cell_range(strip.runs)
        width, sides = relief.cells.width, LitSides(relief.cells.sides(low, high))
        left, _, right, _ = visible_box(canvas)
        for band in strip.bands:
            if not is_visible(canvas, band.top, band.bottom):
                continue
            pixels = np.full(((band.bottom - band.top) * width, 4), 255, np.uint8)
            mottling = relief.mottling.rows(band.top, band.bottom, width)
            grain = relief.grain.rows(band.top, band.bottom, width)
            for chunk in chunks(strip, band, width, low):
                lengths = chunk.geometry.lengths
                seen = (chunk.column < right) & (chunk.column + lengths > left)
                places = slice(None) if seen.all() else np.flatnonzero(np.repeat(seen, lengths))
                part = pixels[chunk.pixels][places]
                textures = mottling[chunk.pixels][places], grain[chunk.pixels][places]
                shading = relief.shade(chunk.geometry, sides, low, seen, textures)
                self._colour(chunk.geometry.of(seen), low, shading, part)
                pixels[chunk.pixels][places] = part
            yield band, pixels

    def _colour(self, runs: RunGeometry, first: int, shading: Shading, pixels: Colours) -> None:
        """Paint the pixels of some runs, whose cells count from `first`."""
        pigments, lengths = self._pigments, runs.lengths
        cells = np.maximum(runs.cells, 0) + first
        factor = np.repeat(pigments.contrast[cells], lengths)
        factor *= shading.lighter
        factor += 1
        colours, mirror, half = pigments.colours[cells], pigments.mirror[cells], np.float32(0.5)
        sand = None
        if shading.sand is not None:
            joints = self._joints.at(runs.x + lengths / 2, runs.y, cells)
            sand = np.repeat(self._joints.contrast(cells), lengths)
            sand *= shading.sand
            sand += 1
        for channel in range(3):
            colour = np.repeat(colours[:, channel], lengths)
            colour *= factor
            if len(shading.mirrored):
                colour += np.repeat(mirror[:, channel], lengths) * shading.mirrored
            if sand is not None:
                joint = np.repeat(joints[:, channel], lengths)
                joint *= sand
                colour -= joint
                colour *= shading.cover
                colour += joint
            colour += half
            pixels[:, channel] = np.clip(colour, 0.0, 255.0, out=colour)
