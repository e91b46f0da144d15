"""A source that is decoded when its pixels are first used."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import NotAPicture
from processing.mosaic.codec.decode import Source, decode
from processing.mosaic.codec.deferred import SourceFacts
from processing.mosaic.colour.pixels import pixels
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import encoded, saved, scene

PHOTO = encoded(scene(64, 48), "JPEG")


class Decoder:
    """Counts how often the photo is decoded."""

    def __init__(self, data: bytes = PHOTO) -> None:
        self.count, self._data = 0, data

    def __call__(self) -> Source:
        self.count += 1
        return decode(self._data, Progress())


def deferred_photo(decoder: Decoder) -> Source:
    facts = SourceFacts.of(decode(PHOTO, Progress()))
    assert facts is not None
    return facts.deferred(decoder)


def test_what_is_said_of_a_source_decodes_nothing() -> None:
    decoder, source = Decoder(), decode(PHOTO, Progress())

    deferred = deferred_photo(decoder)

    assert (deferred.image.size, deferred.image.mode, deferred.alpha) == ((64, 48), "RGB", None)
    assert (deferred.width, deferred.height, deferred.bleed_px) == (source.width, source.height, source.bleed_px)
    assert decoder.count == 0


def test_all_uses_of_its_pixels_decode_it_once() -> None:
    decoder, image = Decoder(), decode(PHOTO, Progress()).image

    deferred = deferred_photo(decoder).image

    assert np.array_equal(np.asarray(deferred), np.asarray(image))
    assert np.array_equal(pixels(deferred), pixels(image))
    assert deferred.reduce(4).tobytes() == image.reduce(4).tobytes()
    assert deferred.crop((3, 4, 9, 9)).tobytes() == image.crop((3, 4, 9, 9)).tobytes()
    assert deferred.getpixel((5, 6)) == image.getpixel((5, 6))
    assert decoder.count == 1


@pytest.mark.parametrize("use", [np.asarray, pixels, Image.Image.copy, lambda image: image.resize((5, 5))])
def test_the_first_use_may_be_any(use: object) -> None:
    assert callable(use)
    decoder = Decoder()

    use(deferred_photo(decoder).image)

    assert decoder.count == 1


def test_using_its_pixels_raises_what_decoding_raises() -> None:
    deferred = deferred_photo(Decoder(PHOTO[:200])).image

    with pytest.raises(NotAPicture):
        deferred.resize((5, 5))


def test_the_pixels_of_a_transparent_source_are_needed() -> None:
    image = Image.new("RGBA", (8, 8), (10, 20, 30, 40))

    assert SourceFacts.of(decode(saved(image), Progress(), background=None)) is None
