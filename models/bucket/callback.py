"""The body of a bucket's callback after an upload, parsed from its raw bytes.

Tornado's arguments cannot be used: they do not know bodies with colons. Do not trust a body before
`Bucket.check_callback`; even then `filename` and `param` are chosen by the client.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from models.errors import MalformedBody, Phrase
from models.json_object import parse_json_object, unique

BODY_LIMIT_BYTES = 256 * 1024
KEY_LIMIT_BYTES = 750
NAME_LIMIT_BYTES = 4 * 1024
"""Any name of 1024 characters, for which there is a token."""
PARAM_LIMIT_BYTES = 64 * 1024
NUMBER_LIMIT = 2**53

# The form body in our own policies. A variable unknown to Kodo would silently be empty.
CALLBACK_BODY = (
    "key=$(key)&filename=$(fname)&filesize=$(fsize)&etag=$(etag)&mime=$(mimeType)"
    "&width=$(imageInfo.width)&height=$(imageInfo.height)&param=$(x:param)&endUser=$(endUser)"
)


@dataclass(frozen=True, slots=True)
class CallbackBody:
    """One finished upload. None: not in the body.

    key, etag, mime, filesize (bytes), width, height (pixels) come from the bucket; owner_id comes from the policy that
    we signed; filename and param come from the client. A body with colons never sets owner_id: its values may be
    unescaped, so a file name could inject one.
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
    """Parse a callback's body: `name=value&...`, `name:value&...`, or a JSON object.

    content_type: the header as received; its charset, if any, must be UTF-8. Unknown names are ignored, repeated names
    are rejected. Raises MalformedBody.
    """
    if len(body) > BODY_LIMIT_BYTES:
        raise MalformedBody(reason=Phrase(f"more than {BODY_LIMIT_BYTES} bytes", f"超过 {BODY_LIMIT_BYTES} 字节"))
    _check_charset(content_type)
    if media_type(content_type) == "application/json":
        return _typed(parse_json_object(body), signed=True)
    pairs = [_pair(field) for field in body.split(b"&") if field]
    signed = all(separator == b"=" for _, separator, _ in pairs)
    return _typed(unique((_text(name), _text(value)) for name, _, value in pairs), signed=signed)


def media_type(content_type: str) -> str:
    """`Text/HTML; charset=utf-8` -> `text/html`."""
    return content_type.partition(";")[0].strip().lower()


def _check_charset(content_type: str) -> None:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in ("utf-8", "utf8", "us-ascii"):
            raise MalformedBody(reason=Phrase("the charset is not utf-8", "字符集不是 utf-8"))


def _pair(field: bytes) -> tuple[bytes, bytes, bytes]:
    """Split at the first `=` or `:`, whichever comes first: the value may contain the other."""
    at = min((index for index in (field.find(b"="), field.find(b":")) if index >= 0), default=-1)
    if at < 0:
        return field, b"=", b""
    return field[:at], field[at : at + 1], field[at + 1 :]


def _text(raw: bytes) -> str:
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise MalformedBody(reason=Phrase("it is not UTF-8", "不是 UTF-8 编码")) from error


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
        raise MalformedBody(reason=Phrase(f"{name} is not a string", f"{name} 不是字符串"))
    if len(value.encode()) > limit_bytes:
        raise MalformedBody(
            reason=Phrase(f"{name} has more than {limit_bytes} bytes", f"{name} 超过 {limit_bytes} 字节")
        )
    return value


def _number(fields: dict[str, object], name: str) -> int | None:
    """Kodo leaves unknown values empty, such as the width of a file that is not an image."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if type(value) is not int or not 0 <= value <= NUMBER_LIMIT:
        english = f"{name} is not an integer from 0 to {NUMBER_LIMIT}"
        raise MalformedBody(reason=Phrase(english, f"{name} 不是 0 到 {NUMBER_LIMIT} 的整数"))
    return value
