"""Leads are drawn over bands of any height."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.colour.pixels import pixels
from processing.mosaic.segments.strokes import Stroke
from processing.mosaic.styles.voronoi.leads import LeadPainter

SIZE = WIDTH, HEIGHT = 120, 400


def painted(rows: int, *, light: bool) -> tuple[np.ndarray, float]:
    rng = np.random.default_rng(2)
    leads = [Stroke(rng.uniform((0, 0), SIZE, (4, 2)), width) for width in rng.uniform(3, 9, 30)]
    painter = LeadPainter(leads, 6.0, "#17140f", size=SIZE, light=light, seed=1)
    panes = Image.fromarray(np.random.default_rng(3).integers(60, 250, (HEIGHT, WIDTH, 3), np.uint8))
    bands = [
        pixels(painter(panes.crop((0, top, WIDTH, min(HEIGHT, top + rows))), 0, top))[..., :3]
        for top in range(0, HEIGHT, rows)
    ]
    return np.concatenate(bands).astype(int), painter.covered_px


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("rows", [3, 50, 77])
def test_leads_are_the_same_in_bands_of_any_height(rows: int, light: bool) -> None:
    whole, covered_px = painted(HEIGHT, light=light)

    bands, covered_in_bands_px = painted(rows, light=light)

    assert (np.abs(bands - whole).max(axis=-1) > 2).mean() < 0.002
    assert covered_in_bands_px == pytest.approx(covered_px, rel=0.01)
