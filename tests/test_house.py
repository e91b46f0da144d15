"""Imports point down: server -> handlers -> processing -> models; the mosaic engine is a leaf."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"server", "admin", "backends", "settings", "logs", "handlers", "processing", "models"}
AT_THE_TOP = ("server", "admin", "backends", "settings", "logs")
MAY_IMPORT = {
    "server": {"backends", "settings", "logs", "handlers", "processing", "models"},
    "admin": {"backends", "settings", "logs", "processing", "models"},
    "backends": {"settings", "models"},
    "settings": set(),
    "logs": set(),
    "handlers": {"processing", "models"},
    "processing": {"models"},
    "processing.mosaic": set(),
    "models": set(),
}
KEPT_INSIDE = {"motor": "models", "pymongo": "models", "bson": "models", "qiniu": "models/bucket", "PIL": "processing"}


def python_files() -> list[Path]:
    folders = [ROOT / name for name in ("handlers", "processing", "models")]
    return [*(ROOT / f"{name}.py" for name in AT_THE_TOP), *(p for f in folders for p in f.rglob("*.py"))]


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "processing.mosaic" if parts[:2] == ("processing", "mosaic") else parts[0]


def imported(path: Path) -> Iterator[str]:
    """Full names; a relative import stays in its own package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    room = room_of(path)
    for name in imported(path):
        target = "processing.mosaic" if name.startswith("processing.mosaic") else name.split(".")[0]
        if target.split(".")[0] in OURS and target != room:
            inside = room == "processing" and target == "processing.mosaic"
            reached = target.split(".")[0] in MAY_IMPORT[room]
            assert inside or reached, f"{room} imports {name}"


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_outside_system_is_known_to_one_part(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    for name in imported(path):
        owner = KEPT_INSIDE.get(name.split(".")[0])
        assert owner is None or place.startswith(owner + "/"), f"{place} imports {name}"


def test_nobody_imports_the_server_but_tests() -> None:
    importing = [path for path in python_files() if "server" in set(imported(path))]

    assert importing == []
