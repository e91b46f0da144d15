"""A newcomer in Firefox: a photo becomes a mosaic, kept by signing up; and what Firefox does otherwise."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from models.images.image_formats import IMAGE_FORMATS
from processing.mosaic import parse, render
from tests.browser.test_redaction import BOXES, assert_only_the_box_is_hidden, plate
from tests.browser.test_redaction import CELL as HIDDEN_CELL
from tests.firefox.firefox import Firefox, find_firefox
from tests.processing.mosaic.codec import files
from tests.processing.mosaic.codec.formats.test_orientation import UNUSUAL
from tests.support.pictures import png
from tests.support.process import ServerProcess
from tests.support.waiting import until

FILE = '[data-page="studio"] [data-part="file"]'
CELL = '[data-parameter="cell"] input[type="number"]'
AFTER = '[data-page="studio"] [data-part="compare"]'

TRANSFORM = "document.querySelector('[data-part=\"before\"]').style.transform"
# The type of the copy that is shown and sent for previews: one that the browser makes is JPEG or PNG.
COPY = """new Promise((resolve) => {
  indexedDB.open("tessera", 1).onsuccess = ({ target }) => {
    const request = target.result.transaction("entries").objectStore("entries").getAll();
    request.onsuccess = () => resolve(request.result.find((entry) => entry?.large)?.large.type);
  };
})"""


@pytest.fixture(scope="module")
def io_loop() -> Iterator[IOLoop]:
    """One for all tests, since two of them share a Firefox: each start takes three seconds of processor time."""
    loop = IOLoop()
    yield loop
    loop.close(all_fds=True)


@pytest.fixture(scope="module")
def firefox() -> str:
    path = find_firefox()
    if path is None:
        pytest.skip("no Firefox on PATH; install Debian's `firefox-esr` or name one in FIREFOX")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[ServerProcess]:
    options = ("--workers=2", f"--mongodb_uri={mongodb_uri}", f"--database=firefox_{secrets.token_hex(4)}")
    with ServerProcess(tmp_path_factory.mktemp("firefox") / "data", *options) as running:
        yield running


@pytest.fixture(scope="module")
def opened(io_loop: IOLoop, firefox: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox with no other preferences than of a new profile."""
    started = Firefox(firefox, tmp_path_factory.mktemp("firefox") / "profile")
    io_loop.run_sync(started.__aenter__)
    yield started
    io_loop.run_sync(partial(started.__aexit__, None, None, None))


@pytest.fixture
def user(io_loop: IOLoop, opened: Firefox) -> Iterator[Firefox]:
    """The Firefox that tests share; a page that stays open would take processor time from the next ones."""
    yield opened
    io_loop.run_sync(opened.close_page)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.png"
    path.write_bytes(png(640, 480))
    return path


@pytest.mark.gen_test
async def test_a_photo_becomes_a_mosaic_that_signing_up_keeps(
    user: Firefox, server: ServerProcess, photo: Path
) -> None:
    await user.go(server.base_url)
    await user.select_file(FILE, photo)
    await user.wait_for_text('[data-part="stage-note"]', "Preview")

    await user.type(CELL, "abc\ue007")
    await user.wait_for(f"!document.querySelector('{CELL}').validity.badInput")

    await user.click('[data-zoom="in"]')
    await user.wait_for(f"{TRANSFORM}.includes('scale(1.5)')")
    before = await user.evaluate(TRANSFORM)
    await user.drag(AFTER, 80)
    await user.wait_for(f"{TRANSFORM} !== {json.dumps(before)}")

    await user.click('[data-part="make"]')
    await user.wait_for('document.querySelector(\'[data-part="job-card"][data-phase="done"]\')')
    await user.click('[data-part="job-card"] a')
    await user.wait_for_text('[data-part="by"]', "Only you, for a day")
    await user.click('[data-action="keep"]')
    dialog = 'dialog[data-part="sign-in"] '
    await user.type(dialog + '[name="email"]', "ada@example.com")
    await user.type(dialog + '[name="username"]', "ada")
    await user.type(dialog + '[name="password"]', "seven small stones")
    await user.click('[data-part="sign-in-submit"]')
    await user.wait_for_text('[data-part="by"]', "by ada")
    await user.go(f"{server.base_url}/gallery?view=mine")
    await user.wait_for_text(".image-card", "Only you")
    assert user.errors == []


@pytest.mark.gen_test
async def test_where_canvases_return_noise_the_server_makes_the_copies(
    firefox: str, server: ServerProcess, photo: Path, tmp_path: Path
) -> None:
    async with Firefox(firefox, tmp_path / "profile", {"privacy.resistFingerprinting": True}) as user:
        await user.go(server.base_url)
        await user.select_file(FILE, photo)
        await user.wait_for_text('[data-part="stage-note"]', "Preview")

        assert await until(lambda: user.evaluate(COPY)) == "image/webp"
        assert user.errors == []


@pytest.mark.gen_test
async def test_a_box_drawn_in_firefox_hides_what_is_under_it_however_unusual_the_exif(
    user: Firefox, server: ServerProcess
) -> None:
    turned = {f"{name}.jpg": files.jpeg(plate(), segments) for name, (segments, _) in UNUSUAL.items()}
    turned |= {f"{number}.jpg": files.jpeg(plate(), files.app1(number)) for number in range(1, 9)}
    contents = [(name, base64.b64encode(data).decode()) for name, data in turned.items()]
    argument = json.dumps({"contents": contents, "formats": list(IMAGE_FORMATS)})
    await user.go(server.base_url)
    boxes = json.loads(await user.evaluate(f"({BOXES})({argument}).then(JSON.stringify)"))

    for (name, data), seen in zip(turned.items(), boxes, strict=True):
        result = render(data, parse({"style": "redact", "regions": [seen["box"]], "cell": HIDDEN_CELL}))
        assert (name, [result.width, result.height]) == (name, seen["size"])
        assert_only_the_box_is_hidden(data, result.data, seen["box"])
