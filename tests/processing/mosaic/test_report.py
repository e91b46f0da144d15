"""The quality report distinguishes a good mosaic from a bad one."""

from __future__ import annotations

from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.codec.decode import Source
from processing.mosaic.report import reference
from tests.processing.mosaic.pictures import encoded, scene


def test_small_cells_come_nearer_to_the_source_than_two_colours() -> None:
    photo = encoded(scene(400, 300))

    good = render(photo, parse({"cell": 4})).quality
    bad = render(photo, parse({"cell": 4, "palette": "mono"})).quality

    assert good.difference < 1 < bad.difference
    assert (good.coverage, good.repeats, good.cells) == (1.0, 0, 100 * 75)


def test_time_is_measured_by_the_callers_clock() -> None:
    ticks = iter([10.0, 12.5])

    quality = render(encoded(scene(20, 20)), parse("mosaic"), clock=lambda: next(ticks)).quality

    assert quality.time_s == 2.5
    assert quality.to_dict()["measure"] == "OKLab x 100"


def test_a_source_that_was_decoded_at_the_size_of_the_result_is_the_reference() -> None:
    image = Image.fromarray(scene(700, 500))

    original = reference(Source(image, 1400, 1000, 2), (700, 500))

    assert original.factor == 3
    assert original.image.tobytes() == image.reduce(3).tobytes()
