"""Images of every aspect ratio are shown whole, and the marked region is the one that is redacted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_phone import UNCOVERED
from tests.browser.user import BrowserUser, box_of, image_file, until
from tests.hostile import heif
from tests.support.pictures import encoded, png

SIZES = {"9:16": (270, 480), "1:1": (400, 400), "16:9": (480, 270), "1:20": (40, 800), "20:1": (800, 40)}
WIDTHS = {"desktop": (1280, 800), "tablet": (820, 1180), "phone": (390, 844)}
SIZES_AT = {"desktop": list(SIZES), "tablet": ["16:9", "1:20"], "phone": ["9:16", "20:1"]}
"""Each width meets an upright and a wide image, one of them extreme."""

# The box of the image's pixels on the screen, of its frame, and of the sheet on which regions are drawn.
BOXES = """async () => {
    const boxOf = element => {
        const { left, top, right, bottom } = element.getBoundingClientRect();
        return [left, top, right, bottom];
    };
    const stage = document.querySelector('[data-part="workspace"]');
    const image = stage.querySelector('[data-part="after"]');
    await image.decode();
    const [left, top, right, bottom] = boxOf(image);
    const scale = Math.min((right - left) / image.naturalWidth, (bottom - top) / image.naturalHeight);
    const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    const [x, y] = [(left + right - width) / 2, (top + bottom - height) / 2];
    return {
        pixels: [x, y, x + width, y + height],
        frame: boxOf(stage.querySelector('[data-part="compare"]')),
        sheet: boxOf(stage.querySelector('[data-part="regions-sheet"]')),
    };
}"""
# The box of the dark pixels of the preview, as fractions of it, and the length of a preview pixel on the screen.
REDACTED = """async () => {
    const image = document.querySelector('[data-part="workspace"] [data-part="after"]');
    await image.decode();
    const { naturalWidth: width, naturalHeight: height } = image;
    const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const [columns, rows] = [[], []];
    for (let pixel = 0; pixel < width * height; pixel += 1) {
        if (data[pixel * 4] < 160) { columns.push(pixel % width); rows.push(Math.floor(pixel / width)); }
    }
    const least = list => list.reduce((a, b) => Math.min(a, b), Infinity);
    const most = list => list.reduce((a, b) => Math.max(a, b), -1) + 1;
    return [least(columns) / width, least(rows) / height, most(columns) / width, most(rows) / height];
}"""
# Blocks that a region touches are redacted whole, and in a JPEG also those that its compression may have spread into.
MARGIN_PX = 36


def open_in_redact(user: BrowserUser, size: tuple[int, int]) -> dict[str, list[float]]:
    """Open a white image in the redact style. Returns the boxes on the screen."""
    user.open_files(image_file(encoded(Image.new("RGB", size, "white"), "PNG"), f"{size[0]}x{size[1]}.png"))
    user.select_style("redact")
    user.open_tab("settings")
    user.page.locator('[data-parameter="fill"] select').select_option("solid")
    cell = user.page.locator('[data-parameter="cell"] input[type="number"]')
    cell.fill("8")
    cell.press("Enter")
    return boxes_at_rest(user)


def boxes_at_rest(user: BrowserUser) -> dict[str, list[float]]:
    """The boxes on the screen, once the sheet for regions is there and nothing moves."""
    expect(user.part("regions-sheet")).to_be_visible()
    boxes: dict[str, list[float]] = {}

    def are_at_rest() -> bool:
        before = dict(boxes)
        boxes.update(user.page.evaluate(BOXES))
        return boxes == before

    until(user.page, are_at_rest)
    return boxes


@pytest.mark.parametrize("width", WIDTHS)
def test_the_image_is_visible_as_a_whole_and_the_region_marked_on_it_is_redacted(
    width: str, new_user: Callable[..., BrowserUser]
) -> None:
    user = new_user(viewport=dict(zip(("width", "height"), WIDTHS[width], strict=True)))
    user.go("/")
    for size in (SIZES[name] for name in SIZES_AT[width]):
        boxes = open_in_redact(user, size)
        check_visible(boxes)
        check_redaction(user, size, boxes["sheet"])


def check_visible(boxes: dict[str, list[float]]) -> None:
    """The frame contains the whole image, and the sheet for regions covers exactly it."""
    left, top, right, bottom = boxes["frame"]
    x, y, u, v = boxes["pixels"]
    assert (left - 1 <= x, top - 1 <= y, u <= right + 1, v <= bottom + 1) == (True,) * 4, boxes
    assert boxes["sheet"] == pytest.approx(boxes["pixels"], abs=1)


def check_redaction(user: BrowserUser, size: tuple[int, int], sheet: list[float]) -> None:
    """Mark a region; the preview is dark there and nowhere else."""
    x, y, u, v = sheet
    start = (x + (u - x) * 0.5, y + (v - y) * 0.25)
    end = (x + (u - x) * 0.9, y + (v - y) * 0.75)

    user.page.mouse.move(*start)
    user.page.mouse.down()
    user.page.mouse.move(*end, steps=4)
    user.page.mouse.up()
    user.wait_for_preview()

    scale = max(u - x, v - y) / max(size)

    def margins() -> tuple[float, ...]:
        """How far the dark box reaches beyond the region, on the screen."""
        left, top, right, bottom = user.page.evaluate(REDACTED)
        box = (x + left * (u - x), y + top * (v - y), x + right * (u - x), y + bottom * (v - y))
        return start[0] - box[0], start[1] - box[1], box[2] - end[0], box[3] - end[1]

    until(user.page, lambda: [margin for margin in margins() if not -1 <= margin <= MARGIN_PX * scale + 1], [])


@pytest.mark.parametrize("width", [20, 180])
def test_the_handle_is_well_inside_the_image_however_narrow_that_is(width: int, user: BrowserUser) -> None:
    user.go("/")
    user.open_files(image_file(png(width, 400), "tower.png"))
    user.wait_for_preview()
    frame = box_of(user.part("compare"))
    handle = box_of(user.part("workspace").get_by_role("slider", name="Before and after:"))

    beside = handle["x"] + handle["width"] / 2 - (frame["x"] + frame["width"] / 2)

    assert abs(beside) < frame["height"] * width / 400 * 0.4


EXIF_ORIENTATION = 274


def test_an_image_with_an_orientation_is_shown_upright_as_the_server_reads_it(user: BrowserUser) -> None:
    """Chromium does not turn a WebP itself."""
    user.go("/")
    for orientation in (3, 6, 8):
        check_upright(user, "WEBP", orientation)
    for kind in ("JPEG", "PNG"):
        check_upright(user, kind, 6)


def check_upright(user: BrowserUser, kind: str, orientation: int) -> None:
    """The top half of the upright image is black; in the file it is rotated."""
    upright = Image.new("RGB", (120, 200), "white")
    upright.paste("black", (0, 0, 120, 100))
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    data = encoded(upright.transpose(turn), kind, exif=exif)

    user.open_files(image_file(data, f"turned-{orientation}.{kind.lower()}", f"image/{kind.lower()}"))

    expect(user.part("stage-name")).to_contain_text("120 × 200")
    top, bottom = user.page.evaluate(
        """async () => {
            const image = document.querySelector('[data-part="workspace"] [data-part="before"]');
            await image.decode();
            const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 200 });
            const context = canvas.getContext("2d", { willReadFrequently: true });
            context.drawImage(image, 0, 0, 120, 200);
            return [50, 150].map(y => context.getImageData(60, y, 1, 1).data[0]);
        }"""
    )
    assert (top < 50, bottom > 200) == (True, True), (kind, orientation)


def test_formats_of_phones_are_drawn_as_the_server_decodes_them(user: BrowserUser) -> None:
    user.go("/")
    for kind, data in (("avif", heif.avif(120)), ("heic", heif.heic(130))):
        user.open_files(image_file(data, f"{kind}.heic", ""))

        side = {"avif": 120, "heic": 130}[kind]
        expect(user.part("stage-name")).to_contain_text(f"{side} × {side}")


@pytest.mark.parametrize("width", [390, 1024, 1280])
def test_nothing_lies_over_the_picture(width: int, new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(viewport={"width": width, "height": 800})
    user.go("/")
    user.open_files(image_file(png(480, 480), "square.png"))

    expect(user.page.get_by_role("button", name="Zoom in")).to_be_in_viewport(ratio=1)
    expect(user.part("stage-name")).to_be_in_viewport(ratio=1)
    user.page.wait_for_function(UNCOVERED)
    expect(user.page.locator(".compare--stage .compare__tag").first).to_be_hidden()
    user.page.get_by_role("slider", name="Before and after:").hover()
    expect(user.page.locator(".compare--stage .compare__tag").first).to_be_visible()
