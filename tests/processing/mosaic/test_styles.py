"""What every style keeps to. A new line in STYLES is tested here the day it is added."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from processing.mosaic import STYLES, parse, render
from processing.mosaic.canvas import PixelCanvas
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from tests.processing.mosaic.pictures import encoded, noise, opened, saved, scene
from tests.processing.mosaic.samples import drawn_flat, sample
from tests.processing.mosaic.svg_raster import rasterised

ALL = pytest.mark.parametrize("style", list(STYLES))
SVG = pytest.mark.parametrize("style", [name for name, style in STYLES.items() if style.svg])
ODD = encoded(scene(97, 61))
ADDED = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background", "timestamp", "duration"}
"""What Pillow says of any file that it has written or read."""


def talking() -> bytes:
    """A JPEG with everything that a JPEG can carry beside its picture."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Karl"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(scene(97, 61), "JPEG", exif=exif, comment=b"Karl", icc_profile=profile, xmp=b"<Karl/>", dpi=(72, 72))


TALKING = talking()


class Cancelled(Exception):
    pass


@ALL
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3), (97, 61)])
def test_the_size_is_kept_and_every_pixel_is_painted(style: str, size: tuple[int, int]) -> None:
    result = render(encoded(scene(*size)), parse(sample(style)))

    assert (result.width, result.height) == size
    assert opened(result.data).shape == (size[1], size[0], 3)
    assert 0 < result.quality.coverage <= 1
    assert result.quality.cells >= 1


@ALL
def test_the_same_bytes_and_recipe_give_the_same_bytes(style: str) -> None:
    first, second = (render(ODD, parse(sample(style, seed=5))) for _ in range(2))

    assert first.data == second.data


@ALL
def test_a_source_stays_as_it_is_unless_it_is_disposable(style: str) -> None:
    recipe, source = parse(sample(style)), decode(ODD, Progress())
    before = source.image.tobytes()

    beside = STYLES[style].paint(RenderContext(source, recipe.params, Progress())).canvas.encode("png", 85, Progress())
    assert source.image.tobytes() == before
    context = RenderContext(source, recipe.params, Progress(), reusable=True)
    over = STYLES[style].paint(context).canvas

    assert over.encode("png", 85, Progress()) == beside
    assert not isinstance(over, PixelCanvas) or over.image is source.image


@ALL
@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_every_format_can_be_read_and_carries_no_metadata(style: str, format: str) -> None:
    result = render(TALKING, parse(sample(style, format=format)))

    assert opened(result.data).shape == (61, 97, 3)
    assert result.format == format
    with Image.open(io.BytesIO(result.data)) as image:
        assert not image.getexif()
        assert set(image.info) <= ADDED
    assert b"Karl" not in result.data


@ALL
def test_progress_rises_from_0_to_1(style: str) -> None:
    seen: list[float] = []

    render(encoded(noise(900, 700)), parse(sample(style)), seen.append)

    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert len(set(seen)) >= 8


@ALL
@pytest.mark.parametrize("after", [0.0, 0.2, 0.5, 0.7])
def test_what_progress_raises_stops_the_work(style: str, after: float) -> None:
    def stop(fraction: float) -> None:
        if fraction >= after:
            raise Cancelled

    with pytest.raises(Cancelled):
        render(encoded(noise(300, 200)), parse(sample(style)), stop)


@ALL
def test_one_colour_stays_that_colour(style: str) -> None:
    flat = np.full((64, 80, 3), (200, 90, 30), np.uint8)

    pixels = opened(render(encoded(flat), parse(drawn_flat(style))).data).reshape(-1, 3).astype(int)

    near = np.abs(pixels - (200, 90, 30)).max(axis=1) <= 1
    assert near.mean() > 0.3  # joints and leading take the rest


@ALL
@pytest.mark.parametrize("cell", [None, "smallest", "largest"])
def test_numpy_takes_no_more_than_two_thirds_of_the_memory_allowed(style: str, cell: str | None) -> None:
    """4 bytes x pixels x 3 in all; Pillow's picture, which tracemalloc does not see, is the other third."""
    photo = saved(Image.fromarray(scene(400, 300)).resize((4000, 3000)), "JPEG", quality=90)
    low, high = STYLES[style].params.model_fields["cell"].metadata
    params = {"smallest": {"cell": low.ge}, "largest": {"cell": high.le}}.get(cell or "", {})

    tracemalloc.start()
    try:
        render(photo, parse(sample(style, **params)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * 4000 * 3000 * 2, f"{peak / 2**20:.0f} MiB"


@SVG
def test_svg_agrees_with_the_raster(style: str) -> None:
    raster = opened(render(ODD, parse(drawn_flat(style, cell=12))).data).astype(int)
    svg = render(ODD, parse(drawn_flat(style, cell=12, format="svg")))

    drawn = rasterised(svg.data).astype(int)

    wrong = np.abs(drawn - raster).max(axis=-1) > 1
    assert wrong.mean() < 0.02, f"{wrong.mean():.1%} of the pixels differ"
    assert svg.media_type == "image/svg+xml"
