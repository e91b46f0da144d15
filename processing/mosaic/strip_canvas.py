"""A canvas for results that are too large for memory: rows are encoded as soon as nothing more is drawn there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .codec.encoders.strip_encoders import BLOCK, STRIP_ROWS, JpegStrips, strip_encoder
from .codec.encoders.webp import libwebp
from .codec.modes import on_white
from .colour.pixels import image_of, pixels
from .errors import BadParameter, Message
from .progress import Progress, pieces, run_interruptible
from .region_canvas import PixelBox
from .repeated_blocks import RepeatedBlocks
from .scaled import scaled

LARGE_MEGAPIXELS = 4.0
"""Larger results are drawn strip by strip, unless they are drawn over the pixels of their source."""

STRIP_FORMATS = ("jpeg", "png", "svg", *(("webp",) if libwebp() else ()))
_LARGE_FORMATS = ("jpeg", "png", "svg")  # those of any size: of a WebP, 1.5 bytes a pixel are in memory
_MAX_IN_MEMORY_MEGAPIXELS = 40.0
_MAX_TRANSPARENT_WEBP_MEGAPIXELS = 16.0  # libwebp takes 14 bytes a pixel to compress the opacity


def check_strips(width: int, height: int, format: str) -> None:
    """Raises BadParameter if a result is too large for a format that is in memory as a whole."""
    if width * height > _MAX_IN_MEMORY_MEGAPIXELS * 1_000_000 and format not in _LARGE_FORMATS:
        allowed = Message(
            "{words} or pdf for {width} x {height} pixels", words=_LARGE_FORMATS, width=width, height=height
        )
        raise BadParameter(field="format", value=format, allowed=allowed)


def check_transparent(width: int, height: int, format: str) -> None:
    """Raises BadParameter if a format would take too much memory for a result of that size with transparent parts."""
    if format == "webp" and width * height > _MAX_TRANSPARENT_WEBP_MEGAPIXELS * 1_000_000:
        allowed = Message(
            "{words} or pdf for {width} x {height} pixels", words=("png", "svg"), width=width, height=height
        )
        raise BadParameter(field="format", value=format, allowed=allowed)


def check_in_memory(width: int, height: int) -> None:
    """Raises BadParameter if a result that must be in memory as a whole is too large for that."""
    if width * height > _MAX_IN_MEMORY_MEGAPIXELS * 1_000_000:
        allowed = Message("up to {megapixels:g} megapixels for this recipe", megapixels=_MAX_IN_MEMORY_MEGAPIXELS)
        pixels = Message("{width} x {height} pixels", width=width, height=height)
        raise BadParameter(field="size", value=pixels, allowed=allowed)


class StripCanvas:
    """Implements canvas.Canvas, and `paste` as of Pillow's images.

    What is pasted must begin at the row of the last paste or below: the rows above are finished. factor: of the reduced
    copy for the quality report. opacity: mode L, of any size, of a picture that is painted in RGB; in a JPEG, what is
    invisible becomes white. A canvas is painted by `paste` or by `paste_repeated`, not by both.
    """

    def __init__(
        self,
        size: tuple[int, int],
        *,
        mode: str,
        format: str,
        quality: int,
        factor: int,
        dpi: int | None = None,
        opacity: Image.Image | None = None,
    ) -> None:
        self.size, self.mode, self.opacity = size, mode, opacity
        self.width, self.height = size
        encoded = mode if opacity is None else "RGBA"
        self._encoder = None if format == "svg" else strip_encoder(size, encoded, format, quality, dpi)
        self._open: list[Image.Image] = []  # strips that are not finished, the first one at row `_top`
        self._top = 0
        self._ground = "#000000" if mode == "RGB" else "#00000000"
        self._factor, self._data = factor, b""
        self._reduced: list[Image.Image] = []
        self._blocks: RepeatedBlocks | None = None

    def paste(
        self,
        content: Image.Image | str,
        box: tuple[int, int] | tuple[int, int, int, int],
        mask: Image.Image | None = None,
    ) -> None:
        """content: an image, or a colour that fills the whole canvas before anything is drawn."""
        if isinstance(content, str):
            self._ground = content
            return
        self._finish_rows(max(0, box[1]))
        bottom = min(box[1] + content.height, self.height)
        while self._top + STRIP_ROWS * len(self._open) < bottom:
            self._open.append(self._new_strip(self._top + STRIP_ROWS * len(self._open)))
        for number in range(max(0, box[1] - self._top) // STRIP_ROWS, len(self._open)):
            top = self._top + number * STRIP_ROWS
            if top < bottom:
                self._open[number].paste(content, (box[0], box[1] - top), mask)

    def paste_repeated(self, packed: NDArray[np.uint32], repeats: NDArray[np.int64], top: int) -> None:
        """packed: (n, width) rows as R, G, B, X. repeats: (n,) how many times each of them follows, from row `top`.

        In a JPEG, a row of blocks that equals the one above is neither painted nor encoded again.
        """
        if not isinstance(self._encoder, JpegStrips | None) or self.opacity is not None:
            rows = np.repeat(np.arange(len(packed)), repeats)
            for piece in pieces(len(rows), STRIP_ROWS):
                self.paste(image_of(packed[rows[piece]]), (0, top + piece.start))
            return
        self._blocks = self._blocks or RepeatedBlocks(*self.size)
        self._top = top + int(repeats.sum())
        distinct, rows = self._blocks.add(packed, repeats)
        if isinstance(self._encoder, JpegStrips) and len(rows):
            self._encoder.add_rows(image_of(distinct) if len(distinct) else None, rows)
        reduced = [pixels(image_of(distinct).reduce((self._factor, BLOCK)))] if len(distinct) else []
        if len(rows):
            above = [pixels(self._reduced[-1])[-1:]] if self._reduced else [reduced[0][:1]]
            self._reduced.append(image_of(np.concatenate(above + reduced)[rows].view(np.uint32)[..., 0]))

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        """The file in the format and quality that the canvas was made for."""
        self._finish_rows(self.height)
        progress(0.5)
        if self._encoder is not None:
            self._data, self._encoder = run_interruptible(self._encoder.finish, lambda: progress(0.5)), None
        return self._data

    def to_image(self) -> Image.Image:
        """Not possible: the pixels are not in memory."""
        raise NotImplementedError  # pragma: no cover - only animations ask, which are small

    def crop(self, box: PixelBox) -> Image.Image:
        """Not possible either: a region is drawn on a canvas of its own."""
        raise NotImplementedError  # pragma: no cover - see above

    def reduce(self, factor: int) -> Image.Image:
        """factor: that of the constructor."""
        self._finish_rows(self.height)
        columns, rows = -(-self.width // factor), -(-self.height // factor)
        tall = Image.new("RGB", (columns, sum(image.height for image in self._reduced)), "white")
        top = 0
        for image in self._reduced:
            tall.paste(image, (0, top), image if image.mode == "RGBA" else None)
            top += image.height
        return tall.resize((columns, rows), Image.Resampling.BOX)

    def _finish_rows(self, row: int) -> None:
        """Encode whole strips above `row`; at the end of the picture also a lower one."""
        while row - self._top >= STRIP_ROWS or self._top < row >= self.height:
            strip = self._open.pop(0) if self._open else self._new_strip(self._top)
            self._add(strip)
            self._top += strip.height

    def _add(self, strip: Image.Image) -> None:
        opaque = strip
        if self.opacity is not None:
            opacity = scaled(self.opacity, self.size).crop((0, self._top, self.width, self._top + strip.height))
            opaque, strip = on_white(strip, opacity), strip.convert("RGBA")
            strip.putalpha(opacity)
        if self._encoder is not None:
            self._encoder.add(opaque if isinstance(self._encoder, JpegStrips) else strip)
        self._reduced.append(strip.reduce((self._factor, BLOCK)))

    def _new_strip(self, top: int) -> Image.Image:
        mode = "RGBX" if self.mode == "RGB" else self.mode  # cells are painted so, and need not be converted
        return Image.new(mode, (self.width, min(STRIP_ROWS, self.height - top)), self._ground)
