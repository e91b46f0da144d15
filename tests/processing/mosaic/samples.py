"""A valid recipe of every style."""

from __future__ import annotations

from typing import Any

REQUIRED: dict[str, dict[str, Any]] = {"redact": {"regions": [[0.2, 0.1, 0.6, 0.7]]}}
"""Parameters without a default."""

FLAT: dict[str, dict[str, Any]] = {
    "dots": {"smooth": False, "dot_size": "airy"},
    "brick": {"relief": False, "colours": "free"},
    "beads": {"palette": "free", "light": False},
    "numbers": {"show": "painted"},
    "stitch": {"light": False},
    "tesserae": {"material": "flat"},
    "voronoi": {"panes": "voronoi"},
}
"""Parameters that switch off light, shadow, soft edges and own inks, to compare with the SVG and the source."""


def sample(style: str, **params: Any) -> dict[str, Any]:
    """A recipe of the style with these parameters."""
    return {"style": style, **REQUIRED.get(style, {}), **params}


def sample_flat(style: str, **params: Any) -> dict[str, Any]:
    """A recipe whose raster equals its SVG."""
    return sample(style, **FLAT.get(style, {}), **params)
