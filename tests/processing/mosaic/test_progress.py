"""A stage reports fractions of the whole that never fall; what cannot be stopped is attended."""

from __future__ import annotations

import threading

import pytest

from processing.mosaic import progress as stage
from processing.mosaic.progress import Progress, run_interruptible


def test_parts_of_parts_report_fractions_of_the_whole() -> None:
    seen: list[float] = []
    part = Progress(seen.append).sub(0.5, 1.0).sub(0.0, 0.5)

    for fraction in (0.0, 0.5, 1.0):
        part(fraction)

    assert seen == [0.5, 0.625, 0.75]


def test_a_later_part_never_falls_behind_what_was_said() -> None:
    seen: list[float] = []
    whole = Progress(seen.append)

    whole.sub(0.5, 1.0)(0.5)
    whole.sub(0.0, 0.5)(0.5)

    assert seen == [0.75, 0.75]


def test_what_is_attended_returns_or_raises_as_if_it_were_not() -> None:
    def fail() -> None:
        raise LookupError("of the work")

    assert run_interruptible(lambda: 42, lambda: None) == 42
    with pytest.raises(LookupError, match="of the work"):
        run_interruptible(fail, lambda: None)


def test_looking_up_ends_the_wait_and_the_work_goes_on_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    released, ended = threading.Event(), threading.Event()

    def work() -> None:
        released.wait()
        ended.set()

    def look() -> None:
        raise InterruptedError

    monkeypatch.setattr(stage, "_POLL_S", 0.001)
    with pytest.raises(InterruptedError):
        run_interruptible(work, look)
    assert not ended.is_set()
    released.set()

    assert ended.wait(10)
