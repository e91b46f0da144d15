"""Seeds are blue noise, denser where the picture has detail."""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from processing.mosaic.progress import Progress
from processing.mosaic.styles.voronoi.seeds import gradient_magnitude, stipple_points
from tests.processing.mosaic.pictures import noise


def test_seeds_are_denser_where_there_is_detail() -> None:
    pixels = np.full((200, 400, 3), 90, np.uint8)
    pixels[:, 200:] = noise(200, 200)

    density = 0.02 + gradient_magnitude(Image.fromarray(pixels), 5000)
    seeds = stipple_points(density, (400, 200), 400, steps=3, seed=0, progress=Progress())

    detailed = (seeds[:, 0] > 200).sum()
    assert detailed > 4 * (len(seeds) - detailed)


def test_seeds_are_blue_noise() -> None:
    seeds = stipple_points(np.ones((60, 60)), (600, 600), 400, steps=3, seed=1, progress=Progress())

    nearest = cKDTree(seeds).query(seeds, 2)[0][:, 1]
    assert nearest.min() > 0.4 * 30
    assert nearest.mean() > 0.75 * 30  # random points have 0.5
