"""The quality card tells a good mosaic from a bad one."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic import parse, render
from processing.mosaic.colour.oklab import delta_e, oklab_to_srgb, srgb_to_oklab
from processing.mosaic.colour.palette import nearest_indices
from processing.mosaic.colour.srgb import encode_srgb, linear_lut, linearise, to_bytes
from tests.processing.mosaic.pictures import encoded, noise, scene


def test_smaller_cells_come_nearer_to_the_source_than_two_colours() -> None:
    photo = encoded(scene(400, 300))

    fine = render(photo, parse({"cell": 4})).quality
    poor = render(photo, parse({"cell": 4, "palette": "mono"})).quality

    assert fine.difference < 1 < poor.difference
    assert (fine.coverage, fine.repeats, fine.cells) == (1.0, 0, 100 * 75)


def test_time_is_the_callers_clock() -> None:
    ticks = iter([10.0, 12.5])

    card = render(encoded(scene(20, 20)), parse("mosaic"), clock=lambda: next(ticks)).quality

    assert card.time_s == 2.5
    assert card.to_dict()["measure"] == "OKLab x 100"


def test_black_and_white_are_100_apart_and_equal_colours_0() -> None:
    black, white = np.zeros((1, 3), np.uint8), np.full((1, 3), 255, np.uint8)

    assert delta_e(black, white)[0] == pytest.approx(100, abs=0.01)
    assert delta_e(white, white)[0] == 0


def test_oklab_and_linear_light_read_back() -> None:
    colours = noise(50, 50).reshape(-1, 3)

    assert np.array_equal(oklab_to_srgb(srgb_to_oklab(colours)), colours)
    assert np.allclose(encode_srgb(linearise(colours / 255)), colours / 255)
    assert np.array_equal(to_bytes(linear_lut(True), True), np.arange(256))


def test_the_nearest_colour_is_the_one_that_looks_nearest() -> None:
    palette = np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], np.uint8)

    assert nearest_indices(np.array([[200, 30, 30], [20, 20, 20], [240, 250, 250]], np.uint8), palette).tolist() == [
        1,
        0,
        2,
    ]
