"""The quality report: how near a mosaic comes to its source when seen from a distance."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image, ImageFilter

from .canvas import StyleResult
from .codec.decode import Source
from .colour.oklab import delta_e
from .scaled import compared_factor, thinned


@dataclass(frozen=True, slots=True)
class QualityReport:
    """difference: mean distance in OKLab x 100 after a Gaussian blur of one cell, of images reduced to at most 320
    pixels a side (about 2 is just noticeable). coverage: the share of pixels that cells cover, 0 to 1. repeats: cells
    whose tile another cell shows too. time_s: seconds of the whole rendering by the caller's clock; it depends on the
    machine, so comparisons of results must leave it out."""

    difference: float
    coverage: float
    repeats: int
    cells: int
    time_s: float

    def to_dict(self) -> dict[str, float | int | str]:
        """For JSON, with the name of the measure."""
        return {**asdict(self), "measure": "OKLab x 100"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A copy of the source for the report, `factor` times smaller than the result; the source itself can be freed."""

    image: Image.Image
    factor: int


def reference(source: Source, size: tuple[int, int]) -> Reference:
    """Must be taken before a style paints over the source. size: width and height of the result."""
    factor = compared_factor(size)
    image = source.image
    if source.alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, "white"), source.alpha)
    if size != (source.width, source.height):
        return Reference(thinned(image, factor, size), factor)
    factor += -factor % source.reduction  # a multiple, as the source may be reduced already
    return Reference(image.reduce(factor // source.reduction), factor)


def measure_quality(original: Reference, reduced: Image.Image, result: StyleResult, time_s: float) -> QualityReport:
    """The report of a style's result. reduced: its canvas, as much smaller as `original`.

    Pixels under the result's hidden mask count as equal.
    """
    image = original.image
    if result.hidden_mask is not None:
        image = Image.composite(reduced, image, result.hidden_mask(original.factor))
    blur = ImageFilter.GaussianBlur(result.pitch / original.factor)
    distances = delta_e(np.asarray(image.filter(blur)), np.asarray(reduced.filter(blur)))
    return QualityReport(
        difference=round(float(np.mean(distances)), 3),
        coverage=round(result.coverage, 6),
        repeats=result.repeats,
        cells=result.cells,
        time_s=time_s,
    )


def mean_colour(image: Image.Image) -> str:
    """`#rrggbb`, the mean of an RGB image's numbers."""
    return "#" + image.resize((1, 1), Image.Resampling.BOX).tobytes().hex()
