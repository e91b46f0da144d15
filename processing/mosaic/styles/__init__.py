"""The styles, one module or package each. A new style needs an import and an entry in STYLES here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..style import Style
from .beads import BEADS_STYLE
from .blocks import BLOCKS
from .brick import BRICK
from .dots import DOTS
from .lowpoly import LOWPOLY
from .numbers import NUMBERS
from .photomosaic import PHOTOMOSAIC
from .quadtree import QUADTREE
from .redact import REDACT
from .stitch import STITCH
from .tesserae import TESSERAE
from .tilings import DIAMOND, HEXAGON, TRIANGLE
from .voronoi import VORONOI

_STYLES: tuple[Style[Any], ...] = (
    BLOCKS,
    HEXAGON,
    TRIANGLE,
    DIAMOND,
    VORONOI,
    LOWPOLY,
    NUMBERS,
    QUADTREE,
    TESSERAE,
    PHOTOMOSAIC,
    REDACT,
    DOTS,
    BRICK,
    BEADS_STYLE,
    STITCH,
)

STYLES: Mapping[str, Style[Any]] = MappingProxyType({style.name: style for style in _STYLES})
"""By name, in the order in which they are listed."""
