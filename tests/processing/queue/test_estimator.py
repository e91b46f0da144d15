"""How long renders take, as it is said before and while they run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from processing.mosaic import STYLES
from processing.queue.estimator import TimeEstimator, cost_of


def finished(style: str, megapixels: float, seconds: float, **recipe: Any) -> Any:
    return SimpleNamespace(style=style, megapixels=megapixels, seconds=seconds, recipe={"style": style, **recipe})


def test_what_was_learned_of_a_small_picture_holds_for_a_poster() -> None:
    estimator = TimeEstimator()
    cost = STYLES["voronoi"].cost

    estimator.update(finished("voronoi", 0.5, 3 * cost.seconds(0.5)))

    assert estimator.estimate_s("voronoi", 37) == pytest.approx(3 * cost.seconds(37))
    assert estimator.costs()["voronoi"].seconds(37) == pytest.approx(3 * cost.seconds(37))


def test_a_style_that_was_never_measured_is_as_much_slower_as_the_others() -> None:
    estimator = TimeEstimator()

    estimator.update(finished("hexagon", 12, 2 * STYLES["hexagon"].cost.seconds(12)))

    assert estimator.estimate_s("stitch", 12) == pytest.approx(2 * STYLES["stitch"].cost.seconds(12))


@pytest.mark.parametrize("style", ["hexagon", "tesserae"])
def test_small_pieces_of_a_material_take_longer_and_do_not_make_others_slower(style: str) -> None:
    estimator, plain = TimeEstimator(), STYLES[style].cost.seconds(12)
    pieces = {"material": "stone", "cell": 6}

    estimator.update(finished(style, 12, cost_of(style, pieces).seconds(12), **pieces))

    assert cost_of(style, pieces).seconds(12) > 2.5 * plain
    assert estimator.estimate_s(style, 12, pieces) == pytest.approx(cost_of(style, pieces).seconds(12))
    assert estimator.estimate_s(style, 12) == pytest.approx(plain)
    assert cost_of(style, {"material": "stone"}).seconds(12) < cost_of(style, pieces).seconds(12) / 1.5


def test_before_the_first_task_costs_are_those_of_another_machine_and_tasks_have_no_estimate() -> None:
    estimator = TimeEstimator()

    assert estimator.costs() == {name: style.cost for name, style in STYLES.items()}
    assert estimator.estimate_s("hexagon", 12) is None
    assert estimator.rates() == {}


def test_a_task_that_reused_a_result_teaches_nothing() -> None:
    estimator = TimeEstimator()

    estimator.update_all([finished("hexagon", 12, None), finished("hexagon", None, 1.0)])  # type: ignore[arg-type]

    assert estimator.costs() == {name: style.cost for name, style in STYLES.items()}
