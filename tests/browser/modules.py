"""Static analysis of `static/`: its modules and the strings that they use."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"

_ENTRY = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
_NAMED = re.compile(r'data-t(?:-label|-title|-alt|-placeholder)?="([^"]+)"')
_TEMPLATE = re.compile(r"`([a-z.]+\.)\$\{[^}]*\}([a-z]*)`")
_LITERAL = re.compile(r'"([a-z]+(?:\.[a-z_][a-z_0-9]*)*)"')


def modules() -> list[str]:
    return sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))


def strings(language: str) -> dict[str, str]:
    """Those of the page, and those that a folder of its own adds when it is first opened."""
    files = sorted(STATIC.rglob(f"strings.{language}.js"))
    return {key: text for file in files for key, text in _ENTRY.findall(file.read_text())}


def named_in_markup() -> set[str]:
    return set(_NAMED.findall((STATIC / "index.html").read_text()))


def literals_in_modules() -> set[str]:
    """Every string literal in the modules that has the form of a key."""
    sources = [module for module in modules() if "/strings." not in module]
    return {text for module in sources for text in _LITERAL.findall(_text(module))}


def key_patterns() -> list[re.Pattern[str]]:
    """The keys that the modules compose: "visibility." + a word + "note"."""
    templates = {match for module in modules() for match in _TEMPLATE.findall(_text(module))}
    return [re.compile(re.escape(start) + "[a-z]+" + re.escape(end)) for start, end in sorted(templates)]


def keys_used_in_modules() -> set[str]:
    """Certain keys: arguments of t(), and literals with a dot that are no path."""
    dotted = {text for text in literals_in_modules() if "." in text}
    return dotted | set(re.findall(r'\bt\("([^"]+)"', "".join(_text(module) for module in modules())))


def _text(module: str) -> str:
    return (STATIC / module).read_text()
