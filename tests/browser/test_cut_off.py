"""No word is cut off: choices are as wide as what they offer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from processing.mosaic import STYLES
from tests.browser.user import BrowserUser, image_file
from tests.support.pictures import png

# By style, the words of its choices that do not fit.
CUT_OFF = """async (arrow) => {
    const wordsOf = (select) => {
        const style = getComputedStyle(select);
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = style.font;
        const width = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
        return [...select.options].map(({ text }) => text).filter((text) => pen.measureText(text).width > width);
    };
    const cutOff = {};
    for (const { value } of document.querySelectorAll(".styles__groups input")) {
        document.querySelector(`.style input[value="${value}"]`).click();
        await new Promise(requestAnimationFrame);
        document.querySelector(".more").open = true;
        const choices = [...document.querySelectorAll(".workspace select")].filter((each) => each.checkVisibility());
        cutOff[value] = choices.length ? choices.flatMap(wordsOf) : ["no choice"];
    }
    return cutOff;
}"""
LINES = "(button) => button.querySelector('span').getClientRects().length"
ARROW_PX = 16


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_no_choice_of_a_style_is_cut_off(locale: str, new_user: Callable[..., BrowserUser]) -> None:
    user = new_user(locale=locale)
    user.page.route("**/api/preview/", lambda route: route.fulfill(body=png(1, 1), content_type="image/png"))
    user.go("/")
    user.open_files(image_file(png(64, 48), "one.png"))
    expect(user.page.locator(".styles__groups input").first).to_be_attached()

    for width in (1280, 390):
        user.page.set_viewport_size({"width": width, "height": 844})
        user.open_tab("settings")
        expect(user.page.locator('[data-parameter="format"]')).to_be_attached()
        cut_off = user.page.evaluate(CUT_OFF, ARROW_PX)

        assert user.part("make").evaluate(LINES) == 1
        assert cut_off == {style: [] for style in STYLES}
