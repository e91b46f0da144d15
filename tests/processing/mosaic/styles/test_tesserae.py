"""Stones follow the edges, none overlaps another, little is left to the joints, and rows close around a disc."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy.spatial import cKDTree

from processing.mosaic import parse, render
from processing.mosaic.codec.decode import Source
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tesserae.contours import iso_lines
from processing.mosaic.styles.tesserae.direction_field import DirectionField, compute_field
from processing.mosaic.styles.tesserae.stones import clip_stones
from processing.mosaic.styles.tesserae.tesserae import TesseraeParams, place_stones
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.svg_raster import inside


def flowers(width: int, height: int) -> np.ndarray:
    """Petals, a stem and a soft background: edges in every direction."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([60 + 60 * y / height, 90 + 80 * x / width, np.full(x.shape, 70.0)], -1)
    for across, down, size, colour in ((0.3, 0.35, 0.24, (220, 60, 40)), (0.7, 0.6, 0.3, (240, 200, 60))):
        dx, dy = (x - across * width) / height, (y - down * height) / height
        petals = np.hypot(dx, dy) < size * (0.75 + 0.25 * np.cos(5 * np.arctan2(dy, dx)))
        pixels[petals] = colour
        pixels[np.hypot(dx, dy) < size / 4] = (90, 40, 20)
    return pixels.astype(np.uint8)


def stones_of(pixels: np.ndarray, **params: object) -> list[np.ndarray]:
    source = Source(Image.fromarray(pixels), pixels.shape[1], pixels.shape[0])
    cells = place_stones(RenderContext(source, TesseraeParams(**params), Progress()), Progress())
    return [np.array(outline.points) for outline in cells.outlines()]


def times_covered(stones: list[np.ndarray], width: int, height: int) -> np.ndarray:
    """(height, width): in how many stones each pixel's centre lies, each stone looked at by itself."""
    times = np.zeros((height, width), int)
    for stone in stones:
        left, top = np.clip(np.floor(stone.min(axis=0)).astype(int), 0, (width, height))
        right, bottom = np.clip(np.ceil(stone.max(axis=0)).astype(int), 0, (width, height))
        y, x = np.mgrid[top:bottom, left:right] + 0.5
        times[top:bottom, left:right] += inside([tuple(corner) for corner in stone.tolist()], x, y)
    return times


@pytest.mark.parametrize("draw", [flowers, noise, scene])
@pytest.mark.parametrize("params", [{}, {"cell": 14, "irregularity": 1.0, "seed": 3}])
def test_no_stone_overlaps_another_and_85_percent_are_covered(
    draw: Callable[[int, int], np.ndarray], params: dict[str, object]
) -> None:
    stones = stones_of(draw(320, 240), **params)

    times = times_covered(stones, 320, 240)

    assert times.max() == 1
    assert (times == 1).mean() >= 0.85


def test_the_label_map_holds_the_stones_and_the_joints() -> None:
    pixels = flowers(300, 200)
    source = Source(Image.fromarray(pixels), 300, 200)
    cells = place_stones(RenderContext(source, TesseraeParams(), Progress()), Progress())
    runs = cells.runs(0, 200)

    labels = np.repeat(runs.cells, runs.lengths).reshape(200, 300)

    times = times_covered([np.array(outline.points) for outline in cells.outlines()], 300, 200)
    assert np.array_equal(labels >= 0, times == 1)


def test_stones_at_strong_edges_lie_along_them() -> None:
    """The longest side of each stone against the slope of the blurred source, found apart from the engine's field."""
    pixels = flowers(640, 480)
    grey = np.asarray(Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(3)), float)
    y, x = np.gradient(grey)
    strong = np.argwhere(np.hypot(x, y) > np.quantile(np.hypot(x, y), 0.95))
    stones = stones_of(pixels, cell=10)

    apart, nearest = cKDTree(strong[:, ::-1]).query([stone.mean(axis=0) for stone in stones])
    errors = []
    for stone, (row, column) in ((stones[at], strong[nearest[at]]) for at in np.flatnonzero(apart < 7)):
        sides = np.roll(stone, -1, axis=0) - stone
        longest = sides[np.argmax(np.linalg.norm(sides, axis=1))]
        turn = np.arctan2(longest[1], longest[0]) - np.arctan2(y[row, column], x[row, column])
        errors.append(abs((turn + np.pi / 4) % (np.pi / 2) - np.pi / 4))

    assert len(errors) > 200
    assert np.degrees(np.median(errors)) < 15


def test_a_disc_is_ringed_by_whole_rows() -> None:
    y, x = np.mgrid[0:300, 0:300]
    disc = np.where(np.hypot(x - 150, y - 150)[..., None] < 80, (220, 40, 40), (30, 40, 90)).astype(np.uint8)

    stones = stones_of(disc, cell=10, irregularity=0.0)

    radii = np.array([np.linalg.norm(stone.mean(axis=0) - (150, 150)) for stone in stones])
    inner, outer = (np.abs(radii - middle) < 2.5 for middle in (75, 85))
    assert abs(inner.sum() - 2 * np.pi * 75 / 10) < 6
    assert abs(outer.sum() - 2 * np.pi * 85 / 10) < 6
    assert (np.abs(radii - 80) < 2).sum() <= 3  # no stone lies across the edge


@pytest.mark.parametrize("linear", [True, False])
def test_every_stone_is_the_mean_of_the_pixels_it_shows(linear: bool) -> None:
    source = noise(150, 110)
    recipe = parse({"style": "tesserae", "cell": 11, "grout": 1, "grout_colour": "#010203", "linear": linear})

    result = opened(render(encoded(source), recipe).data)

    stone_pixels = (result != (1, 2, 3)).any(axis=-1)
    for colour in np.unique(result[stone_pixels], axis=0):
        stone = (result == colour).all(axis=-1)
        assert np.abs(colour - true_mean(source[stone], linear)).max() <= 0.51


@given(st.integers(1, 90), st.integers(1, 90), st.integers(2, 60), st.integers(0, 64), st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_any_size_cell_and_joint_is_painted(width: int, height: int, cell: int, grout: int, seed: int) -> None:
    recipe = parse({"style": "tesserae", "cell": cell, "grout": grout, "seed": seed, "irregularity": 1.0})

    result = render(encoded(noise(width, height, seed)), recipe)

    assert result.quality.cells >= 1
    assert result.quality.coverage > 0.2


@given(st.integers(0, 9999))
@settings(max_examples=25, deadline=None)
def test_stones_at_any_place_and_angle_never_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, angles = rng.uniform(0, 60, (40, 2)), rng.uniform(-4, 4, 40)

    points, counts = clip_stones(centres, angles, rng.uniform(4, 9, (40, 2)), 0.5, Progress())

    stones = [stone for stone in np.split(points, np.cumsum(counts)[:-1]) if len(stone)]
    assert times_covered(stones, 60, 60).max() == 1


def test_level_lines_come_in_order_all_levels_at_once() -> None:
    y, x = np.mgrid[0:80, 0:100]

    lines = iso_lines(np.hypot(x - 50, y - 40) / 8 - 1.0)

    steps = np.linalg.norm(np.diff(lines.points, axis=0), axis=1)[np.diff(lines.polyline) == 0]
    assert steps.max() < 1.5
    assert np.allclose(np.hypot(*(lines.points - (50, 40)).T), (lines.level + 1) * 8, atol=0.1)
    closed = [lines.along[lines.polyline == line].max() for line in np.unique(lines.polyline[lines.level == 2])]
    assert closed == [pytest.approx(2 * np.pi * 24, abs=2.5)]


def test_the_field_of_one_straight_edge_is_straight() -> None:
    pixels = np.zeros((120, 160, 3), np.uint8)
    y, x = np.mgrid[0:120, 0:160]
    pixels[x + y > 140] = 255

    field: DirectionField = compute_field(Image.fromarray(pixels), 6.0, Progress())

    places = np.array([[66.0, 66.0], [80.0, 68.0], [56.0, 76.0]])
    assert np.allclose(np.abs(field.angles(places)), np.pi / 4, atol=0.1)
    assert field.distance[60, 80] < 1.5
    assert field.distance[75, 80] == pytest.approx(15 / np.sqrt(2), abs=1.5)


def test_another_seed_gives_other_stones() -> None:
    first, second = (render(encoded(scene(90, 60)), parse({"style": "tesserae", "seed": seed})) for seed in (1, 2))

    assert first.data != second.data


def test_cutting_stones_can_be_stopped() -> None:
    rng = np.random.default_rng(3)
    crowd = rng.uniform(0, 30, (60, 2)), rng.uniform(0, 3, 60), np.full((60, 2), 5.0), 0.0

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        clip_stones(*crowd, Progress(stop))


def test_cutting_stones_reports_how_many_cuts_are_done() -> None:
    rng, seen = np.random.default_rng(3), []
    crowd = rng.uniform(0, 30, (60, 2)), rng.uniform(0, 3, 60), np.full((60, 2), 5.0), 0.0

    clip_stones(*crowd, Progress(seen.append))

    assert len(set(seen)) > 5
    assert seen[-1] == pytest.approx(1.0)
