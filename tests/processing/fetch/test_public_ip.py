"""Which addresses count as public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from processing.fetch.public_ip import is_public

INSIDE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "100::1", "2001:db8::1", "3fff::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1", "fe80::1%1",
    "fec0::1", "ff02::1",
)  # fmt: skip
PUBLIC = ("1.1.1.1", "8.8.8.8", "100.128.0.1", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "2a00::1")
# An IPv4 address as each gateway or tunnel spells it inside an IPv6 one.
WRAPPED = {
    "mapped": "::ffff:{dotted}",
    "compatible": "::{dotted}",
    "nat64": "64:ff9b::{dotted}",
    "6to4": "2002:{high:x}:{low:x}::1",
    "teredo client": "2001:0:0808:0808:0:0:{inverted_high:x}:{inverted_low:x}",
    "teredo server": "2001:0:{high:x}:{low:x}:0:0:f7f7:f7f7",
    "isatap": "2a00::5efe:{dotted}",
    "isatap, unique": "2a00::200:5efe:{dotted}",
}


def wrap(form: str, dotted: str) -> str:
    high, low = divmod(int(ip_address(dotted)), 1 << 16)
    inverted = {"inverted_high": high ^ 0xFFFF, "inverted_low": low ^ 0xFFFF}
    return WRAPPED[form].format(dotted=dotted, high=high, low=low, **inverted)


@pytest.mark.requirement(2)
@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.requirement(2)
@pytest.mark.parametrize("form", WRAPPED)
@pytest.mark.parametrize("dotted", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1"])
def test_an_inside_address_wrapped_in_ipv6_is_not_public(form: str, dotted: str) -> None:
    assert not is_public(ip_address(wrap(form, dotted)))


@pytest.mark.requirement(2)
@pytest.mark.parametrize("form", ["mapped", "compatible", "6to4", "teredo client", "teredo server"])
def test_obsolete_forms_of_addresses_are_not_public(form: str) -> None:
    assert not is_public(ip_address(wrap(form, "8.8.8.8")))


@pytest.mark.parametrize("form", ["nat64", "isatap"])
def test_a_public_address_may_be_wrapped_as_gateways_of_today_do(form: str) -> None:
    assert is_public(ip_address(wrap(form, "8.8.8.8")))


@pytest.mark.requirement(2)
def test_the_private_form_of_nat64_is_not_public() -> None:
    assert not is_public(ip_address("64:ff9b:1::808:808"))
