"""A client's address is believed from trusted proxies alone."""

from __future__ import annotations

import pytest

from handlers.transport.client_ip import IpNetworks, address_for_log, client_ip, rate_limit_key

PROXY, INNER = "10.0.0.1", "10.0.0.2"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (PROXY, "198.51.100.1", "198.51.100.1"),
        (PROXY, "1.2.3.4, 198.51.100.1", "198.51.100.1"),
        (PROXY, f"198.51.100.1, {INNER}", "198.51.100.1"),
        (PROXY, f"1.2.3.4, 198.51.100.1, {INNER}", "198.51.100.1"),
        (PROXY, "2001:db8::1", "2001:db8::1"),
        (PROXY, "unknown", PROXY),
        (PROXY, "198.51.100.1, <script>", PROXY),
        (PROXY, " , ,", PROXY),
    ],
)
def test_the_nearest_untrusted_address_counts(peer: str, forwarded_for: str, address: str) -> None:
    assert client_ip(peer, forwarded_for, IpNetworks((PROXY, INNER))) == address


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_all_addresses_of_a_household_count_as_one(address: str, counted: str) -> None:
    assert rate_limit_key(address) == counted


@pytest.mark.parametrize(
    ("text", "is_within"),
    [
        ("10.1.2.3", True),
        ("11.0.0.1", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("fd00::7", True),
        ("fd00:0:0:1::/64", True),
        ("fe80::/64", False),
        ("", False),
        ("proxy", False),
    ],
)
def test_networks_contain_their_addresses(text: str, is_within: bool) -> None:
    assert (text in IpNetworks(("10.0.0.0/8", "192.0.2.7", "fd00::/16"))) is is_within


def test_a_proxy_of_a_trusted_network_is_believed() -> None:
    assert client_ip("10.244.3.9", "198.51.100.1, 10.0.0.2", IpNetworks(("10.0.0.0/8",))) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "how", "logged"),
    [
        ("203.0.113.77", "network", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "network", "2001:db8:1::/48"),
        ("2001:db8:1:2::/64", "network", "2001:db8:1::/48"),  # the key of limits
        ("203.0.113.77", "full", "203.0.113.77"),
        ("203.0.113.77", "none", "-"),
        ("", "full", "-"),
        ("a socket", "network", "-"),
    ],
)
def test_an_address_in_the_log_is_as_short_as_the_setting_says(address: str, how: str, logged: str) -> None:
    assert address_for_log(address, how) == logged
