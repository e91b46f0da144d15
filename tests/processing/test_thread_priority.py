"""Thread priorities, as the kernel reports them."""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from processing.thread_priority import LOOP_SLICE_NS, RENDER_NICENESS, lower_thread_priority, prioritise_loop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="thread priorities are set on Linux only")

T = TypeVar("T")


def test_a_render_thread_is_a_batch_thread_with_its_niceness() -> None:
    assert after(lambda: lower_thread_priority(RENDER_NICENESS), policy_and_niceness) == (
        os.SCHED_BATCH,
        RENDER_NICENESS,
    )


def test_lowering_the_priority_affects_only_the_calling_thread() -> None:
    before = policy_and_niceness()

    after(lambda: lower_thread_priority(RENDER_NICENESS), policy_and_niceness)

    assert policy_and_niceness() == before


def test_the_loop_keeps_its_niceness_and_has_short_slices() -> None:
    before = policy_and_niceness()

    assert after(prioritise_loop, policy_and_niceness) == before
    assert after(prioritise_loop, slice_ns) == LOOP_SLICE_NS


def test_a_render_thread_does_not_inherit_short_slices() -> None:
    usual = slice_ns()

    def begin() -> None:
        prioritise_loop()
        lower_thread_priority(RENDER_NICENESS)

    assert after(begin, slice_ns) == usual


def after(first: Callable[[], None], then: Callable[[], T]) -> T:
    """The result of `then` in a new thread, after `first`."""
    with ThreadPoolExecutor(1, initializer=first) as executor:
        return executor.submit(then).result()


def policy_and_niceness() -> tuple[int, int]:
    """Policy and niceness of the calling thread."""
    return os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def slice_ns() -> int:
    """The calling thread's slice; skips the test where the kernel does not report it."""
    sched_file = Path(f"/proc/self/task/{threading.get_native_id()}/sched")
    if tuple(int(part) for part in platform.release().split(".")[:2]) < (6, 12) or not sched_file.exists():
        pytest.skip("a slice for each thread came with Linux 6.12")
    lines = dict(line.split(":", 1) for line in sched_file.read_text().splitlines() if ":" in line)
    return int(next(value for name, value in lines.items() if name.strip() == "se.slice"))
