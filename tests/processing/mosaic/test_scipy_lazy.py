"""The fast nearest-point map agrees with the exact answer, to the rounding of its points."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.scipy_lazy import kd_tree, nearest_point_map


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_the_nearest_point_is_exact_to_the_rounding_of_points(rows: int, columns: int, count: int, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(0, 1, (count, 2)) * (columns - 1, rows - 1)
    y, x = np.mgrid[0:rows, 0:columns]
    places = np.stack([x, y], axis=-1)

    nearest = nearest_point_map(points, (rows, columns))

    distances = np.linalg.norm(places - points[nearest], axis=-1)
    exact = kd_tree(points).query(places)[0]
    assert nearest.shape == (rows, columns)
    assert (distances <= exact + np.sqrt(2) + 1e-9).all()  # both points may be off by half a pixel in x and y
