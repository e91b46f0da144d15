"""docs/operations.md and its examples."""

from __future__ import annotations

import re

from tests.support.process import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()


def block(name: str) -> str:
    """The only fenced block with this name."""
    blocks = re.findall(rf"^```{name}\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(blocks) == 1, name
    return str(blocks[0])
