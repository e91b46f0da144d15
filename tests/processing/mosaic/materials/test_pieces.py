"""Pieces of a material keep the colours of flat paint, and have smooth joints that follow the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.codec.decode import Source
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.colour.srgb import encode_srgb, linearise
from processing.mosaic.materials.material import MATERIALS
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tesserae.tesserae import TesseraeParams, place_stones
from tests.bench.differences import blurred_difference
from tests.processing.mosaic.cell_samples import labels_of
from tests.processing.mosaic.pictures import encoded, opened

CAT = np.asarray(
    Image.open(Path(__file__).parents[1] / "golden" / "source.png").convert("RGB").resize((600, 400)), np.uint8
)
CELL = 12


def laid(pixels: np.ndarray, **params: Any) -> np.ndarray:
    return opened(render(encoded(pixels), parse({"style": "tesserae", "cell": CELL, **params})).data)


def stones_of(pixels: np.ndarray) -> np.ndarray:
    """(height, width) the stone of each pixel that no joint touches."""
    source = Source(Image.fromarray(pixels), pixels.shape[1], pixels.shape[0])
    context = RenderContext(source, TesseraeParams(cell=CELL), Progress())
    return labels_of(place_stones(context, Progress()).inset())


def means_of(pixels: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(stones, 3): the mean of each stone's pixels in linear light."""
    light, inside = linearise(pixels / 255), labels >= 0
    areas = np.bincount(labels[inside])
    sums = np.stack([np.bincount(labels[inside], light[inside][:, channel]) for channel in range(3)], 1)
    return np.asarray(np.rint(encode_srgb(sums[areas > 0] / areas[areas > 0, None]) * 255), np.uint8)


def test_stones_have_the_colours_of_flat_paint() -> None:
    labels = stones_of(CAT)

    differences = delta_e(means_of(laid(CAT), labels), means_of(laid(CAT, material="flat"), labels))

    assert differences.mean() <= 1.0


def test_from_a_distance_stone_is_as_near_to_the_picture_as_flat_paint() -> None:
    stone, flat = (blurred_difference(laid(CAT, material=material), CAT, CELL) for material in ("stone", "flat"))

    assert stone <= flat + 0.5


@pytest.mark.parametrize("material", list(MATERIALS))
def test_every_material_has_light_and_shadow(material: str) -> None:
    grey = np.full((90, 120, 3), 128, np.uint8)
    labels = stones_of(grey)

    pixels = laid(grey, material=material)[labels >= 0].mean(axis=-1)

    assert pixels.std() > 3
    assert abs(pixels.mean() - 128) < 12


@pytest.mark.parametrize("style", ["tesserae", "hexagon", "diamond", "triangle", "quadtree"])
@pytest.mark.parametrize("material", ["flat", "stone"])
def test_slanted_joints_have_three_shades_or_more_across(style: str, material: str) -> None:
    """A white picture with black joints: the shades of its pixels are those of the antialiased edges."""
    white = np.full((120, 160, 3), 255, np.uint8)
    white[60:, :40] = 250  # so that the quadtree splits
    recipe = {"style": style, "cell": 20, "grout": 2, "grout_colour": "#000000", "material": material}

    shades = np.unique(opened(render(encoded(white), parse(recipe)).data)[..., 0])

    between = shades[(shades > 30) & (shades < 225)]
    assert len(between) >= (1 if (style, material) == ("quadtree", "flat") else 3) - (style == "quadtree")


def test_joints_follow_the_lightness_of_the_picture() -> None:
    dark, light = (np.full((90, 120, 3), shade, np.uint8) for shade in (24, 235))

    joints = [laid(pixels, grout=4)[stones_of(pixels) < 0].mean() for pixels in (dark, light)]

    assert joints[0] < 30
    assert 60 < joints[1] < 200


def test_a_joint_colour_of_ones_own_is_used() -> None:
    red = laid(np.full((90, 120, 3), 128, np.uint8), grout=4, grout_colour="#c01010")

    centre_of_joints = (red[..., 0].astype(int) - red[..., 1] > 100).mean()

    assert centre_of_joints > 0.1


def test_pieces_too_small_for_a_material_are_painted_flat() -> None:
    recipe = {"style": "hexagon", "cell": 4, "grout": 1}

    stone, flat = (render(encoded(CAT), parse({**recipe, "material": material})).data for material in ("stone", "flat"))

    assert stone == flat


def test_the_same_stones_lie_in_the_svg() -> None:
    svg = render(encoded(CAT), parse({"style": "tesserae", "cell": 30, "format": "svg"})).data.decode()
    flat = render(encoded(CAT), parse({"style": "tesserae", "cell": 30, "format": "svg", "material": "flat"})).data

    assert "crispEdges" not in svg
    assert svg.count("<polygon") == flat.decode().count("<polygon")
