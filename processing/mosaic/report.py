"""The quality card: how near the mosaic comes to its source when seen from afar."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image, ImageFilter

from .canvas import Painting
from .codec.decode import Source
from .colour.oklab import difference

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


@dataclass(frozen=True, slots=True)
class Glance:
    """A source as the card remembers it: `image` is `factor` times smaller, so that the source itself can go."""

    image: Image.Image
    factor: int


def glance(source: Source) -> Glance:
    """To be taken before the source is let go."""
    factor = -(-max(source.width, source.height) // _SEEN_PX)
    factor += -factor % source.shrink  # so that a reduced source can follow
    return Glance(source.image.reduce(factor // source.shrink), factor)


def make_card(before: Glance, after: Image.Image, painting: Painting, time_s: float) -> Card:
    """The card of a painting of that source. after: the painting as much smaller as the source. What it hides counts as
    equal."""
    source = before.image
    if painting.hidden is not None:
        source = Image.composite(after, source, painting.hidden(before.factor))
    blur = ImageFilter.GaussianBlur(painting.pitch / before.factor)
    apart = difference(np.asarray(source.filter(blur)), np.asarray(after.filter(blur)))
    return Card(
        difference=round(float(np.mean(apart)), 3),
        coverage=round(painting.coverage, 6),
        repeats=painting.repeats,
        cells=painting.cells,
        time_s=time_s,
    )


def mean_colour(image: Image.Image) -> str:
    """`#rrggbb`, the mean of an RGB picture's numbers."""
    return "#" + image.resize((1, 1), Image.Resampling.BOX).tobytes().hex()
