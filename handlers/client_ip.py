"""Where a request comes from: the peer's address, or what a proxy that the operator trusts says of it."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv6Address, ip_address, ip_network

SITE_BITS = 64
"""Of an IPv6 address, what a provider gives to one household at least (RFC 6177): the rest is its owner's to vary."""


def client_ip(peer: str, forwarded_for: str, trusted_proxies: Collection[str]) -> str:
    """The address that counts for limits.

    forwarded_for: the X-Forwarded-For header. It is read from its end, where the nearest proxy wrote, and believed only
    as far as the proxies that wrote it are trusted: whatever a client put before that counts for nothing.
    """
    address = peer
    for forwarded in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if address not in trusted_proxies or not _is_address(forwarded):
            break
        address = forwarded
    return address


def rate_limit_key(address: str) -> str:
    """The name under which limits count an address: of IPv6 the whole network of a household, of IPv4 itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), SITE_BITS), strict=False))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
