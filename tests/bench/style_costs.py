"""What each style costs for 12 megapixels: processor time, silences, and how well two threads share the interpreter.

    .venv/bin/python -m tests.bench.style_costs [STYLE ...]

From JPEG to file, with the default recipe. A task is cancelled when it reports its progress: "silent" is the longest
processor time between two reports. "Two threads / one" leaves out the time in which a thread waited for a core, as
Linux tells it, so that other load on the machine spoils it less; a thread that loses its core while it has the
interpreter lock still makes the other one wait.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from processing.mosaic import STYLES, parse, render
from processing.process_setup import tune_process
from processing.thread_priority import RENDER_NICENESS, lower_thread_priority
from tests.bench.photos import photo, pool
from tests.bench.style_renders import EXTRA_PARAMS, TILES
from tests.bench.timing import table

ROUNDS = 3
SAMPLE_S = 1.0
"""The least processor time of a sample in each thread."""

Work = Callable[[], object]


def main(names: list[str]) -> None:
    tune_process()
    data, tiles = photo(), pool(TILES)
    print(table(("style", "CPU s", "silent, CPU s", "two threads / one", "waiting for the other, ms"), []))
    for name in names:
        recipe = parse({"style": name, **(EXTRA_PARAMS[name] if name == "redact" else {})})
        silence = Silence()
        durations_s = []
        for _ in range(ROUNDS):
            silence.begin()
            began = time.process_time()
            render(data, recipe, silence.report, pool=tiles if name == "photomosaic" else None)
            durations_s.append(time.process_time() - began)
        repeat = max(1, round(SAMPLE_S / min(durations_s)))
        ratio, waiting_ms = _sharing(lambda: render(data, recipe, pool=tiles), repeat)  # noqa: B023 - called at once
        figures = f"{min(durations_s):.2f}", f"{silence.longest_s:.2f}", f"{ratio:.2f}", f"{waiting_ms:.0f}"
        print("| " + " | ".join((f"`{name}`", *figures)) + " |", flush=True)


class Silence:
    """The longest processor time of the rendering thread between two reports; the least of several renders."""

    def __init__(self) -> None:
        self._longest: list[float] = []
        self._last_s = 0.0

    @property
    def longest_s(self) -> float:
        return min(self._longest)

    def begin(self) -> None:
        self._longest.append(0.0)
        self._last_s = time.thread_time()

    def report(self, _: float) -> None:
        now_s = time.thread_time()
        self._longest[-1] = max(self._longest[-1], now_s - self._last_s)
        self._last_s = now_s


def _sharing(work: Work, repeat: int) -> tuple[float, float]:
    """Throughput of two threads by that of one; how long a render in one of two waits, but for a core."""
    ratios, waits_ms = [], []
    for _ in range(ROUNDS):
        alone, both = _in_threads(work, repeat, 1), _in_threads(work, repeat, 2)
        ratios.append(sum(1 / each for each, _ in both) / (1 / alone[0][0]))
        waits_ms.append(1000 * statistics.mean(wait for _, wait in both))
    return statistics.median(ratios), statistics.median(waits_ms)


def _in_threads(work: Work, repeat: int, count: int) -> list[tuple[float, float]]:
    """For each thread: seconds of a render without waits for a core, and of those what was not spent on one."""
    together = threading.Barrier(count)

    def sample(_: int) -> tuple[float, float]:
        together.wait()
        began, (ran_s, queued_s) = time.perf_counter(), _scheduled()
        for _ in range(repeat):
            work()
        passed_s, (ran_until_s, queued_until_s) = time.perf_counter() - began, _scheduled()
        own_s = passed_s - (queued_until_s - queued_s)
        return own_s / repeat, (own_s - (ran_until_s - ran_s)) / repeat

    with ThreadPoolExecutor(count, initializer=lower_thread_priority, initargs=(RENDER_NICENESS,)) as threads:
        return list(threads.map(sample, range(count)))


def _scheduled() -> tuple[float, float]:
    """Seconds that this thread has run, and that it has waited for a core."""
    ran, queued, _ = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()
    return int(ran) / 1e9, int(queued) / 1e9


if __name__ == "__main__":
    main(sys.argv[1:] or list(STYLES))
