"""Low poly: triangles cover the picture, follow its edges, and agree with their SVG."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.cells.polygons import PolygonCells
from processing.mosaic.cells.runs import BACKGROUND
from processing.mosaic.codec.decode import Source
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.lowpoly.error_field import ErrorField
from processing.mosaic.styles.lowpoly.lowpoly import LowpolyParams, place_corners
from processing.mosaic.styles.lowpoly.mesh import (
    descent,
    doubled_areas,
    edges_of,
    flip,
    squared_errors,
    triangle_sums,
    triangulate,
)
from processing.mosaic.styles.lowpoly.placement import place_triangles
from tests.processing.mosaic.cell_samples import inner_pixels, labels_of
from tests.processing.mosaic.golden.make import FOLDER
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def field_of(pixels: np.ndarray) -> ErrorField:
    field = ErrorField(Image.fromarray(pixels), Progress())
    field.add_up()
    return field


def random_mesh(width: int, height: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = np.array([(0, 0), (width, 0), (0, height), (width, height)], float)
    points = np.vstack([frame, np.round(rng.uniform(1, (width - 1, height - 1), (count, 2)) * 64) / 64])
    return points, triangulate(points)


@given(st.integers(4, 60), st.integers(4, 60), st.integers(0, 40), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_sums_along_edges_equal_sums_over_the_pixels_of_a_triangle(
    width: int, height: int, count: int, seed: int
) -> None:
    field = field_of(noise(width, height, seed))
    points, triangles = random_mesh(width, height, count, seed)
    cells = PolygonCells(width, height, points[triangles].reshape(-1, 2), np.full(len(triangles), 3), 4.0)

    weights = triangle_sums(field, points, triangles)[:, 4]

    labels = labels_of(cells)
    assert (labels != BACKGROUND).all()
    assert np.allclose(weights, np.bincount(labels.ravel(), field.weights.ravel(), len(triangles)), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (90, 2), (5, 5), (37, 23), (300, 40)])
@pytest.mark.parametrize("count", [2, 7, 300, 2000])
def test_triangles_cover_the_picture_without_overlap(size: tuple[int, int], count: int) -> None:
    points, triangles = place_triangles(field_of(scene(*size)), count, 3, Progress())

    areas = doubled_areas(points, triangles)
    assert (areas > 0).all()
    assert areas.sum() / 2 == pytest.approx(size[0] * size[1])


@pytest.mark.parametrize("size", [(1000, 674), (900, 2600), (12_000, 400), (40_000, 30), (2400, 1800)])
def test_a_large_picture_is_placed_on_a_bounded_number_of_samples(size: tuple[int, int]) -> None:
    field = ErrorField(Image.new("RGB", size), Progress(), alpha=Image.new("L", size))

    assert 250_000 < field.width * field.height <= 320_000
    assert field.width / size[0] == pytest.approx(field.height / size[1], rel=0.04)


def test_the_number_of_triangles_is_as_demanded() -> None:
    result = render(encoded(noise(300, 200)), parse({"style": "lowpoly", "cells": 400}))

    assert abs(result.quality.cells - 400) <= 8
    assert result.quality.coverage == 1.0


def test_corners_move_down_the_error_and_flips_lower_it() -> None:
    field = field_of(scene(120, 90))
    points, triangles = random_mesh(120, 90, 30, 1)
    edges = edges_of(triangles, len(points))
    sums = triangle_sums(field, points, triangles, edges)
    error = squared_errors(sums).sum()
    inner = np.logical_and(points > 0, points < (120, 90)).all(axis=1, keepdims=True)

    moved = points + 0.3 * descent(field, points, sums, edges) * inner
    flipped = flip(field, points, triangles, edges, sums)

    assert squared_errors(triangle_sums(field, moved, triangles)).sum() < error
    assert squared_errors(triangle_sums(field, points, flipped)).sum() < error


def test_edges_of_a_polygon_become_sides_of_triangles() -> None:
    y, x = np.mgrid[0:200, 0:300]
    inside = (x + 0.4 * y > 120) & (x - 0.2 * y < 220) & (y > 35)
    pixels = np.where(inside[..., None], (200, 60, 40), (30, 60, 90)).astype(np.uint8)

    result = opened(render(encoded(pixels), parse({"style": "lowpoly", "cells": 60})).data).astype(int)

    wrong = np.abs(result - pixels).max(axis=-1) > 40
    assert wrong.mean() < 0.01


def test_a_photo_is_closer_than_with_regular_triangles() -> None:
    photo = (FOLDER / "source.png").read_bytes()
    source = opened(photo)
    regular = render(photo, parse({"style": "triangle", "cell": 12}))

    follows = render(photo, parse({"style": "lowpoly", "cells": regular.quality.cells}))

    errors = [np.abs(opened(result.data).astype(int) - source).mean() for result in (follows, regular)]
    assert errors[0] < 0.8 * errors[1]


def test_every_triangle_is_the_mean_of_its_pixels() -> None:
    source = noise(120, 90)
    result = opened(render(encoded(source), parse({"style": "lowpoly", "cells": 100})).data)

    context = RenderContext(Source(Image.fromarray(source), 120, 90), LowpolyParams(cells=100), Progress())
    corners = place_corners(context, Progress())
    labels = labels_of(PolygonCells(120, 90, corners.reshape(-1, 2), np.full(len(corners), 3), 10.0))
    interior = inner_pixels(labels)
    for triangle in np.unique(labels[interior]):
        colours = result[interior & (labels == triangle)]
        assert np.abs(colours - true_mean(source[labels == triangle])).max() <= 0.51


def test_a_gradient_follows_a_slope_that_one_colour_cannot() -> None:
    _, x = np.mgrid[0:120, 0:160]
    slope = np.stack([40 + x, 60 + x, 200 - x], axis=-1).astype(np.uint8)

    flat, gradient = (
        opened(render(encoded(slope), parse({"style": "lowpoly", "cells": 30, "fill": fill})).data).astype(int)
        for fill in ("flat", "gradient")
    )

    assert np.abs(gradient - slope).mean() < 0.4 * np.abs(flat - slope).mean()
    assert np.abs(gradient - slope).max() <= 12


def test_the_svg_of_gradients_has_one_for_each_triangle() -> None:
    recipe = parse({"style": "lowpoly", "cells": 40, "fill": "gradient", "format": "svg", "wireframe": 1})

    result = render(encoded(scene(120, 90)), recipe)

    text = result.data.decode()
    assert text.count("<linearGradient ") == text.count('fill="url(#g') == text.count("<polygon ")
    assert 'fill="#17140f"' in text


@pytest.mark.parametrize("fill", ["flat", "gradient"])
def test_a_wireframe_separates_the_triangles(fill: str) -> None:
    recipe = parse({"style": "lowpoly", "cells": 40, "fill": fill, "wireframe": 3, "wireframe_colour": "#010203"})

    result = render(encoded(scene(300, 200)), recipe)

    wire = (opened(result.data) == (1, 2, 3)).all(axis=-1)
    assert 0.03 < wire.mean() < 0.35
    assert result.quality.coverage == pytest.approx(1 - wire.mean(), abs=0.08), "edges are antialiased"


def test_a_palette_paints_flat_triangles() -> None:
    recipe = parse({"style": "lowpoly", "cells": 80, "fill": "gradient", "palette": "mono"})

    pixels = opened(render(encoded(scene(97, 61)), recipe).data)

    assert np.isin(pixels, (0, 255)).mean() > 0.6, "the others are antialiased edges"


def test_the_seed_changes_the_triangles() -> None:
    source = encoded(scene(200, 150))

    first, second = (render(source, parse({"style": "lowpoly", "cells": 150, "seed": seed})) for seed in (1, 2))

    assert first.data != second.data
