"""`background: none` keeps transparency: cells in the mean of what they hold, weighted by alpha."""

from __future__ import annotations

import base64
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, BadParameter, parse, render
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.processing.mosaic.pictures import encoded, noise, saved
from tests.processing.mosaic.samples import sample

FLAT = ["mosaic", "hexagon", "triangle", "diamond", "voronoi", "quadtree", "tesserae"]


def sticker(width: int = 120, height: int = 90) -> Image.Image:
    """Noise in a disc, nothing around it; what is invisible is green."""
    y, x = np.mgrid[0:height, 0:width]
    alpha = np.where((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 2.5) ** 2, 255, 0).astype(np.uint8)
    colours = noise(width, height)
    colours[alpha == 0] = (0, 255, 0)
    return Image.fromarray(np.dstack([colours, alpha]))


def rendered(image: Image.Image, recipe: dict[str, object]) -> np.ndarray:
    data = render(saved(image), parse({"background": "none", **recipe})).data
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


@pytest.mark.parametrize("style", list(STYLES))
def test_every_style_keeps_the_empty_corners_empty(style: str) -> None:
    size = {} if style == "redact" else {"size": 120}
    pixels = rendered(sticker(), sample(style, **size))

    assert pixels.shape == (90, 120, 4)
    assert (pixels[:8, :8, 3] == 0).all()
    assert pixels[35:55, 50:70, 3].max() == 255


def test_a_cell_is_the_mean_of_what_it_holds_weighted_by_alpha() -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, :2] = (200, 10, 30, 255)
    image[:, 2:4] = (100, 60, 90, 128)
    image[:, 4:] = (0, 255, 0, 0)
    weights = np.array([255, 128])[:, None] / 255
    light = (linearise(np.array([[200, 10, 30], [100, 60, 90]]) / 255) * weights).sum(axis=0) / weights.sum()

    pixel = rendered(Image.fromarray(image), {"cell": 8})[0, 0]

    assert pixel[:3] == pytest.approx(np.rint(encode_srgb(light) * 255), abs=1)
    assert pixel[3] == pytest.approx((255 * 2 + 128 * 2) / 8, abs=1)


@pytest.mark.parametrize("style", FLAT)
def test_no_invisible_colour_shows(style: str) -> None:
    image = sticker()
    green = np.asarray(image).copy()
    green[..., :3] = np.where(green[..., 3:] == 0, (255, 0, 255), green[..., :3])

    same = rendered(image, {"style": style, "cell": 9}), rendered(Image.fromarray(green), {"style": style, "cell": 9})

    assert np.array_equal(*same)


def test_webp_keeps_it_and_svg_writes_opacities() -> None:
    data = saved(sticker())
    webp = render(data, parse({"background": "none", "format": "webp", "cell": 9})).data
    svg = render(data, parse({"background": "none", "format": "svg", "cell": 9})).data

    assert Image.open(io.BytesIO(webp)).mode == "RGBA"
    assert b'fill-opacity="0"' in svg
    assert b'fill-opacity="1"' in svg


@pytest.mark.parametrize("style", ["dots", "brick", "beads", "stitch"])
def test_the_svg_of_other_styles_is_masked_by_the_alpha_of_the_raster(style: str) -> None:
    recipe = {**sample(style), "size": 120}
    data = render(saved(sticker()), parse({"background": "none", **recipe, "format": "svg"})).data
    svg = "{http://www.w3.org/2000/svg}"
    root = ElementTree.fromstring(data)

    (image,) = root.iterfind(f"{svg}mask/{svg}image")
    mask = Image.open(io.BytesIO(base64.b64decode(image.attrib["href"].partition(",")[2])))
    assert np.array_equal(np.asarray(mask.convert("L")), rendered(sticker(), recipe)[..., 3])
    assert [child.tag for child in root] == [f"{svg}mask", f"{svg}g"]
    assert root[1].attrib == {"mask": "url(#alpha)"}
    assert len(list(root[1].iter())) > 20


def test_a_jpeg_cannot_be_transparent() -> None:
    with pytest.raises(BadParameter, match="background"):
        render(saved(sticker()), parse({"background": "none", "format": "jpeg"}))


def test_an_opaque_picture_gives_the_same_bytes_as_with_a_background() -> None:
    data = encoded(noise(60, 40))

    assert render(data, parse({"background": "none"})).data == render(data, parse("mosaic")).data


def test_what_redact_hides_is_opaque_whatever_its_alpha_was() -> None:
    pixels = rendered(sticker(), {"style": "redact", "regions": [[0, 0, 0.5, 0.5]], "cell": 10})

    assert (pixels[:40, :50, 3] == 255).all()
    assert (pixels[-5:, -5:, 3] == 0).all()


def test_it_is_turned_and_scaled_with_the_picture() -> None:
    exif = Image.Exif()
    exif[274] = 6
    image = sticker()
    image.putalpha(Image.fromarray(np.pad(np.full((45, 120), 255, np.uint8), ((0, 45), (0, 0)))))
    recipe = parse({"background": "none", "size": 60, "cell": 5})

    pixels = np.asarray(Image.open(io.BytesIO(render(saved(image, exif=exif), recipe).data)))

    assert pixels.shape == (60, 45, 4)
    assert pixels[30, 40, 3] == 255
    assert pixels[30, 5, 3] == 0
