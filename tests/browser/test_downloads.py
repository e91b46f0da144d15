"""A finished result is saved in every format, and its time is an estimate for the next one."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file
from tests.processing.mosaic.pdf.pages import page_sizes_mm
from tests.support.pictures import jpeg


def test_the_result_is_downloaded_in_every_format(user: BrowserUser, unique_name: Callable[[str], str]) -> None:
    user.go("/")
    user.open_files(image_file(jpeg(160, 120), "beach.jpg", "image/jpeg"))
    user.sign_up(unique_name("dan"))
    user.make()
    user.wait_for_job("done")
    got = {}

    for form in ("PNG", "JPEG", "WEBP", "SVG", "PDF"):
        with user.page.expect_download() as download:
            user.part("job-card").get_by_role("button", name=f"Download as {form}").click()
        got[form] = (download.value.suggested_filename, download.value.path().read_bytes())

    assert [name for name, _ in got.values()] == [f"beach-mosaic.{end}" for end in ("png", "jpg", "webp", "svg", "pdf")]
    assert got["SVG"][1].lstrip().startswith(b"<")
    for form in ("PNG", "JPEG", "WEBP"):
        with Image.open(io.BytesIO(got[form][1])) as image:
            assert (image.format, image.size) == (form, (160, 120))
    assert page_sizes_mm(got["PDF"][1]) == [pytest.approx((160 / 300 * 25.4, 120 / 300 * 25.4), abs=0.01)]

    user.go("/")

    expect(user.page.locator('[data-parameter="size"]')).to_contain_text("takes about")
