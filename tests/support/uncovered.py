"""What no test runs, beside the reasons that docs/contributing.md gives: the end of `make coverage`.

A function of which a line was not run, and which is not listed there, ends with 1: it wants a test or a reason. One
that is listed and was run is told as well, but it is no mistake: some lines run only when a race goes the other way.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.process import ROOT

PAGE = ROOT / "docs" / "contributing.md"
AT_THE_TOP = "(top)"
"""The name of what stands in no function."""

Places = set[tuple[str, str]]
"""File and function."""


def listed(page: str) -> Places:
    """What the page gives a reason for: `| `file` | `function` `function` | reason |`."""
    rows = re.findall(r"^\| `([\w/]+\.py)` \| ([^|]+) \| [^|]+ \|$", page, re.M)
    return {(file, name) for file, names in rows for name in re.findall(r"`([^`]+)`", names)}


def not_run(report: dict[str, Any]) -> Places:
    """What coverage.py's JSON report shows lines of that were not run."""
    return {
        (file, name or AT_THE_TOP)
        for file, found in report["files"].items()
        for name, lines in found["functions"].items()
        if lines["missing_lines"]
    }


def comparison(found: Places, reasons: Places) -> tuple[int, list[str]]:
    """The exit code and the lines for people."""
    without = [f"not run, and docs/contributing.md gives no reason: {file} {name}" for file, name in found - reasons]
    spare = [f"run, though docs/contributing.md says it is not: {file} {name}" for file, name in reasons - found]
    return int(bool(without)), sorted(without) + sorted(spare)


def main() -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(prefix="tessera-coverage-") as folder:
        path = Path(folder) / "report.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(path)], cwd=ROOT, check=True)
        report = json.loads(path.read_text())
    code, lines = comparison(not_run(report), listed(PAGE.read_text()))
    print("\n".join(lines) or "Everything that was not run is listed in docs/contributing.md with its reason.")
    return code


if __name__ == "__main__":
    sys.exit(main())
