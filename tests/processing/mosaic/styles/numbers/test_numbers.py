"""Paint by numbers: regions that a brush can fill, few colours, and numbers that stand inside and can be read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from processing.mosaic import parse, render
from processing.mosaic.progress import Progress
from processing.mosaic.segments.superpixels import connected_parts
from processing.mosaic.styles.numbers.digits import number_strokes
from processing.mosaic.styles.numbers.numbers import MIN_HEIGHT, number_height
from processing.mosaic.styles.numbers.painting import Painting, plan_painting
from tests.processing.mosaic.cell_samples import labels_of
from tests.processing.mosaic.pictures import encoded, opened, saved

CELL = 15.0
CAT = np.asarray(
    Image.open(Path(__file__).parents[2] / "golden" / "source.png").convert("RGB").resize((300, 200)), np.uint8
)


@pytest.fixture(scope="module")
def painting() -> Painting:
    return plan_painting(Image.fromarray(CAT), (300, 200), CELL, 12, Progress())


def test_no_region_is_smaller_or_thinner_than_a_brush_can_fill(painting: Painting) -> None:
    count = painting.labels.max() + 1

    areas = np.bincount(painting.labels.ravel())
    widest = [2 * ndimage.distance_transform_edt(np.pad(painting.labels == region, 1)).max() for region in range(count)]

    assert count == len(painting.colours) == painting.cells.count > 20
    assert areas.min() >= CELL**2
    assert min(widest) >= 0.6 * CELL


def test_regions_are_connected_and_neighbours_differ_in_colour(painting: Painting) -> None:
    colours = painting.colours[painting.labels]

    assert connected_parts(colours).max() == connected_parts(painting.labels).max() == painting.labels.max()
    assert len(painting.palette) == len(np.unique(colours)) <= 12


def test_numbers_stand_inside_their_regions_and_can_be_read(painting: Painting) -> None:
    labels = labels_of(painting.cells)

    for region, ((x, y), radius) in enumerate(zip(painting.poles.tolist(), painting.radii.tolist(), strict=True)):
        number = int(painting.colours[region]) + 1
        height = number_height(len(str(number)), radius, CELL)
        assert height >= MIN_HEIGHT * CELL
        corners = np.concatenate([stroke.points for stroke in number_strokes(number, (x, y), height)])
        columns, rows = np.clip(corners, 0, (299, 199)).astype(int).T
        assert (labels[rows, columns] == region).mean() > 0.9
        assert np.ptp(corners[:, 1]) == pytest.approx(height)


def test_the_legend_counts_regions_and_areas() -> None:
    result = render(encoded(CAT), parse({"style": "numbers", "cell": 15, "colours": 9}))

    legend = result.cell_map
    assert legend is not None
    parts = legend["parts"]
    assert sum(part["count"] for part in parts) == legend["regions"] == result.quality.cells  # type: ignore[attr-defined]
    assert sum(part["area"] for part in parts) == pytest.approx(1, abs=0.001)  # type: ignore[attr-defined]
    assert [name.split(" ") for name in legend["colours"]] == [  # type: ignore[attr-defined]
        [str(number), colour]
        for number, colour in enumerate(legend["rgb"], 1)  # type: ignore[arg-type]
    ]
    assert len(legend["rgb"]) <= 9  # type: ignore[arg-type]


def test_painted_outlined_and_tinted() -> None:
    recipe = {"style": "numbers", "cell": 15, "colours": 6}
    painted, outlines, tinted = (
        opened(render(encoded(CAT), parse({**recipe, "show": show})).data).astype(int)
        for show in ("painted", "outlines", "tinted")
    )

    white = (outlines == 255).all(axis=-1)
    assert 0.5 < white.mean() < 0.95
    pale = np.abs(255 - (255 - painted) * 0.24 - tinted).max(axis=-1) <= 2
    assert (pale | ~white).mean() > 0.99
    assert len(np.unique(painted[::2, ::2].reshape(-1, 3), axis=0)) >= 2


def test_the_svg_has_outlines_and_numbers_as_lines() -> None:
    svg = render(encoded(CAT), parse({"style": "numbers", "cell": 15, "format": "svg"})).data.decode()

    regions = svg.count("<polygon")
    assert regions > 20
    assert svg.count("<polyline") > 2 * regions
    assert 'stroke="#7c7c7c"' in svg


def test_the_regions_of_an_animation_stay_and_are_painted_in_the_colours_of_each_frame() -> None:
    red, blue = (220, 30, 30), (30, 40, 210)
    pixels = np.full((80, 120, 3), red, np.uint8)
    pixels[:, 60:] = blue
    frames = [Image.fromarray(pixels), Image.fromarray(np.ascontiguousarray(pixels[:, ::-1]))]
    data = saved(frames[0], save_all=True, append_images=frames[1:], duration=100)

    result = Image.open(io.BytesIO(render(data, parse({"style": "numbers", "cell": 15, "show": "painted"})).data))

    for number, (left, right) in enumerate([(red, blue), (blue, red)]):
        result.seek(number)
        painted = np.asarray(result.convert("RGB")).astype(int)
        assert np.abs(painted[:, :56] - left).max() <= 3
        assert np.abs(painted[:, 64:] - right).max() <= 3
