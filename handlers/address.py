"""Where a request comes from: the peer's address, or what a proxy that the operator trusts says of it."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address


def client_address(peer: str, forwarded_for: str, trusted_proxies: Collection[str]) -> str:
    """The address that counts for limits.

    forwarded_for: the X-Forwarded-For header. It is read from its end, where the nearest proxy wrote, and believed only
    as far as the proxies that wrote it are trusted: whatever a client put before that counts for nothing.
    """
    address = peer
    for said in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if address not in trusted_proxies or not _is_address(said):
            break
        address = said
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
