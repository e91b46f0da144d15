"""A server as a child process, as an operator runs it."""

from __future__ import annotations

import os
import re
import signal as signals
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 120
STOP_LIMIT_S = 120


def free_port() -> int:
    """A port of 127.0.0.1 that is free now, for a server whose address another one must know before it starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def suspend(pid: int) -> None:
    """SIGSTOP, until all threads stand still: on busy cores they go on for a moment after the signal."""
    os.kill(pid, signals.SIGSTOP)
    await until(lambda: _thread_states(pid) == {"T"})


def _thread_states(pid: int) -> set[str]:
    """As Linux names them: R runs, S sleeps, T is stopped."""
    states = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return states


class ServerProcess:
    """`server.py` on a free port with one data folder. `with` starts and stops it."""

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        program: tuple[str, ...] = ("server.py",),
        port: int = 0,
    ) -> None:
        """port: where its public_url is another one, so that `own_url` leads to this server."""
        self.data_dir = data_dir
        self.own_url = f"http://127.0.0.1:{port}"
        self._port = port
        self._program = program
        self._arguments = arguments
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TESSERA_")},
            **(environment or {}),
        }
        self.log_path = data_dir.with_name(data_dir.name + ".log")
        self._process: subprocess.Popen[str] | None = None
        self.base_url = ""

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def start(self) -> None:
        """Start and wait for the line with the address. A second start uses the same data and port."""
        port = self._port or self.base_url.rpartition(":")[2] or "0"
        with self.log_path.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, f"--port={port}", f"--data_dir={self.data_dir}", *self._arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        ready = re.search(r"Tessera is ready: ([^\s\"]+)", line)  # in JSON with --log_json
        assert ready, f"no address but {line!r}; the log:\n{self.log}"
        self.base_url = ready[1]

    def kill(self) -> None:
        """Like a power failure: no warning, no clean-up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_LIMIT_S)
        self._close()

    def stop(self, number: signals.Signals = signals.SIGTERM) -> int:
        """Send a signal and wait for the end. Returns the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(STOP_LIMIT_S)
        self._close()
        return code

    def signal(self, number: signals.Signals) -> None:
        """Send a signal without waiting."""
        assert self._process is not None
        self._process.send_signal(number)

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
