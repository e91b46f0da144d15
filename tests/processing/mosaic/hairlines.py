"""Seams between cells: where the paper shows through a mosaic that covers it."""

from __future__ import annotations

import numpy as np

SEAMLESS = {
    "mosaic": {"cell": 13},
    "hexagon": {"cell": 13},
    "triangle": {"cell": 17},
    "diamond": {"cell": 17},
    "quadtree": {"grout": 0},
    "tesserae": {"grout": 0, "material": "flat", "cell": 13},
    "voronoi": {"panes": "voronoi", "leading": 0},
    "lowpoly": {"cells": 300},
    "brick": {"relief": False, "cell": 12},
    "numbers": {"show": "painted"},
    "panes along contours": {"style": "voronoi", "leading": 0},
    "gradients": {"style": "lowpoly", "cells": 300, "fill": "gradient"},
}
"""Styles whose cells touch, with what makes them do so. Beads, stitches and dots lie on a ground of their own."""


def hairline_share(on_white: np.ndarray, on_black: np.ndarray) -> float:
    """The share of pixels that are lighter than both neighbours because white paper shows through."""
    pixels, paper = on_white.astype(int), (on_white.astype(int) - on_black).max(axis=-1)
    lighter = np.zeros(paper.shape, bool)
    lighter[:, 1:-1] = (pixels[:, 1:-1] > np.maximum(pixels[:, :-2], pixels[:, 2:])).any(axis=-1)
    lighter[1:-1] |= (pixels[1:-1] > np.maximum(pixels[:-2], pixels[2:])).any(axis=-1)
    inner = (lighter & (paper > 2))[2:-2, 2:-2]  # the edge of the page may end within a pixel
    return float(inner.mean())
