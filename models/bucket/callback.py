"""What a bucket tells us when an upload has ended: one body, read from its raw bytes.

Never use Tornado's arguments for this: a body with colons has no names for it. Never believe the body before
`Bucket.check_callback`, and even then `filename` and `param` are only what the client chose to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from models.errors import MalformedBody

BODY_LIMIT_BYTES = 256 * 1024
KEY_LIMIT_BYTES = 750
NAME_LIMIT_BYTES = 1024
PARAM_LIMIT_BYTES = 64 * 1024
NUMBER_LIMIT = 2**53

# The form body that our own policies ask for. A variable that Kodo does not know would silently be empty.
CALLBACK_BODY = (
    "key=$(key)&filename=$(fname)&filesize=$(fsize)&etag=$(etag)&mime=$(mimeType)"
    "&width=$(imageInfo.width)&height=$(imageInfo.height)&param=$(x:param)&endUser=$(endUser)"
)


@dataclass(frozen=True, slots=True)
class CallbackBody:
    """One finished upload. None: the body does not say.

    key, etag, mime, filesize (bytes), width, height (pixels) are the bucket's word; owner_id is ours, taken from
    the signed policy; filename and param are the client's. A body with colons never gives an owner_id: its
    values are not known to be escaped, so a file name could smuggle one in.
    """

    key: str | None
    filename: str
    filesize: int | None
    etag: str | None
    mime: str | None
    width: int | None
    height: int | None
    param: str
    owner_id: int | None


def parse_callback(body: bytes, content_type: str) -> CallbackBody:
    """Read a callback's body: `name=value&...`, `name:value&...`, or a JSON object.

    content_type: the header as it came; a charset is allowed if it is UTF-8. Names that we do not know are
    ignored, a name that comes twice is refused. Raises MalformedBody.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise MalformedBody(reason=f"more than {BODY_LIMIT_BYTES} bytes")
    _check_charset(content_type)
    if media_type(content_type) == "application/json":
        return _typed(_json_fields(body), signed=True)
    pairs = [_pair(piece) for piece in body.split(b"&") if piece]
    signed = all(separator == b"=" for _, separator, _ in pairs)
    return _typed(_unique((_text(name), _text(value)) for name, _, value in pairs), signed=signed)


def media_type(content_type: str) -> str:
    """`Text/HTML; charset=utf-8` -> `text/html`."""
    return content_type.partition(";")[0].strip().lower()


def _check_charset(content_type: str) -> None:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise MalformedBody(reason="the charset is not utf-8")


def _pair(piece: bytes) -> tuple[bytes, bytes, bytes]:
    """Split at the first `=` or `:`, whichever comes first: the other may stand in the value."""
    at = min((index for index in (piece.find(b"="), piece.find(b":")) if index >= 0), default=-1)
    if at < 0:
        return piece, b"=", b""
    return piece[:at], piece[at : at + 1], piece[at + 1 :]


def _text(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(reason="it is not UTF-8") from error


def _json_fields(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body.decode(), object_pairs_hook=_unique)
    except MalformedBody:
        raise
    except (ValueError, RecursionError) as error:
        raise MalformedBody(reason="it is not JSON in UTF-8") from error
    if not isinstance(document, dict):
        raise MalformedBody(reason="it is not a JSON object")
    return document


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            raise MalformedBody(reason="a name comes twice")
        fields[name] = value
    return fields


def _typed(fields: dict[str, object], *, signed: bool) -> CallbackBody:
    return CallbackBody(
        key=_string(fields, "key", KEY_LIMIT_BYTES) or None,
        filename=_string(fields, "filename", NAME_LIMIT_BYTES),
        filesize=_number(fields, "filesize"),
        etag=_string(fields, "etag", 64) or None,
        mime=_string(fields, "mime", 200) or None,
        width=_number(fields, "width"),
        height=_number(fields, "height"),
        param=_string(fields, "param", PARAM_LIMIT_BYTES),
        owner_id=_number(fields, "endUser") if signed else None,
    )


def _string(fields: dict[str, object], name: str, limit_bytes: int) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedBody(reason=f"{name} is not a string")
    try:
        size_bytes = len(value.encode())
    except UnicodeEncodeError as error:
        raise MalformedBody(reason=f"{name} is not text") from error
    if size_bytes > limit_bytes:
        raise MalformedBody(reason=f"{name} has more than {limit_bytes} bytes")
    return value


def _number(fields: dict[str, object], name: str) -> int | None:
    """Kodo leaves empty what it does not know, such as the width of what is no picture."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if type(value) is not int or not 0 <= value <= NUMBER_LIMIT:
        raise MalformedBody(reason=f"{name} is not a whole number from 0 to {NUMBER_LIMIT}")
    return value
