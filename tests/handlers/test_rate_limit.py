"""Tries are counted by name, and one more is allowed after the time that was told."""

from __future__ import annotations

import pytest

from handlers.rate_limit import LARGEST_TABLE, Rate, Throttle
from models.errors import TooManyRequests


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(Rate(burst=3, pause_s=10), clock=clock)


def refused(throttle: Throttle, name: str) -> int | None:
    try:
        throttle.spend(name)
    except TooManyRequests as error:
        return int(str(error.facts["retry_after_s"]))
    return None


def test_a_burst_is_allowed_and_then_one_after_each_pause(throttle: Throttle, clock: Clock) -> None:
    assert [refused(throttle, "ada") for _ in range(4)] == [None, None, None, 10]

    clock.now += 9.5
    assert refused(throttle, "ada") == 1
    clock.now += 0.5
    assert [refused(throttle, "ada"), refused(throttle, "ada")] == [None, 10]


def test_asking_too_often_does_not_make_the_wait_longer(throttle: Throttle) -> None:
    for _ in range(3):
        throttle.spend("ada")

    assert {refused(throttle, "ada") for _ in range(50)} == {10}


def test_names_are_counted_apart_and_rest_restores_the_burst(throttle: Throttle, clock: Clock) -> None:
    for _ in range(3):
        throttle.spend("ada")

    assert refused(throttle, "bea") is None
    clock.now += 1000
    assert [refused(throttle, "ada") for _ in range(4)] == [None, None, None, 10]


def test_a_refund_gives_the_try_back(throttle: Throttle) -> None:
    for _ in range(20):
        throttle.spend("ada")
        throttle.refund("ada")
    throttle.refund("nobody")

    assert refused(throttle, "ada") is None


def test_the_table_is_bounded(clock: Clock) -> None:
    throttle = Throttle(Rate(burst=1, pause_s=10), clock=clock)
    throttle.spend(-1)

    for number in range(LARGEST_TABLE):
        throttle.spend(number)

    throttle.spend(-1)
    with pytest.raises(TooManyRequests):
        throttle.spend(LARGEST_TABLE - 1)
