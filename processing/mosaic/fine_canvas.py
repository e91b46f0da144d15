"""Drawing several times as large as a canvas, and pasting the means: edges between pixels are drawn where they are."""

from __future__ import annotations

from PIL import Image

from .scaled import Drawing, visible_box
from .strip_canvas import StripCanvas

_MODE = "RGBX"


class FineCanvas:
    """Implements scaled.Drawing. samples: of each pixel of the canvas, across and down.

    What is pasted must not reach above the row that was last finished. Only rows that are not finished are in memory.
    """

    def __init__(self, canvas: Drawing, samples: int) -> None:
        self._canvas, self._samples = canvas, samples
        left, top, right, bottom = visible_box(canvas)
        self.width, self.height = self.size = canvas.width * samples, canvas.height * samples
        self.box = left * samples, top * samples, right * samples, bottom * samples
        self._top, self._ground = self.box[1], "#000000"
        self._rows = Image.new(_MODE, (self.box[2] - self.box[0], 0))

    def paste(
        self,
        content: Image.Image | str,
        box: tuple[int, int] | tuple[int, int, int, int],
        mask: Image.Image | None = None,
        /,
    ) -> None:
        """content: an image, or a colour that fills the whole canvas before anything is drawn."""
        if isinstance(content, str):
            self._ground = content
            return
        high = min(box[1] + content.height, self.box[3]) - self._top
        if high > self._rows.height:
            self._keep(0, -(-high // self._samples) * self._samples)
        self._rows.paste(content, (box[0] - self.box[0], box[1] - self._top), mask)

    def finish(self, row: int) -> None:
        """Nothing more is drawn above that row."""
        high = (min(row, self.box[3]) - self._top) // self._samples * self._samples
        if high <= 0:
            return
        self._keep(0, max(high, self._rows.height))
        finished = self._rows.crop((0, 0, self._rows.width, high)).reduce(self._samples)
        mode = _MODE if isinstance(self._canvas, StripCanvas) else "RGB"  # the first is pasted as it is
        place = self.box[0] // self._samples, self._top // self._samples
        self._canvas.paste(finished if mode == _MODE else finished.convert(mode), place)
        self._keep(high, self._rows.height)
        self._top += high

    def _keep(self, start: int, stop: int) -> None:
        """Only the rows start to stop - 1; those that nothing was drawn on yet are the ground."""
        if (start, stop) == (0, self._rows.height):
            return
        rows = self._rows.crop((0, start, self._rows.width, stop))
        if stop > self._rows.height:
            rows.paste(self._ground, (0, self._rows.height - start, rows.width, rows.height))
        self._rows = rows
