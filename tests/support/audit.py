"""Known holes in the pinned dependencies, asked for with pip-audit: `make audit`, and so `make check`.

Where the network does not allow it, says that nothing was audited and ends with 0; a hole ends with 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.process import ROOT

PINNED = "requirements/test.txt"
"""Holds what the server runs on as well, in the same versions."""

TIMEOUT_S = 240


def verdict(output: str, errors: str) -> tuple[int, list[str]]:
    """The exit code and the lines for people, of what pip-audit wrote to its two outputs."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        why = (errors.strip().splitlines() or ["it said nothing"])[-1]
        return 0, [f"audit: SKIPPED, nothing was audited: {why}"]
    audited = [one for one in packages if "vulns" in one]
    if not audited:
        return 0, [f"audit: SKIPPED, nothing was audited: the service that was reached knows none of {len(packages)}"]
    findings = [
        f"audit: {one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'nothing'}"
        for one in audited
        for hole in one["vulns"]
    ]
    unknown = sorted(one["name"] for one in packages if "vulns" not in one)
    left_out = f"; not known to the service: {', '.join(unknown)}" if unknown else ""
    return int(bool(findings)), [*findings, f"audit: {len(findings)} known holes in {len(audited)} packages{left_out}"]


def main() -> int:
    """The exit code."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", "--timeout=10"]
    command = [sys.executable, "-m", "pip_audit", *options, "-r", PINNED]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"audit: SKIPPED, nothing was audited: no answer in {TIMEOUT_S} seconds")
        return 0
    code, lines = verdict(done.stdout, done.stderr)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
