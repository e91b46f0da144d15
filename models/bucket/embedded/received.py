"""Bytes of files that are being received, or assembled from parts: bounded until they are objects.

A token may be used by many requests at once, until one of them has stored the object; each writes a file of its own.
"""

from __future__ import annotations

from collections import Counter
from typing import Self

from models.bucket.embedded.errors import TooManyUploads
from models.bucket.embedded.multipart import NO_OWNER

FILES_PER_USER, FILES_PER_ADDRESS = 8, 32
"""As many of the largest size at once."""


class ReceivedBytes:
    """largest_bytes: of a file."""

    def __init__(self, *, largest_bytes: int) -> None:
        self._user_limit = FILES_PER_USER * largest_bytes
        self._address_limit = FILES_PER_ADDRESS * largest_bytes
        self._bytes: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        """Each byte counts for an address, and for a user where there is one."""
        return self._bytes.total()

    def of_request(self, user: str, address: str) -> RequestBytes:
        """Counts what one request writes. user: as the token names them."""
        return RequestBytes(self, user, address)

    def add(self, user: str, address: str, count: int) -> None:
        """Raises TooManyUploads; these bytes then do not count."""
        if self._bytes["user", user] + count > self._user_limit and user not in NO_OWNER:
            raise TooManyUploads("too many uploads of this user at once")
        if self._bytes["address", address] + count > self._address_limit:
            raise TooManyUploads("too many uploads from this address at once")
        self._bytes += Counter({("user", user): count, ("address", address): count})

    def remove(self, user: str, address: str, count: int) -> None:
        """They are an object by now, or gone."""
        self._bytes -= Counter({("user", user): count, ("address", address): count})  # drops keys at zero


class RequestBytes:
    """A context manager that ends the count."""

    def __init__(self, received: ReceivedBytes, user: str, address: str) -> None:
        self._received, self._user, self._address = received, user, address
        self._count = 0

    def add(self, count: int) -> None:
        """Raises TooManyUploads."""
        self._received.add(self._user, self._address, count)
        self._count += count

    def release(self) -> None:
        """Can be called twice."""
        self._received.remove(self._user, self._address, self._count)
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
