"""Pieces of every style and material have the colours of flat paint, on dark, bright and saturated pictures too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from processing.mosaic import STYLES
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.materials.material import MATERIALS
from processing.mosaic.params import FLAT, GroutParams
from tests.bench.differences import blurred, mean_difference, render_image
from tests.bench.materials import FlatPaint, flat_paint, mean_of_cells

SIZE = (360, 240)
LAID_STYLES = [name for name, style in STYLES.items() if "material" in style.params.model_fields]
LAID_MATERIALS = [name for name in MATERIALS if name != FLAT]


@cache
def picture(name: str) -> Image.Image:
    if name == "cat":
        file = Path(__file__).parents[1] / "golden" / "source.png"
        return Image.open(file).convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    image = Image.new("RGB", SIZE, {"logo": "white", "night": "#05070d"}.get(name, "#1c1410"))
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(1)
    if name == "logo":
        draw.ellipse((110, 40, 250, 180), fill="#0b4fae")
        draw.rectangle((170, 20, 190, 220), fill="#e30613")
    elif name == "night":
        for x, y, size in rng.integers((0, 60, 2), (SIZE[0], SIZE[1], 12), (60, 3)).tolist():
            draw.rectangle((x, y, x + size, y + size), fill=(255, 160 + 8 * size, 60 + 9 * size))
    elif name == "faces":
        for place, skin in enumerate(("#f4d3bd", "#d69b78", "#8d5a3c", "#4a2c1d", "#e8b796", "#6b4129")):
            left, top = 120 * (place % 3) + 15, 120 * (place // 3) + 8
            draw.ellipse((left, top, left + 90, top + 104), fill=skin)
    elif name == "saturated":
        hues = np.linspace(0, 255, SIZE[0], dtype=np.uint8)
        values = np.linspace(255, 90, SIZE[1], dtype=np.uint8)
        planes = np.broadcast_to(hues, SIZE[::-1]), np.full(SIZE[::-1], 255, np.uint8)
        hsv = np.dstack([*planes, np.broadcast_to(values[:, None], SIZE[::-1])])
        image = Image.fromarray(np.ascontiguousarray(hsv), "HSV").convert("RGB")
    return image


@cache
def flat_of(style: str, name: str) -> FlatPaint:
    return flat_paint(picture(name), {"style": style, "cell": cell_of(style), "material": FLAT})


def cell_of(style: str) -> int:
    return 6 if style == "quadtree" else 16


@cache
def of_material(style: str, material: str, name: str, grout_colour: str | None = None) -> np.ndarray:
    joints = {} if grout_colour is None else {"grout_colour": grout_colour}
    return render_image(picture(name), {"style": style, "cell": cell_of(style), "material": material, **joints})[1]


@cache
def difference_of_flat(style: str, name: str) -> float:
    """From the picture, seen from a distance."""
    flat = flat_of(style, name)
    return mean_difference(blurred_picture(name, flat.pitch), blurred(flat.pixels, flat.pitch))


@cache
def blurred_picture(name: str, pitch: float) -> np.ndarray:
    return blurred(np.asarray(picture(name)), pitch)


@pytest.mark.parametrize("name", ["cat", "faces", "night", "logo", "saturated"])
@pytest.mark.parametrize("material", LAID_MATERIALS)
@pytest.mark.parametrize("style", LAID_STYLES)
def test_pieces_have_the_colours_of_flat_paint(style: str, material: str, name: str) -> None:
    """Joints belong to the pieces where flat paint has none; those of a flat quadtree share pixels with its pieces, so
    they have the same colour here."""
    flat = flat_of(style, name)

    lit = of_material(style, material, name, GroutParams.FLAT_GROUT if style == "quadtree" else None)

    assert delta_e(mean_of_cells(lit, flat.labels), flat.colours).mean() <= 1.0


@pytest.mark.parametrize("name", ["cat", "faces", "night", "logo", "saturated"])
@pytest.mark.parametrize("material", LAID_MATERIALS)
@pytest.mark.parametrize("style", LAID_STYLES)
def test_from_a_distance_materials_are_as_near_to_the_picture_as_flat_paint(
    style: str, material: str, name: str
) -> None:
    lit, pitch = of_material(style, material, name), flat_of(style, name).pitch

    seen = mean_difference(blurred_picture(name, pitch), blurred(lit, pitch))
    assert seen <= difference_of_flat(style, name) + 0.5
