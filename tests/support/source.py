"""Our own source as data: modules, imports, and the names that they define."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = (
    "server",
    "serving",
    "app",
    "admin",
    "backends",
    "databases",
    "data_dir",
    "command_line",
    "settings",
    "setting_types",
    "logs",
)
PACKAGES = ("handlers", "processing", "models")
PRODUCT_FILES = [
    *(ROOT / f"{name}.py" for name in TOP),
    *sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")),
]
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Every node of a file; a walk takes longer than parsing."""
    return list(ast.walk(tree_of(path)))


def module_of(path: Path) -> str:
    """The dotted name by which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> dict[str, bool]:
    """The full names of the imported modules; True for relative imports. Without those under `if TYPE_CHECKING:`."""
    package = module_of(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    names = dict[str, bool]()
    for node in _statements(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name: False for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            submodules = [f"{module}.{alias.name}" for alias in node.names if _is_module(f"{module}.{alias.name}")]
            whole = [module] if len(submodules) < len(node.names) else []
            names |= dict.fromkeys([*submodules, *whole], bool(node.level))
    return names


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _statements(child)


@cache
def definitions(path: Path) -> dict[str, int]:
    """The names of classes, functions, parameters, locals and attributes that a file defines, each with a line."""
    names = dict[str, int]()
    for node in nodes_of(path):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names[name] = node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                names[name] = node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names[name] = node.lineno
            case ast.alias(asname=str(name)):
                names[name] = node.lineno
    return names


@cache
def words_of(name: str) -> frozenset[str]:
    """`readHTTPBody`, `read_http_body` and `read-http-body` alike: read, http, body."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))
