"""Leads: rounded cames between panes of glass that light shines through."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from ...colour.palette import hex_to_rgb
from ...colour.pixels import pixels
from ...colour.srgb import Colours, Floats
from ...materials.texture import Texture
from ...segments.strokes import Stroke, Strokes

_NARROW, _WIDE = 0.7, 1.5  # the width of leads between panes of equal and of different colours, in `leading`
_CONTRAST = 35.0  # the difference of colours, OKLab x 100, at which leads are widest
_GLOW, _STREAKS, _RELIEF = 0.34, 0.014, 0.55
_MARGIN = 4  # leads, around a band


def lead_width(leading: float, contrast: float) -> float:
    """contrast: of the panes on both sides, OKLab x 100."""
    return leading * (_NARROW + (_WIDE - _NARROW) * min(1.0, contrast / _CONTRAST))


class LeadPainter:
    """Draws leads over rows of flat panes; with `light`, panes glow and leads are rounded. height: of the picture."""

    def __init__(
        self, leads: list[Stroke], leading: float, colour: str, *, height: int, light: bool, seed: int
    ) -> None:
        self._leads, self._leading, self._height, self._light = Strokes(leads), leading, height, light
        self._lead: Floats = np.array(hex_to_rgb(colour), np.float32)
        self._streaks = Texture(max(0.6, leading / 2), 12.0, seed)
        self.covered_px = 0.0

    def __call__(self, image: Image.Image, top: int) -> Image.Image:
        """The rows from `top` with leads. image: mode RGB or RGBX."""
        width, bottom = image.width, top + image.height
        margin = int(np.ceil(_MARGIN * self._leading)) + 2
        first, last = max(0, top - margin), min(self._height, bottom + margin)
        mask = self._leads.mask(first, last, width)
        inner = (0, top - first, width, bottom - first)
        cover = pixels(mask.crop(inner)).astype(np.float32) / 255
        self.covered_px += float(cover.sum())
        panes = pixels(image)[..., :3].astype(np.float32)
        painted: Floats
        if not self._light:
            painted = panes + (self._lead - panes) * cover[..., None]
        else:
            texture = self._streaks.rows(top, bottom, width).reshape(cover.shape)
            painted = _lit(panes, self._lead, cover, texture, _shapes(mask, self._leading, inner))
        result: Colours = np.clip(painted + 0.5, 0, 255).astype(np.uint8)
        return Image.fromarray(result)


def _shapes(mask: Image.Image, leading: float, inner: tuple[int, int, int, int]) -> tuple[Floats, Floats]:
    """(rows, columns) twice: how far the came's surface faces the light, -1 to 1, and how near a pixel is to leads."""
    round_ = pixels(mask.filter(ImageFilter.GaussianBlur(max(0.6, leading * 0.3)))).astype(np.float32) / 255
    facing = np.zeros_like(round_)
    facing[1:-1, 1:-1] = (round_[2:, 1:-1] - round_[:-2, 1:-1]) * 0.8 + (round_[1:-1, 2:] - round_[1:-1, :-2]) * 0.6
    factor = max(1, int(leading / 2))  # a wide blur needs no more pixels
    small = mask.reduce(factor).filter(ImageFilter.GaussianBlur(leading * 1.6 / factor))
    near = pixels(small.resize(mask.size, Image.Resampling.BILINEAR)).astype(np.float32) / 255
    rows = slice(inner[1], inner[3])
    return facing[rows] * max(1.0, leading * 0.5), near[rows]


def _lit(panes: Floats, lead: Floats, cover: Floats, texture: Floats, shapes: tuple[Floats, Floats]) -> Floats:
    facing, near = shapes
    glow = 1 + _GLOW * 0.35 - _GLOW * near + texture * np.float32(_STREAKS)
    came = lead + (np.clip(facing, -0.6, 1.0) * np.float32(_RELIEF * 150))[..., None] + 22
    painted = panes * glow[..., None]
    return np.asarray(painted + (came - painted) * cover[..., None])
