"""Lines of a width, drawn antialiased over rows of a picture that is painted in bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from ..colour.palette import hex_to_rgb
from ..colour.pixels import pixels
from ..colour.srgb import Colours, Floats

_SAMPLES = 2  # a pixel, across and down


@dataclass(frozen=True, slots=True)
class Stroke:
    """points: (n, 2) x, y in pixels. width: in pixels."""

    points: Floats
    width: float


class Strokes:
    """Strokes of a picture, of which those near some rows are found quickly."""

    def __init__(self, strokes: Sequence[Stroke]) -> None:
        self._strokes = strokes
        self._tops = np.array([stroke.points[:, 1].min() - stroke.width for stroke in strokes])
        self._bottoms = np.array([stroke.points[:, 1].max() + stroke.width for stroke in strokes])

    def mask(self, first: int, last: int, width: int) -> Image.Image:
        """Rows `first` to `last` - 1, mode L: 255 under strokes, which have round ends."""
        near = np.flatnonzero((self._bottoms > first) & (self._tops < last)).tolist()
        mask = Image.new("L", (width * _SAMPLES, (last - first) * _SAMPLES))
        pen = ImageDraw.Draw(mask)
        for stroke in (self._strokes[index] for index in near):
            points = (stroke.points - (0, first)) * _SAMPLES
            line, size = [(x, y) for x, y in points.tolist()], stroke.width * _SAMPLES
            pen.line(line, fill=255, width=max(1, round(size)))
            radius = size / 2 - 0.5
            if radius >= 1:
                for x, y in line:
                    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return mask.reduce(_SAMPLES)


class StrokePainter:
    """Draws strokes of one colour over the rows of a painted picture; see raster.fill_cells."""

    def __init__(self, strokes: Sequence[Stroke], colour: str) -> None:
        self._strokes = Strokes(strokes)
        self._colour: Floats = np.array(hex_to_rgb(colour), np.float32)

    def __call__(self, image: Image.Image, top: int) -> Image.Image:
        mask = self._strokes.mask(top, top + image.height, image.width)
        cover = pixels(mask).reshape(image.height, image.width, 1).astype(np.float32) / 255
        below = pixels(image)[..., :3].astype(np.float32)
        painted: Colours = np.rint(below + (self._colour - below) * cover).astype(np.uint8)
        return Image.fromarray(painted)
