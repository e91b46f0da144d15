"""Leads: rounded cames between panes of glass that light shines through."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from ...colour.palette import hex_to_rgb
from ...colour.pixels import pixels
from ...colour.srgb import Colours, Floats, encode_srgb, linearise
from ...materials.texture import Texture
from ...region_canvas import PixelBox
from ...segments.strokes import Stroke, Strokes

_NARROW, _WIDE = 0.7, 1.5  # the width of leads between panes of equal and of different colours, in `leading`
_CONTRAST = 35.0  # the difference of colours, OKLab x 100, at which leads are widest
_GLOW, _LIFTED, _STREAKS, _RELIEF = 0.34, 0.35, 0.014, 0.55
_CAME = 22.0  # of 255, how much lighter a came is than its colour
_FULL_LIGHT, _LEAST_LIGHT = 96.0, 0.3  # a lightness of panes, of 255, from which a came has all its light; its least
_OVERLAP, _MOST_LEAD = 0.93, 0.5  # leads cover each other where they meet; the share that lighter glass makes up for
_SPREAD = 0.62  # of what leads darken around them, the part that lies on glass
_MARGIN = 1.5  # leads, around a band
_SHADE_PX = 2.0  # a lead's width in the reduced picture of how near pixels are to leads


def lead_width(leading: float, contrast: float) -> float:
    """contrast: of the panes on both sides, OKLab x 100."""
    return leading * (_NARROW + (_WIDE - _NARROW) * min(1.0, contrast / _CONTRAST))


def brightened(panes: Colours, lead_shares: Floats, colour: str) -> Colours:
    """(count, 3): colours of panes that glow, which together with their leads have the light of `panes`.

    lead_shares: (count,), see contour_panes.Panes.
    """
    lead = (np.array(hex_to_rgb(colour)) + _CAME) * _dimmed(panes.astype(np.float32))
    share = np.minimum(lead_shares * _OVERLAP, _MOST_LEAD)[:, None]
    light = (linearise(panes / 255) - share * linearise(np.clip(lead, 0, 255) / 255)) / (1 - share)
    glow = 1 + _GLOW * (_LIFTED - _SPREAD * share / (1 - share))
    numbers = np.where(light > 1, np.maximum(light, 1) ** (1 / 2.4) * 1.055 - 0.055, encode_srgb(np.maximum(light, 0)))
    return np.asarray(np.rint(np.clip(numbers / glow, 0, 1) * 255), np.uint8)  # beside leads, glass is darker than this


class LeadPainter:
    """Draws leads over a part of flat panes; with `light`, panes glow and leads are rounded. size: of the picture."""

    def __init__(
        self, leads: list[Stroke], leading: float, colour: str, *, size: tuple[int, int], light: bool, seed: int
    ) -> None:
        self._leads, self._leading, self._size = Strokes(leads), leading, size
        self._lead: Floats = np.array(hex_to_rgb(colour), np.float32)
        self._shade = _Shade(leads, leading, size) if light else None
        self._streaks = Texture(max(0.6, leading / 2), 12.0, seed)
        self.covered_px = 0.0

    def __call__(self, image: Image.Image, left: int, top: int) -> Image.Image:
        """The pixels from `left` and `top` with leads. image: mode RGB or RGBX."""
        right, bottom = left + image.width, top + image.height
        margin = int(np.ceil(_MARGIN * self._leading)) + 2
        first_x, last_x = max(0, left - margin - 2), min(self._size[0], right + margin + 2)
        first, last = max(0, top - margin), min(self._size[1], bottom + margin)
        mask = self._leads.mask((first_x, first, last_x, last))
        inner = (left - first_x, top - first, right - first_x, bottom - first)
        cover = pixels(mask.crop(inner)).astype(np.float32) / 255
        self.covered_px += float(cover.sum())
        panes = pixels(image)[..., :3].astype(np.float32)
        painted: Floats
        if self._shade is None:
            painted = panes + (self._lead - panes) * cover[..., None]
        else:
            shapes = _facing(mask, self._leading, inner), self._shade.crop((left, top, right, bottom))
            texture = self._streaks.rows(top, bottom, right).reshape(image.height, right)[:, left:]
            painted = _lit(panes, self._lead, cover, texture, shapes)
        result: Colours = np.clip(painted + 0.5, 0, 255).astype(np.uint8)
        return Image.fromarray(result)


class _Shade:
    """How near pixels are to leads. A wide blur needs no more than a reduced picture, made once for all parts."""

    def __init__(self, leads: list[Stroke], leading: float, size: tuple[int, int]) -> None:
        factor = max(1.0, leading / _SHADE_PX)
        columns, rows = (max(1, round(side / factor)) for side in size)
        strokes = Strokes([Stroke(lead.points / factor, lead.width / factor) for lead in leads])
        mask = strokes.mask((0, 0, columns, rows)).filter(ImageFilter.GaussianBlur(leading * 1.6 / factor))
        self._picture = mask.resize((size[0], rows), Image.Resampling.BILINEAR)  # a part of it needs no others
        self._down = rows / size[1]

    def crop(self, box: PixelBox) -> Floats:
        """(rows, columns): 0 to 1."""
        left, top, right, bottom = box
        part = self._picture.crop((left, 0, right, self._picture.height))
        size = (right - left, bottom - top)
        above, below = top * self._down, min(float(part.height), bottom * self._down)
        near = part.resize(size, Image.Resampling.BILINEAR, box=(0.0, above, float(size[0]), below))
        return pixels(near).astype(np.float32) / 255


def _facing(mask: Image.Image, leading: float, inner: tuple[int, int, int, int]) -> Floats:
    """(rows, columns): how far the came's surface faces the light, -1 to 1."""
    round_ = pixels(mask.filter(ImageFilter.GaussianBlur(max(0.6, leading * 0.3)))).astype(np.float32) / 255
    facing = np.zeros_like(round_)
    facing[1:-1, 1:-1] = (round_[2:, 1:-1] - round_[:-2, 1:-1]) * 0.8 + (round_[1:-1, 2:] - round_[1:-1, :-2]) * 0.6
    return facing[inner[1] : inner[3], inner[0] : inner[2]] * np.float32(max(1.0, leading * 0.5))


def _dimmed(panes: Floats) -> Floats:
    """(..., 1): how much of its light a came between panes (..., 3) has; between dark ones it would be lighter."""
    lightness = panes @ np.array([0.3, 0.6, 0.1], np.float32)
    return np.asarray(np.clip(lightness / _FULL_LIGHT, _LEAST_LIGHT, 1.0)[..., None])


def _lit(panes: Floats, lead: Floats, cover: Floats, texture: Floats, shapes: tuple[Floats, Floats]) -> Floats:
    facing, near = shapes
    glow = 1 + _GLOW * _LIFTED - _GLOW * near + texture * np.float32(_STREAKS)
    came = lead + (np.clip(facing, -0.6, 1.0) * np.float32(_RELIEF * 150))[..., None] + np.float32(_CAME)
    came *= _dimmed(panes)
    painted = panes * glow[..., None]
    return np.asarray(painted + (came - painted) * cover[..., None])
