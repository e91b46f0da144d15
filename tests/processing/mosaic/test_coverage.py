"""Without joints, cells cover every pixel, in raster images and in SVG; a panorama has enough of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic import parse, render
from tests.processing.mosaic.pictures import encoded, noise, scene
from tests.processing.mosaic.svg_raster import rasterised

WITHOUT_JOINTS = {
    "mosaic": {},
    "hexagon": {"grout": 0},
    "triangle": {"grout": 0},
    "diamond": {"grout": 0},
    "quadtree": {"grout": 0},
    "voronoi": {"leading": 0, "panes": "voronoi"},
    "lowpoly": {},
    "tesserae": {"grout": 0, "material": "flat"},
}
UNCOVERED = (255, 0, 255)  # of the rasterised SVG
ONE_SAMPLE = 255 // 9 + 1  # the largest difference that one of nine samples of a pixel makes


def flat(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), (240, 235, 225), np.uint8)


sources = st.builds(
    lambda kind, width, height: encoded(kind(width, height)),
    st.sampled_from([flat, scene, noise]),
    st.integers(1, 90),
    st.integers(1, 90),
)
cells = st.one_of(st.none(), st.integers(2, 40))


def assert_covered(data: bytes, recipe: dict[str, object]) -> None:
    result = render(data, parse(recipe))
    drawn = rasterised(render(data, parse({**recipe, "format": "svg"})).data, samples=3)
    painted = np.asarray(Image.open(io.BytesIO(result.data))).astype(int)

    assert result.quality.coverage == 1.0
    assert not (drawn == UNCOVERED).all(axis=2).any()
    if result.quality.cells < painted.shape[0] * painted.shape[1] / 25:  # smaller cells are not antialiased
        difference = np.abs(painted - drawn)
        # Points of an SVG are rounded to 0.001 pixels: one of a pixel's nine samples may fall on either side of a line.
        assert np.count_nonzero(difference.max(axis=2) > ONE_SAMPLE) <= max(3, painted.size / 150)
        assert difference.mean() < 1


@pytest.mark.parametrize("style", list(WITHOUT_JOINTS))
@settings(max_examples=12, deadline=None)
@given(data=sources, cell=cells, seed=st.integers(0, 1000))
def test_no_pixel_is_uncovered_without_joints(style: str, data: bytes, cell: int | None, seed: int) -> None:
    assert_covered(data, {"style": style, "seed": seed, "cell": cell, **WITHOUT_JOINTS[style]})


@settings(max_examples=20, deadline=None)
@given(data=sources, cell=cells, seed=st.integers(0, 1000), irregularity=st.floats(0, 1))
def test_no_pixel_is_uncovered_between_stones_of_any_irregularity(
    data: bytes, cell: int | None, seed: int, irregularity: float
) -> None:
    assert_covered(
        data,
        {
            "style": "tesserae",
            "grout": 0,
            "material": "flat",
            "cell": cell,
            "seed": seed,
            "irregularity": irregularity,
        },
    )


ONE_COLOUR = {
    "voronoi": {"leading": 0, "panes": "contours", "light": False},
    "numbers": {"show": "painted", "outline": "#f0ebe1"},
    "photomosaic": {"margin": 0},
    "brick": {"relief": False, "dither": False},
    "beads": {"light": False},
    "stitch": {"light": False},
}
NEAREST_PIECE = 24  # how far the colour of a brick or bead may be from the picture's


@pytest.mark.parametrize("style", list(ONE_COLOUR))
def test_a_flat_picture_has_one_colour_where_cells_touch(style: str) -> None:
    recipe, data = {"style": style, **ONE_COLOUR[style]}, encoded(flat(73, 50))

    result = render(data, parse(recipe))

    painted = np.asarray(Image.open(io.BytesIO(result.data)).convert("RGB")).astype(int)
    assert result.quality.coverage == 1.0
    assert np.abs(painted - flat(1, 1)).max() <= NEAREST_PIECE
    if result.svg_possible:
        drawn = rasterised(render(data, parse({**recipe, "format": "svg"})).data, samples=3)
        assert not (drawn == UNCOVERED).all(axis=2).any()


def test_the_reported_flat_picture_has_no_specks() -> None:
    assert_covered(encoded(flat(400, 300)), {"style": "tesserae", "grout": 0, "cell": 13, "material": "flat"})


@pytest.mark.parametrize("style", ["mosaic", "hexagon", "photomosaic", "dots", "brick", "tesserae"])
def test_a_panorama_has_rows_enough(style: str) -> None:
    panorama = render(encoded(scene(2000, 100)), parse(style)).quality.cells
    photo = render(encoded(scene(516, 387)), parse(style)).quality.cells

    assert panorama == pytest.approx(photo, rel=0.35)
