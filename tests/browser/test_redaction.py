"""What a user draws a box over is what the result hides, however the file says that it is turned."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, expect

from models.images.image_formats import IMAGE_FORMATS
from processing.mosaic import decode_image, parse, render
from tests.browser.user import BrowserUser, box_of, image_file
from tests.processing.mosaic.codec import files
from tests.processing.mosaic.codec.animated_files import Frame, apng
from tests.processing.mosaic.codec.test_colour import COLOUR, EXPECTED

CELL = 8
DASHES, RIM = (255, 255, 255), (18, 23, 43)
"""The colours of the outline of what is hidden."""
WIDE = ((12, 13), (9, 13), (1, 8), (12, 8))
BOXES = """async ({contents, formats}) => {
  const [{ Api }, { openImage }] = await Promise.all([import("/static/api.js"), import("/static/image-file.js")]);
  const limits = { formats, megapixels: 8, uploadMb: 20, renditionPx: 8192 };
  const boxes = [];
  for (const [name, text] of contents) {
    const file = new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name);
    const image = await openImage(file, { api: new Api(), limits });
    const bitmap = await createImageBitmap(image.large);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const red = [];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] > 190 && data[at + 1] < 90 && data[at + 2] < 90) red.push(at / 4);
    }
    const [xs, ys] = [red.map((at) => at % bitmap.width), red.map((at) => Math.floor(at / bitmap.width))];
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
    const sides = [bitmap.width, bitmap.height, bitmap.width, bitmap.height];
    boxes.push({ box: box.map((place, index) => place / sides[index]), size: [image.width, image.height] });
  }
  return boxes;
}"""


COLOURS = """async ({contents, formats}) => {
  const [{ Api }, { openImage }] = await Promise.all([import("/static/api.js"), import("/static/image-file.js")]);
  const limits = { formats, megapixels: 8, uploadMb: 20, renditionPx: 8192 };
  const centre = async (blob) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    const element = new Image();
    element.src = URL.createObjectURL(blob);
    await element.decode();
    context.drawImage(element, -32, -32);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const colours = [];
  for (const [name, text] of contents) {
    const file = new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name);
    const image = await openImage(file, { api: new Api(), limits });
    colours.push({ drawn: await centre(image.large), decoded: await centre(file) });
  }
  return colours;
}"""


def plate(scale: int = 1) -> Image.Image:
    """Greys with a red square, right of the middle and above it; 120 x 80 pixels times the scale."""
    across, down = np.meshgrid(np.linspace(70, 190, 120), np.linspace(0, 50, 80))
    pixels = np.repeat((across + down)[..., None], 3, axis=2).astype(np.uint8)
    pixels[16:32, 72:96] = (250, 0, 0)
    return Image.fromarray(pixels.repeat(scale, 0).repeat(scale, 1))


def turned_files() -> Iterator[tuple[str, bytes]]:
    """Every orientation, stated in every place of every format, alone and against the others."""
    image = plate()
    for number in range(1, 9):
        other = number % 8 + 1
        exif_chunk, raw = files.png_chunk(b"eXIf", files.exif(number)), files.raw_profile_chunk
        jpegs = {
            "exif": files.jpeg(image, files.app1(number)),
            "xmp": files.jpeg(image, files.xmp_segment(number)),
            "raw": files.jpeg(image, files.raw_profile_comment(number)),
            "all": files.jpeg(
                image, files.raw_profile_comment(other % 8 + 1), files.xmp_segment(other), files.app1(number)
            ),
        }
        pngs = {
            "exif": files.png(image, exif_chunk),
            "xmp": files.png(image, files.xmp_chunk(number)),
            "raw": files.png(image, raw(number)),
            "all": files.png(image, raw(other), files.xmp_chunk(other % 8 + 1), exif_chunk),
        }
        webps = {
            "exif": files.webp(image, exif=files.exif(number)),
            "xmp": files.webp(image, xmp=files.xmp(number)),
            "raw": files.webp(image, exif=files.raw_profile(number)),
            "all": files.webp(image, exif=files.exif(number), xmp=files.raw_profile(other % 8 + 1) + files.xmp(other)),
        }
        for format, kinds in {"jpg": jpegs, "png": pngs, "webp": webps}.items():
            yield from ((f"{number}-{kind}.{format}", data) for kind, data in kinds.items())


def red(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 0] > 190) & (pixels[..., 1:] < 90).all(axis=-1)


def pixels_of(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def assert_only_the_box_is_hidden(data: bytes, result: bytes, box: list[float], *, cell: int = CELL) -> None:
    source = decode_image(data)
    before, after = np.asarray(source.image), pixels_of(result)
    assert red(before).sum() > 300
    assert after.shape == before.shape
    assert not red(after).any()
    changed = np.argwhere((before != after).any(axis=-1))
    sides = np.array([source.height, source.width])
    low, high = np.array([box[1], box[0]]) * sides, np.array([box[3], box[2]]) * sides
    reach = source.bleed_px * 3 // 2 + 3 + cell  # the pen that widens a region is round
    assert (changed.min(axis=0) >= low - reach).all()
    assert (changed.max(axis=0) <= high + reach).all()


def test_a_box_drawn_on_the_picture_hides_what_is_under_it_in_every_orientation(user: BrowserUser) -> None:
    turned = dict(turned_files())
    user.go("/")

    contents = [(name, base64.b64encode(data).decode()) for name, data in turned.items()]
    drawn = user.page.evaluate(BOXES, {"contents": contents, "formats": list(IMAGE_FORMATS)})

    assert len(drawn) == 96
    for (name, data), seen in zip(turned.items(), drawn, strict=True):
        result = render(data, parse({"style": "redact", "regions": [seen["box"]], "cell": CELL}))
        assert (name, [result.width, result.height]) == (name, seen["size"])
        assert_only_the_box_is_hidden(data, result.data, seen["box"])


def test_the_picture_that_is_drawn_on_has_the_colours_of_the_result(user: BrowserUser) -> None:
    """Whether the browser or the server decodes it; and Chromium decodes it to the same."""
    image = Image.new("RGB", (64, 64), COLOUR)
    kinds = {f"{name}.png": files.png(image, *chunks) for name, (chunks, _) in EXPECTED.items()}
    kinds |= {f"{primaries}-{transfer}.avif": wide_avif(image, primaries, transfer) for primaries, transfer in WIDE}
    kinds |= {
        f"linear.{kind}": files.saved(image, kind, icc_profile=files.linear_profile()) for kind in ("jpeg", "webp")
    }
    kinds["hidden default.png"] = apng(Frame(COLOUR, side=64), apart=Frame((250, 0, 0), side=64), side=64)
    user.go("/")

    contents = [(name, base64.b64encode(data).decode()) for name, data in kinds.items()]
    colours = user.page.evaluate(COLOURS, {"contents": contents, "formats": list(IMAGE_FORMATS)})

    for (name, data), seen in zip(kinds.items(), colours, strict=True):
        pixel = list(decode_image(data).image.getpixel((32, 32)))
        assert (name, seen["drawn"]) == (name, pytest.approx(pixel, abs=4))
        assert (name, seen["decoded"]) == (name, pytest.approx(pixel, abs=3))


def wide_avif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    """Nearly lossless, with the code points of H.273 changed."""
    data = files.saved(image, "AVIF", quality=95, subsampling="4:4:4")
    assert data.count(b"nclx\0\x01\0\x0d") == 1
    return data.replace(b"nclx\0\x01\0\x0d", b"nclx\0" + bytes((primaries, 0, transfer)))


def test_a_redacted_picture_is_private_until_its_owner_has_looked_at_it(
    user: BrowserUser, new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]
) -> None:
    data = files.webp(plate(6), exif=files.exif(6), xmp=files.xmp(3))
    ys, xs = np.nonzero(red(np.asarray(decode_image(data).image)))
    box = [xs.min() / 480, ys.min() / 720, (xs.max() + 1) / 480, (ys.max() + 1) / 720]
    make_redacted(user, data, box, unique_name("ria"))
    result_url = user.page.url
    stranger = new_user()
    answer = stranger.page.request.get(f"/api/image/query/?id={result_url.rpartition('/')[2]}")
    assert answer.json()["error"] == "not_found"
    publish_all(user)
    expect(user.toast("1 redacted picture stays as it is.")).to_be_visible()
    user.go(result_url)

    check = user.page.get_by_role("group", name="Is everything covered?")
    expect(check).to_be_visible()
    expect(user.part("recipe")).to_have_text("Redact · Parts to hide: 1")
    assert colours_of_outline(user, box) >= {DASHES, RIM}
    expect(user.page.get_by_role("button", name="Share")).to_be_hidden()
    expect(user.visibility).to_be_hidden()
    result = user.page.request.get(user.part("after").get_attribute("src") or "").body()
    assert_only_the_box_is_hidden(data, result, [float(side) for side in box], cell=32)

    expect(check).to_contain_text("You chose “In the gallery”.")
    check.get_by_role("button", name="Yes, everything").click()
    expect(check).to_be_hidden()
    expect(user.part("visibility")).to_have_text("In the gallery")
    stranger.go(result_url)
    expect(stranger.part("by")).to_have_text(f"by {user.name}")
    expect(user.visibility).to_be_visible()
    expect(user.page.get_by_role("button", name="Share")).to_be_visible()
    expect(user.page.get_by_role("button", name="Save")).to_be_visible()
    expect(user.page.get_by_label("Show the original")).to_be_hidden()
    user.page.reload()
    expect(user.page.get_by_role("button", name="Share")).to_be_visible()
    expect(user.part("outlines")).to_have_count(0)


def make_redacted(user: BrowserUser, data: bytes, box: list[float], name: str) -> None:
    """Draw a box on a picture, sign up, make a mosaic for the gallery and open its page.

    box: left, top, right, bottom in fractions of the picture.
    """
    user.go("/")
    user.open_files(image_file(data, "plate.webp", "image/webp"))
    user.select_style("redact")
    expect(user.part("stage-note")).to_be_visible()
    sheet = box_of(user.part("regions-sheet"))
    user.page.mouse.move(sheet["x"] + sheet["width"] * box[0], sheet["y"] + sheet["height"] * box[1])
    user.page.mouse.down()
    user.page.mouse.move(sheet["x"] + sheet["width"] * box[2], sheet["y"] + sheet["height"] * box[3], steps=4)
    user.page.mouse.up()
    user.visibility.select_option("In the gallery")
    user.sign_up(name)
    expect(user.part("make-note")).to_contain_text("At first only you can see it.")
    user.make()
    user.wait_for_job("done")
    user.part("job-card").get_by_role("link", name="Open").click()
    expect(user.page).to_have_url(re.compile(r"/i/\d+$"))


def colours_of_outline(user: BrowserUser, box: list[float]) -> set[tuple[int, int, int]]:
    """The colours on the screen along the left side of the only outline, up to 3 pixels from it."""
    outlines = user.part("outlines")
    expect(outlines.locator("g")).to_have_count(1)
    whole = box_of(outlines)
    left = round(whole["x"] + box[0] * whole["width"])
    top, bottom = (round(whole["y"] + side * whole["height"]) for side in (box[1], box[3]))
    clip = FloatRect(x=left - 3, y=top, width=6, height=bottom - top)
    screenshot = Image.open(io.BytesIO(user.page.screenshot(clip=clip))).convert("RGB")
    return {colour for _, colour in screenshot.getcolors(screenshot.width * screenshot.height) or ()}


def publish_all(user: BrowserUser) -> None:
    """Tries to show all pictures of a user in the gallery."""
    user.go("/gallery?view=mine")
    user.page.get_by_role("button", name="Select pictures").click()
    user.page.get_by_role("button", name="All", exact=True).click()
    user.visibility.select_option("In the gallery")
    user.page.get_by_role("button", name="Change", exact=True).click()
