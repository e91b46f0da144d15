"""What a careful user notices: transparency, controls without effect, announcements, the drawer, columns that stay."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import expect

from tests.browser.user import BrowserUser, image_file, until
from tests.support.pictures import png

PIXEL = """() => {
    const image = document.querySelector('[data-part="workspace"] [data-part="after"]');
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    const canvas = Object.assign(document.createElement("canvas"), size);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return [...context.getImageData(image.naturalWidth * 0.25, image.naturalHeight * 0.5, 1, 1).data];
}"""
ANNOUNCED = """async () => {
    await (await import("/static/i18n/i18n.js")).ready;
    const { JobCard } = await import("/static/components/jobs/job-card.js");
    const handlers = { cancel() {}, retry() {}, dismiss() {} };
    const card = new JobCard(document.querySelector('[data-part="job-card"]'), handlers);
    const status = document.querySelector('[data-part="job-card-status"]');
    const texts = new Set();
    for (let percent = 0; percent <= 100; percent += 1) {
        card.show({ id: "1", phase: "running", task: { percent }, recipe: {} });
        texts.add(status.textContent);
    }
    card.show(null);
    return [...texts];
}"""


BATCH_TEXTS = """async () => {
    await (await import("/static/i18n/i18n.js")).ready;
    const { BatchCard } = await import("/static/components/jobs/batch-card.js");
    const card = new BatchCard({});
    const text = (...jobs) => {
        const usual = { name: "a", recipe: {}, thumb: "", size: 1000, sent: 0, speed: 0 };
        card.show(jobs.map((job, id) => ({ id, ...usual, ...job })));
        return card.element.querySelector(".job__state").textContent;
    };
    const task = { percent: 50, estimate_s: 4 };
    return [
        text({ phase: "uploading", sent: 500, speed: 100 }, { phase: "running", source: {}, task },
            { phase: "failed" }),
        text({ phase: "queued", paused: true, source: {}, task }, { phase: "failed" }),
    ];
}"""


def half_transparent() -> bytes:
    """The left half transparent black, the right half red."""
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (32, 0, 64, 48))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_transparent_image_looks_the_same_in_the_preview_and_in_the_result(
    user: BrowserUser, unique_name: Callable[[str], str]
) -> None:
    """On the way: only controls that have an effect are shown, and the job drawer closes by a click elsewhere."""
    user.go("/")
    user.open_files(image_file(png(64, 48), "opaque.png"))
    row = user.page.locator
    user.page.locator('[data-part="advanced"] summary').click()
    expect(row('[data-parameter="background"]')).to_be_hidden()
    expect(row('[data-parameter="frame"]')).to_be_hidden()
    expect(row('[data-parameter="poster"]')).to_be_hidden()
    user.open_files(image_file(half_transparent(), "glass.png"))
    user.part("filmstrip").get_by_role("button", name="glass.png", exact=True).click()
    user.select_style("mosaic")
    expect(row('[data-parameter="background"]')).to_be_visible()
    expect(row('[data-parameter="quality"]')).to_be_hidden()
    expect(row('[data-parameter="dither"]')).to_be_hidden()
    user.select_style("dots")
    vector = row('[data-parameter="format"] option[value="svg"]')
    expect(vector).to_be_enabled()
    row('[data-parameter="screens"] select').select_option("cmyk")
    expect(vector).to_be_disabled()
    user.select_style("mosaic")
    expect(row('[data-parameter="seed"]')).to_be_hidden()
    user.page.locator('[data-parameter="material"] select').select_option("stone")
    expect(row('[data-parameter="seed"]')).to_be_visible()
    user.page.locator('[data-parameter="material"] select').select_option("flat")
    user.page.locator('[data-parameter="format"] select').select_option("webp")
    expect(row('[data-parameter="quality"]')).to_be_visible()
    user.page.locator('[data-parameter="format"] select').select_option("png")
    user.page.wait_for_function(f"() => ({PIXEL})().every(value => value > 250)")  # a lossy WebP

    user.expect_console("status of 401.*/api/tasks/add/")  # of the guest; the page adds the task again for the user
    user.make()
    user.sign_up(unique_name("ula"))
    user.wait_for_job("done")
    expect(user.part("stage-note")).to_have_text("Full size")

    until(user.page, lambda: user.page.evaluate(PIXEL), [255, 255, 255, 255])
    user.part("activity").click()
    expect(user.part("job-drawer")).to_be_visible()
    user.part("stage-name").click()
    expect(user.part("job-drawer")).to_have_count(0)
    assert user.page.evaluate(ANNOUNCED) == ["Rendering", "Rendering, 25%", "Rendering, 50%", "Rendering, 75%"]
    counted, paused = user.page.evaluate(BATCH_TEXTS)
    assert counted.startswith("0 of 3 finished · 1 failed · Uploading · 9 sec")
    assert paused == "0 of 2 finished · 1 failed · In the queue"
    assert user.page.evaluate("getComputedStyle(document.documentElement).scrollbarGutter") == "stable"


def test_an_example_below_the_first_view_opens_in_its_style(user: BrowserUser) -> None:
    user.go("/")
    expect(user.page.locator(".example")).to_have_count(0)

    user.page.locator('[data-part="showcase"]').scroll_into_view_if_needed()
    user.page.get_by_role("button", name="Bricks").click()

    expect(user.part("stage-name")).to_contain_text("Balloons.jpg")
    expect(user.page.locator('.style input[value="brick"]')).to_be_checked()
    names = user.page.locator(".style input").evaluate_all("inputs => inputs.map(input => input.value)")
    assert names[0] == "tesserae"
    groups = ["Mosaic", "To make by hand", "Photomosaic", "Hide"]
    expect(user.page.locator(".styles__groups .styles__title")).to_have_text(groups)
