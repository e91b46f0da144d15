"""Start time: from the command to the line that says the server is ready. Prints Markdown.

    .venv/bin/python -m tests.bench.start [ROUNDS]

Alternately: a hello-world Tornado, `import serving` alone, the embedded database alone, a first start with an empty
folder and a second start with the same folder. Our modules are compiled before, as `make setup` does.
"""

from __future__ import annotations

import asyncio
import compileall
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from models.embedded_mongod import Mongod
from tests.bench.timing import table
from tests.support.process import ROOT, ServerProcess

ROUNDS = 10


def seconds_to_first_line(*arguments: str) -> float:
    """Seconds until a program prints its first line."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        duration_s = time.perf_counter() - started
        process.kill()
    return duration_s


def mongod_seconds(folder: Path) -> float:
    """Seconds until the embedded database accepts connections, on an empty folder."""

    async def start() -> float:
        began = time.perf_counter()
        async with Mongod(folder / "db"):
            return time.perf_counter() - began

    return asyncio.run(start())


def start_seconds(data_dir: Path) -> float:
    server, began = ServerProcess(data_dir), time.perf_counter()
    server.start()
    duration_s = time.perf_counter() - began
    server.stop()
    return duration_s


def main(rounds: int) -> None:
    times: dict[str, list[float]] = {}

    def note(way: str, duration_s: float) -> None:
        times.setdefault(way, []).append(duration_s)

    for folder in ("handlers", "models", "processing"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    compileall.compile_dir(ROOT, maxlevels=0, quiet=1)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="tessera-start-") as folder:
            note("hello-world Tornado", seconds_to_first_line("-m", "tests.bench.hello"))
            note("`import serving` alone", seconds_to_first_line("-c", "import serving; print()"))
            note("mongod alone, empty folder", mongod_seconds(Path(folder) / "mongod"))
            note("first start, empty folder", start_seconds(Path(folder) / "data"))
            note("second start", start_seconds(Path(folder) / "data"))
    rows = [(way, f"{statistics.median(each):.2f}", f"{max(each):.2f}") for way, each in times.items()]
    print(table(("start", "median, s", f"slowest of {rounds}, s"), rows))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
