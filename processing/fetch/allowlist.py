"""Which URLs may be a task's source. Pure syntax without I/O, so that handlers call it on the loop.

The operator lists the allowed hosts in `allowed_sources`, by default none. An entry is one of

  photos.example.com      its ports 80 and 443; must be public
  192.168.1.9, [fd00::7]  the same for an address, which may be private
  nas.lan:8080            this port only; may be private or loopback, since the operator named it
  https://nas.lan         the same as nas.lan:443
  *.example.com, *        any host below that name, any host at all; must be public, even with a port
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from urllib.parse import SplitResult, quote, urlsplit

import idna

from models.bucket.addresses import DEFAULT_PORTS
from models.errors import BadParameter, Phrase, SourceNotAllowed
from processing.fetch.public_ip import Address, is_public

Resolve = Callable[[str, int], Sequence[str]]

_MAX_URL_LENGTH = 2048
_MAX_HOST_LENGTH = 253
_MAX_TIMEOUT_S = 30.0
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\]")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL_FORMS = Phrase.listing("http://host/path", "https://host/path")
_SAFE_IN_TARGET = "%/:@!$&'()*+,;=~?"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """The limits of a download.

    allowed_sources: entries as above. limit_bytes: of the body. timeout_s: for all steps together, name lookup and
    redirects included; at most 30. check_cancel: called several times a second by the downloading thread; what it
    raises ends the download. resolve: (host, port) -> addresses; may block; None for the system's resolver. clock: the
    seconds by which the deadline is checked.
    Raises BadParameter for an invalid value.
    """

    allowed_sources: tuple[str, ...] = ()
    limit_bytes: int = 20_000_000
    timeout_s: float = 30.0
    max_redirects: int = 3
    user_agent: str = "Tessera"
    check_cancel: Callable[[], None] | None = None
    resolve: Resolve | None = None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        if not 0 < self.timeout_s <= _MAX_TIMEOUT_S:
            allowed = Phrase(f"> 0, <= {_MAX_TIMEOUT_S}", f"大于 0，不超过 {_MAX_TIMEOUT_S}")
            raise BadParameter(field="timeout_s", value=self.timeout_s, allowed=allowed)
        for text in self.allowed_sources:
            _parse_entry(text)


@dataclass(frozen=True, slots=True)
class Target:
    """The host and path of a URL. trusted: the operator listed this host and port, so that it may be private.

    host: lower-case ASCII, or an address without brackets. request_target: path and query, percent-encoded ASCII.
    """

    url: str
    scheme: str
    host: str
    port: int
    request_target: str
    trusted: bool

    @property
    def address(self) -> Address | None:
        """The host if it is an address, None if it is a name."""
        return _as_address(self.host)

    @property
    def host_header(self) -> str:
        """The value of the Host field: brackets for IPv6, the port unless it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_source(url: str, policy: FetchPolicy) -> Target:
    """Parse a URL and compare it with the operator's list; no name is looked up.

    Raises BadParameter (field "url") unless it is a valid http or https URL of at most 2048 characters, and
    SourceNotAllowed if its host and port are not listed, or only by a wildcard although the host is an address that is
    not public.
    """
    parts = _split(url)
    try:
        host, port = _host(parts), parts.port
    except ValueError as error:
        raise _bad_url(parts.netloc[:60]) from error
    port = DEFAULT_PORTS[parts.scheme] if port is None else port
    entries = [entry for entry in map(_parse_entry, policy.allowed_sources) if entry.matches(host, port)]
    target = Target(url, parts.scheme, host, port, _request_target(parts), any(entry.exact for entry in entries))
    if not entries or not (target.trusted or target.address is None or is_public(target.address)):
        raise SourceNotAllowed(allowed=Phrase.listing(*policy.allowed_sources or ("—",)))
    return target


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the operator's list. host: for a wildcard, the end of the host. exact: may be private."""

    host: str
    ports: tuple[int, ...]
    wildcard: bool
    exact: bool

    def matches(self, host: str, port: int) -> bool:
        same = host.endswith(self.host) if self.wildcard else host == self.host
        return same and port in self.ports


def _parse_entry(text: str) -> _Entry:
    wildcard = text.startswith("*")
    try:
        parts = urlsplit(text if "://" in text else f"//x{text[1:]}" if wildcard else f"//{text}")
        host, port = _host(parts), parts.port or DEFAULT_PORTS.get(parts.scheme)
        odd = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
        if odd or parts.scheme not in ("", *DEFAULT_PORTS) or (wildcard and text[1:2] not in ("", ".", ":")):
            raise ValueError(text)
    except ValueError as error:
        allowed = Phrase.listing("host", "host:port", "https://host", "*.domain", "*")
        raise BadParameter(field="allowed_sources", value=text[:60], allowed=allowed) from error
    ports = (port,) if port else tuple(DEFAULT_PORTS.values())
    exact = not wildcard and (port is not None or _as_address(host) is not None)
    return _Entry(host[1:] if wildcard else host, ports, wildcard, exact)


def _split(url: str) -> SplitResult:
    if len(url) > _MAX_URL_LENGTH:
        raise _bad_url(f"{len(url)}", Phrase(f"<= {_MAX_URL_LENGTH}", f"不超过 {_MAX_URL_LENGTH}"))
    if forbidden := _FORBIDDEN.search(url):
        raise _bad_url(repr(forbidden[0]), Phrase.listing(quote(forbidden[0])))
    try:
        url.encode()
        parts = urlsplit(url)
    except ValueError as error:
        raise _bad_url("?") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise _bad_url(parts.scheme[:60] or "—", Phrase.listing("http", "https"))
    if "@" in parts.netloc:
        raise _bad_url("…@…", Phrase.listing("http://…", "https://…"))
    return parts


def _host(parts: SplitResult) -> str:
    """The host in the normalised form that is compared, resolved and sent. Raises ValueError if it is invalid.

    A host that browsers take for an IPv4 address (WHATWG: its last label is a number) must be a dotted quad, so that
    127.1, 0x7f000001, 0177.0.0.1 and 2130706433 never reach a resolver that accepts them.
    """
    host = (parts.hostname or "").removesuffix(".")
    if parts.netloc.startswith("["):
        return str(_parse_address(host))
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode()
    if len(host) > _MAX_HOST_LENGTH or not _NAME.fullmatch(host):
        raise ValueError(host)
    return str(IPv4Address(host)) if _NUMBER.fullmatch(host.rpartition(".")[2]) else host


def _parse_address(text: str) -> Address:
    """Raises ValueError for an address with a zone, which names a network interface of this machine."""
    if "%" in text:
        raise ValueError(text)
    return ip_address(text)


def _as_address(host: str) -> Address | None:
    """The address of a normalised host, None for a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _request_target(parts: SplitResult) -> str:
    path = parts.path or "/"
    return quote(f"{path}?{parts.query}" if parts.query else path, safe=_SAFE_IN_TARGET)


def _bad_url(value: str, allowed: Phrase = _URL_FORMS) -> BadParameter:
    return BadParameter(field="url", value=value, allowed=allowed)
