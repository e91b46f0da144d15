"""Bytes of files whose upload token has not arrived yet: bounded for each address and for all."""

from __future__ import annotations

from collections import Counter

from models.bucket.embedded.errors import TooManyUploads

ADDRESS_LIMIT_BYTES = 32 * 1024 * 1024
TOTAL_LIMIT_BYTES = 256 * 1024 * 1024


class UnauthenticatedBytes:
    """Some clients send the file before the token that permits it; until then anybody may have sent it."""

    def __init__(
        self,
        *,
        largest_bytes: int = 0,
        address_limit_bytes: int = ADDRESS_LIMIT_BYTES,
        total_limit_bytes: int = TOTAL_LIMIT_BYTES,
    ) -> None:
        """largest_bytes: of a file; one file of this size always has room."""
        self._address_limit = max(address_limit_bytes, largest_bytes)
        self._total_limit = max(total_limit_bytes, largest_bytes)
        self._bytes: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Of all addresses, in bytes."""
        return self._bytes.total()

    def add(self, address: str, count: int) -> None:
        """Count bytes that arrive. Raises TooManyUploads; these bytes then do not count."""
        if self._bytes[address] + count > self._address_limit or self.total + count > self._total_limit:
            raise TooManyUploads("too many uploads without a token; send the token before the file")
        self._bytes[address] += count

    def remove(self, address: str, count: int) -> None:
        """The token has arrived, or the file is gone."""
        self._bytes -= Counter({address: count})  # drops an address at zero
