"""From a URL to its key in the bucket, or to its origin."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

from models.bucket.callback import KEY_LIMIT_BYTES

HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
"""A host and perhaps a port, as in a Host header."""
PLAIN_KEY = re.compile(r"[A-Za-z0-9_.~/-]+")
DEFAULT_PORTS = {"http": 80, "https": 443}


def key_from_url(url: str, base: str) -> str | None:
    """The key of a URL under `base`, or None. The scheme (http or https), the query and the fragment are ignored.

    The key is only used for requests to our own bucket: the URL never decides where to connect to.
    """
    try:
        address, base_address = urlsplit(url), urlsplit(base)
        same_host = _host(address.hostname, address.port) == _host(base_address.hostname, base_address.port)
        key = unquote_to_bytes(address.path.removeprefix(base_address.path)).decode()
        size_bytes = len(key.encode())
    except (ValueError, UnicodeError):
        return None
    matches = (
        address.scheme in DEFAULT_PORTS
        and same_host
        and "@" not in address.netloc
        and address.path.startswith(base_address.path)
    )
    return key if matches and 0 < size_bytes <= KEY_LIMIT_BYTES else None


def origin(url: str) -> str:
    """`https://host:port/path` -> `https://host:port`."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def quote_key(key: str) -> str:
    """A key as the path of an address. Nearly all keys need no quoting, which takes longer than finding that out."""
    return key if PLAIN_KEY.fullmatch(key) else quote(key, safe="/")


def _host(name: str | None, port: int | None) -> tuple[str, int | None]:
    return (name or "").lower(), None if port in DEFAULT_PORTS.values() else port
