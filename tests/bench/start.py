"""How long a start takes: from the command to the line that says it is ready. Prints Markdown.

    .venv/bin/python -m tests.bench.start [ROUNDS]

In turns: a hello-world Tornado, `import server` alone, the first start on an empty folder and the second one on what
the first left, both with the embedded database.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.timing import table
from tests.support.process import ROOT, ServerProcess

ROUNDS = 10


def said(*words: str) -> float:
    """Seconds until a program says its first line."""
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took = time.perf_counter() - begun
        process.kill()
    return took


def started(data_dir: Path) -> float:
    server, begun = ServerProcess(data_dir), time.perf_counter()
    server.start()
    took = time.perf_counter() - begun
    server.stop()
    return took


def main(rounds: int) -> None:
    times: dict[str, list[float]] = {}

    def note(way: str, took: float) -> None:
        times.setdefault(way, []).append(took)

    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="tessera-start-") as folder:
            note("hello-world Tornado", said("-m", "tests.bench.hello"))
            note("`import server` alone", said("-c", "import server; print()"))
            note("first start, empty folder", started(Path(folder) / "data"))
            note("second start", started(Path(folder) / "data"))
    rows = [(way, f"{statistics.median(each):.2f}", f"{max(each):.2f}") for way, each in times.items()]
    print(table(("way", "median, s", f"slowest of {rounds}, s"), rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
