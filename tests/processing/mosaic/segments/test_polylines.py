"""Lines with fewer points stay near those with many."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.segments.polylines import rounded, simplified, smoothed

points = st.tuples(st.integers(0, 20), st.integers(0, 20))


@given(st.lists(st.lists(points, min_size=2, max_size=12), max_size=5), st.floats(0.0, 4.0))
@settings(max_examples=200, deadline=None)
def test_points_left_out_are_within_the_tolerance_of_their_chord(
    lines: list[list[tuple[int, int]]], tolerance: float
) -> None:
    arrays = [np.array(line, np.float64) for line in lines]

    results = simplified(arrays, [tolerance] * len(arrays))

    for line, result in zip(arrays, results, strict=True):
        assert np.array_equal(result[[0, -1]], line[[0, -1]])
        assert is_within(line, result, tolerance)


def is_within(line: np.ndarray, result: np.ndarray, tolerance: float) -> bool:
    """Whether the points between those that remain are near the chords, for one way to find these in the line."""
    places, start = [0], 0
    for point in result[1:-1]:
        start = next(i for i in range(start + 1, len(line)) if np.array_equal(line[i], point))
        places.append(start)
    places.append(len(line) - 1)
    for first, last in itertools.pairwise(places):
        chord = line[last] - line[first]
        offset = line[first + 1 : last] - line[first]
        length = max(float(np.hypot(*chord)), 1e-9)
        if (np.abs(offset[:, 0] * chord[1] - offset[:, 1] * chord[0]) / length > tolerance + 1e-6).any():
            return False
    return True


def test_a_closed_line_keeps_the_point_that_is_farthest_from_its_start() -> None:
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)], np.float64)

    assert [4.0, 4.0] in simplified([square], [9.0])[0].tolist()


def test_each_line_has_its_own_tolerance() -> None:
    bent = np.array([(0, 0), (5, 1), (10, 0)], np.float64)

    fine, coarse = simplified([bent, bent], [0.5, 1.5])

    assert len(fine) == 3
    assert len(coarse) == 2


def test_a_staircase_becomes_even_and_its_ends_stay() -> None:
    stairs = np.repeat(np.arange(12), 2)
    line = np.stack([stairs[1:], stairs[:-1]], 1).astype(np.float64)

    (even,) = smoothed([line])

    assert np.array_equal(even[[0, -1]], line[[0, -1]])
    assert np.abs(np.diff(even[6:-6, 0] - even[6:-6, 1])).max() < 0.1


def test_corners_are_cut_off_and_ends_stay() -> None:
    bent = np.array([(0, 0), (4, 0), (4, 4)], np.float64)
    straight = np.array([(7, 7), (9, 9)], np.float64)
    closed = np.array([(0, 0), (4, 0), (4, 4), (0, 0)], np.float64)

    lines = [line.tolist() for line in rounded([bent, straight, closed, bent])]

    assert lines[0] == lines[3] == [[0, 0], [3, 0], [4, 1], [4, 4]]
    assert lines[1] == straight.tolist()
    assert lines[2] == [[0, 0], [3, 0], [4, 1], [4, 3], [3, 3], [0, 0]]
    assert rounded([]) == []
