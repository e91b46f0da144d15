"""Lines of a width, drawn antialiased over rows of a picture that is painted in bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..colour.palette import hex_to_rgb
from ..colour.pixels import pixels
from ..colour.srgb import Colours, Floats
from ..progress import pieces
from ..region_canvas import PixelBox

_SAMPLES, _MOST_SAMPLES = 2, 6  # a pixel, across and down
_ACROSS = 16  # samples across a stroke, so that what is rounded to whole samples is not seen
_PART_LINES = 4  # lines of a stroke that are drawn together
_LARGE_PX = 4_000_000  # from here on, so many samples take too long
_DRAWN_SAMPLES = 1 << 22  # at a time


@dataclass(frozen=True, slots=True)
class Stroke:
    """points: (n, 2) x, y in pixels. width: in pixels."""

    points: Floats
    width: float

    @property
    def length(self) -> float:
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


class Strokes:
    """Strokes of a picture, of which the parts near some pixels are found quickly.

    is_blurred: the mask will be, so that few samples are enough also of thin strokes.
    """

    def __init__(self, strokes: Sequence[Stroke], *, is_blurred: bool = False) -> None:
        points = np.concatenate([stroke.points for stroke in strokes])
        is_large = np.ptp(points, axis=0).prod() > _LARGE_PX
        most = _SAMPLES if is_blurred or is_large else _MOST_SAMPLES
        width = float(np.median([stroke.width for stroke in strokes]))
        self._samples = samples = min(most, max(_SAMPLES, math.ceil(_ACROSS / max(width, 1.0))))
        lengths = np.array([len(stroke.points) for stroke in strokes])
        stroke, self._low, high = _parts(lengths)
        self._counts = high - self._low
        widths = np.array([stroke.width for stroke in strokes])
        self._widths = np.maximum(1, np.rint(widths * samples)).astype(np.int32)[stroke]
        margin = widths[stroke, None]
        ends = np.stack([self._low, high], 1).ravel()
        padded = np.concatenate([points, points[-1:]])  # an index may be the number of points
        self._least = np.minimum.reduceat(padded, ends)[::2] - margin
        self._greatest = np.maximum.reduceat(padded, ends)[::2] + margin
        # In whole samples of the picture: Pillow would round those above a part of it otherwise than those inside.
        places, radii = points * samples, np.repeat(widths * samples / 2 - 0.5, lengths)
        self._has_disc = radii >= 1
        self._places = np.trunc(places).astype(np.int32)
        discs = np.concatenate([places - radii[:, None], places + radii[:, None]], axis=1)
        self._discs = np.trunc(discs).astype(np.int32)

    def mask(self, box: PixelBox) -> Image.Image:
        """The pixels of a box (left, top, right, bottom), mode L: 255 under strokes, which have round ends."""
        left, top, right, bottom = box
        mask = Image.new("L", (right - left, bottom - top))
        for rows in pieces(bottom - top, max(1, _DRAWN_SAMPLES // (right * self._samples**2))):
            part = self._drawn((left, top + rows.start, right, top + rows.stop))
            mask.paste(part, (0, rows.start))
        return mask

    def _drawn(self, box: PixelBox) -> Image.Image:
        left, top, right, bottom = box
        samples = self._samples
        mask = Image.new("L", (right * samples, (bottom - top) * samples))  # as wide, so that all rounds equally
        pen, above = ImageDraw.Draw(mask), top * samples
        near = np.flatnonzero(((self._greatest > (left, top)) & (self._least < (right, bottom))).all(axis=1))
        counts = self._counts[near]
        ends = np.cumsum(counts)
        points = np.arange(counts.sum()) + np.repeat(self._low[near] - ends + counts, counts)
        places: list[int] = (self._places[points] - (0, above)).ravel().tolist()
        for end, count, width in zip(
            (2 * ends).tolist(), (2 * counts).tolist(), self._widths[near].tolist(), strict=True
        ):
            pen.line(places[end - count : end], fill=255, width=width)
        for disc in self._discs_in(points, left * samples, above, mask.height).tolist():
            pen.ellipse(disc, fill=255)
        return mask.crop((left * samples, 0, *mask.size)).reduce(samples)

    def _discs_in(self, points: NDArray[np.int64], left: int, top: int, height: int) -> NDArray[np.int32]:
        """(n, 4) left, top, right, bottom of the discs at these points, each once, moved up by `top`."""
        chosen = np.zeros(len(self._has_disc), np.bool_)
        chosen[points] = True
        discs: NDArray[np.int32] = self._discs[chosen & self._has_disc] - np.array((0, top, 0, top), np.int32)
        seen = (discs[:, 2] >= left) & (discs[:, 3] >= 0) & (discs[:, 1] <= height)
        return discs[seen]


def _parts(lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Lines of a few points, each of which begins where the last one ends: the stroke of each, its first point and the
    point behind its last one. lengths: (n,) how many points each stroke has."""
    counts = np.maximum(1, -(-(lengths - 1) // _PART_LINES))
    stroke = np.repeat(np.arange(len(lengths)), counts)
    number = np.arange(len(stroke)) - np.repeat(np.cumsum(counts) - counts, counts)
    ends = np.cumsum(lengths)
    low = (ends - lengths)[stroke] + number * _PART_LINES
    return stroke, low, np.minimum(low + _PART_LINES + 1, ends[stroke])


class StrokePainter:
    """Draws strokes of one colour over a part of a painted picture; see raster.fill_cells."""

    def __init__(self, strokes: Sequence[Stroke], colour: str) -> None:
        self._strokes = Strokes(strokes)
        self._colour: Floats = np.array(hex_to_rgb(colour), np.float32)

    def __call__(self, image: Image.Image, left: int, top: int) -> Image.Image:
        mask = self._strokes.mask((left, top, left + image.width, top + image.height))
        cover = pixels(mask).reshape(image.height, image.width, 1).astype(np.float32) / 255
        below = pixels(image)[..., :3].astype(np.float32)
        painted: Colours = np.rint(below + (self._colour - below) * cover).astype(np.uint8)
        return Image.fromarray(painted)
