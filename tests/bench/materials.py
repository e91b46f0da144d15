"""How far pieces of a material are from flat paint, in figures: printed by tests.bench.looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from processing.mosaic import STYLES, parse
from processing.mosaic.codec.decode import Source
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.colour.srgb import encode_srgb, linearise
from processing.mosaic.materials.material import MATERIALS
from processing.mosaic.params import FLAT
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from tests.bench.differences import blurred_difference, pitch_of, render_image

PIECES_PX = 1600  # of photographs on which pieces are measured


def material_rows(images: list[Image.Image]) -> list[tuple[str, ...]]:
    """Of each style with a material, in stone, and of `tesserae` in each: how far pieces are from flat paint."""
    recipes = [(style, "stone") for style in STYLES if "material" in STYLES[style].params.model_fields]
    recipes += [("tesserae", name) for name in MATERIALS if name not in ("flat", "stone")]
    rows = []
    for style, material in recipes:
        by_photo = [material_figures(image, style, material) for image in images]
        pieces, flat, lit = np.mean(by_photo, axis=0)
        rows.append((f"`{style}`, {material}", f"{pieces:.2f}", f"{flat:.2f}", f"{lit:.2f}"))
    return rows


def material_figures(image: Image.Image, style: str, material: str) -> tuple[float, float, float]:
    """The mean difference of a piece's mean colour from flat paint; the blurred differences of flat paint and of the
    material from the image, seen from a cell's distance. Joints belong to the pieces where flat paint has none."""
    scale = PIECES_PX / max(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    flat = flat_paint(image, {"style": style, "material": FLAT})
    lit = render_image(image, {"style": style, "material": material})[1]
    pieces = delta_e(mean_of_cells(lit, flat.labels), flat.colours).mean()
    source = np.asarray(image)
    return (
        float(pieces),
        blurred_difference(source, flat.pixels, flat.pitch),
        blurred_difference(source, lit, flat.pitch),
    )


@dataclass(frozen=True)
class FlatPaint:
    """colours: of the pieces that have pixels. labels: (pixels,) the piece of each, or -1 in a joint. pitch: the side
    of a mean piece."""

    pixels: np.ndarray
    colours: np.ndarray
    labels: np.ndarray
    pitch: float


def flat_paint(image: Image.Image, recipe: dict[str, Any]) -> FlatPaint:
    """A mosaic of flat pieces."""
    result, pixels = render_image(image, recipe)
    context = RenderContext(Source(image, *image.size), parse(recipe).params, Progress())
    painted = STYLES[recipe["style"]].paint(context)
    assert painted.laid is not None
    assert painted.vector is not None
    runs = painted.laid.cells.runs(0, image.height)
    labels = np.repeat(runs.cells, runs.lengths)
    has_joints = (labels < 0).any()  # they share pixels with the pieces, as in other materials
    colours = mean_of_cells(pixels, labels) if has_joints else painted.vector().colours[np.unique(labels)]
    return FlatPaint(pixels, colours, labels, pitch_of(image.size, result))


def mean_of_cells(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, 3) uint8: the means in linear light."""
    light, covered = linearise(pixels.reshape(-1, 3) / 255), labels >= 0
    areas = np.bincount(labels[covered])
    sums = [np.bincount(labels[covered], light[covered, channel]) for channel in range(3)]
    means = np.stack(sums, 1)[areas > 0] / areas[areas > 0, None]
    return np.asarray(np.rint(encode_srgb(means) * 255), np.uint8)
