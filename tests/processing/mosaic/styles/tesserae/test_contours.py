"""Iso lines."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.styles.tesserae.contours import iso_lines


def test_iso_lines_of_all_levels_are_ordered_points() -> None:
    y, x = np.mgrid[0:80, 0:100]

    lines = iso_lines(np.hypot(x - 50, y - 40) / 8 - 1.0)

    steps = np.linalg.norm(np.diff(lines.points, axis=0), axis=1)[np.diff(lines.polyline) == 0]
    assert steps.max() < 1.5
    assert np.allclose(np.hypot(*(lines.points - (50, 40)).T), (lines.level + 1) * 8, atol=0.1)
    lengths = [lines.along[lines.polyline == index].max() for index in np.unique(lines.polyline[lines.level == 2])]
    assert lengths == [pytest.approx(2 * np.pi * 24, abs=2.5)]
