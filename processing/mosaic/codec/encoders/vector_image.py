"""A flat mosaic as shapes: what its SVG and its vector PDF are written from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...cells.cells import Outline
from ...colour.srgb import Colours, Floats
from ...errors import BadParameter, Message
from ...segments.strokes import Stroke

MAX_VECTOR_CELLS = 200_000
_SEAM = 0.5  # of a typical cell: the width of the strokes that show where neighbours leave a seam
_MIN_SEAM_PX = 0.6


@dataclass(frozen=True, slots=True)
class CellGradients:
    """Linear gradients. starts, ends: (count, 2) x, y in pixels; start_colours, end_colours: (count, 3)."""

    starts: Floats
    ends: Floats
    start_colours: Colours
    end_colours: Colours


@dataclass(frozen=True, slots=True)
class VectorImage:
    """outlines: gives one for each cell, drawn in this order. colours: (count, 3). background: #rrggbb; None if the
    cells cover everything. underlay: drawn before the cells, one outline for each in the same colour. alphas: (count,)
    opacities, 0 to 255. joints: between transparent cells, so that these do not touch. strokes: over the cells, in
    `stroke_colour`. mask: mode L, the opacity of the whole. exact: shows all that the pixels show, not only their flat
    colours."""

    size: tuple[int, int]
    outlines: Callable[[], Iterable[Outline]]
    colours: Colours
    background: str | None = None
    underlay: Callable[[], Iterable[Outline]] | None = None
    alphas: NDArray[np.uint8] | None = None
    joints: bool = False
    gradients: CellGradients | None = None
    strokes: Sequence[Stroke] = ()
    stroke_colour: str = "#000000"
    mask: Image.Image | None = None
    exact: bool = True

    @property
    def has_seams(self) -> bool:
        """Whether opaque cells touch: antialiasing leaves seams between them, where the ground would show."""
        return self.background is None and self.alphas is None

    @property
    def seam_px(self) -> float:
        """The width of strokes of the cells' own colours below the cells, which show in their seams."""
        width, height = self.size
        return max(_MIN_SEAM_PX, _SEAM * math.sqrt(width * height / max(1, len(self.colours))))

    def check_count(self, format: str) -> None:
        """Raises BadParameter above 200,000 cells, which viewers cannot show."""
        if len(self.colours) > MAX_VECTOR_CELLS:
            allowed = Message("up to {most} cells in an {format}", most=MAX_VECTOR_CELLS, format=format.upper())
            raise BadParameter(field="cell", value=Message("{count} cells", count=len(self.colours)), allowed=allowed)


def colour_codes(colours: Colours) -> list[str]:
    """(count, 3) as #rrggbb."""
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours.tolist()]


def short_number(value: float, places: int = 3) -> str:
    """A number in as few characters as these decimal places need."""
    text = f"{value:.{places}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
