"""Which IP addresses are public: the only ones that a stranger's URL may lead to.

`ipaddress.is_global` alone does not answer this. It changed between patch releases of Python 3.11
(CVE-2024-4032), calls multicast and the old site-local prefix global, and does not look at an IPv4
address that travels inside an IPv6 one. So: our own table, plus `is_global`, for the address and for
every IPv4 address found inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this host": Linux connects it to loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers, and by clouds for their own services
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; 169.254.169.254 tells a cloud machine its secrets
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks of networks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",  # NAT64 of a private network: may lead to any of its addresses
        "100::/64",  # discarded
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, as it was
        "ff00::/8",  # multicast
    )
)
_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP_IDS = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214, section 6.1; the last 32 bits follow


def is_public(address: Address) -> bool:
    """Whether anybody on the internet would reach the same machine under this address."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _NOT_PUBLIC_V4)
    inner = list(_embedded(address))
    if any(address in network for network in _NOT_PUBLIC_V6):
        return False
    return (bool(inner) or address.is_global) and all(is_public(each) for each in inner)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Every IPv4 address that some gateway or tunnel would make of this one.

    RFC 4291 (mapped, compatible), 3056 (6to4), 6052 (NAT64), 4380 (Teredo: server and client), 5214 (ISATAP).
    """
    last_32_bits = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.ipv4_mapped or address in _COMPATIBLE or address in _NAT64:
        yield last_32_bits
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP_IDS:
        yield last_32_bits
