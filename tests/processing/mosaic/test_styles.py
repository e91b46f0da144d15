"""Properties of every style. A new entry in STYLES is tested here automatically."""

from __future__ import annotations

import io
import tracemalloc
from functools import cache

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from processing.mosaic import STYLES, BadParameter, parse, render
from processing.mosaic.canvas import PixelCanvas
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.style import RenderContext
from tests.processing.mosaic.pictures import encoded, opened, saved, scene
from tests.processing.mosaic.samples import sample, sample_flat
from tests.processing.mosaic.svg_raster import rasterised, rasterised_by_area

EVERY_STYLE = pytest.mark.parametrize("style", list(STYLES))
SVG_STYLES = pytest.mark.parametrize("style", [name for name, style in STYLES.items() if style.svg])
ODD_SIZE = encoded(scene(97, 61))
PILLOW_INFO = {
    "jfif",
    "jfif_version",
    "jfif_unit",
    "jfif_density",
    "loop",
    "background",
    "timestamp",
    "duration",
    "version",
}
"""Image.info of any file that Pillow has written or read."""


def photo_with_metadata() -> bytes:
    """A JPEG with every kind of metadata that a JPEG can carry."""
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Karl"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(scene(97, 61), "JPEG", exif=exif, comment=b"Karl", icc_profile=profile, xmp=b"<Karl/>", dpi=(72, 72))


class Stop(Exception):
    pass


@EVERY_STYLE
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3), (97, 61)])
def test_the_size_is_the_recipe_s_and_every_pixel_is_painted(style: str, size: tuple[int, int]) -> None:
    recipe = parse(sample(style))
    width, height = recipe.params.result_size(*size)

    result = render(encoded(scene(*size)), recipe)

    assert (width, height) == size or style == "photomosaic"
    assert (result.width, result.height) == (width, height)
    assert opened(result.data).shape == (height, width, 3)
    assert 0 < result.quality.coverage <= 1
    assert result.quality.cells >= 1


@EVERY_STYLE
def test_the_same_bytes_and_recipe_give_the_same_bytes(style: str) -> None:
    first, second = (render(ODD_SIZE, parse(sample(style, seed=5))) for _ in range(2))

    assert first.data == second.data


@EVERY_STYLE
def test_a_source_is_not_changed_unless_it_is_reusable(style: str) -> None:
    recipe, source = parse(sample(style)), decode(ODD_SIZE, Progress())
    before = source.image.tobytes()

    separate = STYLES[style].paint(RenderContext(source, recipe.params, Progress())).canvas
    assert source.image.tobytes() == before
    reused = STYLES[style].paint(RenderContext(source, recipe.params, Progress(), reusable=True)).canvas

    assert reused.encode("png", 85, Progress()) == separate.encode("png", 85, Progress())
    assert not isinstance(reused, PixelCanvas) or reused.image is source.image


@EVERY_STYLE
@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "gif"])
def test_every_format_can_be_read_and_has_no_metadata(style: str, format: str) -> None:
    recipe = parse(sample(style, format=format))

    result = render(photo_with_metadata(), recipe)

    assert opened(result.data).shape[1::-1] == recipe.params.result_size(97, 61)
    assert result.format == format
    with Image.open(io.BytesIO(result.data)) as image:
        assert not image.getexif()
        assert set(image.info) <= PILLOW_INFO
    assert b"Karl" not in result.data


@EVERY_STYLE
def test_progress_rises_from_0_to_1(style: str) -> None:
    fractions: list[float] = []

    render(encoded(scene(600, 450)), parse(sample(style)), fractions.append)

    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert len(set(fractions)) >= 8


@EVERY_STYLE
@pytest.mark.parametrize("after", [0.0, 0.2, 0.5, 0.7])
def test_an_exception_of_the_progress_callback_stops_the_work(style: str, after: float) -> None:
    def stop(fraction: float) -> None:
        if fraction >= after:
            raise Stop

    with pytest.raises(Stop):
        render(encoded(scene(300, 200)), parse(sample(style)), stop)


@EVERY_STYLE
def test_a_picture_of_one_colour_keeps_its_colour(style: str) -> None:
    flat = np.full((64, 80, 3), (200, 90, 30), np.uint8)

    pixels = opened(render(encoded(flat), parse(sample_flat(style))).data).reshape(-1, 3).astype(int)

    equal = np.abs(pixels - (200, 90, 30)).max(axis=1) <= 1
    assert equal.mean() > 0.3  # joints and leading take the rest


SMALLER_PHOTO, PHOTO = (2240, 1680), (3200, 2400)


@cache
def photo(size: tuple[int, int]) -> bytes:
    return saved(Image.fromarray(scene(400, 300)).resize(size), "JPEG", quality=90)


# The others take 1 to 15 s of processor time with such cells; tests/bench/memory.py measures those.
SMALLEST = ("mosaic", "hexagon", "diamond", "quadtree", "photomosaic", "beads", "numbers", "redact")
LARGEST = ("mosaic", "hexagon", "triangle", "diamond", "quadtree", "photomosaic", "redact")
CELLS = [(style, None) for style in STYLES]
CELLS += [(style, "smallest") for style in SMALLEST] + [(style, "largest") for style in LARGEST]
WITH_TABLES = [("tesserae", None), ("lowpoly", None), ("mosaic", "smallest"), ("photomosaic", "largest")]
"""What they hold of a fixed size fits into the budget of a photo, not of a smaller one."""


@pytest.mark.parametrize(("style", "cell"), CELLS)
def test_numpy_takes_at_most_two_thirds_of_the_memory_budget(style: str, cell: str | None) -> None:
    """The budget is 4 bytes x pixels x 3; Pillow's image, which tracemalloc does not count, takes one third."""
    low, high = STYLES[style].params.model_fields["cell"].metadata
    params = {"smallest": {"cell": low.ge}, "largest": {"cell": high.le}}.get(cell or "", {})
    width, height = PHOTO if (style, cell) in WITH_TABLES else SMALLER_PHOTO
    source = photo((width, height))

    tracemalloc.start()
    try:
        render(source, parse(sample(style, **params)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 * width * height * 2, f"{peak / 2**20:.0f} MiB"


@SVG_STYLES
def test_the_svg_agrees_with_the_raster(style: str) -> None:
    raster = opened(render(ODD_SIZE, parse(sample_flat(style, cell=12))).data).astype(int)
    svg = render(ODD_SIZE, parse(sample_flat(style, cell=12, format="svg")))

    by_centres = style in ("dots", "brick")  # whose raster is not antialiased where the sample is flat
    if style == "quadtree":  # whose edges take the exact part of a pixel
        from_svg = rasterised_by_area(svg.data).astype(int)
    else:
        from_svg = rasterised(svg.data, samples=1 if by_centres else 3).astype(int)

    different = np.abs(from_svg - raster).max(axis=-1) > 1
    assert different.mean() < 0.02, f"{different.mean():.1%} of the pixels differ"
    assert svg.media_type == "image/svg+xml"


@pytest.mark.parametrize("style", [name for name, style in STYLES.items() if not style.svg])
def test_a_style_without_flat_cells_refuses_svg(style: str) -> None:
    with pytest.raises(BadParameter) as refused:
        render(ODD_SIZE, parse(sample(style, format="svg")))

    assert refused.value.details["field"] == "format"
