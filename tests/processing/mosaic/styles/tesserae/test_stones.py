"""Stones at any place and angle are clipped so that none overlaps another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic.progress import Progress
from processing.mosaic.styles.tesserae.stones import clip_stones
from tests.processing.mosaic.styles.tesserae.stone_coverage import times_covered


def crowded_stones() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, angles and halves of 60 overlapping stones."""
    rng = np.random.default_rng(3)
    return rng.uniform(0, 30, (60, 2)), rng.uniform(0, 3, 60), np.full((60, 2), 5.0)


@given(st.integers(0, 9999))
@settings(max_examples=25, deadline=None)
def test_stones_never_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres, angles = rng.uniform(0, 60, (40, 2)), rng.uniform(-4, 4, 40)

    points, counts = clip_stones(centres, angles, rng.uniform(4, 9, (40, 2)), Progress())

    stones = [stone for stone in np.split(points, np.cumsum(counts)[:-1]) if len(stone)]
    assert times_covered(stones, 60, 60).max() == 1


def test_clipping_can_be_stopped() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        clip_stones(*crowded_stones(), Progress(stop))


def test_clipping_reports_the_share_of_cuts_done() -> None:
    fractions: list[float] = []

    clip_stones(*crowded_stones(), Progress(fractions.append))

    assert len(set(fractions)) > 5
    assert fractions[-1] == pytest.approx(1.0)
