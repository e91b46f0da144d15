"""The documents agree with the code."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from handlers import API
from handlers.access_log import template_of
from handlers.base import is_contract_error, status_of
from handlers.openapi import openapi_document
from models.errors import all_errors
from settings import FIELDS, describe_range

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_every_error_is_listed_with_its_code_and_status() -> None:
    line = re.compile(r"([a-z_]+) +(-[12]) +(\d{3}(?: \(200\))?) +(.+)")
    lines = (DOCS / "error.txt").read_text().splitlines()
    listed = [match.groups() for text in lines if (match := line.fullmatch(text))]

    declared = [
        (
            kind.slug,
            "-2" if kind.slug in ("username_taken", "email_taken") else "-1",
            f"{status_of(kind)}{' (200)' if is_contract_error(kind) else ''}",
            kind.en,
        )
        for kind in all_errors()
    ]

    assert listed == sorted(declared)


def test_slugs_are_unique_and_every_error_has_a_message_in_both_languages() -> None:
    slugs = [kind.slug for kind in all_errors()]

    assert len(slugs) == len(set(slugs))
    assert all(re.search("[\u4e00-\u9fff]", kind.zh) for kind in all_errors())


def test_every_setting_is_listed_with_its_default_and_range() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.+?) \|$", (DOCS / "settings.md").read_text(), re.M)

    declared = [
        (name, _default(name, field.default), describe_range(name), field.description) for name, field in FIELDS.items()
    ]

    assert documented == declared


def test_the_walkthroughs_name_files_that_exist() -> None:
    text = (DOCS / "contributing.md").read_text()
    made_up = {
        "processing/mosaic/styles/waves.py",
        "tests/processing/mosaic/styles/test_waves.py",
        "tests/handlers/test_likes.py",
    }

    named = set(re.findall(r"`(\w+(?:/[\w.]+)*/\w+\.\w+)`", text))

    assert named >= made_up
    assert [name for name in sorted(named - made_up) if not (ROOT / name).is_file()] == []


def test_the_walkthrough_names_every_module_that_reads_settings() -> None:
    text = re.search(r"2\. (`app\.py`.*?)nothing below them", (DOCS / "contributing.md").read_text(), re.DOTALL)
    modules = [path for folder in ("", "handlers", "models", "processing") for path in _modules_in(folder)]

    readers = {path.name for path in modules if re.search(r"^\s*(?:from|import) settings\b", path.read_text(), re.M)}

    assert text
    assert set(re.findall(r"`(\w+\.py)`", text[1])) == readers


def _modules_in(folder: str) -> list[Path]:
    return list((ROOT / folder).rglob("*.py") if folder else ROOT.glob("*.py"))


def _default(name: str, value: object) -> str:
    depends = {"workers": "the cores", "server_name": "the host's name"}
    if name in depends or value in ("", ()):
        return depends.get(name, "")
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("page", ["api.md", "api.zh.md"])
def test_every_route_is_documented_and_no_other(page: str) -> None:
    documented = set(re.findall(r"^### `(/\S+?)/?`", (DOCS / page).read_text(), re.M))

    assert documented == set(openapi_document(API)["paths"])


def test_every_parameter_and_field_of_an_endpoint_is_named_in_its_section() -> None:
    """Or before the first section of its chapter, or with another path of the same handler."""
    document, named = openapi_document(API), defaultdict[type, set[str]](set)
    for chapter in re.split(r"^(?=## )", (DOCS / "api.md").read_text(), flags=re.M):
        introduction, *sections = re.split(r"^(?=### )", chapter, flags=re.M)
        texts = {match[1]: text for text in sections if (match := re.match(r"### `(/\S+?)/?`", text))}
        for path, handler in API:
            named[handler] |= _words(introduction + text) if (text := texts.get(template_of(path))) else set()

    missing = {path: _fields(document, template_of(path)) - named[handler] for path, handler in API}
    assert {path: names for path, names in missing.items() if names} == {}


def test_every_field_of_a_document_is_named() -> None:
    schemas = openapi_document(API)["components"]["schemas"].items()
    fields = {
        field for name, schema in schemas if not name.endswith("Recipe") for field in schema.get("properties", {})
    }

    assert fields - _words((DOCS / "api.md").read_text()) == set()


def _words(text: str) -> set[str]:
    """The words in code spans."""
    return set(re.findall(r"\w+", " ".join(_names(re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)))))


def _fields(document: dict[str, Any], path: str) -> set[str]:
    """The parameters of an endpoint, and the fields of its response."""
    schemas = document["components"]["schemas"]

    def properties(schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        return set(schema.get("properties", {})).union(*map(properties, schema.get("anyOf", ())))

    names = set[str]()
    for operation in document["paths"][path].values():
        bodies = [operation.get("requestBody", {}), operation["responses"]["200"]]
        schemas_of_it = [content["schema"] for body in bodies for content in body.get("content", {}).values()]
        names.update(*map(properties, schemas_of_it), (parameter["name"] for parameter in operation["parameters"]))
    return names - set(schemas["ErrorResponse"]["properties"])


def test_every_address_is_described_in_chinese_to_developers() -> None:
    text = (ROOT / "static" / "console" / "reference.zh.js").read_text()

    described = re.findall(r'^  "(/[^"]*)": "[^"]*[\u4e00-\u9fff]', text, re.M)

    assert sorted(described) == sorted(openapi_document(API)["paths"])


def test_the_sections_of_the_api_are_the_tags_of_the_document() -> None:
    lines = re.findall(r"^(###?) (?:`(/\S+?)/?`|(.+))", (DOCS / "api.md").read_text(), re.M)
    section, documented = "", {}
    for level, path, name in lines:
        section = name if level == "##" else section
        documented |= {path: section} if path else {}

    operations = {path: next(iter(item.values())) for path, item in openapi_document(API)["paths"].items()}
    assert documented == {path: operation["tags"][0] for path, operation in operations.items()}


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_every_make_target_and_every_link_in_a_page_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert link.startswith("http") or (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("name", ["README", "docs/api", "docs/printing"])
def test_both_editions_have_the_same_structure(name: str) -> None:
    english, chinese = ((ROOT / f"{name}{edition}.md").read_text() for edition in ("", ".zh"))

    assert _skeleton(english) == _skeleton(chinese)
    for ours, theirs in zip(_sections(english), _sections(chinese), strict=True):
        assert _names(ours) == _names(theirs), ours.splitlines()[0]


def test_editions_link_to_each_other_and_the_chinese_one_has_chinese_punctuation() -> None:
    for name in ("README", "docs/api", "docs/printing"):
        english, chinese = (ROOT / f"{name}{edition}.md" for edition in ("", ".zh"))
        assert f"]({chinese.name})" in english.read_text()
        assert f"]({english.name})" in chinese.read_text()
        prose = re.sub(r"^```.*?^```|`[^`]*`", "", chinese.read_text(), flags=re.M | re.S)
        assert re.findall("[\u4e00-\u9fff][,;:?!(]|[,;:?!)][\u4e00-\u9fff]", prose) == []


def _sections(text: str) -> list[str]:
    return re.split(r"^(?=#+ )", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)


def _names(section: str) -> set[str]:
    """Code spans, which are the same in both languages: paths, parameters, fields, states."""
    return set(re.findall(r"`([^`]+)`", section))


def _skeleton(text: str) -> list[str]:
    """The level of each heading, code blocks, tables, and links to other documents."""
    blocks = re.findall(r"^```.*?^```", text, re.M | re.S)
    prose = re.sub(r"^```.*?^```", "CODE", text, flags=re.M | re.S)
    parts = re.findall(r"^(#+) |^(CODE)$|^(\|)|\]\(((?:docs|LICENSE|CHANGELOG)[^)]*)\)", prose, re.M)
    return [*("".join(part).replace(".zh.md", ".md") for part in parts), *blocks]


def test_the_index_links_to_every_page() -> None:
    pages = {page.name for page in DOCS.iterdir() if page.suffix in (".md", ".txt")} - {"index.md"}

    assert set(re.findall(r"\]\(([^)]+)\)", (DOCS / "index.md").read_text())) == pages


def test_the_changelog_has_the_usual_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    versions = re.findall(r"^## (.+)$", text, re.M)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= kinds


def test_no_document_has_an_unsolved_merge_conflict() -> None:
    for document in (*ROOT.glob("*.md"), *DOCS.glob("*.md")):
        assert not re.search(r"^(<{7}|={7}|>{7})( |$)", document.read_text(), re.MULTILINE), document
