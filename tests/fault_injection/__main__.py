"""`python -m tests.fault_injection [--short] [NAME ...]`: run drills and print a report; exit code 1 on failure."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
import tempfile
from pathlib import Path

from tests.fault_injection.report import TABLE_HEADER, DrillReport

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
    "hostile_images",
    "password_flood",
    "slow_clients",
    "crowded_queue",
    "slow_sources",
    "one_stranger",
    "change_primary",
    "kill_scheduler",
)


async def run_drill(name: str, *, short: bool) -> DrillReport:
    module = importlib.import_module(f"tests.fault_injection.{name}")
    with tempfile.TemporaryDirectory(prefix="tessera-drill-") as folder:
        report: DrillReport = await module.drill(Path(folder), short=short)
    return report


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fault_injection", description="Without names, run all.")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes for each")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DRILLS))
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(DRILLS)
    if unknown:
        parser.error(f"no drill is called {', '.join(sorted(unknown))}; there are: {', '.join(DRILLS)}")
    print(TABLE_HEADER, flush=True)
    failed = 0
    for name in options.names or DRILLS:
        report = asyncio.run(run_drill(name, short=options.short))
        print(report.row(), flush=True)
        for failure in report.failures:
            print(f"  FAILED: {report.drill}: {failure}", file=sys.stderr, flush=True)
        failed += bool(report.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
