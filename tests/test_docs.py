"""The documents say what the code says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from handlers import API
from handlers.base import in_contract, status_of
from handlers.openapi import EXTRA_PATHS, openapi_document
from models.errors import all_errors
from settings import FIELDS, describe_range
from tests.support.uncovered import AT_THE_TOP, comparison, listed, not_run

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def test_every_error_stands_in_the_list_with_its_code_and_status() -> None:
    line = re.compile(r"([a-z_]+) +(-[12]) +(\d{3}(?: \(200\))?) +(.+)")
    lines = (DOCS / "error.txt").read_text().splitlines()
    listed = [match.groups() for text in lines if (match := line.fullmatch(text))]

    declared = [
        (
            kind.slug,
            "-2" if kind.slug == "username_taken" else "-1",
            f"{status_of(kind)}{' (200)' if in_contract(kind) else ''}",
            kind.en,
        )
        for kind in all_errors()
    ]

    assert listed == sorted(declared)


def test_slugs_are_unique_and_every_error_speaks_both_languages() -> None:
    slugs = [kind.slug for kind in all_errors()]

    assert len(slugs) == len(set(slugs))
    assert all(re.search("[\u4e00-\u9fff]", kind.zh) for kind in all_errors())


def test_every_setting_stands_in_the_table_with_its_default_and_range() -> None:
    documented = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.+?) \|$", (DOCS / "settings.md").read_text(), re.M)

    declared = [
        (name, _default(name, field.default), describe_range(name), field.description) for name, field in FIELDS.items()
    ]

    assert documented == declared


def _default(name: str, value: object) -> str:
    depends = {"workers": "the cores", "server_name": "the host's name"}
    if name in depends or value in ("", ()):
        return depends.get(name, "")
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("page", ["api.md", "api.zh.md"])
def test_every_route_stands_in_the_api_and_nothing_else(page: str) -> None:
    documented = set(re.findall(r"^### `(/\S+?)/?`", (DOCS / page).read_text(), re.M))

    assert documented == {re.sub(r"\(\?P<(\w+)>.*?\)", r"{\1}", path) for path, _, _ in API} | set(EXTRA_PATHS)


def test_the_chapters_of_the_api_are_those_of_the_document() -> None:
    lines = re.findall(r"^(###?) (?:`(/\S+?)/?`|(.+))", (DOCS / "api.md").read_text(), re.M)
    chapter, documented = "", {}
    for level, path, name in lines:
        chapter = name if level == "##" else chapter
        documented |= {path: chapter} if path else {}

    operations = {path: next(iter(item.values())) for path, item in openapi_document(API)["paths"].items()}
    assert documented == {path: operation["tags"][0] for path, operation in operations.items()}


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), *sorted(ROOT.glob("*.md"))], ids=lambda page: page.name)
def test_every_make_command_and_every_link_in_a_page_is_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))

    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        assert link.startswith("http") or (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.parametrize("name", ["README", "docs/api"])
def test_both_editions_have_the_same_parts_in_the_same_order(name: str) -> None:
    english, chinese = ((ROOT / f"{name}{edition}.md").read_text() for edition in ("", ".zh"))

    assert _skeleton(english) == _skeleton(chinese)
    for ours, theirs in zip(_sections(english), _sections(chinese), strict=True):
        assert _names(ours) == _names(theirs), ours.splitlines()[0]


def test_each_edition_leads_to_the_other_and_the_chinese_one_is_punctuated_as_chinese() -> None:
    for name in ("README", "docs/api"):
        english, chinese = (ROOT / f"{name}{edition}.md" for edition in ("", ".zh"))
        assert f"]({chinese.name})" in english.read_text()
        assert f"]({english.name})" in chinese.read_text()
        prose = re.sub(r"^```.*?^```|`[^`]*`", "", chinese.read_text(), flags=re.M | re.S)
        assert re.findall("[\u4e00-\u9fff][,;:?!(]|[,;:?!)][\u4e00-\u9fff]", prose) == []


def _sections(text: str) -> list[str]:
    return re.split(r"^(?=#+ )", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)


def _names(section: str) -> set[str]:
    """What is spelled alike in every language: paths, parameters, fields, states."""
    return set(re.findall(r"`([^`]+)`", section))


def _skeleton(text: str) -> list[str]:
    """Headings by level, code blocks and pictures whole, tables by their rows' links."""
    blocks = re.findall(r"^```.*?^```", text, re.M | re.S)
    prose = re.sub(r"^```.*?^```", "CODE", text, flags=re.M | re.S)
    parts = re.findall(r"^(#+) |^(CODE)$|^(\|)|\]\(((?:docs|LICENSE|CHANGELOG)[^)]*)\)", prose, re.M)
    return [*("".join(part).replace(".zh.md", ".md") for part in parts), *blocks]


def test_the_index_leads_to_every_page() -> None:
    pages = {page.name for page in DOCS.iterdir() if page.suffix in (".md", ".txt")} - {"index.md"}

    assert set(re.findall(r"\]\(([^)]+)\)", (DOCS / "index.md").read_text())) == pages


def test_the_changelog_is_kept_as_such_files_are() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()

    versions = re.findall(r"^## (.+)$", text, re.M)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= kinds


def test_every_security_requirement_stands_beside_the_tests_that_show_it() -> None:
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", (DOCS / "security.md").read_text(), re.M)
    documented = {(int(number), name) for number, names in rows for name in re.findall(r"`(\w+)`", names)}
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    written = {(int(n), name) for text in sources for name, n in re.findall(r"def (test_req_(\d\d)_\w+)", text)}

    assert documented == written
    assert {number for number, _ in documented} == set(range(1, 45))


def test_functions_that_are_listed_as_not_run_are_there() -> None:
    reasons = listed((DOCS / "contributing.md").read_text())

    assert reasons
    for file, name in reasons:
        module = ast.parse((ROOT / file).read_text())
        assert name == AT_THE_TOP or name in _functions(module), f"{file} {name}"


def _functions(body: ast.AST, within: str = "") -> set[str]:
    """By qualified name, as coverage.py names them."""
    found = set()
    for node in ast.iter_child_nodes(body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found |= {within + node.name} | _functions(node, f"{within}{node.name}.")
    return found


def test_what_was_not_run_wants_a_test_or_a_reason() -> None:
    report = {"files": {"a.py": {"functions": {"": {"missing_lines": []}, "A.b": {"missing_lines": [3]}}}}}
    page = "| `a.py` | `A.b` | a race |\n"

    assert comparison(not_run(report), listed(page)) == (0, [])
    assert comparison(not_run(report), set()) == (
        1,
        ["not run, and docs/contributing.md gives no reason: a.py A.b"],
    )
    code, lines = comparison(set(), listed(page))
    assert (code, len(lines)) == (0, 1)
