"""Progress reports fractions of the whole that never fall; long calls can be interrupted."""

from __future__ import annotations

import threading

import pytest

from processing.mosaic import progress as progress_module
from processing.mosaic.progress import Progress, pieces, run_interruptible


def test_a_nested_range_reports_fractions_of_the_whole() -> None:
    fractions: list[float] = []
    part = Progress(fractions.append).sub(0.5, 1.0).sub(0.0, 0.5)

    for fraction in (0.0, 0.5, 1.0):
        part(fraction)

    assert fractions == [0.5, 0.625, 0.75]


def test_fractions_never_fall() -> None:
    fractions: list[float] = []
    whole = Progress(fractions.append)

    whole.sub(0.5, 1.0)(0.5)
    whole.sub(0.0, 0.5)(0.5)

    assert fractions == [0.75, 0.75]


def test_bands_are_whole_steps_and_report_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "BAND_PX", 50)
    fractions: list[float] = []

    bands = list(Progress(fractions.append).bands(10, 16, step=2))

    assert bands == [(0, 4), (4, 8), (8, 12), (12, 16)]
    assert fractions == [0.25, 0.5, 0.75, 1.0]


def test_pieces_cover_the_length() -> None:
    assert list(pieces(7, 3)) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert list(pieces(0, 3)) == []


def test_an_interruptible_call_returns_or_raises_what_the_work_does() -> None:
    def fail() -> None:
        raise LookupError("of the work")

    assert run_interruptible(lambda: 42, lambda: None) == 42
    with pytest.raises(LookupError, match="of the work"):
        run_interruptible(fail, lambda: None)


def test_an_exception_of_poll_ends_the_wait_while_the_work_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    released, ended = threading.Event(), threading.Event()

    def work() -> None:
        released.wait()
        ended.set()

    def poll() -> None:
        raise InterruptedError

    monkeypatch.setattr(progress_module, "POLL_S", 0.001)
    with pytest.raises(InterruptedError):
        run_interruptible(work, poll)
    assert not ended.is_set()
    released.set()

    assert ended.wait(120)
