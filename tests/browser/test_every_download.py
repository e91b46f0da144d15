"""Whatever the page of a result offers as a file is what it says, in a style of each set of files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from processing.mosaic import PLANNED_STYLES, STYLES
from tests.browser.test_image_regions import drag
from tests.browser.user import BrowserUser, box_of, image_file
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm
from tests.processing.mosaic.pictures import encoded, scene

SIZE = 180, 135
SIZE_OF_PHOTOMOSAIC = 960, 720
"""Fifteen tiles of 64 pixels beside each other."""
PHOTO = scene(*SIZE)
POSTERS = {"A4": (210, 297), "Letter": (215.9, 279.4)}
ALIKE = 6.0  # of 255, the mean difference of small copies
WITH_FILES_OF_THEIR_OWN = ("brick", "beads", "photomosaic", "redact")


def _kinds_of_files(style: str) -> tuple[object, ...]:
    own = style if style in WITH_FILES_OF_THEIR_OWN else None
    return STYLES[style].svg, style in PLANNED_STYLES, "material" in STYLES[style].params.model_fields, own


EXAMPLES = list({_kinds_of_files(style): style for style in STYLES}.values())
"""Each file of every style would take a minute of processor time."""


def test_every_kind_of_file_is_downloaded(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    """One user goes through all examples, as opening the page takes as long as making a mosaic."""
    user.go_signed_up(unique_name("dora"))
    user.open_files(image_file(encoded(PHOTO, "JPEG"), "beach.jpg", "image/jpeg"))
    for style in EXAMPLES:
        check_files(user, style)
        user.page.get_by_role("link", name="Studio", exact=True).click()


def check_files(user: BrowserUser, style: str) -> None:
    """Make a mosaic of the image in the studio, and download what its page offers."""
    user.select_style(style)
    if style == "redact":
        hide_a_part(user)
    user.make()
    user.wait_for_job("done")
    card = user.part("job-card")
    shapes = card.get_by_role("button", name="Download as SVG")
    assert shapes.count() == STYLES[style].svg
    if STYLES[style].svg:
        assert ElementTree.fromstring(clicked(user, shapes)).tag.endswith("svg")
    card.get_by_role("link", name="Open").click()
    if style == "redact":
        user.page.get_by_role("button", name="Yes, everything").click()
    menu = user.page.locator('[data-page="image"] [data-part="downloads"]')
    summary = user.part("download-menu").locator("summary")
    summary.click()
    expect(menu.get_by_role("button")).not_to_have_count(0)  # of a picture that has arrived
    kinds = [label.removeprefix("Download as ") for label in labels_of(menu)]

    files = {}
    for kind in kinds:
        if not menu.is_visible():
            summary.evaluate("summary => summary.click()")
        files[kind] = clicked(user, menu.get_by_role("button", name=f"Download as {kind}", exact=True))

    posters = [f"a poster of {paper} sheets" for paper in POSTERS]
    assert kinds == ["PNG", "JPEG", "WEBP", "PDF", *posters]
    result = np.asarray(Image.open(io.BytesIO(files["PNG"])).convert("RGB"))
    width, height = SIZE_OF_PHOTOMOSAIC if style == "photomosaic" else SIZE
    for kind in ("PNG", "JPEG", "WEBP"):
        with Image.open(io.BytesIO(files[kind])) as image:
            assert (image.format, image.size) == (kind, (width, height))
            assert difference(np.asarray(image.convert("RGB")), result) < ALIKE
    sheet = pytest.approx((width / 300 * 25.4, height / 300 * 25.4), abs=0.01)
    assert page_sizes_mm(files["PDF"]) == [sheet]
    assert difference(page_pixels(files["PDF"], scale=300 / 72)[:height, :width], result) < ALIKE
    for paper, size in POSTERS.items():
        assert page_sizes_mm(files[f"a poster of {paper} sheets"]) == [pytest.approx(size, abs=0.1)]
    check_plan(user, style)
    expect(user.page.locator(".toast--error")).to_have_count(0)


def check_plan(user: BrowserUser, style: str) -> None:
    """Of styles that are built of pieces: the parts list and the plan; of others, neither."""
    pieces = user.part("parts-list")
    if style not in PLANNED_STYLES:
        expect(pieces).to_be_hidden()
        return
    expect(pieces).to_be_visible()
    buttons = {
        name: pieces.locator(f'[data-action="{name}"]') for name in ("csv", "bricklink", "plan", "mirrored-plan")
    }
    offered = {name for name, button in buttons.items() if button.is_visible()}
    files = {name: clicked(user, buttons[name]) for name in sorted(offered)}
    extra = {"brick": {"bricklink", "mirrored-plan"}, "beads": {"mirrored-plan"}}
    assert offered == {"csv", "plan"} | extra.get(style, set())
    assert len(list(csv.DictReader(io.StringIO(files["csv"].decode())))) > 1
    for name in offered & {"plan", "mirrored-plan"}:
        assert len(page_sizes_mm(files[name])) >= 1
    if "bricklink" in offered:
        assert ElementTree.fromstring(files["bricklink"]).findall("ITEM")


def labels_of(menu: Locator) -> list[str]:
    return [button.get_attribute("aria-label") or button.inner_text() for button in menu.get_by_role("button").all()]


def clicked(user: BrowserUser, button: Locator) -> bytes:
    with user.page.expect_download() as download:
        button.click()
    return download.value.path().read_bytes()


def hide_a_part(user: BrowserUser) -> None:
    expect(user.part("stage-note")).to_be_visible()
    sheet = box_of(user.part("regions-sheet"))
    corner = sheet["x"] + sheet["width"] * 0.3, sheet["y"] + sheet["height"] * 0.3
    drag(user, corner, (sheet["width"] * 0.2, sheet["height"] * 0.2))


def difference(pixels: np.ndarray, others: np.ndarray) -> float:
    """The mean difference of copies of 12 x 9 pixels."""
    one, other = (
        np.asarray(Image.fromarray(each).resize((12, 9), Image.Resampling.BOX)).astype(int) for each in (pixels, others)
    )
    return float(np.abs(one - other).mean())
