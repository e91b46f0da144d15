"""Plates of bricks, as tests render them."""

from __future__ import annotations

from typing import Any

import numpy as np

from processing.mosaic import Result, parse, render
from tests.processing.mosaic.pictures import encoded


def render_bricks(pixels: np.ndarray, **params: Any) -> Result:
    return render(encoded(pixels), parse({"style": "brick", "cell": 10, **params}))


def cell_map_of(result: Result) -> Any:
    return result.cell_map
