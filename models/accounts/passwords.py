"""Passwords: argon2id in a thread pool of its own, off the event loop, with a bounded number of concurrent hashes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

from models import errors

T = TypeVar("T")

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1024
"""In characters, as the person who types them counts: é is one, however the keyboard writes it."""
THREADS = 2
NICENESS = 5
"""Hashing yields the CPU to all other requests."""
WAITING_LIMIT = 40
"""More sign-ins are rejected: at about 50 hashes per second the last one waits for less than a second."""

COMMON_PASSWORDS = frozenset(
    """
    password password1 password12 password123 passw0rd p@ssw0rd password! 12345678 123456789 1234567890 0123456789
    87654321 987654321 11111111 00000000 88888888 66666666 12341234 12344321 11223344 1q2w3e4r 1qaz2wsx q1w2e3r4
    qwertyui qwertyuiop qwerty123 asdfghjk asdfghjkl zxcvbnm1 iloveyou sunshine princess football baseball superman
    trustno1 welcome1 abc12345 abcd1234 a1234567 a12345678 aa123456 letmein1 whatever starwars computer michelle
    jennifer woaini1314 woaini520 5201314520 147258369 123123123 789456123 changeme internet samsung1 administrator
    """.split()  # noqa: SIM905 - a list of fifty quoted words reads worse
)


OWASP = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
"""OWASP's parameters for argon2id: 19 MiB, two passes, one lane."""


class Passwords:
    """Hashes and verifies."""

    def __init__(self, hasher: PasswordHasher = OWASP) -> None:
        self._hasher = hasher
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="password", initializer=_lower_priority)
        """Where hashes are computed, and where a test may occupy the threads."""
        self._dummy = self.executor.submit(self._hasher.hash, "no user has this password")
        self._waiting = 0

    @property
    def dummy_hash(self) -> str:
        """Verified in place of the hash of an unknown user; computed while the server starts."""
        return self._dummy.result()

    def check_strength(self, password: str, username: str, *, field: str = "password") -> None:
        """Raises WeakPassword if it is too short, too long, too common, or equal to the username.

        field: the parameter that the error names.
        """
        length = len(_normalise(password))
        is_common = password.casefold() in COMMON_PASSWORDS or password.casefold() == username.casefold()
        if is_common or not MIN_PASSWORD_LENGTH <= length <= MAX_PASSWORD_LENGTH:
            raise errors.WeakPassword(field=field, minimum=MIN_PASSWORD_LENGTH, maximum=MAX_PASSWORD_LENGTH)

    async def hash(self, password: str) -> str:
        """Returns the string to store: algorithm, parameters, salt and hash. Raises TooManyRequests.

        The password is hashed in normalization form C (RFC 8265, section 4.2): keyboards differ in how they write é.
        """
        return await self._run(lambda: self._hasher.hash(_normalise(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is right. stored: the hash; None for an unknown user takes as long and returns False.

        Hashes of earlier versions are of the password as it was typed, which is tried second where it differs.
        """
        return await self._run(lambda: self._verify_blocking(password, stored))

    def needs_rehash(self, stored: str) -> bool:
        """Whether a hash was made with outdated parameters."""
        return self._hasher.check_needs_rehash(stored)

    @property
    def waiting(self) -> int:
        """Hashes that are running or waiting."""
        return self._waiting

    def close(self) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)

    def _verify_blocking(self, password: str, stored: str | None) -> bool:
        for spelling in dict.fromkeys((_normalise(password), password)):
            with contextlib.suppress(VerificationError):
                self._hasher.verify(stored or self.dummy_hash, spelling)
                return stored is not None
        return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise errors.TooManyRequests(retry_after_s=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, work)
        finally:
            self._waiting -= 1


def _normalise(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _lower_priority() -> None:
    """Thread initializer: on Linux niceness belongs to a thread, not to the process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
