"""The page of a result that is a PDF shows it, and the file opens at its true size."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file, until
from tests.processing.mosaic.pdf.pages import page_sizes_mm
from tests.processing.mosaic.pictures import encoded, scene

PHOTO = scene(480, 360)
DRAWN = "(image) => image.complete ? [image.naturalWidth, image.naturalHeight] : null"


@pytest.mark.parametrize(("style", "poster"), [("hexagon", "none"), ("tesserae", "a4")])
def test_the_page_of_a_pdf_shows_its_mosaic(
    user: BrowserUser, unique_name: Callable[[str], str], style: str, poster: str
) -> None:
    user.go_signed_up(unique_name("pia"))
    user.open_files(image_file(encoded(PHOTO, "JPEG"), "beach.jpg", "image/jpeg"))
    user.select_style(style)
    user.page.locator('[data-parameter="format"] select').select_option("pdf")
    if poster != "none":
        user.page.locator('[data-parameter="poster"] select').select_option(poster)
    user.make()
    user.wait_for_job("done")

    user.part("job-card").get_by_role("link", name="Open").click()

    after = user.page.locator('[data-page="image"] [data-part="after"]')
    until(user.page, lambda: (after.evaluate(DRAWN) or [0])[0] > 0)
    width, height = after.evaluate(DRAWN)
    assert width / height == pytest.approx(480 / 360, rel=0.02)
    seen = np.asarray(Image.open(io.BytesIO(after.screenshot())).convert("RGB").resize((12, 9))).astype(int)
    expected = np.asarray(Image.fromarray(PHOTO).resize((12, 9))).astype(int)
    assert np.abs(seen - expected).mean() < 30

    with user.page.expect_download() as download:
        user.page.locator('[data-page="image"] summary:visible').first.click()
        user.page.locator('[data-page="image"] [data-part="downloads"]').get_by_role(
            "button", name="Download as PDF"
        ).click()
    sizes = page_sizes_mm(download.value.path().read_bytes())
    a4 = pytest.approx((210, 297), abs=0.2)
    assert sizes == [a4 if poster == "a4" else pytest.approx((480 / 300 * 25.4, 360 / 300 * 25.4), abs=0.01)]
    expect(user.page.locator(".toast")).to_have_count(0)
