"""Types of settings: what a value may be, and the sentence that says so when it is not."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from models.bucket.addresses import HOST


def _url_of(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and (urlsplit(value).scheme not in schemes or not urlsplit(value).netloc):
            raise ValueError(" or ".join(f"{scheme}://HOST" for scheme in schemes))
        return value

    return AfterValidator(check)


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _check_networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ip_network(value, strict=False)
        except ValueError as error:
            raise ValueError(f"IP addresses and networks, such as 10.0.0.0/8; {value} is neither") from error
    return values


def _normalise_public_url(value: str) -> str:
    """Scheme and host in lower case, without a final slash. Refuses what is no origin with at most a path."""
    if not value:
        return value
    url = urlsplit(value)
    rest = value.removeprefix(f"{value.partition('://')[0]}://{url.netloc}")
    try:
        valid = HOST.fullmatch(url.netloc) is not None and url.port != 0
    except ValueError:
        valid = False
    if not valid or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", rest) or "/." in rest:
        raise ValueError(
            "http://HOST or https://HOST, perhaps with a port and a path such as /tessera, and nothing else"
        )
    return f"{url.scheme}://{url.netloc.lower()}{rest.rstrip('/')}"


def _check_origins(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        url = urlsplit(value)
        if url.scheme not in ("http", "https") or value != f"{url.scheme}://{url.netloc.lower()}" or not url.netloc:
            raise ValueError(f"origins as browsers send them, such as https://app.example.com; {value} is none")
    return values


def _check_database_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,63}", value):
        raise ValueError("1 to 63 letters, digits, _ and -")
    return value


Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_networks)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_origins)]
Url = Annotated[str, _url_of("http", "https")]
PublicUrl = Annotated[str, _url_of("http", "https"), AfterValidator(_normalise_public_url)]
DatabaseName = Annotated[str, AfterValidator(_check_database_name)]
MongoUri = Annotated[str, _url_of("mongodb", "mongodb+srv")]
DaskUrl = Annotated[str, _url_of("tcp", "tls")]
