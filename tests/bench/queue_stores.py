"""What other queues store their tasks in: a redis-server and a PostgreSQL, each with a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TIMEOUT_S = 120.0
POSTGRES_FOLDERS = "/usr/lib/postgresql/*/bin"
"""Where Debian has its programs; elsewhere they are on PATH."""


@contextmanager
def run_redis(folder: Path) -> Iterator[str]:
    """Run a redis-server, which syncs an append-only file once a second; yields its address."""
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
        try:
            wait_until(lambda: _port_open(port))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            child.terminate()


@contextmanager
def run_postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL with its own settings, in which each transaction is on the disk before it is acknowledged.

    It refuses to run as root, and then runs as the user `postgres`. Yields its address; "" where it is missing.
    """
    programs = find_postgres()
    if programs is None:
        yield ""
        return
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    files, port = folder / "postgres", _free_port()
    files.mkdir()
    folder.chmod(0o755)
    if prefix:
        shutil.chown(files, "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": files}
    initdb = [*prefix, str(programs / "initdb"), "-D", str(files), "-U", "bench", "-A", "trust"]
    subprocess.run(initdb, check=True, timeout=TIMEOUT_S, **quiet)  # type: ignore[call-overload]
    options = ["-D", str(files), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", ""]
    with subprocess.Popen([*prefix, str(programs / "postgres"), *options], **quiet) as child:  # type: ignore[call-overload]
        try:
            wait_until(lambda: _port_open(port))
            yield f"postgresql://bench@127.0.0.1:{port}/postgres"
        finally:
            stop = [*prefix, str(programs / "pg_ctl"), "stop", "-D", str(files), "-m", "fast"]
            subprocess.run(stop, check=False, timeout=TIMEOUT_S, **quiet)  # type: ignore[call-overload]
            child.wait(TIMEOUT_S)


def find_postgres() -> Path | None:
    """The folder of its programs."""
    for folder in sorted(Path("/").glob(POSTGRES_FOLDERS[1:]), reverse=True):
        if (folder / "postgres").exists():
            return folder
    on_path = shutil.which("postgres")
    return Path(on_path).parent if on_path else None


def wait_until(condition: Callable[[], bool]) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
