"""Regions with many corners are cut between two of them."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.progress import Progress
from processing.mosaic.segments.borders import OUTSIDE, Border
from processing.mosaic.segments.cutting import corner_counts, cut_angular
from processing.mosaic.segments.inscribed import inscribed_widths, polygon_areas


def wheel(corners: int, radius: float = 30.0) -> np.ndarray:
    """A closed line, with its inside on the left as seen on the screen."""
    angle = -2 * np.pi * np.arange(corners + 1) / corners
    points = 40 + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    points[-1] = points[0]
    return points


def areas(borders: list[Border], count: int) -> np.ndarray:
    """(count,): by the shoelace formula over the borders of each region."""
    sums = np.zeros(count)
    for border in borders:
        x, y = border.points.T
        double = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
        if border.left != OUTSIDE:
            sums[border.left] -= double / 2
        if border.right != OUTSIDE:
            sums[border.right] += double / 2
    return sums


@pytest.mark.parametrize("corners", [13, 16, 40, 100])
def test_a_disc_is_cut_into_parts_of_few_corners(corners: int) -> None:
    borders = [Border(wheel(corners), 0, 1), Border(wheel(4, 60.0), 1, OUTSIDE)]
    whole = areas(borders, 2).sum()

    cut, origins = cut_angular(borders, 2, 12, 2.0, Progress())

    assert corner_counts(cut, len(origins)).max() <= 12
    parts = areas(cut, len(origins))
    assert parts.min() > 0
    assert parts.sum() == pytest.approx(whole)


def test_borders_of_regions_with_few_corners_stay_as_they_are() -> None:
    borders = [Border(wheel(40), 0, OUTSIDE), Border(wheel(8, 5.0), 1, OUTSIDE)]

    cut, _ = cut_angular(borders, 2, 12, 2.0, Progress())

    assert cut[1].points is borders[1].points
    assert len(cut) > len(borders)


def test_a_ring_is_cut_from_its_hole_to_its_outside() -> None:
    borders = [Border(wheel(12), 0, OUTSIDE), Border(wheel(8, 12.0), 1, 0)]

    cut, origins = cut_angular(borders, 2, 12, 2.0, Progress())

    assert origins[:2] == [0, 1]
    assert set(origins[2:]) == {0}
    assert corner_counts(cut, len(origins)).max() <= 12
    assert areas(cut, len(origins)).min() > 0


def test_a_corner_is_left_out_where_every_cut_leaves_a_sliver() -> None:
    borders = [Border(wheel(14), 0, 1), Border(wheel(4, 50.0), 1, OUTSIDE)]

    cut, origins = cut_angular(borders, 2, 12, 40.0, Progress())

    assert corner_counts(cut, len(origins))[0] <= 12
    assert origins.count(0) == 1


def test_widths_and_areas_of_polygons() -> None:
    square, slab = [(0, 0), (10, 0), (10, 10), (0, 10)], [(0, 0), (40, 0), (40, 3), (0, 3)]
    points, corners = np.array([*square, *slab], float), np.array([4, 4])

    assert inscribed_widths(points, corners) == pytest.approx([10, 3], rel=0.05)
    assert polygon_areas(points, corners) == pytest.approx([100, 120])


def test_corners_are_left_out_of_a_ring_too_thin_for_a_line_from_hole_to_outside() -> None:
    """Its corners are nearer to each other than a line of sight may be to them."""
    borders = [Border(wheel(24, 1.0), 0, 1), Border(wheel(4, 20.0), 1, OUTSIDE), Border(wheel(24, 0.8), 2, 0)]

    cut, origins = cut_angular(borders, 3, 12, 2.0, Progress())

    sizes = areas(cut, len(origins))
    assert corner_counts(cut, len(origins)).max() <= 12
    assert sizes.min() > 0
    assert sizes.sum() == pytest.approx(areas(borders, 3).sum())


def test_a_corner_stays_without_which_its_region_would_be_too_thin() -> None:
    """Those of the round body have smaller triangles than those of the tail, but make the region as wide as it is."""
    body = wheel(16)
    upper, lower = body[1:9], body[8:16]
    tail = np.array([body[15], (100.0, 48.0), (110.0, 42.0), (100.0, 36.0), body[1]])
    around = [(upper, [(70, -20), (-20, -20)]), (lower, [(-20, 100), (70, 100)]), (tail, [(130, 60), (130, 20)])]
    borders = [Border(points, 0, number) for number, (points, _) in enumerate(around, 1)]
    for number, (points, corners) in enumerate(around, 1):
        borders.append(Border(np.array([points[0], *corners, points[-1]], float), number, OUTSIDE))

    cut, origins = cut_angular(borders, 4, 17, 58.5, Progress())

    assert origins == [0, 1, 2, 3]
    assert [len(border.points) for border in cut] == [len(upper), len(lower), len(tail) - 1, 4, 4, 4]


def test_a_region_at_the_edge_that_no_cut_leaves_wide_enough_keeps_its_corners() -> None:
    borders = [Border(wheel(14), 0, OUTSIDE)]

    cut, origins = cut_angular(borders, 1, 12, 40.0, Progress())

    assert origins == [0]
    assert np.array_equal(cut[0].points, borders[0].points)


def test_a_corner_stays_where_another_border_lies_between_its_neighbours() -> None:
    """Its triangle is the smallest, but a straight line would cut off the region in there."""
    points = wheel(14)
    corner = points[7] = 40 + (points[7] - 40) * 26 / 30
    around = np.array([points[4], (-30, 10), (-30, 70), points[10]])
    island = wheel(3, 0.1) + (corner - 40) * 26.6 / 26
    borders = [
        Border(points[4:11].copy(), 0, 1),
        Border(np.concatenate([points[10:14], points[:5]]), 0, OUTSIDE),
        Border(around, 1, OUTSIDE),
        Border(island, 2, 1),
    ]

    cut, origins = cut_angular(borders, 3, 13, 40.0, Progress())

    assert origins == [0, 1, 2]
    assert len(cut[0].points) == 6
    assert corner.tolist() in cut[0].points.tolist()
