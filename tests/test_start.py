"""What is imported when: little before the embedded database starts, and nothing that only some work needs."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import ROOT

WHILE_INDEXES_ARE_CREATED = {"numpy", "PIL", "prometheus_client"}
WHILE_MONGOD_STARTS = {"pymongo", *WHILE_INDEXES_ARE_CREATED}
LATE = {"scipy", "requests", "qiniu", "distributed", "urllib3"}


def imported_by(module: str) -> set[str]:
    """The libraries that a process has after this import."""
    program = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    return set(done.stdout.split())


def test_the_embedded_database_starts_before_the_large_imports() -> None:
    imported = imported_by("server")

    assert "tornado" in imported
    assert not (WHILE_MONGOD_STARTS | LATE) & imported


def test_the_database_is_opened_before_the_large_imports() -> None:
    imported = imported_by("databases")

    assert "pymongo" in imported
    assert not (WHILE_INDEXES_ARE_CREATED | LATE) & imported


def test_the_server_starts_without_rarely_used_libraries() -> None:
    imported = imported_by("serving")

    assert imported >= WHILE_MONGOD_STARTS
    assert not LATE & imported


def test_no_garbage_is_collected_while_the_server_imports() -> None:
    """Nothing that imports create is garbage; process_setup.freeze_gc begins with collecting."""
    program = """
import gc, runpy, sys
sys.argv = ["server.py", "--colour=red"]
try:
    runpy.run_path("server.py", run_name="__main__")
except SystemExit:
    print(gc.isenabled())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )

    assert done.stdout.split() == ["False"]
