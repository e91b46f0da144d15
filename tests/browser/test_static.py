"""The files of `static/` agree with each other: strings, markup, types."""

from __future__ import annotations

import re
from urllib.request import urlopen

import pytest

from processing.mosaic import STYLES
from tests.browser.modules import (
    STATIC,
    key_patterns,
    keys_used_in_modules,
    literals_in_modules,
    modules,
    named_in_markup,
    strings,
)
from tests.support.process import ServerProcess

TYPES = {
    ".webp": "image/webp",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}
ALWAYS_MANY = {
    "account.storageused",
    "image.batch",
    "batch.title",
    "open.several",
    "palette.auto",
    "sign.rule",
    "tiles.few",
    "walkin.uses",
}
NO_COUNTS = {"download.poster", "download.posteras", "open.pixels", "parts.plate", "size.toolarge", "tiles.kind"}
NOT_KEYS = {"tessera.language", "tessera.nokeys", "tessera.zip"}


def test_every_string_exists_in_both_languages() -> None:
    assert strings("en").keys() == strings("zh").keys()


def test_both_languages_fill_in_the_same_facts() -> None:
    english, chinese = strings("en"), strings("zh")

    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", chinese[key])), key


def test_what_can_be_one_has_a_singular() -> None:
    english = strings("en")
    counted = {
        key: re.findall(r"\{(\w+)\} (?:[a-z]+ed )?[a-z]+s\b(?<!is)(?<!has)", text) for key, text in english.items()
    }

    without = {key for key, facts in counted.items() if facts and (facts != ["n"] or f"{key}.one" not in english)}

    assert {key for key in without if not key.endswith(".one")} == ALWAYS_MANY | NO_COUNTS


def test_no_string_is_unused() -> None:
    used = named_in_markup() | literals_in_modules()

    keys = {key.removesuffix(".one") for key in strings("en")}
    unused = {key for key in keys - used if not any(pattern.fullmatch(key) for pattern in key_patterns())}

    assert not unused


def test_no_string_is_missing() -> None:
    used = named_in_markup() | keys_used_in_modules()

    missing = {key for key in used - NOT_KEYS if key not in strings("en") and not key.endswith((".js", ".jpg", ".png"))}

    assert not missing


def test_the_chinese_strings_are_chinese() -> None:
    same = {key for key, text in strings("zh").items() if text == strings("en")[key] and re.search(r"[a-z]{3}", text)}

    assert same <= {"error.message", "recipe.part", "console.openapi"}


def test_nothing_in_the_shell_is_inline() -> None:
    shell = (STATIC / "index.html").read_text()

    assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", shell)


def test_no_module_prints_markup() -> None:
    for module in modules():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", (STATIC / module).read_text()
        ), module


def test_no_script_has_a_table_of_the_styles() -> None:
    """What belongs to a style comes with it from the server."""
    for module in modules():
        table = re.findall(r"\{[^{}]*\}", (STATIC / module).read_text())
        assert not [keys for keys in map(_keys_of, table) if len(keys & STYLES.keys()) > 2 / 3 * len(STYLES)], module


def _keys_of(table: str) -> set[str]:
    return set(re.findall(r"(\w+):", table))


def test_only_api_js_calls_fetch() -> None:
    assert [module for module in modules() if re.search(r"(?<![\w#.])fetch\(", (STATIC / module).read_text())] == [
        "api.js"
    ]


@pytest.mark.parametrize("path", re.findall(r'(?:href|src)="(/static/[^"]+)"', (STATIC / "index.html").read_text()))
def test_every_file_that_the_shell_names_is_served(path: str, server: ServerProcess) -> None:
    with urlopen(server.base_url + path, timeout=60) as answer:
        suffix = "." + path.rpartition(".")[2]
        assert answer.headers.get_content_type() == TYPES.get(suffix, answer.headers.get_content_type())
        assert answer.read()
