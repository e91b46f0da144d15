"""Which IP addresses are public: the only ones that a URL under a wildcard may lead to.

`ipaddress.is_global` alone is not enough: it changed between patch releases of Python 3.11 (CVE-2024-4032), counts
multicast and the old site-local prefix as global, and ignores an IPv4 address embedded in an IPv6 address. So this
module has a table of its own and checks `is_global` too, for the address and for an embedded IPv4 address.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this host": Linux connects it to loopback
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and internal services of clouds
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; 169.254.169.254 serves credentials of a cloud machine
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
        "::/96",  # unspecified, loopback, and IPv4-compatible (deprecated)
        "::ffff:0:0/96",  # IPv4-mapped: never needed in DNS
        "64:ff9b:1::/48",  # NAT64 of a private network: may lead to any of its addresses
        "100::/64",  # discarded
        "2001::/32",  # Teredo: embeds an inverted IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds an IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local (deprecated)
        "ff00::/8",  # multicast
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP_IDS = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214, section 6.1; the last 32 bits follow


def is_public(address: Address) -> bool:
    """Whether this address means the same machine everywhere on the internet."""
    denied = _NOT_PUBLIC_V4 if address.version == 4 else _NOT_PUBLIC_V6
    if not address.is_global or any(address in network for network in denied):
        return False
    inner = _embedded(address)
    return inner is None or is_public(inner)


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address to which NAT64 (RFC 6052) or ISATAP (RFC 5214) translates an IPv6 address."""
    number = int(address)
    if address in _NAT64 or (number >> 32) & 0xFFFF_FFFF in _ISATAP_IDS:
        return IPv4Address(number & 0xFFFF_FFFF)
    return None
