"""Known vulnerabilities in the pinned dependencies, by pip-audit: `make audit`, part of `make check`.

Without network access it says that nothing was audited and exits with 0; a vulnerability exits with 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.support.process import ROOT

PINNED = "requirements/test.txt"  # includes what the server needs, in the same versions

TIMEOUT_S = 240


def verdict(output: str, errors: str) -> tuple[int, list[str]]:
    """The exit code and a report. output, errors: what pip-audit wrote to stdout and stderr."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError):
        why = (errors.strip().splitlines() or ["no output"])[-1]
        return 0, [f"audit: SKIPPED, nothing was audited: {why}"]
    audited = [one for one in packages if "vulns" in one]
    if not audited:
        return 0, [f"audit: SKIPPED, nothing was audited: the service knows none of {len(packages)}"]
    findings = [
        f"audit: {one['name']} {one['version']}: {each['id']}, fixed in {', '.join(each['fix_versions']) or 'nothing'}"
        for one in audited
        for each in one["vulns"]
    ]
    unknown = sorted(one["name"] for one in packages if "vulns" not in one)
    left_out = f"; unknown to the service: {', '.join(unknown)}" if unknown else ""
    summary = f"audit: {len(findings)} known vulnerabilities in {len(audited)} packages{left_out}"
    return int(bool(findings)), [*findings, summary]


def main() -> int:
    """The exit code."""
    options = ["--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", "--timeout=10"]
    command = [sys.executable, "-m", "pip_audit", *options, "-r", PINNED]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"audit: SKIPPED, nothing was audited: no response within {TIMEOUT_S} seconds")
        return 0
    code, lines = verdict(done.stdout, done.stderr)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
