"""Pages: one shell, with titles and previews in the language of the reader, and text of users escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from handlers.pages.shell import PageMeta, localize, render_meta, show_section
from tests.support.client import PASSWORD, ApiClient, ApiResponse
from tests.support.pictures import encoded
from tests.support.waiting import finished

SHELL = (Path(__file__).resolve().parents[3] / "static" / "index.html").read_text()
HOSTILE = '"><script>alert(1)</script>\\1<img src=x onerror=alert(1)>&amp;'


class Read(HTMLParser):
    """What a scraper sees: the language, the title, the meta elements, how many scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language, self.title, self.metas, self.scripts = "", "", {}, 0
        self._in_title = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.language = attributes.get("lang") or "" if tag == "html" else self.language
        self.scripts += tag == "script"
        self._in_title = tag == "title" and not self.title
        if tag == "meta":
            self.metas[attributes.get("property") or attributes.get("name") or ""] = attributes.get("content") or ""

    def handle_data(self, data: str) -> None:
        self.title += data if self._in_title else ""

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


def read(answer: ApiResponse) -> Read:
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Accept-Language" in answer.headers["Vary"]
    return Read(answer.body.decode())


def shown_sections(answer: ApiResponse) -> list[str]:
    """The sections of the document that are not hidden."""
    sections = re.findall(r'<(?:section|article)\b[^>]*\bdata-page="([^"]+)"([^>]*)>', answer.body.decode())
    return [name for name, rest in sections if " hidden" not in rest]


async def shared(api: ApiClient, **words: str) -> tuple[int, ApiClient]:
    """Ada's mosaic, described in these words; its id."""
    ada = await api.sign_up("ada")
    picture = encoded(Image.new("RGB", (1600, 1000), (30, 90, 140)), "PNG")
    task = await ada.add_task((await ada.upload(picture))["url"])
    image_id = (await finished(ada, task["id"]))["result_id"]
    if words:
        assert (await ada.post("/api/image/change/", id=image_id, **words))["code"] == 1
    return image_id, ada


@pytest.mark.gen_test
async def test_a_shared_picture_shows_its_title_and_a_preview(api: ApiClient) -> None:
    image_id, ada = await shared(api, title="Lake 湖", alt="A lake at dawn")

    answer = await api.new_client().get(f"/i/{image_id}")
    page = read(answer)

    assert answer.status == 200
    assert page.title == "Lake 湖 · Tessera"
    assert page.metas["og:title"] == "Lake 湖"
    assert page.metas["description"] == page.metas["og:description"] == "A lake at dawn"
    assert page.metas["og:url"] == f"{ada.base_url}/i/{image_id}"
    assert page.metas["og:image"] == f"{ada.base_url}/thumbnail/{image_id}/1280"
    assert (page.metas["og:image:width"], page.metas["og:image:height"]) == ("1280", "800")
    assert page.metas["twitter:card"] == "summary_large_image"
    assert page.metas["og:image:alt"] == "A lake at dawn"
    preview = await api.new_client().get(page.metas["og:image"])
    assert (preview.status, preview.headers["Content-Type"]) == (200, "image/webp")


@pytest.mark.gen_test
async def test_a_picture_without_a_title_is_described_in_the_language_of_the_reader(api: ApiClient) -> None:
    image_id, _ = await shared(api)

    english = read(await api.get(f"/i/{image_id}", {"Accept-Language": "en-GB,zh;q=0.5"}))
    chinese = read(await api.get(f"/i/{image_id}/", {"Accept-Language": "zh-CN,en;q=0.5"}))

    assert (english.language, english.title) == ("en", "Square blocks by ada · Tessera")
    assert (chinese.language, chinese.title) == ("zh-Hans", "ada 的方块马赛克 · Tessera")
    assert (english.metas["og:locale"], chinese.metas["og:locale"]) == ("en_US", "zh_CN")


@pytest.mark.gen_test
async def test_titles_of_users_are_escaped(api: ApiClient) -> None:
    image_id, _ = await shared(api, title=HOSTILE, alt=HOSTILE)

    answer = await api.get(f"/i/{image_id}")
    page = read(answer)

    assert page.scripts == Read(SHELL).scripts == 1
    assert page.title == f"{HOSTILE} · Tessera"
    assert page.metas["og:title"] == page.metas["og:image:alt"] == HOSTILE
    assert b"<img src=x" not in answer.body


@pytest.mark.gen_test
async def test_a_profile_page_has_the_username_as_title_and_other_pages_are_the_shell(api: ApiClient) -> None:
    await api.post("/api/user/add/", username="Åda 张", email="a@b.cn", password=PASSWORD)

    person = await api.get("/u/%C3%A5da%20%E5%BC%A0")
    others = [await api.get(path) for path in ("/", "/gallery", "/account", "/tasks/")]

    assert (person.status, read(person).title) == (200, "Åda 张 · Tessera")
    assert read(person).metas["og:title"] == "Åda 张"
    assert [(other.status, read(other).title) for other in others] == [(200, "Tessera")] * 4
    assert [shown_sections(other) for other in (*others, person)] == [
        ["studio"],
        ["gallery"],
        ["account"],
        ["tasks"],
        ["profile"],
    ]
    assert read(await api.get("/", {"Accept-Language": "zh"})).language == "zh-Hans"


@pytest.mark.gen_test
async def test_an_unknown_picture_or_user_is_404_with_the_shell(api: ApiClient) -> None:
    paths = ["/i/1", f"/i/{2**60}", "/i/" + "9" * 5000, "/u/nobody", "/u/%00", "/u/%ff"]

    answers = [await api.get(path) for path in paths]

    assert [answer.status for answer in answers] == [404] * len(paths)
    assert [shown_sections(answer) for answer in answers] == [["not-found"]] * len(paths)


@pytest.mark.gen_test
async def test_pages_and_thumbnails_answer_head(api: ApiClient) -> None:
    image_id, _ = await shared(api)

    page = await api.request("HEAD", f"/i/{image_id}")
    preview = await api.request("HEAD", f"/thumbnail/{image_id}/1280")

    assert (page.status, preview.status) == (200, 200)
    assert (page.body, preview.body) == (b"", b"")


def test_the_shell_has_every_element_that_is_replaced() -> None:
    head = PageMeta("a title", "a description", "http://a.cn/i/1", "http://a.cn/thumbnail/1/1280", (3, 2), "words")

    filled = render_meta(SHELL, head, "zh")

    assert filled.count("<title>") == 1
    assert len(re.findall('name="description"', filled)) == 1
    assert Read(filled).title == "a title · Tessera"
    assert render_meta(SHELL, None, "en") == SHELL
    assert show_section(SHELL, "studio") == SHELL


def test_strings_are_written_into_elements_and_attributes() -> None:
    html = '<p class="a" data-t="one"></p><img data-t-alt="two"><b data-t="one"></b>'

    text = localize(html, {"one": "a < b", "two": 'say "x"'})

    assert text == (
        '<p class="a" data-t="one">a &lt; b</p><img data-t-alt="two" alt="say &quot;x&quot;">'
        '<b data-t="one">a &lt; b</b>'
    )


@pytest.mark.gen_test
async def test_the_words_of_a_page_are_in_its_document_in_the_chosen_language(api: ApiClient) -> None:
    browser = await api.get("/", {"Accept-Language": "en-GB"})
    chosen = await api.get("/", {"Accept-Language": "en-GB", "Cookie": "language=zh"})
    back = await api.get("/", {"Accept-Language": "zh-CN", "Cookie": "language=en"})

    assert [read(answer).language for answer in (browser, chosen, back)] == ["en", "zh-Hans", "en"]
    assert "Choose a picture" in browser.body.decode()
    assert "选择图片" in chosen.body.decode()
    empty = re.findall(r'<[^>]*data-t="[^"]+"[^>]*></', chosen.body.decode())
    assert empty == []
    assert "Cookie" in chosen.headers["Vary"]


@pytest.mark.gen_test
async def test_a_studio_with_open_pictures_does_not_welcome_first(api: ApiClient) -> None:
    fresh = await api.get("/")
    again = await api.get("/", {"Cookie": "studio=open"})
    gallery = await api.get("/gallery", {"Cookie": "studio=open"})

    assert [b'class="restoring"' in answer.body for answer in (fresh, again, gallery)] == [False, True, False]


@pytest.mark.gen_test
async def test_a_signed_in_user_is_not_asked_to_sign_in_first(api: ApiClient) -> None:
    answer = await api.get("/", {"Cookie": "studio=open; account=yes"})

    assert b'<html class="restoring signed-in" ' in answer.body


@pytest.mark.gen_test
async def test_an_unknown_address_is_a_page_for_browsers_and_json_for_everybody_else(api: ApiClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}

    page, answer = await api.get("/nowhere/at/all", browser), await api.get("/nowhere/at/all")

    assert (page.status, page.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
    assert b"bundle.js" in page.body
    assert (answer.status, answer["error"]) == (404, "no_such_path")
    assert (await api.get("/api/nowhere", browser))["error"] == "no_such_path"
