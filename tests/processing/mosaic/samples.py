"""A recipe of every style that can be rendered: its name, and what it cannot do without."""

from __future__ import annotations

from typing import Any

NEEDED: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.2, 0.1, 0.6, 0.7]]}}

FLAT: dict[str, dict[str, Any]] = {}
"""What turns a style's light, shadow and soft edges off, which its SVG does not have."""


def sample(style: str, **params: Any) -> dict[str, Any]:
    """The style's sample recipe with these parameters."""
    return {"style": style, **NEEDED.get(style, {}), **params}


def drawn_flat(style: str, **params: Any) -> dict[str, Any]:
    """A recipe whose raster and SVG show the same, at cells of 12 pixels."""
    return sample(style, cell=12, **FLAT.get(style, {}), **params)
