"""A canvas for results that are too large for memory: rows are encoded as soon as nothing more is drawn there."""

from __future__ import annotations

from PIL import Image

from .codec.encoders.strip_encoders import STRIP_ROWS, JpegStrips, PngStrips, StripEncoder
from .errors import BadParameter
from .progress import Progress
from .region_canvas import PixelBox

LARGE_MEGAPIXELS = 12.0
"""Larger results are drawn strip by strip, unless they are drawn over the pixels of their source."""

STRIP_FORMATS = ("jpeg", "png", "svg")
_MAX_IN_MEMORY_MEGAPIXELS = 40.0
_REDUCED_ROWS = 8  # of a strip become one, before all of them are reduced together


def check_strips(width: int, height: int, format: str) -> None:
    """Raises BadParameter if a format cannot be written strip by strip and the result is too large for memory."""
    if width * height > _MAX_IN_MEMORY_MEGAPIXELS * 1_000_000 and format not in STRIP_FORMATS:
        allowed = f"{', '.join(STRIP_FORMATS)} for {width} x {height} pixels"
        raise BadParameter(field="format", value=format, allowed=allowed)


def check_in_memory(width: int, height: int) -> None:
    """Raises BadParameter if a result that must be in memory as a whole is too large for that."""
    if width * height > _MAX_IN_MEMORY_MEGAPIXELS * 1_000_000:
        allowed = f"up to {_MAX_IN_MEMORY_MEGAPIXELS:g} megapixels for this recipe"
        raise BadParameter(field="size", value=f"{width} x {height} pixels", allowed=allowed)


class StripCanvas:
    """Implements canvas.Canvas, and `paste` as of Pillow's images.

    What is pasted must begin at the row of the last paste or below: the rows above are finished. factor: of the reduced
    copy for the quality report.
    """

    def __init__(
        self, size: tuple[int, int], *, mode: str, format: str, quality: int, factor: int, dpi: int | None = None
    ) -> None:
        self.size, self.mode = size, mode
        self.width, self.height = size
        self._encoder = _encoder(size, mode, format, quality, dpi)
        self._open: list[Image.Image] = []  # strips that are not finished, the first one at row `_top`
        self._top = 0
        self._ground = "#000000" if mode == "RGB" else "#00000000"
        self._factor, self._data = factor, b""
        self._reduced: list[Image.Image] = []

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

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        """The file in the format and quality that the canvas was made for."""
        self._finish_rows(self.height)
        progress(0.5)
        if self._encoder is not None:
            self._data, self._encoder = self._encoder.finish(), None
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
            tall.paste(image, (0, top), image if self.mode == "RGBA" else None)
            top += image.height
        return tall.resize((columns, rows), Image.Resampling.BOX)

    def _finish_rows(self, row: int) -> None:
        """Encode whole strips above `row`; at the end of the picture also a lower one."""
        while row - self._top >= STRIP_ROWS or self._top < row >= self.height:
            strip = self._open.pop(0) if self._open else self._new_strip(self._top)
            if self._encoder is not None:
                self._encoder.add(strip)
            self._reduced.append(strip.reduce((self._factor, _REDUCED_ROWS)))
            self._top += strip.height

    def _new_strip(self, top: int) -> Image.Image:
        mode = "RGBX" if self.mode == "RGB" else self.mode  # cells are painted so, and need not be converted
        return Image.new(mode, (self.width, min(STRIP_ROWS, self.height - top)), self._ground)


def _encoder(size: tuple[int, int], mode: str, format: str, quality: int, dpi: int | None) -> StripEncoder | None:
    if format == "svg":
        return None
    return JpegStrips(size, quality, dpi) if format == "jpeg" else PngStrips(size, mode)
