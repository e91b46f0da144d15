"""The page's own uploader against Kodo: another origin, its preflights, its tokens, and all that can break on the way.

The server is told where the region service is and nothing else, as an operator of a private Kodo may do.
"""

from __future__ import annotations

import json
import re
import secrets
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Request, expect

from models.bucket.keys import Keys
from tests.browser.held_requests import HeldRequests, stored_parts
from tests.browser.token_recorder import TokenRecorder, expire_token
from tests.browser.user import PART_BYTES, BrowserUser, image_file, until
from tests.support.kodo_serving import serving_in_a_thread
from tests.support.kodo_state import FakeKodo, Faults
from tests.support.pictures import padded_jpeg, png
from tests.support.process import ServerProcess

PART = re.compile(r"/uploads/[^/]+/([0-9]+)$")
PARTS = 3
SLOW_BYTES_PER_S = 80_000
PERCENT = re.compile(r"^[1-9][0-9]?% · .* of .*/s")
LAST_PART = re.compile(rf"/uploads/[^/]+/{PARTS}$")


@pytest.fixture(scope="module")
def kodo() -> Iterator[FakeKodo]:
    with serving_in_a_thread(FakeKodo("browser-access-key", "browser-secret-key", "pictures")) as peer:
        yield peer


@pytest.fixture(scope="module")
def server(kodo: FakeKodo, tmp_path_factory: pytest.TempPathFactory, mongodb_uri: str) -> Iterator[ServerProcess]:
    """In place of the one of all browser tests."""
    database = (f"--mongodb_uri={mongodb_uri}", f"--database=kodo_{secrets.token_hex(4)}")
    keys = {"TESSERA_QINIU_ACCESS_KEY": kodo.access_key, "TESSERA_QINIU_SECRET_KEY": kodo.secret_key}
    settings = (f"--qiniu_bucket={kodo.bucket}", f"--qiniu_domain={kodo.base}/io", f"--qiniu_uc_url={kodo.base}")
    options = ("--workers=2", "--max_megapixels=8", *database, *settings)
    with ServerProcess(tmp_path_factory.mktemp("kodo") / "data", *options, environment=keys) as running:
        yield running


@pytest.fixture(autouse=True)
def well(kodo: FakeKodo) -> Iterator[None]:
    """No faults, and nothing heard yet."""
    kodo.calls.clear()
    yield
    kodo.faults = Faults()


@pytest.fixture
def large(user: BrowserUser, unique_name: Callable[[str], str], tmp_path: Path) -> Path:
    """A picture of three parts, another one for each test. A browser reads a path itself; Playwright encodes bytes."""
    user.send_small_parts()
    return write(tmp_path, padded_jpeg(2 * PART_BYTES + 30_000, zlib.crc32(unique_name("").encode())))


def write(folder: Path, data: bytes) -> Path:
    path = folder / "large.jpg"
    path.write_bytes(data)
    return path


COUNT_AT_ONCE = """
const {open} = XMLHttpRequest.prototype;
let underWay = 0;
window.mostAtOnce = 0;
XMLHttpRequest.prototype.open = function (method, ...rest) {
  if (method === "PUT") {
    window.mostAtOnce = Math.max(window.mostAtOnce, underWay += 1);
    for (const end of ["load", "error", "abort"]) this.addEventListener(end, () => { underWay -= 1; });
  }
  return open.call(this, method, ...rest);
};
"""


@pytest.fixture
def sent(user: BrowserUser) -> list[int]:
    """The number of each part, as often as the page begins to send it."""
    numbers: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PUT" and (match := PART.search(request.url)):
            numbers.append(int(match[1]))

    user.page.on("request", note)
    return numbers


PUBLIC_BUCKET = "anyone who has the address of the file can open it"


def uploading(user: BrowserUser, name: str, picture: Path | FilePayload) -> None:
    """Sign up, choose a picture and set it going."""
    user.go_signed_up(name)
    user.open_files(picture)
    user.make()


def see_percent(user: BrowserUser) -> None:
    """Wait until the page says how far the upload is, on a slow line until then."""
    expect(user.part("job-card-detail")).to_contain_text(PERCENT)
    user.limit_upload_speed(0)


def stored(kodo: FakeKodo) -> list[bytes]:
    """The pictures that people uploaded, as they arrived."""
    return [one.data for key, one in kodo.objects.items() if key.startswith("source/")]


def uploads_begun(kodo: FakeKodo) -> int:
    return len([call for call in kodo.calls if re.fullmatch("POST .*/uploads", call)])


def test_a_small_picture_goes_to_kodo_in_one_form_and_shows_how_far_it_is(
    user: BrowserUser, kodo: FakeKodo, unique_name: Callable[[str], str], tmp_path: Path
) -> None:
    """Nothing is routed: Playwright would answer the request that asks for permission."""
    data = padded_jpeg(150_000, 3)
    user.go("/")
    user.open_files(write(tmp_path, data))
    expect(user.part("make-note")).to_contain_text(PUBLIC_BUCKET)
    user.page.set_viewport_size({"width": 390, "height": 844})
    expect(user.part("make-note")).to_contain_text(PUBLIC_BUCKET)
    user.page.set_viewport_size({"width": 1280, "height": 800})
    user.sign_up(unique_name("ann"))
    expect(user.part("make-note")).to_contain_text(PUBLIC_BUCKET)

    user.limit_upload_speed(SLOW_BYTES_PER_S)
    user.make()
    see_percent(user)
    user.wait_for_job("done")

    assert data in stored(kodo)
    assert [call for call in kodo.calls if call in ("OPTIONS /", "POST /")][:2] == ["OPTIONS /", "POST /"]
    assert not [call for call in kodo.calls if "/uploads" in call]


def test_the_page_may_reach_kodo_and_no_other_host(server: ServerProcess, kodo: FakeKodo) -> None:
    with urllib.request.urlopen(server.base_url, timeout=60) as answer:
        header = answer.headers["content-security-policy"]

    policy = dict(rule.split(" ", 1) for rule in header.split("; "))
    assert set(policy["connect-src"].split()) == {"'self'", kodo.base}


def test_a_large_picture_goes_in_parts_two_at_a_time_and_over_a_reload_none_twice_that_has_arrived(
    user: BrowserUser, kodo: FakeKodo, large: Path, unique_name: Callable[[str], str], sent: list[int]
) -> None:
    user.page.add_init_script(COUNT_AT_ONCE)
    tokens, uploads = TokenRecorder(user.page), HeldRequests(user.page, LAST_PART)
    user.limit_upload_speed(SLOW_BYTES_PER_S)
    uploading(user, unique_name("ben"), large)
    see_percent(user)
    until(user.page, lambda: stored_parts(user.page), [1, 2])
    until(user.page, lambda: sorted(sent), list(range(1, PARTS + 1)))
    assert user.page.evaluate("mostAtOnce") == 2

    user.go("/")
    uploads.release()
    user.wait_for_job("done")

    assert large.read_bytes() in stored(kodo)
    assert sorted(sent) == [*range(1, PARTS + 1), PARTS]
    assert (len(tokens.requests), uploads_begun(kodo)) == (1, 1)


def test_a_connection_that_breaks_and_then_is_gone_for_a_while_loses_nothing(
    user: BrowserUser, kodo: FakeKodo, large: Path, unique_name: Callable[[str], str], sent: list[int]
) -> None:
    user.expect_console("ERR_EMPTY_RESPONSE|ERR_CONNECTION|ERR_INTERNET_DISCONNECTED")
    tokens = TokenRecorder(user.page)
    kodo.faults = Faults(drop_part=PARTS)
    uploading(user, unique_name("dan"), large)
    until(user.page, lambda: sent.count(PARTS) > 1)
    until(user.page, lambda: stored_parts(user.page), [1, 2])

    user.page.context.set_offline(True)
    expect(user.page.get_by_text("You are offline")).to_be_visible()
    expect(user.part("job-card-detail")).to_have_text("Waiting for the connection")
    kodo.faults = Faults()
    user.page.context.set_offline(False)
    user.wait_for_job("done")

    assert large.read_bytes() in stored(kodo)
    assert (sent.count(1), sent.count(2)) == (1, 1)
    assert (len(tokens.requests), uploads_begun(kodo)) == (1, 1)


def test_parts_that_kodo_has_forgotten_or_that_outlive_the_token_are_sent_again_under_the_same_key(
    user: BrowserUser, kodo: FakeKodo, large: Path, unique_name: Callable[[str], str]
) -> None:
    """They begin a second upload, whose first part needs a second token."""
    user.expect_console("status of 401|status of 612")
    tokens, uploads = TokenRecorder(user.page), HeldRequests(user.page, LAST_PART)
    uploading(user, unique_name("gil"), large)
    until(user.page, lambda: stored_parts(user.page), [1, 2])
    until(user.page, lambda: len(uploads), 1)

    kodo.parts.clear()
    expire_token(user.page, PART, Keys(kodo.access_key, kodo.secret_key))
    uploads.release()
    user.wait_for_job("done")

    assert large.read_bytes() in stored(kodo)
    assert (len(tokens.requests), uploads_begun(kodo)) == (2, 2)
    assert tokens.requests[1]["key"].startswith("source/")


def test_a_picture_whose_callback_was_refused_or_whose_answer_got_lost_is_claimed_and_not_sent_again(
    user: BrowserUser, kodo: FakeKodo, large: Path, unique_name: Callable[[str], str], sent: list[int]
) -> None:
    user.expect_console("status of 579|ERR_EMPTY_RESPONSE|ERR_CONNECTION|status of 612")
    kodo.faults = Faults(wrong_signature=True)
    uploading(user, unique_name("ida"), image_file(png(64, 48, 77), "small.png"))
    user.wait_for_job("done")
    assert kodo.answers[-1][0] == 401

    before = len(kodo.answers)
    kodo.faults = Faults(drop_response=True)
    user.open_files(large)
    user.make()
    user.wait_for_job("done")

    assert sorted(sent) == list(range(1, PARTS + 1))
    assert [json.loads(answer)["filename"] for _, answer in kodo.answers[before:]] == ["large.jpg"]
