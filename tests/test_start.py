"""What is imported when: little before the embedded database starts, the engine after the first answer."""

from __future__ import annotations

import subprocess
import sys

from tests.support.process import ROOT

WHILE_INDEXES_ARE_CREATED = {"PIL", "prometheus_client"}
WHILE_MONGOD_STARTS = {"pydantic", "pydantic_settings", "tornado", "pymongo", *WHILE_INDEXES_ARE_CREATED}
WHEN_REQUESTS_ARE_ANSWERED = {"numpy", "processing.mosaic"}
LATE = {"scipy", "requests", "qiniu", "distributed", "urllib3", "threadpoolctl", *WHEN_REQUESTS_ARE_ANSWERED}


def output_of(program: str) -> list[str]:
    """The words that a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout.split()


def imported_by(module: str) -> set[str]:
    """The modules that a process has after this import."""
    return set(output_of(f"import sys, {module}; print(*sys.modules)"))


def test_the_embedded_database_starts_before_the_large_imports() -> None:
    imported = imported_by("server")

    assert "models.embedded_mongod" in imported
    assert not (WHILE_MONGOD_STARTS | LATE) & imported


def test_the_database_is_opened_before_the_large_imports() -> None:
    imported = imported_by("databases")

    assert "pymongo" in imported
    assert not (WHILE_INDEXES_ARE_CREATED | LATE) & imported


def test_the_server_starts_without_the_engine_and_rarely_used_libraries() -> None:
    imported = imported_by("serving")

    assert imported >= WHILE_MONGOD_STARTS
    assert not LATE & imported


def test_the_engine_is_imported_before_garbage_is_collected() -> None:
    program = """
import asyncio, gc, sys, serving
gc.disable()
asyncio.run(serving.finish_imports())
print("processing.mosaic" in sys.modules, gc.isenabled(), gc.get_freeze_count() > 0)
"""

    assert output_of(program) == ["True", "True", "True"]


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

    assert output_of(program) == ["False"]
