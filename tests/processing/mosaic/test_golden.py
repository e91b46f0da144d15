"""Every style still makes of a small photo what it made when somebody last looked (see golden/make.py)."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import STYLES
from tests.processing.mosaic.golden.make import FOLDER, render_golden
from tests.processing.mosaic.pictures import opened

NEAR = 2  # of 255: other versions of NumPy and Pillow may round otherwise
STRAY = 0.01  # of the pixels: an edge may fall to the other side of a pixel's centre


@pytest.mark.parametrize("style", list(STYLES))
def test_a_style_makes_what_it_made(style: str) -> None:
    golden = opened((FOLDER / f"{style}.png").read_bytes()).astype(int)

    result = opened(render_golden(style)).astype(int)

    assert result.shape == golden.shape
    apart = (np.abs(result - golden).max(axis=-1) > NEAR).mean()
    assert apart <= STRAY, f"{apart:.1%} of the pixels differ; look at both, then make the golden pictures anew"


def test_there_is_one_golden_picture_a_style() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == sorted([*STYLES, "source"])
