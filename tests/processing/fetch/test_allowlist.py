"""Allowed URLs: syntax and the list of the operator, before a name is resolved."""

from __future__ import annotations

import pickle

import pytest

from models.errors import BadParameter, SourceNotAllowed
from processing.fetch.allowlist import FetchPolicy, Target, check_source

ANYWHERE = FetchPolicy(allowed_sources=("*",))
ONE_HOST = FetchPolicy(allowed_sources=("photos.example.com",))

LOOPBACK_HOSTS = (
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "127.0.0.1.", "127%2e0.0.1", "0x", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
    "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "user:pw@127.0.0.1", "@127.0.0.1", "\t127.0.0.1", " 127.0.0.1",
    "127.0.0.1#@example.com", "example.com@127.0.0.1", "127.0.0.1\\@example.com", "①②⑦.⓪.⓪.①",
    "１２７.０.０.１", "127。0。0。1",
)  # fmt: skip

INSIDE_HOSTS = (
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
    "[fe80::1]", "[fc00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]",
)  # fmt: skip

NO_URLS = (
    "", "//photos.example.com/a", "/a", "photos.example.com/a", "http:photos.example.com", "http://", "http:///a",
    "file:///etc/passwd", "ftp://photos.example.com/a", "gopher://photos.example.com:70/_x", "data:image/png,x",
    "javascript:alert(1)", "dict://photos.example.com:11211/stat", "http://user:pw@photos.example.com/a",
    "http://@photos.example.com/", "http://photos.example.com/" + "a" * 8192, "http://photos.example.com:99999/",
    "http://photos.example.com:x/", "http://photos.example.com/\r\nX-Injected: 1", "http://photos.example.com/a b",
    "http://photos.example.com\r\n/", "http://photos.example.com/\x00", "http://photos.example.com/\ud800",
    "http://[::1", "http://[2606:4700::1111%25lo]/", "http://[v1.x]/", "http://a..b/", "http://-a.example/",
    f"http://{'a' * 64}.com/",
    "http://photos.example.com℀/", "http:\\\\photos.example.com\\",
)  # fmt: skip


@pytest.mark.requirement(1)
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_no_spelling_of_loopback_is_let_through_by_a_wildcard(host: str) -> None:
    with pytest.raises((BadParameter, SourceNotAllowed)):
        check_source(f"http://{host}/a.jpg", ANYWHERE)


@pytest.mark.requirement(2)
@pytest.mark.parametrize("host", INSIDE_HOSTS)
def test_no_inside_address_is_let_through_by_a_wildcard(host: str) -> None:
    with pytest.raises(SourceNotAllowed):
        check_source(f"http://{host}/a.jpg", ANYWHERE)


@pytest.mark.requirement(5)
@pytest.mark.parametrize("url", NO_URLS)
def test_an_invalid_url_is_a_bad_parameter(url: str) -> None:
    with pytest.raises(BadParameter) as refusal:
        check_source(url, FetchPolicy(allowed_sources=("photos.example.com", "*")))

    assert refusal.value.details["field"] == "url"
    assert "pw" not in str(refusal.value)


@pytest.mark.requirement(6)
@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 27017])
def test_other_ports_of_a_listed_host_are_refused(port: int) -> None:
    with pytest.raises(SourceNotAllowed):
        check_source(f"http://photos.example.com:{port}/a.jpg", ONE_HOST)


def test_by_default_nothing_is_downloaded_from_anywhere() -> None:
    with pytest.raises(SourceNotAllowed):
        check_source("https://photos.example.com/a.jpg", FetchPolicy())


def test_a_refusal_names_the_hosts_that_may_be_named() -> None:
    with pytest.raises(SourceNotAllowed, match=r"photos\.example\.com"):
        check_source("https://elsewhere.example.com/a.jpg", ONE_HOST)


@pytest.mark.parametrize(
    ("entry", "url", "trusted"),
    [
        ("photos.example.com", "http://photos.example.com/a", False),
        ("photos.example.com", "https://PHOTOS.example.com.:443/a", False),
        ("nas.lan:8080", "http://nas.lan:8080/a", True),
        ("nas.lan:8080", "https://nas.lan:8080/a", True),
        ("https://nas.lan", "https://nas.lan/a", True),
        ("http://nas.lan:81/", "http://nas.lan:81/a", True),
        ("192.168.1.9", "http://192.168.1.9/a", True),
        ("[fd00::7]:8080", "http://[FD00:0::7]:8080/a", True),
        ("*.example.com", "http://a.b.example.com/a", False),
        ("*.example.com:8080", "http://a.example.com:8080/a", False),
        ("*", "https://anything.example/a", False),
        ("*:8080", "http://anything.example:8080/a", False),
        ("*", "http://8.8.8.8/a", False),
        ("图片.example", "http://xn--wcsw84d.example/a", False),
        ("bücher.example", "http://BÜCHER.example/a", False),
    ],
)
def test_an_entry_lets_its_own_places_through(entry: str, url: str, trusted: bool) -> None:
    assert check_source(url, FetchPolicy(allowed_sources=(entry,))).trusted is trusted


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("photos.example.com", "http://evil-photos.example.com/"),
        ("photos.example.com", "http://photos.example.com.evil.example/"),
        ("nas.lan:8080", "http://nas.lan/"),
        ("https://nas.lan", "http://nas.lan/"),
        ("*.example.com", "http://example.com/"),
        ("*.example.com", "http://evilexample.com/"),
        ("*", "http://anything.example:8080/"),
        ("*:8080", "http://127.0.0.1:8080/"),
        ("localhost:8080", "http://127.0.0.1:8080/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/"),
    ],
)
def test_an_entry_lets_nothing_else_through(entry: str, url: str) -> None:
    with pytest.raises(SourceNotAllowed):
        check_source(url, FetchPolicy(allowed_sources=(entry,)))


@pytest.mark.parametrize(
    "entry", ["", "ftp://a.example", "a.example/path", "u@a.example", "*a.example", "a.*.example", "::1", "a:b", "[::1"]
)
def test_an_invalid_entry_is_refused_at_once(entry: str) -> None:
    with pytest.raises(BadParameter) as refusal:
        FetchPolicy(allowed_sources=(entry,))

    assert refusal.value.details["field"] == "allowed_sources"


@pytest.mark.parametrize("timeout_s", [0, -1, 30.1, float("nan"), float("inf")])
def test_no_deadline_is_longer_than_thirty_seconds(timeout_s: float) -> None:
    with pytest.raises(BadParameter):
        FetchPolicy(timeout_s=timeout_s)


def test_path_and_query_are_sent_percent_encoded_and_the_fragment_is_not_sent() -> None:
    place = check_source('http://photos.example.com/猫/%20"a?b=ä&c=%2F/?#d', ONE_HOST)

    assert place.request_target == "/%E7%8C%AB/%20%22a?b=%C3%A4&c=%2F/?"
    assert place.request_target.isascii()


def test_the_host_field_holds_the_port_unless_the_scheme_implies_it() -> None:
    def host_header(url: str) -> str:
        return check_source(url, FetchPolicy(allowed_sources=("nas.lan:443", "nas.lan:80", "[fd00::7]:81"))).host_header

    assert host_header("https://nas.lan/") == "nas.lan"
    assert host_header("http://nas.lan:443/") == "nas.lan:443"
    assert host_header("http://[fd00::7]:81/") == "[fd00::7]:81"


def test_policies_and_targets_can_be_pickled() -> None:
    place = check_source("http://photos.example.com/a", ONE_HOST)

    assert pickle.loads(pickle.dumps(ONE_HOST)) == ONE_HOST
    assert isinstance(pickle.loads(pickle.dumps(place)), Target)
