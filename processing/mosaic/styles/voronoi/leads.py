"""Leads: rounded cames between panes of glass that light shines through."""

from __future__ import annotations

from dataclasses import dataclass

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
_MARGIN = 1.5  # leads, around what is drawn
_ROWS_A_MARGIN, _MAX_DRAWN_PX = 4, 1 << 22  # that are drawn together, without margins
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
        self._drawn: _DrawnLeads | None = None
        self._lead: Floats = np.array(hex_to_rgb(colour), np.float32)
        self._shade = _Shade(leads, leading, size) if light else None
        self._streaks = Texture(leading / 2, 12.0, seed)
        self.covered_px = 0.0

    def __call__(self, image: Image.Image, left: int, top: int) -> Image.Image:
        """The pixels from `left` and `top` with leads. image: mode RGB or RGBX."""
        right, bottom = left + image.width, top + image.height
        drawn = self._drawn_in((left, top, right, bottom))
        cover = drawn.cover((left, top, right, bottom))
        self.covered_px += float(cover.sum())
        panes = pixels(image)[..., :3].astype(np.float32)
        painted: Floats
        if self._shade is None:
            painted = panes + (self._lead - panes) * cover[..., None]
        else:
            facing = drawn.facing((left, top, right, bottom), self._leading)
            shapes = facing, self._shade.crop((left, top, right, bottom))
            texture = self._streaks.rows(top, bottom, right).reshape(image.height, right)[:, left:]
            painted = _lit(panes, self._lead, cover, texture, shapes)
        painted += np.float32(0.5)
        result: Colours = np.clip(painted, 0, 255, out=painted).astype(np.uint8)
        return Image.fromarray(result)

    def _drawn_in(self, box: PixelBox) -> _DrawnLeads:
        """Leads in a box and below it: margins are wide, so that drawing each band alone would draw most rows often."""
        drawn = self._drawn
        if drawn is None or not drawn.has(box):
            left, top, right, bottom = box
            margin = int(np.ceil(_MARGIN * self._leading)) + 2
            rows = max(bottom - top, min(_ROWS_A_MARGIN * margin, _MAX_DRAWN_PX // (right - left)))
            inner = left, top, right, min(self._size[1], top + rows)
            first_x, last_x = max(0, left - margin - 2), min(self._size[0], right + margin + 2)
            outer = first_x, max(0, top - margin), last_x, min(self._size[1], inner[3] + margin)
            mask = self._leads.mask(outer)
            blur = ImageFilter.GaussianBlur(max(0.6, self._leading * 0.3))
            drawn = self._drawn = _DrawnLeads(
                inner, outer[:2], mask, None if self._shade is None else mask.filter(blur)
            )
        return drawn


@dataclass(frozen=True, slots=True)
class _DrawnLeads:
    """inner: the box of the picture for which these suffice. place: left and top of `mask` and `blurred`, mode L."""

    inner: PixelBox
    place: tuple[int, int]
    mask: Image.Image
    blurred: Image.Image | None

    def has(self, box: PixelBox) -> bool:
        left, top, right, bottom = self.inner
        return (left, right) == (box[0], box[2]) and top <= box[1] and box[3] <= bottom

    def cover(self, box: PixelBox) -> Floats:
        """(rows, columns): the share of each pixel that leads cover."""
        return pixels(self.mask.crop(self._inside(box))).astype(np.float32) / 255

    def facing(self, box: PixelBox, leading: float) -> Floats:
        """(rows, columns): how far the came's surface faces the light, -1 to 1."""
        assert self.blurred is not None
        left, top, right, bottom = self._inside(box)
        near = max(0, left - 1), max(0, top - 1), min(self.mask.width, right + 1), min(self.mask.height, bottom + 1)
        round_ = pixels(self.blurred.crop(near)).astype(np.float32) / 255
        facing = np.zeros_like(round_)
        facing[1:-1, 1:-1] = (round_[2:, 1:-1] - round_[:-2, 1:-1]) * 0.8 + (round_[1:-1, 2:] - round_[1:-1, :-2]) * 0.6
        inside = facing[top - near[1] : bottom - near[1], left - near[0] : right - near[0]]
        return inside * np.float32(max(1.0, leading * 0.5))

    def _inside(self, box: PixelBox) -> PixelBox:
        x, y = self.place
        return box[0] - x, box[1] - y, box[2] - x, box[3] - y


class _Shade:
    """How near pixels are to leads. A wide blur needs no more than a reduced picture, made once for all parts."""

    def __init__(self, leads: list[Stroke], leading: float, size: tuple[int, int]) -> None:
        factor = max(1.0, leading / _SHADE_PX)
        columns, rows = (max(1, round(side / factor)) for side in size)
        strokes = Strokes([Stroke(lead.points / factor, lead.width / factor) for lead in leads], is_blurred=True)
        mask = strokes.mask((0, 0, columns, rows)).filter(ImageFilter.GaussianBlur(leading * 1.6 / factor))
        self._picture = mask.resize((size[0], rows), Image.Resampling.BILINEAR)  # a part of it needs no others
        self._down = rows / size[1]

    def crop(self, box: PixelBox) -> Floats:
        """(rows, columns): 0 to 1."""
        left, top, right, bottom = box
        whole = right - left == self._picture.width
        part = self._picture if whole else self._picture.crop((left, 0, right, self._picture.height))
        size = (right - left, bottom - top)
        above, below = top * self._down, min(float(part.height), bottom * self._down)
        near = part.resize(size, Image.Resampling.BILINEAR, box=(0.0, above, float(size[0]), below))
        return pixels(near).astype(np.float32) / 255


def _dimmed(panes: Floats) -> Floats:
    """(..., 1): how much of its light a came between panes (..., 3) has; between dark ones it would be lighter."""
    lightness = panes @ np.array([0.3, 0.6, 0.1], np.float32)
    return np.asarray(np.clip(lightness / _FULL_LIGHT, _LEAST_LIGHT, 1.0)[..., None])


def _lit(panes: Floats, lead: Floats, cover: Floats, texture: Floats, shapes: tuple[Floats, Floats]) -> Floats:
    facing, near = shapes
    glow = texture * np.float32(_STREAKS) + (1 + _GLOW * _LIFTED - _GLOW * near)
    painted = np.empty_like(panes)
    for channel in range(3):  # NumPy takes several times as long for all three
        np.multiply(panes[..., channel], glow, out=painted[..., channel])
    leads = np.flatnonzero(cover > 0)  # a part of the pixels
    relief = np.clip(facing.ravel().take(leads), -0.6, 1.0) * np.float32(_RELIEF * 150)
    dimmed = _dimmed(panes.reshape(-1, 3).take(leads, axis=0))[:, 0]
    flat, share = painted.reshape(-1), cover.ravel().take(leads)
    for channel in range(3):
        places = leads * 3 + channel
        came, glass = (lead[channel] + relief + np.float32(_CAME)) * dimmed, flat.take(places)
        flat[places] = glass + (came - glass) * share
    return painted
