"""The architecture of the page in tests: which module of static/ may import which, and how things are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.support.source import ROOT, words_of
from tests.test_house import BANNED, VAGUE

STATIC = ROOT / "static"
MODULES = sorted(STATIC.rglob("*.js"))


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
    assert re.findall(r"(?:min|max)length=\S+", (STATIC / "index.html").read_text()) == []


def test_megabytes_of_the_page_are_those_of_the_server() -> None:
    """A million bytes: a file that the page takes for small enough must not be refused by the server."""
    for module in MODULES:
        assert not re.search(r"2 ?\*\* ?20|1024 ?\* ?1024|1048576", code_of(module)), module.relative_to(STATIC)


def test_names_in_modules_are_standard_words() -> None:
    for module in MODULES:
        names = set(re.findall(r"[A-Za-z_$][\w$]*", code_of(module)))
        assert banned_in(names) == [], module.relative_to(STATIC)
        assert sorted(names & VAGUE) == [], module.relative_to(STATIC)


def test_classes_and_ids_of_the_page_are_standard_words() -> None:
    selectors = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"[.#]([a-z][\w-]*)", sheet.read_text())}
    shell = (STATIC / "index.html").read_text()
    marked = {name for names in re.findall(r'(?:class|id)="([^"]+)"', shell) for name in names.split()}

    assert banned_in(selectors | marked) == []


def banned_in(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if words_of(name) & BANNED)
