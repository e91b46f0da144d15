"""docs/security.md and the markers `requirement` agree: each requirement has a test, each marker a requirement."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented() -> list[int]:
    rows = re.findall(r"^\| (\d+) \| [^|]+ \|$", (ROOT / "docs" / "security.md").read_text(), re.M)
    return [int(number) for number in rows]


def marked() -> set[int]:
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    markers = [numbers for text in sources for numbers in re.findall(r"mark\.requirement\(([\d, ]+)\)", text)]
    return {int(number) for numbers in markers for number in numbers.split(",")}


def test_the_requirements_are_numbered_from_one_without_gaps() -> None:
    assert documented() == list(range(1, len(documented()) + 1))


def test_each_requirement_has_a_test_and_each_marker_a_requirement() -> None:
    assert marked() == set(documented())
