"""The architecture in tests: which module may import which, and how things are named.

Imports point down: server -> serving -> app -> handlers -> processing -> models. docs/architecture.md draws it.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from graphlib import TopologicalSorter

from handlers import API, ROUTES
from tests.support.source import (
    PACKAGES,
    PRODUCT_FILES,
    ROOT,
    TEST_FILES,
    TOP,
    definitions,
    imports_of,
    module_of,
    nodes_of,
    words_of,
)

MAY_IMPORT = {
    "server": {"serving", "command_line", "databases", "data_dir", "settings", "logs", "processing", "models"},
    "serving": {"app", "backends", "data_dir", "settings", "logs", "handlers", "processing", "models"},
    "app": {"backends", "data_dir", "settings", "handlers", "processing", "models"},
    "admin": {"backends", "command_line", "databases", "data_dir", "settings", "logs", "processing", "models"},
    "backends": {"data_dir", "settings", "processing", "models"},
    "databases": {"data_dir", "settings", "models"},
    "data_dir": {"models"},
    "command_line": {"settings"},
    "settings": {"setting_types"},
    "setting_types": {"models"},
    "logs": set[str](),
    "handlers": {"processing", "models"},
    "processing": {"models"},
    "models": set[str](),
}


def inside_mosaic(*packages: str) -> set[str]:
    return {f"processing.mosaic.{package}" for package in packages}


# The packages of the same parent that a package may import. Modules beside them are shared.
MAY_IMPORT_INSIDE = {
    "handlers.bucket": {"handlers.transport"},
    "handlers.pages": set[str](),
    "handlers.schemas": set[str](),
    "handlers.transport": set[str](),
    "models.accounts": set[str](),
    "models.bucket": {"models.images"},
    "models.bucket.embedded": {"models.bucket"},
    "models.images": {"models.accounts"},
    "models.queue": {"models.images"},
    "processing.engine": {"processing.fetch", "processing.images"},
    "processing.fetch": set[str](),
    "processing.images": set[str](),
    "processing.queue": {"processing.engine", "processing.fetch", "processing.images"},
    "processing.upkeep": {"processing.images", "processing.queue"},
    "processing.mosaic.cells": inside_mosaic("colour"),
    "processing.mosaic.cli": inside_mosaic("codec", "colour", "pdf", "styles", "tiles"),
    "processing.mosaic.codec": inside_mosaic("cells", "colour", "segments", "codec.formats", "codec.profiles"),
    "processing.mosaic.codec.encoders": inside_mosaic("cells", "colour", "segments", "codec.formats"),
    "processing.mosaic.codec.formats": set[str](),
    "processing.mosaic.codec.profiles": inside_mosaic("colour"),
    "processing.mosaic.colour": set[str](),
    "processing.mosaic.materials": inside_mosaic("cells", "codec", "colour"),
    "processing.mosaic.pdf": inside_mosaic("cells", "codec", "colour"),
    "processing.mosaic.segments": inside_mosaic("cells", "colour"),
    "processing.mosaic.styles": inside_mosaic("cells", "codec", "colour", "materials", "segments", "tiles"),
    "processing.mosaic.tiles": inside_mosaic("cells", "codec", "colour"),
}
# The policy of an upload is checked with the errors of the bucket that we emulate.
EXCEPTION = ("models.bucket.policy", "models.bucket.embedded.errors")
# The only place that may import each library.
KEPT_INSIDE = {
    "motor": "models",
    "pymongo": "models",
    "bson": "models",
    "qiniu": "models/bucket",
    "PIL": "processing",
    "pydyf": "processing/mosaic/pdf",
}

VAGUE = {"found", "asked", "known", "said", "given", "told", "kept", "made", "held", "shown"}
BANNED = frozenset(
    """
    shop belongings departures room offer nowhere surplus patience sight standing roll desk mends mend door tray film
    wall vault shelf leave hewn
    """.split()  # noqa: SIM905  # a list of 23 words over 23 lines reads worse
)
# A test's name is a sentence: these are plain verbs and nouns in one.
PLAIN_IN_SENTENCES = {"leave", "offer", "roll", "room", "standing"}


def package_of(module: str) -> str:
    """The innermost package with a rule of its own, else the top."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in MAY_IMPORT_INSIDE), parts[0])


def imports() -> list[tuple[str, str]]:
    """Every module of ours with each module that it imports."""
    return [(module_of(path), module) for path in PRODUCT_FILES for module in imports_of(path)]


def test_imports_point_down() -> None:
    for here, module in imports():
        package, top = here.partition(".")[0], module.partition(".")[0]
        assert top not in MAY_IMPORT or top == package or top in MAY_IMPORT[package], f"{here} imports {module}"


def test_packages_import_only_the_packages_below_them() -> None:
    for importer, module in imports():
        here, package = package_of(importer), package_of(module)
        if {here, package} <= MAY_IMPORT_INSIDE.keys() and package != here and (importer, module) != EXCEPTION:
            siblings = here.rpartition(".")[0] == package.rpartition(".")[0] or package.startswith(f"{here}.")
            assert not siblings or package in MAY_IMPORT_INSIDE[here], f"{importer} imports {module}"


def test_every_package_has_a_rule() -> None:
    packages = {module_of(path) for path in PRODUCT_FILES if path.name == "__init__.py"}

    ruled = {name for name in packages if not name.startswith("processing.mosaic.styles.")} - {"processing.mosaic"}
    assert ruled == MAY_IMPORT_INSIDE.keys() | {"handlers", "models", "processing"}


def test_the_engine_imports_nothing_of_ours_and_itself_only_relatively() -> None:
    for path in PRODUCT_FILES:
        if path.is_relative_to(ROOT / "processing" / "mosaic"):
            absolute = [name for name, relative in imports_of(path).items() if not relative]
            assert not [name for name in absolute if name.partition(".")[0] in MAY_IMPORT], module_of(path)


def test_a_style_imports_no_other_style() -> None:
    styles = "processing.mosaic.styles."
    for here, module in imports():
        if here.startswith(styles) and module.startswith(styles):
            own, other = (name.removeprefix(styles).partition(".")[0] for name in (here, module))
            assert own == other, f"{here} imports {module}"


def test_each_outside_system_is_known_to_one_place() -> None:
    for path in PRODUCT_FILES:
        place = path.relative_to(ROOT).as_posix()
        for module in imports_of(path):
            owner = KEPT_INSIDE.get(module.partition(".")[0])
            assert owner is None or place.startswith(owner + "/"), f"{place} imports {module}"


def test_each_module_above_the_handlers_is_imported_only_by_the_one_above_it() -> None:
    importing = {module_of(path): set(imports_of(path)) for path in PRODUCT_FILES}

    for module, importers in (("server", []), ("serving", ["server"]), ("app", ["serving"])):
        assert [name for name, names in importing.items() if module in names] == importers


def test_every_module_at_the_top_is_in_these_tests_and_checked_by_mypy() -> None:
    modules = {path.stem for path in ROOT.glob("*.py")}

    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"]
    assert set(TOP) == modules
    assert set(checked) == {f"{name}.py" for name in modules} | set(PACKAGES)


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
        for node in nodes_of(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module_of(path))

    assert {name: modules for name, modules in places.items() if len(modules) > 1 and not _is_mirrored(modules)} == {}


def _is_mirrored(modules: list[str]) -> bool:
    """The house has errors of its own for those of the engine and of the embedded bucket."""
    return all(module.endswith(".errors") for module in modules)


def test_the_classes_of_the_glossary_exist() -> None:
    glossary = (ROOT / "docs" / "architecture.md").read_text().partition("## Glossary")[2].partition("\n## ")[0]
    classes = {node.name for path in PRODUCT_FILES for node in nodes_of(path) if isinstance(node, ast.ClassDef)}

    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", glossary))
    assert len(named) >= 20
    assert named <= classes


# They define neither `get` nor `post`.
ANSWER_OTHERWISE = {
    "ImagePageHandler": "inherits get, and says what the page is about",
    "ProfilePageHandler": "inherits get, and says what the page is about",
    "StartBlockHandler": "inherits post, and says where the chunk goes",
    "NextChunkHandler": "inherits post, and says where the chunk goes",
    "UploadPartHandler": "answers put, as Kodo does",
    "UnknownPathHandler": "answers 404 to every method",
}


def test_every_route_leads_to_a_handler_that_defines_get_or_post() -> None:
    handlers = {handler for _, handler in ROUTES}

    assert [handler for handler in handlers if not handler.__name__.endswith("Handler")] == []
    assert {
        handler.__name__ for handler in handlers if not {"get", "post"} & set(vars(handler))
    } == ANSWER_OTHERWISE.keys()


def test_names_say_what_they_hold() -> None:
    names = [
        (name, f"{path.relative_to(ROOT)}:{line}")
        for path in [*PRODUCT_FILES, *TEST_FILES]
        for name, line in definitions(path).items()
    ]

    assert [(name, place) for name, place in names if name.strip("_") in VAGUE] == []
    assert [(name, place) for name, place in names if _banned(name)] == []


def _banned(name: str) -> frozenset[str]:
    allowed = PLAIN_IN_SENTENCES if name.startswith("test_") else set[str]()
    return words_of(name) & BANNED - allowed | ({"Line"} & {name})


def test_files_are_named_by_standard_words() -> None:
    files = [path.relative_to(ROOT) for folder in ("docs", "static", "tests") for path in (ROOT / folder).rglob("*")]

    assert [path for path in files if words_of(path.stem) & BANNED - PLAIN_IN_SENTENCES] == []


MAX_LINES = 300
LONGER = {
    "models/errors.py": "one tree of errors, which are read together",
    "static/i18n/strings.en.js": "a list, one line a sentence",
    "static/i18n/strings.zh.js": "a list, one line a sentence",
}


def test_a_file_is_one_noun_of_300_lines_at_most() -> None:
    scripts = [*(ROOT / "static").rglob("*.js"), *(ROOT / "static").rglob("*.css")]
    lines = {
        path.relative_to(ROOT).as_posix(): path.read_text().count("\n")
        for path in [*PRODUCT_FILES, *TEST_FILES, *scripts]
    }

    assert {name: count for name, count in lines.items() if count > MAX_LINES and name not in LONGER} == {}
    assert [name for name in LONGER if lines[name] <= MAX_LINES] == []


MAX_FUNCTION_LINES = 50


def test_a_function_of_the_product_has_50_lines_at_most() -> None:
    lines = {
        f"{path.relative_to(ROOT)}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in PRODUCT_FILES
        for node in nodes_of(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES} == {}
