"""The architecture in tests: which module may import which, and how things are named.

Imports point down: server -> app -> handlers -> processing -> models. docs/architecture.md draws it.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TypeGuard

import pytest

from handlers import API
from tests.support.source import PRODUCT_FILES, ROOT, TEST_FILES, definitions, imports_of, module_of, tree_of, words_of

MAY_IMPORT = {
    "server": {"app", "backends", "settings", "logs", "handlers", "processing", "models"},
    "app": {"backends", "settings", "handlers", "processing", "models"},
    "admin": {"backends", "settings", "logs", "processing", "models"},
    "backends": {"settings", "models"},
    "settings": set[str](),
    "logs": set[str](),
    "handlers": {"processing", "models"},
    "processing": {"models"},
    "models": set[str](),
}
# The packages of the same parent that a package may import. Modules beside them are shared.
MAY_IMPORT_INSIDE = {
    "handlers.bucket": set[str](),
    "models.bucket": set[str](),
    "models.bucket.embedded": {"models.bucket"},
    "models.queue": set[str](),
    "processing.engine": {"processing.fetch", "processing.images"},
    "processing.fetch": set[str](),
    "processing.images": set[str](),
    "processing.queue": {"processing.engine", "processing.fetch", "processing.images"},
    "processing.upkeep": {"processing.images", "processing.queue"},
    "processing.mosaic.cells": {"processing.mosaic.colour"},
    "processing.mosaic.cli": {"processing.mosaic.codec", "processing.mosaic.colour", "processing.mosaic.styles"},
    "processing.mosaic.codec": {"processing.mosaic.cells", "processing.mosaic.colour"},
    "processing.mosaic.colour": set[str](),
    "processing.mosaic.styles": {"processing.mosaic.cells", "processing.mosaic.codec", "processing.mosaic.colour"},
}
# The policy of an upload is checked with the errors of the bucket that we emulate.
EXCEPTION = ("models.bucket.policy", "models.bucket.embedded.errors")
# The only place that may import each library.
KEPT_INSIDE = {"motor": "models", "pymongo": "models", "bson": "models", "qiniu": "models/bucket", "PIL": "processing"}

VAGUE = {"found", "asked", "known", "said", "given", "told", "kept", "made", "held", "shown"}
BANNED = frozenset(
    """
    shop belongings departures room offer nowhere surplus patience sight standing roll desk mends mend door tray film
    wall vault shelf leave hewn beads
    """.split()  # noqa: SIM905  # a list of 24 words over 24 lines reads worse
)
# A test's name is a sentence: these are plain verbs and nouns in one.
PLAIN_IN_SENTENCES = {"leave", "offer", "roll", "room", "standing"}

by_path = pytest.mark.parametrize("path", PRODUCT_FILES, ids=lambda path: str(path.relative_to(ROOT)))


def package_of(module: str) -> str:
    """The innermost package with a rule of its own, else the top."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in MAY_IMPORT_INSIDE), parts[0])


# --- imports ----------------------------------------------------------------------------------------------------------


@by_path
def test_imports_point_down(path: Path) -> None:
    here = module_of(path).partition(".")[0]

    for module in imports_of(path):
        top = module.partition(".")[0]
        assert top not in MAY_IMPORT or top == here or top in MAY_IMPORT[here], f"{path.name} imports {module}"


@by_path
def test_packages_import_only_the_packages_below_them(path: Path) -> None:
    here = package_of(module_of(path))

    for module in imports_of(path):
        package = package_of(module)
        if {here, package} <= MAY_IMPORT_INSIDE.keys() and package != here and (module_of(path), module) != EXCEPTION:
            siblings = here.rpartition(".")[0] == package.rpartition(".")[0] or package.startswith(f"{here}.")
            assert not siblings or package in MAY_IMPORT_INSIDE[here], f"{module_of(path)} imports {module}"


@by_path
def test_the_engine_imports_nothing_of_ours_and_itself_only_relatively(path: Path) -> None:
    if path.is_relative_to(ROOT / "processing" / "mosaic"):
        absolute = [name for name, relative in imports_of(path).items() if not relative]
        assert not [name for name in absolute if name.partition(".")[0] in MAY_IMPORT]


@by_path
def test_a_style_imports_no_other_style(path: Path) -> None:
    styles = "processing.mosaic.styles."
    if module_of(path).startswith(styles):
        own = module_of(path).removeprefix(styles).partition(".")[0]
        others = [name.removeprefix(styles).partition(".")[0] for name in imports_of(path) if name.startswith(styles)]
        assert set(others) <= {own}


@by_path
def test_each_outside_system_is_known_to_one_place(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()

    for module in imports_of(path):
        owner = KEPT_INSIDE.get(module.partition(".")[0])
        assert owner is None or place.startswith(owner + "/"), f"{place} imports {module}"


def test_only_tests_import_the_server_and_only_the_server_imports_the_composition() -> None:
    importing = {module_of(path): set(imports_of(path)) for path in PRODUCT_FILES}

    assert [module for module, names in importing.items() if "server" in names] == []
    assert [module for module, names in importing.items() if "app" in names] == ["server"]


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {module_of(path): path for path in PRODUCT_FILES}

    order = TopologicalSorter({name: modules.keys() & set(imports_of(path)) - {name} for name, path in modules.items()})

    assert len(list(order.static_order())) == len(modules)


def test_handler_modules_do_not_import_each_other() -> None:
    endpoints = {handler.__module__ for _, handler in API}

    for path in PRODUCT_FILES:
        if module_of(path) in endpoints:
            assert not set(imports_of(path)) & endpoints - {module_of(path)}, module_of(path)


# --- names ------------------------------------------------------------------------------------------------------------


def test_no_public_class_name_is_defined_twice() -> None:
    places = defaultdict(list)
    for path in PRODUCT_FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module_of(path))

    assert {name: modules for name, modules in places.items() if len(modules) > 1 and not _is_mirrored(modules)} == {}


def _is_mirrored(modules: list[str]) -> bool:
    """The house has errors of its own for those of the engine and of the embedded bucket."""
    return all(module.endswith(".errors") for module in modules)


def test_the_classes_of_the_glossary_exist() -> None:
    glossary = (ROOT / "docs" / "architecture.md").read_text().partition("## Glossary")[2].partition("\n## ")[0]
    classes = {
        node.name for path in PRODUCT_FILES for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)
    }

    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", glossary))
    assert len(named) >= 20
    assert named <= classes


def test_every_route_leads_to_a_handler_that_defines_get_or_post() -> None:
    for _, handler in API:
        assert handler.__name__.endswith("Handler")
        assert {"get", "post"} & set(vars(handler)), handler


@pytest.mark.parametrize("path", [*PRODUCT_FILES, *TEST_FILES], ids=lambda path: str(path.relative_to(ROOT)))
def test_names_say_what_they_hold(path: Path) -> None:
    names = definitions(path)

    assert {name: line for name, line in names.items() if name.strip("_") in VAGUE} == {}
    assert {name: line for name, line in names.items() if _banned(name)} == {}


def _banned(name: str) -> set[str]:
    allowed = PLAIN_IN_SENTENCES if name.startswith("test_") else set[str]()
    return words_of(name) & BANNED - allowed | ({"Line"} & {name})


def test_files_are_named_by_standard_words() -> None:
    files = [path.relative_to(ROOT) for folder in ("docs", "static", "tests") for path in (ROOT / folder).rglob("*")]

    assert [path for path in files if words_of(path.stem) & BANNED - PLAIN_IN_SENTENCES] == []


# --- tests ------------------------------------------------------------------------------------------------------------

CLOCKS = {"monotonic", "perf_counter"}  # processor time may be asserted: other processes do not add to it
# Benchmarks and drills measure time; waiting polls with a deadline; a slow client pauses between the pieces it sends;
# the clock of test_progress.py is a virtual one.
MAY_MEASURE = ("tests/bench/", "tests/fault_injection/")
MAY_SLEEP = (
    *MAY_MEASURE,
    "tests/support/waiting.py",
    "tests/security/raw_http.py",
    "tests/processing/queue/test_progress.py",
)
by_test_file = pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: str(path.relative_to(ROOT)))


@by_test_file
def test_tests_await_events_and_pass_clocks(path: Path) -> None:
    here = path.relative_to(ROOT).as_posix()
    nodes = list(ast.walk(tree_of(path)))

    sleeps = [node.lineno for node in nodes if _is_call_of(node, {"sleep"}) and not _yields_only(node)]
    assert not sleeps or here.startswith(MAY_SLEEP), f"sleeps in lines {sleeps}"
    comparisons = [node for node in nodes if isinstance(node, ast.Compare) or _is_difference(node)]
    measured = [node.lineno for node in comparisons if any(_is_call_of(part, CLOCKS) for part in ast.walk(node))]
    assert not measured or here.startswith(MAY_MEASURE), f"measures elapsed time in lines {measured}"


def _is_call_of(node: ast.AST, names: set[str]) -> TypeGuard[ast.Call]:
    function = node.func if isinstance(node, ast.Call) else None
    return isinstance(function, ast.Attribute | ast.Name) and ast.unparse(function).rpartition(".")[2] in names


def _is_difference(node: ast.AST) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def _yields_only(sleep: ast.Call) -> bool:
    """`asyncio.sleep(0)` lets other tasks run."""
    return ast.unparse(sleep.args[0]) == "0"


# --- static/ ----------------------------------------------------------------------------------------------------------

STATIC = ROOT / "static"
MODULES = sorted(STATIC.rglob("*.js"))
by_module = pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(STATIC).as_posix())


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
    return name.rpartition("/")[0]


def test_there_is_no_python_in_static() -> None:
    assert list(STATIC.rglob("*.py")) == []


@by_module
def test_pages_import_components_and_only_app_js_joins_them(module: Path) -> None:
    here = module.relative_to(STATIC).as_posix()
    may_import = {
        "": {"", "i18n", "upload"},
        "components": {"", "components", "i18n"},
        "pages": {"", "components", "i18n"},
        "i18n": {"", "i18n"},
        "upload": {"", "upload", "i18n"},
    }

    for name in imported_by(module):
        assert here == "app.js" or folder_of(name) in may_import[folder_of(here)], f"{here} imports {name}"
        assert name != "app.js"


@by_module
def test_only_the_client_of_the_api_and_the_upload_send_requests(module: Path) -> None:
    here = module.relative_to(STATIC).as_posix()
    calls = set(re.findall(r"(?<![.#\w])(fetch(?=\()|XMLHttpRequest|EventSource)", code_of(module)))

    may_send = {"api.js": {"fetch"}, "task-events.js": {"EventSource"}}
    assert calls <= may_send.get(here, {"XMLHttpRequest"} if here.startswith("upload/") else set())


@by_module
def test_names_in_modules_are_standard_words(module: Path) -> None:
    names = set(re.findall(r"[A-Za-z_$][\w$]*", code_of(module)))

    assert {name for name in names if words_of(name) & BANNED} == set()


def test_classes_and_ids_of_the_page_are_standard_words() -> None:
    selectors = {name for sheet in STATIC.glob("*.css") for name in re.findall(r"[.#]([a-z][\w-]*)", sheet.read_text())}
    shell = (STATIC / "index.html").read_text()
    marked = {name for names in re.findall(r'(?:class|id)="([^"]+)"', shell) for name in names.split()}

    assert banned_in(selectors | marked) == []


def banned_in(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if words_of(name) & BANNED)
