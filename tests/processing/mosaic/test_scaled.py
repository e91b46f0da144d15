"""An image seen at another size: pieces fit together, whatever their size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import scaled
from processing.mosaic.scaled import ScaledImage
from tests.processing.mosaic.pictures import noise


def test_reducing_some_rows_at_a_time_gives_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    image = ScaledImage(Image.fromarray(noise(80, 60)), (501, 376))
    whole = np.asarray(image.reduce(7)).astype(int)

    monkeypatch.setattr(scaled, "BAND_PX", 1)
    parts = np.asarray(image.reduce(7)).astype(int)

    assert parts.shape == (54, 72, 3)
    assert np.abs(parts - whole).max() <= 1, "but for rounding"
