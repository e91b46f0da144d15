"""The address of a client: the peer's, or the one that a trusted proxy reports."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

SITE_BITS = 64
"""Of an IPv6 address: providers give each household at least such a network (RFC 6177), which it uses freely."""
LOGGED_BITS = {4: 24, 6: 48}
"""Of the addresses in the log, by version: enough to see a flood, too little to point to a person."""


class IpNetworks:
    """Networks and single addresses. `in` tells whether an address, or a network, is within one of them."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def __contains__(self, text: str) -> bool:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            return False
        if isinstance(network, IPv6Network):
            return any(isinstance(own, IPv6Network) and network.subnet_of(own) for own in self._networks)
        return any(isinstance(own, IPv4Network) and network.subnet_of(own) for own in self._networks)


def client_ip(peer: str, forwarded_for: str, trusted_proxies: IpNetworks) -> str:
    """The address that limits apply to.

    forwarded_for: the X-Forwarded-For header. It is read from its end, where the nearest proxy wrote, and only as far
    as the proxies that wrote it are trusted: a client can put anything before that.
    """
    address = peer
    for entry in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if address not in trusted_proxies or not _is_address(entry):
            break
        address = entry
    return address


@lru_cache(maxsize=1024)
def address_for_log(address: str, how: str) -> str:
    """A client's address as the setting `log_addresses` wants it: `full`, its `network`, or "-" for `none`."""
    if how == "none" or not address:
        return "-"
    if how == "full":
        return address
    try:
        parsed = ip_network(address, strict=False)
    except ValueError:
        return "-"
    prefix = LOGGED_BITS[parsed.version]
    return str(parsed.supernet(new_prefix=prefix)) if parsed.prefixlen > prefix else str(parsed)


@lru_cache(maxsize=1024)
def rate_limit_key(address: str) -> str:
    """The key under which limits count an address: an IPv4 address itself, the /64 network of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), SITE_BITS), strict=False))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
