"""From an address back to the key behind it, or to its origin."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

from models.bucket.callback import KEY_LIMIT_BYTES

DEFAULT_PORTS = {"http": 80, "https": 443}


def key_from_url(url: str, base: str) -> str | None:
    """The key of an address under `base`, or None. http and https, and what follows `?` or `#`, make no difference.

    The key is only ever used to ask our own bucket: an address never says where to connect to.
    """
    try:
        address, base_address = urlsplit(url), urlsplit(base)
        same_host = _host(address.hostname, address.port) == _host(base_address.hostname, base_address.port)
        userinfo = "@" in address.netloc
        rest = address.path.removeprefix(base_address.path)
        key = unquote_to_bytes(rest).decode()
        size_bytes = len(key.encode())
    except (ValueError, UnicodeError):
        return None
    matches = (
        address.scheme in DEFAULT_PORTS and same_host and not userinfo and address.path.startswith(base_address.path)
    )
    return key if matches and 0 < size_bytes <= KEY_LIMIT_BYTES else None


def origin(url: str) -> str:
    """`https://host:port/path` -> `https://host:port`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(name: str | None, port: int | None) -> tuple[str, int | None]:
    return (name or "").lower(), None if port in DEFAULT_PORTS.values() else port
