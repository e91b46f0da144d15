"""`make audit` distinguishes a vulnerability from a network failure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.audit import verdict

SAFE = {"name": "safe", "version": "1.0", "vulns": []}
VULNERABLE = {
    "name": "vulnerable",
    "version": "2.1",
    "vulns": [{"id": "MADE-UP-1", "fix_versions": ["2.2"], "aliases": []}],
}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (3)"}


def report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_vulnerability_fails_and_is_named_with_its_fix() -> None:
    code, lines = verdict(report(SAFE, VULNERABLE), "Found 1 known vulnerability in 1 package")

    assert code == 1
    assert lines == ["audit: vulnerable 2.1: MADE-UP-1, fixed in 2.2", "audit: 1 known vulnerabilities in 2 packages"]


def test_no_vulnerability_passes_and_unknown_packages_are_named() -> None:
    assert verdict(report(SAFE), "") == (0, ["audit: 0 known vulnerabilities in 1 packages"])
    assert verdict(report(SAFE, UNKNOWN), "")[1] == [
        "audit: 0 known vulnerabilities in 1 packages; unknown to the service: unknown"
    ]


@pytest.mark.parametrize(
    ("out", "trouble"),
    [
        (report(UNKNOWN), ""),
        (report(), ""),
        ("", "ERROR:pip_audit._cli:Could not connect"),
        ("", ""),
        ("", "/bin/python: No module named pip_audit"),
    ],
)
def test_a_failed_audit_says_that_nothing_was_audited(out: str, trouble: str) -> None:
    code, (line,) = verdict(out, trouble)

    assert code == 0
    assert line.startswith("audit: SKIPPED, nothing was audited")
    assert trouble.rpartition(":")[2] in line
