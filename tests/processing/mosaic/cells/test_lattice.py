"""Hexagons, triangles and diamonds: no seam, no uncovered pixel, exact means, the joints that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import parse, render
from processing.mosaic.cells.lattice import HexagonalTiling, Lattice, TriangularTiling
from processing.mosaic.cells.runs import BACKGROUND
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.svg_raster import rasterised

STYLES = ["hexagon", "triangle", "diamond"]
SIDES = st.integers(1, 70)


def shaped(style: str, side: int, grout: float) -> HexagonalTiling | TriangularTiling:
    if style == "triangle":
        return TriangularTiling(side, round(side * 6.928) / 8, grout)
    slope = side * 0.75 if style == "diamond" else round(side * 2.309) / 8
    return HexagonalTiling(side, 0 if style == "diamond" else 2 * slope, slope, grout)


def labels(cells: Lattice) -> np.ndarray:
    runs = cells.runs(0, cells.height)
    assert (runs.lengths > 0).all()
    return np.repeat(runs.cells, runs.lengths).reshape(cells.height, cells.width)


@given(st.sampled_from(STYLES), SIDES, SIDES, st.integers(2, 90))
@settings(max_examples=40, deadline=None)
def test_every_pixel_lies_in_one_cell(style: str, width: int, height: int, side: int) -> None:
    cells = Lattice(width, height, shaped(style, side, 0), side)

    covered = labels(cells)

    assert covered.min() >= 0
    assert covered.max() < cells.count
    assert len(cells.centres(0, cells.count)) == cells.count == len(list(cells.outlines()))


@given(st.sampled_from(STYLES), SIDES, SIDES, st.integers(2, 40), st.integers(0, 9), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_cell_is_the_mean_of_the_pixels_it_shows(
    style: str, width: int, height: int, side: int, grout: int, linear: bool
) -> None:
    source = noise(width, height)
    cells = labels(Lattice(width, height, shaped(style, side, min(grout, side / 4)), side))
    recipe = parse({"style": style, "cell": side, "grout": grout, "linear": linear, "grout_colour": "#010203"})

    result = opened(render(encoded(source), recipe).data)

    assert (result[cells == BACKGROUND] == (1, 2, 3)).all()
    for cell in set(cells[cells != BACKGROUND].tolist()):
        assert np.abs(result[cells == cell] - true_mean(source[cells == cell], linear)).max() <= 0.51


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("grout", [0, 3])
@pytest.mark.parametrize("cell", [2, 7, 24])
def test_the_svg_says_the_same_to_the_pixel(style: str, cell: int, grout: int) -> None:
    source, recipe = encoded(scene(67, 53)), {"style": style, "cell": cell, "grout": grout}

    raster = opened(render(source, parse(recipe)).data)
    svg = render(source, parse({**recipe, "format": "svg"}))

    wrong = (rasterised(svg.data) != raster).any(axis=-1).sum()
    assert wrong <= 4, f"{wrong} pixels differ"  # centres that lie on an edge, to the last bit


@pytest.mark.parametrize(("style", "area"), [("hexagon", 40 * 40 * 0.866), ("triangle", 692.8), ("diamond", 1200.0)])
def test_whole_cells_have_the_area_of_their_shape(style: str, area: float) -> None:
    areas = np.bincount(labels(Lattice(400, 400, shaped(style, 40, 0), 40)).ravel())

    assert areas.max() == pytest.approx(area, rel=0.04)
    assert (areas > 0.96 * area).sum() > 60


@pytest.mark.parametrize("style", STYLES)
def test_joints_are_as_wide_as_asked(style: str) -> None:
    """Seen as the shrinking of a cell: half a joint off every side, so area - perimeter x half + what corners give."""
    bare, jointed = (
        np.bincount(labels(Lattice(600, 600, shaped(style, 60, grout), 60)).ravel() + 1)[1:] for grout in (0, 6)
    )
    tallest = bare.argsort()[-40:]

    lost = np.median(bare[tallest] - jointed[tallest])

    side, kind = 60.0, {"hexagon": (6, 34.64), "triangle": (3, 60.0), "diamond": (4, 54.08)}[style]
    perimeter, corner = kind[0] * kind[1], {"hexagon": 3.46, "triangle": 5.2, "diamond": 4.33}[style]
    assert lost == pytest.approx(3 * perimeter - 9 * corner, rel=0.04), side


def test_a_joint_never_takes_more_than_a_quarter_of_the_cell() -> None:
    widest, clamped = (
        render(encoded(scene(90, 90)), parse({"style": "hexagon", "cell": 20, "grout": grout})) for grout in (5, 64)
    )

    assert widest.data == clamped.data
    assert widest.quality.coverage > 0.5
