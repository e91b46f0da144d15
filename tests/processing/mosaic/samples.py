"""A recipe of every style that can be rendered: its name, and what it cannot do without."""

from __future__ import annotations

from typing import Any

REQUIRED: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.2, 0.1, 0.6, 0.7]]}}

FLAT: dict[str, dict[str, Any]] = {"dots": {"smooth": False}, "brick": {"relief": False, "colours": "free"}}
"""What turns a style's light, shadow and soft edges off, which its SVG does not have."""


def sample(style: str, **params: Any) -> dict[str, Any]:
    """The style's sample recipe with these parameters."""
    return {"style": style, **REQUIRED.get(style, {}), **params}


def drawn_flat(style: str, **params: Any) -> dict[str, Any]:
    """A recipe whose raster shows no more than its SVG."""
    return sample(style, **FLAT.get(style, {}), **params)
