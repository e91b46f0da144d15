"""Kodo's two signature schemes. Check a signature before reading what it signs.

QBox    HMAC-SHA1 over the path, the query and a form body; a body of any other type is not covered at all.
Qiniu   over method, path, query, Host, Content-Type, X-Qiniu-* headers and the body.
Source: developer.qiniu.com/kodo/1201 and 1653. Neither has a timestamp: a callback can be replayed at any time.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from models.bucket.callback import media_type
from models.bucket.keys import Keys
from models.errors import BadSignature

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def encode(raw: bytes) -> str:
    """URL-safe base64 with padding, Kodo's encoding for everything."""
    return base64.urlsafe_b64encode(raw).decode()


def decode(text: str) -> bytes:
    """The inverse of `encode`. Raises ValueError."""
    return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)


def sign(keys: Keys, data: bytes) -> str:
    return encode(hmac.digest(keys.secret.encode(), data, "sha1"))


def qbox(keys: Keys, target: str, body: bytes) -> str:
    """The Authorization header of a request with a form body or none. target: path and raw query."""
    signed = _bytes(target) + b"\n" + body
    return f"QBox {keys.access}:{sign(keys, signed)}"


def qiniu(keys: Keys, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
    """The Authorization header of any request. Of the headers, Host, Content-Type and X-Qiniu-* are signed."""
    lines = [f"{method} {target}", f"Host: {headers.get('Host', '')}"]
    content_type = headers.get("Content-Type", "")
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {headers[name]}" for name in sorted(headers) if name.startswith("X-Qiniu-")]
    signed_body = body if content_type not in ("", "application/octet-stream") else b""
    signed = _bytes("\n".join(lines)) + b"\n\n" + signed_body
    return f"Qiniu {keys.access}:{sign(keys, signed)}"


def check_callback(
    keys: Keys, callback_url: str, *, method: str, uri: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Raise BadSignature unless this request was signed with our keys.

    callback_url: the URL in the upload policy. A proxy may have rewritten path and host, so that the signature is
    checked against this URL and against the one that reached us.
    """
    canonical = _canonical(headers)
    kind = media_type(canonical.get("Content-Type", ""))
    called = urlsplit(callback_url)
    called_target = (called.path or "/") + (f"?{called.query}" if called.query else "")
    scheme = canonical.get("Authorization", "").partition(" ")[0]
    if scheme == "QBox" and kind == FORM:
        expected = [qbox(keys, target, body) for target in (called_target, uri)]
    elif scheme == "Qiniu" and kind in (FORM, JSON):
        at_called = {**canonical, "Host": called.netloc}
        expected = [qiniu(keys, method, called_target, at_called, body), qiniu(keys, method, uri, canonical, body)]
    else:
        raise BadSignature()
    check_any_match(canonical["Authorization"], expected)


def check_management(keys: Keys, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """Raise BadSignature unless this management request is signed, with its body. Returns its X-Qiniu-Date, if any.

    QBox signs no date; neither do some clients in the Qiniu style. A body must be a form.
    """
    canonical = _canonical(headers)
    authorization, content_type = canonical.get("Authorization", ""), canonical.get("Content-Type", "")
    is_qbox = authorization.startswith("QBox ")
    if body and (content_type if is_qbox else media_type(content_type)) != FORM:
        raise BadSignature()
    expected = qbox(keys, uri, body) if is_qbox else qiniu(keys, method, uri, canonical, body)
    check_any_match(authorization, [expected])
    return None if is_qbox else canonical.get("X-Qiniu-Date")


def check_any_match(signature: str, expected: Iterable[str]) -> None:
    """Compare with each in constant time. Raises BadSignature if none matches."""
    matches = [hmac.compare_digest(_bytes(signature), _bytes(one)) for one in expected]
    if not any(matches):
        raise BadSignature()


def _canonical(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names in Kodo's case, which servers and proxies may change: `x-qiniu-date` -> `X-Qiniu-Date`."""
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
