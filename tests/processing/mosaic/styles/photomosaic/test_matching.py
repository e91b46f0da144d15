"""Limits on reuse are feasible for any pool."""

from __future__ import annotations

from processing.mosaic.styles.photomosaic.matching import ReuseLimits, feasible_limits


def test_a_large_pool_meets_the_given_limits() -> None:
    for tiles in (2000, 5000):
        assert feasible_limits(4, 10, tiles=tiles, cells=7500) == ReuseLimits(min_distance=4, max_uses=10)


def test_a_small_pool_gets_weaker_limits() -> None:
    limits = feasible_limits(4, 10, tiles=20, cells=7500)

    assert limits.min_distance == 2
    assert limits.max_uses * 20 >= 7500
    assert feasible_limits(4, None, tiles=1, cells=300).min_distance == 1
