"""The host names that a server with open access answers to."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from models import errors


class KnownHosts:
    """Rejects requests whose Host is the name of another site.

    With open access the Host is all that tells our own pages from a page of another site whose name was made to point
    to this server (DNS rebinding): for the browser both have one origin. Such a page always has a name, so that IP
    addresses and localhost are known.

    public_url: our own origin. allowed_hosts: further names, without a port.
    """

    def __init__(self, public_url: str, allowed_hosts: Iterable[str]) -> None:
        own = urlsplit(public_url).hostname or ""
        self._names = {own, "localhost", *(name.lower().rstrip(".") for name in allowed_hosts)}

    def check(self, host: str) -> None:
        """Raises UnknownHost. host: the Host header, perhaps with a port."""
        name = _name_of(host)
        if name not in self._names and not name.endswith(".localhost") and not _is_ip_address(name):
            raise errors.UnknownHost(value=name[:100])


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
