"""The sRGB transfer function."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.colour.srgb import encode_srgb, linear_lut, linearise, to_bytes
from tests.processing.mosaic.pictures import noise


def test_linear_light_survives_a_round_trip() -> None:
    values = noise(50, 50).reshape(-1, 3) / 255

    assert np.allclose(encode_srgb(linearise(values)), values)


@pytest.mark.parametrize("linear", [True, False])
def test_the_lookup_table_is_the_inverse_of_to_bytes(linear: bool) -> None:
    assert np.array_equal(to_bytes(linear_lut(linear), linear), np.arange(256))
