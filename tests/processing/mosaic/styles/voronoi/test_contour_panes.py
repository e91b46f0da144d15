"""Panes along contours: connected regions that follow the picture, meet without gaps, and are wider than leads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from processing.mosaic import parse, render
from processing.mosaic.cells.polygons import PolygonCells
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.progress import Progress
from processing.mosaic.segments.inscribed import inscribed_widths, polygon_areas
from processing.mosaic.segments.outlines import MAX_CORNERS, trace_outlines
from processing.mosaic.segments.superpixels import segment
from processing.mosaic.styles.voronoi.contour_panes import contour_panes, sketch_panes
from processing.mosaic.styles.voronoi.leads import lead_width
from tests.bench.differences import blurred_difference, mean_difference
from tests.bench.looks import boundary_recall
from tests.processing.mosaic.cell_samples import labels_of
from tests.processing.mosaic.pictures import encoded, noise, opened

CAT = np.asarray(
    Image.open(Path(__file__).parents[2] / "golden" / "source.png").convert("RGB").resize((300, 200)), np.uint8
)


def disc(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    inside = np.hypot(x - width / 2, y - height / 2) < height / 3
    return np.where(inside[..., None], (220, 190, 40), (30, 40, 90)).astype(np.uint8)


@pytest.mark.parametrize("pixels", [CAT, noise(90, 70), disc(120, 90)], ids=["cat", "noise", "disc"])
def test_regions_are_connected_and_as_many_as_asked_for(pixels: np.ndarray) -> None:
    labels = segment(srgb_to_oklab(pixels) * 100, 40, Progress())

    count = int(labels.max()) + 1
    assert 30 <= count <= 60
    for region in range(count):
        assert ndimage.label(labels == region)[1] == 1


def test_outlines_cover_everything_but_what_simplification_shifts() -> None:
    labels = segment(srgb_to_oklab(CAT) * 100, 60, Progress())

    outlines = trace_outlines(labels, Progress())

    assert set(outlines.origins.tolist()) == set(range(labels.max() + 1))
    panes = contour_panes(Image.fromarray(CAT), (300, 200), 60, 2.0, Progress())
    assert (labels_of(panes.cells) >= 0).all()
    polygons = PolygonCells(300, 200, outlines.points, outlines.corners, 10.0)
    assert (labels_of(polygons) >= 0).mean() > 0.985


def test_tracing_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        trace_outlines(segment(srgb_to_oklab(CAT) * 100, 60, Progress()), Progress(stop))


def test_panes_follow_contours_better_than_voronoi_cells() -> None:
    recipe = {"style": "voronoi", "leading": 0, "cells": 250}

    contours, cells = (
        opened(render(encoded(CAT), parse({**recipe, "panes": panes})).data) for panes in ("contours", "voronoi")
    )

    assert mean_difference(CAT, contours) < 0.8 * mean_difference(CAT, cells)
    recall, of_cells = boundary_recall(CAT, contours)[0], boundary_recall(CAT, cells)[0]
    assert recall >= max(0.7, of_cells)


@pytest.mark.parametrize("pixels", [CAT, noise(150, 120), disc(240, 180)], ids=["cat", "noise", "disc"])
@pytest.mark.parametrize("count", [40, 250])
def test_every_pane_has_at_most_12_corners_and_is_wider_than_one_and_a_half_leads(
    pixels: np.ndarray, count: int
) -> None:
    height, width = pixels.shape[:2]
    leading = (width * height / count) ** 0.5 / 11

    sketch = sketch_panes(Image.fromarray(pixels), (width, height), count, leading, Progress())

    outlines, lead = sketch.outlines, leading * sketch.labels.shape[1] / width
    assert outlines.turns.max() <= MAX_CORNERS
    assert inscribed_widths(outlines.points, outlines.corners).min() >= 1.5 * lead
    assert polygon_areas(outlines.points, outlines.corners).sum() == pytest.approx(sketch.labels.size, rel=1e-9)


def test_leads_are_wider_between_panes_of_different_colours() -> None:
    assert lead_width(4, 0) < lead_width(4, 15) < lead_width(4, 60) == lead_width(4, 100)


def test_leads_are_rounded_and_panes_glow_unless_switched_off() -> None:
    recipe = {"style": "voronoi", "cells": 12, "leading": 9}
    source = encoded(disc(240, 180))

    lit, flat = (opened(render(source, parse({**recipe, "light": light})).data) for light in (True, False))

    assert len(np.unique(lit.reshape(-1, 3), axis=0)) > 4 * len(np.unique(flat.reshape(-1, 3), axis=0))


def test_white_panes_are_white_up_to_the_shade_beside_their_leads() -> None:
    """Near leads they were darker than they had to be: 4.0 from a distance."""
    white = np.full((300, 400, 3), 255, np.uint8)

    pixels = opened(render(encoded(white), parse({"style": "voronoi", "cells": 60})).data)

    assert np.median(pixels) == 255
    assert blurred_difference(white, pixels, (300 * 400 / 60) ** 0.5) < 3.6


def test_panes_make_up_for_the_light_that_leads_take() -> None:
    recipe = {"style": "voronoi", "cells": 150}

    leaded, without = (
        opened(render(encoded(CAT), parse({**recipe, **leading})).data) for leading in ({}, {"leading": 0})
    )

    assert blurred_difference(CAT, leaded, 20) < blurred_difference(CAT, without, 20) + 0.5


def test_the_svg_has_the_leads_as_lines() -> None:
    svg = render(encoded(CAT), parse({"style": "voronoi", "cells": 30, "format": "svg"})).data.decode()

    assert svg.count("<polyline") > 30
    assert 'stroke="#17140f"' in svg


def test_a_star_at_night_keeps_a_pane_of_its_own() -> None:
    night = np.full((200, 300, 3), 12, np.uint8)
    night[98:101, 148:151] = 250

    sketch = sketch_panes(Image.fromarray(night), (300, 200), 60, 2.0, Progress())

    star = sketch.labels[99, 149]
    assert 9 <= (sketch.labels == star).sum() < 80
    assert sketch.colours[star, 0] > 2 * sketch.colours[:, 0].mean()


def test_a_picture_of_a_few_pixels_has_one_pane() -> None:
    image = Image.fromarray(np.full((3, 4, 3), 90, np.uint8))

    sketch = sketch_panes(image, (4, 3), 1, 1.0, Progress())

    assert not sketch.labels.any()
