"""`make audit` tells a hole from a network that does not answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.audit import verdict

SOUND = {"name": "sound", "version": "1.0", "vulns": []}
HOLLOW = {"name": "hollow", "version": "2.1", "vulns": [{"id": "MADE-UP-1", "fix_versions": ["2.2"], "aliases": []}]}
UNKNOWN = {"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited: unknown (3)"}


def report(*dependencies: dict[str, Any]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_hole_fails_and_is_named_with_its_remedy() -> None:
    code, lines = verdict(report(SOUND, HOLLOW), "Found 1 known vulnerability in 1 package")

    assert code == 1
    assert lines == ["audit: hollow 2.1: MADE-UP-1, mended in 2.2", "audit: 1 known holes in 2 packages"]


def test_no_hole_is_well_and_says_who_was_not_known() -> None:
    assert verdict(report(SOUND), "") == (0, ["audit: 0 known holes in 1 packages"])
    assert verdict(report(SOUND, UNKNOWN), "")[1] == [
        "audit: 0 known holes in 1 packages; not known to the service: unknown"
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
def test_whoever_could_not_ask_says_plainly_that_nothing_was_audited(out: str, trouble: str) -> None:
    code, (line,) = verdict(out, trouble)

    assert code == 0
    assert line.startswith("audit: SKIPPED, nothing was audited")
    assert trouble.rpartition(":")[2] in line
