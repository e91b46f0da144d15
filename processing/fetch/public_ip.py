"""Which IP addresses are public: the only ones that a stranger's URL may lead to.

`ipaddress.is_global` alone does not answer this. It changed between patch releases of Python 3.11
(CVE-2024-4032), calls multicast and the old site-local prefix global, and does not look at an IPv4
address that travels inside an IPv6 one. So: our own table, plus `is_global`, for the address and for
the IPv4 address found inside it.
"""

from __future__ import annotations

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
        "::/96",  # unspecified, loopback, and IPv4-compatible, which nobody uses
        "::ffff:0:0/96",  # IPv4-mapped: no name server has reason to say it that way
        "64:ff9b:1::/48",  # NAT64 of a private network: may lead to any of its addresses
        "100::/64",  # discarded
        "2001::/32",  # Teredo: holds an IPv4 address, upside down
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # private
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, as it was
        "ff00::/8",  # multicast
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP_IDS = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214, section 6.1; the last 32 bits follow


def is_public(address: Address) -> bool:
    """Whether anybody on the internet would reach the same machine under this address."""
    denied = _NOT_PUBLIC_V4 if address.version == 4 else _NOT_PUBLIC_V6
    if not address.is_global or any(address in network for network in denied):
        return False
    inner = _embedded(address)
    return inner is None or is_public(inner)


def _embedded(address: Address) -> IPv4Address | None:
    """What the gateways in use today make of an IPv6 address: NAT64 (RFC 6052), ISATAP (RFC 5214)."""
    number = int(address)
    if address in _NAT64 or (number >> 32) & 0xFFFF_FFFF in _ISATAP_IDS:
        return IPv4Address(number & 0xFFFF_FFFF)
    return None
