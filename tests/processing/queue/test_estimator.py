"""How long renders take, as it is said before and while they run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from processing.mosaic import STYLES
from processing.queue.estimator import COSTS, TimeEstimator


def finished(style: str, megapixels: float, seconds: float) -> Any:
    return SimpleNamespace(style=style, megapixels=megapixels, seconds=seconds)


def test_every_style_has_a_cost() -> None:
    assert COSTS.keys() == STYLES.keys()


def test_what_was_learned_of_a_small_picture_holds_for_a_poster() -> None:
    estimator = TimeEstimator()
    cost = COSTS["voronoi"]

    estimator.update(finished("voronoi", 0.5, 3 * cost.seconds(0.5)))

    assert estimator.estimate_s("voronoi", 37) == pytest.approx(3 * cost.seconds(37))
    assert estimator.costs()["voronoi"].seconds(37) == pytest.approx(3 * cost.seconds(37))


def test_a_style_that_was_never_measured_is_as_much_slower_as_the_others() -> None:
    estimator = TimeEstimator()

    estimator.update(finished("hexagon", 12, 2 * COSTS["hexagon"].seconds(12)))

    assert estimator.estimate_s("stitch", 12) == pytest.approx(2 * COSTS["stitch"].seconds(12))


def test_before_the_first_task_costs_are_those_of_another_machine_and_tasks_have_no_estimate() -> None:
    estimator = TimeEstimator()

    assert estimator.costs() == COSTS
    assert estimator.estimate_s("hexagon", 12) is None
    assert estimator.rates() == {}


def test_a_task_that_reused_a_result_teaches_nothing() -> None:
    estimator = TimeEstimator()

    estimator.update_all([finished("hexagon", 12, None), finished("hexagon", None, 1.0)])  # type: ignore[arg-type]

    assert estimator.costs() == COSTS
