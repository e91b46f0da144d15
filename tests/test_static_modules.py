"""The architecture of the page in tests: which module of static/ may import which, and how things are named."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from handlers import API
from handlers.openapi import OpenApiDocument
from handlers.schemas.users import ClientConfig
from tests.support.source import ROOT, words_of
from tests.test_house import BANNED, VAGUE

STATIC = ROOT / "static"
MODULES = sorted(STATIC.rglob("*.js"))
LIMIT_NAMES = {"maximum", "maxLength", "maxItems"}
PAGE_ALONE = {
    "components/compare.js Math.min",  # percent
    "components/images/covered-check.js MAX_IDS",  # that are remembered in the browser
    "components/params/param-control.js SLIDER_STEPS",
    "components/params/size-choice.js SMALL_PX",  # of the formula of estimates
    "components/viewport.js MAX_SCALE",
    "history.js MAX_STEPS",
    "image-file.js PROBE_PX",
    "image-library.js MAX_IMAGES",  # that are listed
    "image-library.js PAGE_SIZE",
    "pages/gallery.js SUGGESTION_IMAGES",
    "tiles/tile-picker.js ENOUGH",
    "walk-in/base-picture.js MAX_MEGAPIXELS",  # of a canvas
    "walk-in/gestures.js LINE_PX",
    "walk-in/painter.js APPEARS_PX",
    "walk-in/tile-list.js MAX_LISTED",
    "walk-in/tile-pictures.js MAX_ORIGINAL_PX",
}
"""Constants that equal a limit of the server by chance."""


@cache
def code_of(module: Path) -> str:
    """Without comments, strings and regular expressions: names alone."""
    text = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", module.read_text(), flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', '""', text)


def imported_by(module: Path) -> Iterator[str]:
    """The imported modules, relative to static/."""
    for name in re.findall(r'(?:from|import\()\s*"(\.[^"]+)"|^import "(\.[^"]+)"', module.read_text(), re.M):
        yield (module.parent / "".join(name)).resolve().relative_to(STATIC).as_posix()


def folder_of(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def test_there_is_no_python_in_static() -> None:
    assert list(STATIC.rglob("*.py")) == []


def test_pages_import_components_and_only_app_js_joins_them() -> None:
    may_import = {
        "": {"", "i18n", "upload"},
        "components": {"", "archive", "components", "i18n", "tiles"},
        "pages": {"", "components", "console", "i18n", "plans", "walk-in"},
        "console": {"", "components", "console", "i18n"},
        "tiles": {"", "components", "i18n", "tiles"},
        "plans": {"", "i18n", "plans"},
        "walk-in": {"", "components", "i18n", "walk-in"},
        "i18n": {"", "i18n"},
        "upload": {"", "upload", "i18n"},
        "archive": {"archive"},
    }

    for module in MODULES:
        here = module.relative_to(STATIC).as_posix()
        for name in imported_by(module):
            assert here == "app.js" or folder_of(name) in may_import[folder_of(here)], f"{here} imports {name}"
            assert name != "app.js", here


def test_a_group_of_components_imports_no_other_group() -> None:
    groups = [path for path in (STATIC / "components").iterdir() if path.is_dir()]
    assert groups
    for group in groups:
        for module in group.glob("*.js"):
            folders = {name.rpartition("/")[0] for name in imported_by(module) if name.startswith("components/")}
            assert folders <= {"components", f"components/{group.name}"}, module.relative_to(STATIC)


def test_only_the_client_of_the_api_and_the_upload_send_requests() -> None:
    may_send = {"api.js": {"fetch"}, "task-events.js": {"EventSource"}}
    for module in MODULES:
        here = module.relative_to(STATIC).as_posix()
        calls = set(re.findall(r"(?<![.#\w])(fetch(?=\()|XMLHttpRequest|EventSource)", code_of(module)))
        assert calls <= may_send.get(here, {"XMLHttpRequest"} if here.startswith("upload/") else set()), here


def test_the_page_repeats_no_limit_of_the_server() -> None:
    """It gets them with the session. Times are of the page alone, and so is what PAGE_ALONE names."""
    pattern = r"const ([A-Z][A-Z_]*(?<!_MS)) = ([\d_.]+(?:e\d+)?);|(Math\.min)\((\d[\d_]*)"
    limits = server_limits()
    assert limits >= {8192, 500, 200, 16e6, 10_000}
    repeated = {
        f"{module.relative_to(STATIC)} {name or call}"
        for module in MODULES
        for name, first, call, second in re.findall(pattern, code_of(module))
        if float((first or second).replace("_", "")) in limits
    }

    assert repeated == PAGE_ALONE
    assert re.findall(r"(?:min|max)length=\S+", (STATIC / "index.html").read_text()) == []


def server_limits() -> set[float]:
    """Of parameters, lengths and lists that the API's document states, and those of the session; not the small ones."""
    limits = {float(number) for name, number in numbers_in(OpenApiDocument(API).json) if name in LIMIT_NAMES}
    defaults = [field.default for field in ClientConfig.model_fields.values()]
    limits |= {float(default) for default in defaults if isinstance(default, int | float)}
    return {
        limit for limit in limits | {ClientConfig.model_fields["max_region_megapixels"].default * 1e6} if limit > 12
    }


def numbers_in(document: object) -> Iterator[tuple[str, float]]:
    if isinstance(document, list):
        for each in document:
            yield from numbers_in(each)
    if isinstance(document, dict):
        for name, each in document.items():
            yield from [(name, each)] if isinstance(each, int | float) else numbers_in(each)


def test_megabytes_of_the_page_are_those_of_the_server() -> None:
    """A million bytes: a file that the page takes for small enough must not be refused by the server."""
    for module in MODULES:
        assert not re.search(r"2 ?\*\* ?20|1024 ?\* ?1024|1048576", code_of(module)), module.relative_to(STATIC)


def test_no_style_blurs_what_is_drawn_below_it() -> None:
    """Without a GPU each frame would be drawn and blurred again: half of the time that it took to draw the studio."""
    for sheet in STATIC.glob("*.css"):
        assert re.findall(r"backdrop-filter|blur\(", sheet.read_text()) == [], sheet.name


def test_names_in_modules_are_standard_words() -> None:
    for module in MODULES:
        names = set(re.findall(r"[A-Za-z_$][\w$]*", code_of(module)))
        assert banned_in(names) == [], module.relative_to(STATIC)
        assert sorted(names & VAGUE) == [], module.relative_to(STATIC)


def test_no_class_name_is_defined_twice() -> None:
    names = [name for module in MODULES for name in re.findall(r"^(?:export )?class (\w+)", code_of(module), re.M)]

    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_classes_and_ids_of_the_page_are_standard_words() -> None:
    selectors = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"[.#]([a-z][\w-]*)", sheet.read_text())}
    shell = (STATIC / "index.html").read_text()
    marked = {name for names in re.findall(r'(?:class|id)="([^"]+)"', shell) for name in names.split()}

    assert banned_in(selectors | marked) == []


def banned_in(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if words_of(name) & BANNED)
