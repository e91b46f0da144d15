"""`python -m tests.fault_injection [--short] [NAME ...]`: run drills and print figures; exit code 1 on failure."""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
from pathlib import Path

from tests.fault_injection.report import HEAD, Figures

DRILLS = (
    "kill_server",
    "kill_mongod",
    "freeze_mongod",
    "bucket_faults",
    "late_bucket",
    "repeated_callback",
    "drain",
    "long_queue",
    "two_servers",
    "listeners",
    "busy_loop",
)


async def run(name: str, *, short: bool) -> Figures:
    drill = importlib.import_module(f"tests.fault_injection.{name}").drill
    with tempfile.TemporaryDirectory(prefix="tessera-drill-") as folder:
        figures: Figures = await drill(Path(folder), short=short)
    return figures


def main(arguments: list[str]) -> int:
    short = "--short" in arguments
    names = [name for name in arguments if not name.startswith("--")] or list(DRILLS)
    print(HEAD, flush=True)
    broken = 0
    for name in names:
        figures = asyncio.run(run(name, short=short))
        print(figures.row(), flush=True)
        for what in figures.broken:
            print(f"  BROKEN: {figures.drill}: {what}", file=sys.stderr, flush=True)
        broken += bool(figures.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
