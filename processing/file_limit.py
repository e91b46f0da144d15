"""How many files this process may open: each connection needs one."""

from __future__ import annotations

import contextlib
import resource

MAX_FILES = 65_536
MIN_FILES = 256


def raise_file_limit() -> None:
    """Raise the limit of open files as far as the system allows, at most to MAX_FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with contextlib.suppress(ValueError, OSError):  # some systems refuse what they report as possible
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def file_limit() -> int:
    """How many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_FILES if soft == resource.RLIM_INFINITY else soft


class TooFewFiles(Exception):
    """The server cannot start with so few open files; the message is one line for the operator."""


def check_file_limit(files: int) -> None:
    """Raise TooFewFiles if the server and its database could not even start with this limit."""
    if files < MIN_FILES:
        raise TooFewFiles(
            f"open files: {files} are allowed, at least {MIN_FILES} are needed;"
            " raise the limit (LimitNOFILE, ulimit -n)"
        )
