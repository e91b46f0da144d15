"""docs/styles.md has one section a style, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from processing.mosaic import STYLES

PAGE = Path(__file__).parents[3] / "docs" / "styles.md"


def sections() -> dict[str, str]:
    parts = re.split(r"^## `([a-z]+)`.*$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_style_has_a_section_and_every_section_a_style() -> None:
    assert sorted(sections()) == sorted(STYLES)


@pytest.mark.parametrize("style", list(STYLES))
def test_every_parameter_of_its_own_is_named(style: str) -> None:
    common = PAGE.read_text(encoding="utf-8").partition("## Common parameters")[2].partition("\n## ")[0]

    text = common + sections()[style]

    assert [name for name in STYLES[style].params.model_fields if f"`{name}`" not in text] == []
