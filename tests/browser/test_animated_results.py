"""A mosaic in the colours of another picture, as an animation that lays itself."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_tiles import see_result, set_cell, with_pictures
from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png


def test_a_mosaic_takes_the_colours_of_ones_picture_and_lays_itself(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    with_pictures(user, unique_name("ulf"), 1)  # a black one
    user.open_files(image_file(png(64, 48), "target.png"))
    user.select_style("mosaic")
    set_cell(user, 8)
    reveal = user.page.locator('[data-parameter="reveal"]')
    expect(reveal).to_be_hidden()
    user.page.locator('[data-parameter="format"] select').select_option("webp")
    reveal.get_by_role("checkbox").check()
    user.page.locator('[data-part="advanced"] summary').click()
    colours = user.page.locator('[data-parameter="colours_of"]')
    colours.locator("button.chip").click()
    black = colours.get_by_role("button", name="tile 0.png")
    black.click()
    expect(black).to_have_attribute("aria-pressed", "true")
    see_result(user)
    result = user.page.request.get(f"/api/image/query/?id={user.page.url.rpartition('/')[2]}").json()

    image = Image.open(io.BytesIO(user.page.request.get(result["url"]).body()))
    assert image.n_frames > 1
    image.seek(image.n_frames - 1)
    assert np.asarray(image.convert("RGB")).max() < 40
