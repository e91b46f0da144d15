"""What `static/` says of itself: which module imports which, which strings are named where."""

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
    """The modules that must be there before this one runs."""
    return [_resolve(module, first or second) for first, second in _IMPORT.findall(_text(module))]


def later_imports_of(module: str) -> list[str]:
    """The modules that it fetches when they are needed; a `${language}` stands for each language."""
    found = _LATER.findall(_text(module))
    spread = [name.replace("${wanted}", language) for name in found for language in ("en", "zh")]
    return sorted({_resolve(module, name) for name in spread})


def needed_at_first() -> set[str]:
    """Every module that app.js needs, directly or not; not app.js itself."""
    seen: set[str] = set()
    waiting = [FIRST]
    while waiting:
        fresh = set(imports_of(waiting.pop())) - seen
        seen |= fresh
        waiting.extend(fresh)
    return seen


def strings(language: str) -> dict[str, str]:
    return dict(_ENTRY.findall((STATIC / f"strings.{language}.js").read_text()))


def named_in_markup() -> set[str]:
    return set(_NAMED.findall((STATIC / "index.html").read_text()))


def literals_in_modules() -> set[str]:
    """Every string in the modules that looks like a key."""
    spoken = [module for module in modules() if not module.startswith("strings.")]
    return {text for module in spoken for text in _LITERAL.findall(_text(module))}


def keys_said_in_modules() -> set[str]:
    """What is surely a key: the argument of t() and say(), and literals with a dot that are no path."""
    dotted = {text for text in literals_in_modules() if "." in text}
    return dotted | set(re.findall(r'\bt\("([^"]+)"', "".join(_text(module) for module in modules())))


def _text(module: str) -> str:
    return (STATIC / module).read_text()


def _resolve(module: str, name: str) -> str:
    return ((STATIC / module).parent / name).resolve().relative_to(STATIC).as_posix()
