"""The data folder: its lock, its secrets, its mongod, and why it cannot be used. Imported before the server is."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from models.embedded_mongod import Mongod

DEFAULT_DATA_DIR = Path("data")
PLAIN_OPTION = re.compile(r"--(port|data_dir)=(.+)")


class StartupError(Exception):
    """The server cannot start for a reason that the operator can fix; the message is one line."""


class DataDirLocked(StartupError):
    """Another process uses the data folder."""


def plain_data_dir(arguments: Sequence[str], environment: Mapping[str, str]) -> Path | None:
    """The data folder of an embedded database, where that is plain before any setting is read; otherwise None.

    To import what reads the settings takes a tenth of a second, in which the database can start. It is plain if there
    is no setting but port and data_dir, on the command line.
    """
    if any(variable.upper().startswith(("TESSERA_", "MONGODB_URI")) for variable in environment):
        return None
    options = {}
    for argument in arguments:
        option = PLAIN_OPTION.fullmatch(argument)
        if option is None:
            return None
        options[option[1]] = option[2]
    port = options.get("port", "0")
    if not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        return None
    return Path(options.get("data_dir", DEFAULT_DATA_DIR))


@contextlib.contextmanager
def lock_data_dir(data_dir: Path) -> Iterator[None]:
    """Lock the data folder for this process. Raises DataDirLocked, StartupError."""
    with ExitStack() as stack:
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = stack.enter_context(open(data_dir / "lock", "w"))
        except OSError as error:
            raise StartupError(_explain_data_dir(data_dir, error)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataDirLocked(f"data_dir: {data_dir} is in use by another server; choose another folder") from error
        yield


def embedded_mongod(data_dir: Path) -> Mongod:
    """The embedded database of a data folder; not started. Raises MongodError."""
    return Mongod(data_dir / "db")


def load_or_create_secret(path: Path) -> str:
    """The secret in this file; created on first use, 64 hex digits, readable by this user only."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text()


def load_server_id(data_dir: Path, server_name: str) -> str:
    """The name of a server in leases: it survives restarts and differs between data folders."""
    return f"{server_name}-{load_or_create_secret(data_dir / 'server-id')[:12]}"


def explain_os_error(data_dir: Path, error: OSError) -> str:
    """Why the server cannot start, in one line."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many open files: raise the limit (LimitNOFILE, ulimit -n)"
    return _explain_data_dir(data_dir, error)


def _explain_data_dir(data_dir: Path, error: OSError) -> str:
    what = f" ({error.filename})" if error.filename and str(error.filename) != str(data_dir) else ""
    return (
        f"data_dir: {data_dir}{what} cannot be used: {error.strerror}; choose a folder where the user"
        f" {getpass.getuser()} may write, with some free space"
    )
