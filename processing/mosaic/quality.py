"""The quality card: how near the mosaic comes to its source when seen from afar."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image, ImageFilter

from .canvas import Painting
from .codec import Source
from .oklab import difference

_SEEN_PX = 320  # the card looks at pictures reduced to about this side: a blur of one cell hides the rest


@dataclass(frozen=True, slots=True)
class Card:
    """difference: mean distance in OKLab x 100 after a Gaussian blur of one cell, of pictures reduced to at most
    320 pixels a side (about 2 is just noticeable). coverage: 0 to 1. time_s: seconds of the whole rendering by the
    caller's clock; it says nothing about the picture and takes no part in comparisons of results."""

    difference: float
    coverage: float
    repeats: int
    cells: int
    time_s: float

    def plain(self) -> dict[str, float | int | str]:
        """For JSON, with the measure's name."""
        return {**asdict(self), "measure": "OKLab x 100"}


def make_card(source: Source, painting: Painting, time_s: float) -> Card:
    """The card of a painting of that source."""
    return Card(
        difference=round(_difference(source, painting), 3),
        coverage=round(painting.coverage, 6),
        repeats=painting.repeats,
        cells=painting.cells,
        time_s=time_s,
    )


def _difference(source: Source, painting: Painting) -> float:
    factor = -(-max(source.width, source.height) // _SEEN_PX)
    factor += -factor % source.shrink  # so that a reduced source can follow
    before = source.image.reduce(factor // source.shrink)
    after = painting.canvas.reduced(factor)
    blur = ImageFilter.GaussianBlur(painting.pitch / factor)
    return float(np.mean(difference(_pixels(before, blur), _pixels(after, blur))))


def _pixels(image: Image.Image, blur: ImageFilter.GaussianBlur) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(image.filter(blur))
