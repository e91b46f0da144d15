"""Attempts are counted by key, and another one is allowed after the announced time."""

from __future__ import annotations

import pytest

from handlers.transport.rate_limit import MAX_KEYS, Rate, RateLimiter
from models.errors import TooManyRequests


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> RateLimiter:
    return RateLimiter(Rate(burst=3, interval_s=10), clock=clock)


def refused(throttle: RateLimiter, name: str | int) -> int | None:
    try:
        throttle.acquire(name)
    except TooManyRequests as error:
        return int(str(error.details["retry_after_s"]))
    return None


def test_a_burst_is_allowed_and_then_one_after_each_pause(throttle: RateLimiter, clock: Clock) -> None:
    assert [refused(throttle, "ada") for _ in range(4)] == [None, None, None, 10]

    clock.now += 9.5
    assert refused(throttle, "ada") == 1
    clock.now += 0.5
    assert [refused(throttle, "ada"), refused(throttle, "ada")] == [None, 10]


def test_refused_attempts_do_not_make_the_wait_longer(throttle: RateLimiter) -> None:
    for _ in range(3):
        throttle.acquire("ada")

    assert {refused(throttle, "ada") for _ in range(50)} == {10}


def test_keys_are_counted_apart_and_a_pause_restores_the_burst(throttle: RateLimiter, clock: Clock) -> None:
    for _ in range(3):
        throttle.acquire("ada")

    assert refused(throttle, "bea") is None
    clock.now += 1000
    assert [refused(throttle, "ada") for _ in range(4)] == [None, None, None, 10]


def test_a_released_attempt_does_not_count(throttle: RateLimiter) -> None:
    for _ in range(20):
        throttle.acquire("ada")
        throttle.release("ada")
    throttle.release("nobody")

    assert refused(throttle, "ada") is None


def test_the_table_is_bounded(clock: Clock) -> None:
    throttle = RateLimiter(Rate(burst=1, interval_s=10), clock=clock)
    throttle.acquire(-1)

    for number in range(MAX_KEYS):
        throttle.acquire(number)

    throttle.acquire(-1)
    with pytest.raises(TooManyRequests):
        throttle.acquire(MAX_KEYS - 1)


@pytest.mark.parametrize("rate", [Rate(1, 60), Rate(20, 0.1), Rate(3, 7.3)])
def test_no_attempt_of_the_burst_is_refused_whatever_the_clock_says(rate: Rate, clock: Clock) -> None:
    """Sums of its reading and intervals are rounded."""
    throttle = RateLimiter(rate, clock=clock)
    for number in range(1000):
        clock.now = 7.1 + number * 31.0337
        for _ in range(rate.burst):
            throttle.acquire(number)
        assert refused(throttle, number) is not None
