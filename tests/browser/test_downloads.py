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
    user.page.get_by_label("Size", exact=True).select_option("Custom size")
    user.page.get_by_label("Dots per inch").fill("200")
    user.page.get_by_label("Dots per inch").press("Enter")
    expect(user.page.locator('[data-parameter="size"]')).to_contain_text("110 × 82 px")  # 82.5 is rounded to even
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
            assert (image.format, image.size) == (form, (110, 82))
            assert form == "WEBP" or image.info["dpi"] == pytest.approx((200, 200), abs=0.1)
    assert page_sizes_mm(got["PDF"][1]) == [pytest.approx((110 / 200 * 25.4, 82 / 200 * 25.4), abs=0.01)]

    user.go("/")

    expect(user.page.locator('[data-parameter="size"]')).to_contain_text("takes about")


NOTES = """async (recipes) => {
    const { sizeChoice } = await import("/static/components/params/size-choice.js");
    await (await import("/static/i18n/i18n.js")).ready;
    const { styles } = await (await fetch("/api/styles/")).json();
    const { costs } = await (await fetch("/tasks/query/?limit=1")).json();
    const costOf = (style, known) => ({ ...costs[style], fixed: 0, small_pieces: 0.2, ...known });
    const hexagon = costOf("hexagon", { megapixel: 0.04, pieces: 0.09 });
    const speed = { costs: { hexagon, tesserae: costOf("tesserae", { megapixel: 0.06 }) } };
    const image = { width: 10000, height: 10000 };
    return recipes.map((recipe) => {
        const row = document.createElement("div");
        const style = styles.find(({ name }) => name === recipe.style);
        row.append(...[sizeChoice({ recipe, style, image, speed, onChange() {} })].flat());
        return Number(row.textContent.match(/takes\\sabout\\s([0-9]+)/)[1]);
    });
}"""


def test_small_pieces_of_a_material_are_said_to_take_longer(user: BrowserUser) -> None:
    user.go("/")
    flat, stone = {"style": "hexagon", "cell": 6}, {"style": "hexagon", "material": "stone"}
    recipes = [flat, stone, {**stone, "cell": 6}, {"style": "tesserae"}, {"style": "tesserae", "cell": 6}]

    assert user.page.evaluate(NOTES, recipes) == [4, 13, 33, 6, 26]
