"""No word is cut off: choices are as wide as what they offer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png

CUT_OFF = """(arrow) => [...document.querySelectorAll(".workspace select")]
    .filter((select) => select.checkVisibility())
    .flatMap((select) => {
        const style = getComputedStyle(select);
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const width = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
        return [...select.options].map(({ text }) => text).filter((text) => pen.measureText(text).width > width);
    })"""
LINES = "(button) => button.querySelector('span').getClientRects().length"
ARROW_PX = 16


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_choice_of_a_style_is_cut_off(width: int, locale: str, new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(viewport={"width": width, "height": 844}, locale=locale)
    user.page.route("**/api/preview/", lambda route: route.fulfill(body=png(1, 1), content_type="image/png"))
    user.go("/")
    user.open_files(image_file(png(64, 48), "one.png"))
    styles = user.page.locator(".styles__groups input")
    expect(styles.first).to_be_attached()

    cut_off = {}
    for name in styles.evaluate_all("inputs => inputs.map(({ value }) => value)"):
        user.select_style(name)
        user.open_tab("settings")
        expect(user.page.locator('[data-parameter="format"]')).to_be_attached()
        user.page.locator(".more").evaluate("details => { details.open = true; }")
        cut_off[name] = user.page.evaluate(CUT_OFF, ARROW_PX)

    assert user.part("make").evaluate(LINES) == 1
    assert not {name: texts for name, texts in cut_off.items() if texts}
