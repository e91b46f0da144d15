"""Static analysis of `static/`: the imports of each module and the strings it uses."""

from __future__ import annotations

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "static"
FIRST = "app.js"

_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?from "(\.[^"]+)"|^import "(\.[^"]+)"', re.MULTILINE)
_LATER = re.compile(r"""import\(["`](\.[^"`]+)["`]\)""")
_ENTRY = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
_NAMED = re.compile(r'data-t(?:-label|-title|-alt|-placeholder)?="([^"]+)"')
_LITERAL = re.compile(r'"([a-z]+(?:\.[a-z_]+)*)"')


def modules() -> list[str]:
    return sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js"))


def imports_of(module: str) -> list[str]:
    """The modules that this one imports statically."""
    return [_resolve(module, first or second) for first, second in _IMPORT.findall(_text(module))]


def later_imports_of(module: str) -> list[str]:
    """The modules that this one imports dynamically; `${tag}` stands for each language."""
    names = _LATER.findall(_text(module))
    spread = [name.replace("${tag}", language) for name in names for language in ("en", "zh")]
    return sorted({_resolve(module, name) for name in spread})


def needed_at_first() -> set[str]:
    """Every module that app.js imports statically, directly or not; without app.js itself."""
    visited: set[str] = set()
    waiting = [FIRST]
    while waiting:
        fresh = set(imports_of(waiting.pop())) - visited
        visited |= fresh
        waiting.extend(fresh)
    return visited


def strings(language: str) -> dict[str, str]:
    return dict(_ENTRY.findall((STATIC / f"i18n/strings.{language}.js").read_text()))


def named_in_markup() -> set[str]:
    return set(_NAMED.findall((STATIC / "index.html").read_text()))


def literals_in_modules() -> set[str]:
    """Every string literal in the modules that has the form of a key."""
    sources = [module for module in modules() if not module.startswith("i18n/strings.")]
    return {text for module in sources for text in _LITERAL.findall(_text(module))}


def keys_used_in_modules() -> set[str]:
    """Certain keys: arguments of t(), and literals with a dot that are no path."""
    dotted = {text for text in literals_in_modules() if "." in text}
    return dotted | set(re.findall(r'\bt\("([^"]+)"', "".join(_text(module) for module in modules())))


def _text(module: str) -> str:
    return (STATIC / module).read_text()


def _resolve(module: str, name: str) -> str:
    return ((STATIC / module).parent / name).resolve().relative_to(STATIC).as_posix()
