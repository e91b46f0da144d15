"""A photomosaic is a place: one walks into it, sees the photos that one may see, and finds people and photos."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.account import Account
from tests.browser.user import BrowserUser, box_of, fingers, until
from tests.support.pictures import encoded

GREEN_AND_WHITE, RED_AND_BLUE = ((0, 160, 40), (255, 255, 255)), ((220, 20, 20), (20, 20, 220))
CELL_PX = 32
CONTRAST = """canvas => {
    const { width, height } = canvas;
    const side = Math.round(Math.min(width, height) * 0.3);
    const { data } = canvas.getContext("2d").getImageData((width - side) / 2, (height - side) / 2, side, side);
    const greens = Array.from({ length: side * side }, (_, index) => data[4 * index + 1] - data[4 * index]);
    const mean = greens.reduce((sum, value) => sum + value, 0) / greens.length;
    return Math.sqrt(greens.reduce((sum, value) => sum + (value - mean) ** 2, 0) / greens.length);
}"""
SHARP, BLURRED = 50, 8
"""Standard deviation of green minus red: of squares in two colours, and of their mean."""

Colours = tuple[tuple[int, int, int], tuple[int, int, int]]


def squares(colours: Colours, side: int = 640, square: int = 16) -> NDArray[np.uint8]:
    """Too small to be seen in a tile."""
    ys, xs = np.indices((side, side)) // square
    return np.array(colours, np.uint8)[(ys + xs) % 2]


def picture(pixels: NDArray[np.uint8]) -> bytes:
    return encoded(Image.fromarray(pixels), "PNG")


@pytest.fixture
def people(new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]) -> tuple[Account, Account, int]:
    """Ada, Bob, and a photomosaic of hers: at the left of a public picture of his, at the right of a private one."""
    ada, bob = (Account(new_user(), unique_name(name)) for name in ("ada", "bob"))
    source = bob.upload(picture(squares(GREEN_AND_WHITE)), "b.png")
    public = bob.make(source["url"], {"style": "mosaic", "cell": 16})
    private = ada.upload(picture(squares(RED_AND_BLUE)), "secret.png")["id"]
    halves = np.repeat([[(140, 205, 150)] * 16 + [(120, 20, 120)] * 16], 20, axis=0).repeat(40, 0).repeat(40, 1)
    recipe = {"style": "photomosaic", "cell": CELL_PX, "tint": 0, "apart": 1, "tiles": [public, private]}
    mosaic = ada.make(ada.upload(picture(halves.astype(np.uint8)), "halves.png")["url"], recipe)
    return ada, bob, mosaic


def canvas_of(user: BrowserUser, mosaic: int) -> Locator:
    user.expect_console("willReadFrequently")  # CONTRAST reads what no page reads
    user.go(f"/i/{mosaic}")
    canvas = user.part("walk-in")
    expect(user.part("tile-card-where")).to_contain_text("Each tile is a photo")
    return canvas


def wait_until_sharp(canvas: Locator) -> None:
    canvas.page.wait_for_function(f"canvas => ({CONTRAST})(canvas) > {SHARP}", arg=canvas.element_handle())


def visit_private(user: BrowserUser, canvas: Locator) -> None:
    """Selects a cell at the right by a click, and goes as near as it gets by keys."""
    canvas.press("0")
    box = box_of(canvas)
    canvas.click(position={"x": box["width"] * 0.75 + 3, "y": box["height"] / 2 + 3})
    for _ in range(12):
        canvas.press("+")
    user.page.wait_for_load_state("networkidle")


def test_one_walks_into_the_photos_that_one_may_see(
    people: tuple[Account, Account, int], new_user: Callable[..., BrowserUser]
) -> None:
    ada, bob, mosaic = people
    stranger = new_user()
    requests: list[str] = []
    stranger.page.on("request", lambda request: requests.append(request.url))
    canvas = canvas_of(stranger, mosaic)
    assert any("/static/walk-in.js" in url for url in requests)

    stranger.part("tile-list-search").fill("BOB")
    stranger.part("tile-list-search").press("Enter")

    wait_until_sharp(canvas)
    expect(stranger.part("tile-card-by")).to_have_text(f"by {bob.name}")
    public = ada.get(f"/api/image/tiles/?id={mosaic}")["tiles"][0]["id"]
    expect(stranger.part("tile-card-link")).to_have_attribute("href", f"/i/{public}")
    until(stranger.page, lambda: difference_from_photo(canvas) < 40)  # of its mean colour, 94
    expect(stranger.part("tile-list-items").locator("li")).to_have_count(0)  # closed
    expect(stranger.part("tile-list-mine")).to_have_count(0)

    visit_private(stranger, canvas)

    expect(stranger.part("tile-card-where")).to_contain_text("a private photo")
    until(stranger.page, lambda: canvas.evaluate(CONTRAST) < BLURRED)
    private = ada.get(f"/api/image/tiles/?id={mosaic}")["tiles"][1]["id"]
    assert not any(f"/thumbnail/{private}/" in url for url in requests)

    own = canvas_of(ada.user, mosaic)
    visit_private(ada.user, own)

    wait_until_sharp(own)
    expect(ada.user.part("tile-card-link")).to_have_text("secret.png")
    own.press("Enter")
    expect(ada.user.page).to_have_url(f"{ada.user.page.url.partition('/i/')[0]}/i/{private}")


def test_the_owner_is_told_of_a_withdrawn_photo_and_makes_the_picture_again(
    people: tuple[Account, Account, int],
) -> None:
    ada, bob, mosaic = people
    public, private = (tile["id"] for tile in ada.get(f"/api/image/tiles/?id={mosaic}")["tiles"])
    bob.post("/api/image/visibility/", ids=[public], visibility="private")
    canvas = canvas_of(ada.user, mosaic)

    canvas.press("ArrowRight")
    expect(ada.user.part("tile-card-where")).to_have_text("Row 1, column 2: its owner has withdrawn this photo.")
    expect(ada.user.part("withdrawn")).to_contain_text("1 photo in this picture was withdrawn by its owner.")
    ada.user.part("withdrawn").get_by_role("button").click()

    expect(ada.user.toast("It is being made again")).to_be_visible()
    queue = ada.get(f"/api/tasks/query/?owner={ada.name}")
    tasks = [ada.get(f"/api/tasks/query/?id={task['id']}") for task in [*queue["tasks"], *queue["done"]]]
    pools = [task["recipe"]["tiles"] for each in tasks for task in [*each["tasks"], *each["done"]]]
    assert sorted(pools, key=len) == [[private], [public, private]]
    canvas_of(bob.user, mosaic)
    expect(bob.user.part("withdrawn")).to_have_count(0)


def difference_from_photo(canvas: Locator) -> float:
    """Mean difference of the cell at the left, which takes 0.6 of the frame, from the photo, of 255."""
    with Image.open(io.BytesIO(canvas.screenshot())) as image:
        shot = image.convert("RGB")
    side = round(min(shot.size) * 0.6)
    top = (shot.height - side) // 2
    inner = slice(side // 10, -side // 10)
    seen = np.asarray(shot.crop((0, top, side, top + side))).astype(int)[inner, inner]
    photo = Image.fromarray(squares(GREEN_AND_WHITE)).resize((side, side), Image.Resampling.BILINEAR)
    return float(min(np.abs(seen - np.asarray(each)[inner, inner]).mean() for each in (photo, photo.transpose(0))))


def pixels_of(canvas: Locator) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(canvas.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(np.int64)


def test_mouse_and_fingers_zoom_and_move(
    people: tuple[Account, Account, int], new_user: Callable[..., BrowserUser]
) -> None:
    _, bob, mosaic = people
    user = new_user()
    canvas = canvas_of(user, mosaic)
    check_release_elsewhere(user, canvas)
    canvas.press("0")
    check_wheel_and_drag(user, canvas)
    phone = new_user(has_touch=True, viewport={"width": 390, "height": 844})
    check_two_fingers(phone, canvas_of(phone, mosaic), bob.name)


def check_release_elsewhere(user: BrowserUser, canvas: Locator) -> None:
    """A button that is released outside of the picture drags nothing later."""
    box = box_of(canvas)
    x, y, mouse = box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2, user.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, 5)
    mouse.up()
    mouse.move(x, y)
    for _ in range(8):
        mouse.wheel(0, -240)
    wait_until_sharp(canvas)
    user.page.wait_for_load_state("networkidle")
    until(user.page, lambda: np.array_equal(pixels_of(canvas), pixels_of(canvas)))  # nothing moves or fades any more
    before = pixels_of(canvas)

    mouse.move(x + 80, y, steps=4)

    assert np.abs(pixels_of(canvas) - before).mean() < 5


def check_wheel_and_drag(user: BrowserUser, canvas: Locator) -> None:
    """The wheel zooms where it is, and a drag moves the picture."""
    box = box_of(canvas)
    user.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    for _ in range(8):
        user.page.mouse.wheel(0, -240)

    wait_until_sharp(canvas)
    user.page.mouse.down()
    user.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=4)
    user.page.mouse.up()
    expect(user.page.locator(".walk-in--zoomed")).to_have_count(1)
    expect(user.part("tile-card-link")).to_have_count(0)  # a drag selects nothing
    canvas.press("0")
    expect(user.page.locator(".walk-in--zoomed")).to_have_count(0)


def check_two_fingers(phone: BrowserUser, canvas: Locator, maker: str) -> None:
    """They zoom, and a tap says whose the photo is."""
    box = box_of(canvas)
    touch, x, y = fingers(phone), box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2

    touch("touchStart", (x - 10, y), (x + 10, y))
    for spread in (30, 50, 80):
        touch("touchMove", (x - spread, y), (x + spread, y))
    touch("touchEnd")
    expect(phone.page.locator(".walk-in--zoomed")).to_have_count(1)
    canvas.tap(position={"x": box["width"] * 0.25, "y": box["height"] / 2})

    expect(phone.part("tile-card-by")).to_have_text(f"by {maker}")
