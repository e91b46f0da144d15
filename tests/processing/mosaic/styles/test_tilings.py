"""Hexagons, triangles and diamonds: exact means, an SVG equal to the raster, bounded joints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import STYLES, parse, render
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.styles.tilings import diamond_lattice, hexagon_lattice, triangle_lattice
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.svg_raster import rasterised

LATTICES = {"hexagon": hexagon_lattice, "triangle": triangle_lattice, "diamond": diamond_lattice}
NAMES = list(LATTICES)
SIDES = st.integers(1, 70)


@given(st.sampled_from(NAMES), SIDES, SIDES, st.integers(2, 40), st.integers(0, 9), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_cell_is_the_mean_of_its_visible_pixels(
    style: str, width: int, height: int, side: int, grout: int, linear: bool
) -> None:
    source = noise(width, height)
    params = STYLES[style].params(cell=side, grout=grout)
    labels = labels_of(LATTICES[style](width, height, params))
    recipe = parse({"style": style, "cell": side, "grout": grout, "linear": linear, "grout_colour": "#010203"})

    result = opened(render(encoded(source), recipe).data)

    interior = inner_pixels(labels) if side >= 4 else labels != BACKGROUND  # smaller cells are not antialiased
    for cell in set(labels[interior].tolist()):
        colours = result[interior & (labels == cell)]
        assert np.abs(colours - true_mean(source[labels == cell], linear)).max() <= 0.51


@pytest.mark.parametrize("style", NAMES)
@pytest.mark.parametrize("grout", [0, 3])
@pytest.mark.parametrize("cell", [2, 7, 24])
def test_the_svg_equals_the_raster(style: str, cell: int, grout: int) -> None:
    source, recipe = encoded(scene(67, 53)), {"style": style, "cell": cell, "grout": grout}

    raster = opened(render(source, parse(recipe)).data)
    svg = render(source, parse({**recipe, "format": "svg"}))

    drawn = rasterised(svg.data, samples=1 if cell == 2 else 3).astype(int)
    different = (np.abs(drawn - raster).max(axis=-1) > 1).sum()
    assert different <= 30, f"{different} pixels differ"  # centres on an edge, to the last bit


def test_a_joint_never_takes_more_than_a_quarter_of_the_cell() -> None:
    widest, clamped = (
        render(encoded(scene(90, 90)), parse({"style": "hexagon", "cell": 20, "grout": grout})) for grout in (5, 64)
    )

    assert widest.data == clamped.data
    assert widest.quality.coverage > 0.5
