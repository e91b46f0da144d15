"""Kodo's signatures: Qiniu's own test vectors, and invalid signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import qiniu as sdk
from tornado.httputil import HTTPHeaders

from models.bucket.keys import Keys, load_or_create_keys
from models.bucket.signature import check_callback, qbox, qiniu, sign
from models.errors import BadSignature

KEYS = Keys("abcdefghklmnopq", "1234567890")
URL = "https://test.qiniu.com/callback"
BODY = b"name=sunflower.jpg&hash=Fn6qeQi4VDLQ347NiRm-RlQx_4O2&location=Shanghai&price=1500.00&uid=123"
FORM = "application/x-www-form-urlencoded"
QBOX = "QBox abcdefghklmnopq:T7F-SjxX7X2zI4Fc1vANiNt1AUE="
QINIU_GET = "Qiniu abcdefghklmnopq:ZqS7EZuAKrhZaEIxqNGxDJi41IQ="


def check(authorization: str | None = QBOX, **changes: Any) -> None:
    request = {"method": "POST", "uri": "/callback", "body": BODY, "content_type": FORM, **changes}
    headers = HTTPHeaders({"Host": "test.qiniu.com", "Content-Type": str(request["content_type"])})
    if authorization is not None:
        headers["Authorization"] = authorization
    for name, value in changes.get("headers", {}).items():
        headers[name] = value
    check_callback(
        changes.get("keys", KEYS),
        changes.get("url", URL),
        method=request["method"],
        uri=request["uri"],
        headers=headers,
        body=request["body"],
    )


def test_the_upload_token_vector_of_qinius_documents() -> None:
    policy = (
        '{"scope":"my-bucket:sunflower.jpg","deadline":1451491200,"returnBody":'
        '"{\\"name\\":$(fname),\\"size\\":$(fsize),\\"w\\":$(imageInfo.width),'
        '\\"h\\":$(imageInfo.height),\\"hash\\":$(etag)}"}'
    )
    encoded = sdk.urlsafe_base64_encode(policy)

    assert sign(Keys("MY_ACCESS_KEY", "MY_SECRET_KEY"), encoded.encode()) == "wQ4ofysef1R7IKnrziqtomqyDvI="


def test_the_private_download_vector() -> None:
    url = b"http://developer.qiniu.com/resource/flower.jpg?e=1451491200"

    assert sign(Keys("MY_ACCESS_KEY", "MY_SECRET_KEY"), url) == "v24Hqj-H6oM96pmWC-QgDm5JLbk="


def test_the_qbox_vector_is_computed_and_accepted() -> None:
    assert qbox(KEYS, "/callback", BODY) == QBOX
    check(QBOX)


def test_the_qiniu_vector_is_computed_and_accepted() -> None:
    headers = {"Host": "test.qiniu.com", "Content-Type": FORM, "X-Qiniu-Bbb": "BBB"}

    assert qiniu(KEYS, "GET", "/callback", headers, BODY) == QINIU_GET
    check(QINIU_GET, method="GET", headers={"X-Qiniu-Bbb": "BBB"})
    check(QINIU_GET, method="GET", headers={"x-qiniu-bbb": "BBB"})


def test_our_signatures_equal_the_sdks() -> None:
    auth = sdk.Auth(KEYS.access, KEYS.secret)
    mac = sdk.QiniuMacAuth(KEYS.access, KEYS.secret)

    assert qbox(KEYS, "/a?b=1", BODY) == "QBox " + auth.token_of_request("http://h/a?b=1", BODY.decode(), FORM)
    for kind, body in ((FORM, BODY), ("application/json", b"{}"), ("application/octet-stream", b"x"), ("", b"")):
        headers = {"Host": "h", "Content-Type": kind, "X-Qiniu-B": "2", "X-Qiniu-A": "1"}
        theirs = mac.token_of_request("POST", "h", "http://h/a?b=1", mac.qiniu_headers(headers), kind, body.decode())
        assert qiniu(KEYS, "POST", "/a?b=1", headers, body) == f"Qiniu {theirs}"


@pytest.mark.parametrize("uri", ["/callback", "/", "/rewritten/by/a/proxy", "/callback/"])
def test_the_configured_callback_url_is_accepted_behind_a_proxy(uri: str) -> None:
    check(QBOX, uri=uri)


def test_the_qiniu_style_is_accepted_with_a_rewritten_host() -> None:
    check(QINIU_GET, method="GET", headers={"X-Qiniu-Bbb": "BBB", "Host": "127.0.0.1:8888"})


def test_the_received_url_is_accepted_too() -> None:
    check(QBOX, url="https://old.example/elsewhere", uri="/callback")


def test_a_query_in_the_callback_address_is_signed() -> None:
    authorization = qbox(KEYS, "/callback?a=1", BODY)

    check(authorization, url=URL + "?a=1", uri="/callback")
    with pytest.raises(BadSignature):
        check(authorization, uri="/callback?a=2")


def test_path_parameters_are_part_of_the_path() -> None:
    check(qbox(KEYS, "/callback;v=1", BODY), url="https://h/x", uri="/callback;v=1")


def test_a_charset_behind_the_content_type_does_not_break_a_form() -> None:
    check(QBOX, content_type=FORM + "; charset=utf-8")
    check(QBOX, content_type=FORM.upper())


def test_json_needs_the_qiniu_style_that_signs_it() -> None:
    headers = {"Host": "test.qiniu.com", "Content-Type": "application/json"}
    body = b'{"key": "a"}'

    check(qiniu(KEYS, "POST", "/callback", headers, body), body=body, content_type="application/json")
    for unsigned in (qbox(KEYS, "/callback", b""), qbox(KEYS, "/callback", body)):
        with pytest.raises(BadSignature):
            check(unsigned, body=body, content_type="application/json")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/octet-stream", "multipart/form-data", "x;y"])
def test_a_body_that_no_style_signs_is_rejected(content_type: str) -> None:
    headers = {"Host": "test.qiniu.com", "Content-Type": content_type}
    for authorization in (qbox(KEYS, "/callback", BODY), qiniu(KEYS, "POST", "/callback", headers, BODY)):
        with pytest.raises(BadSignature):
            check(authorization, content_type=content_type)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "QBox",
        "QBox ",
        "Qiniu",
        "QBox a:b:c:d",
        "QBox :::",
        "qbox abcdefghklmnopq:T7F-SjxX7X2zI4Fc1vANiNt1AUE=",
        "QBox  abcdefghklmnopq:T7F-SjxX7X2zI4Fc1vANiNt1AUE=",
        QBOX + " ",
        QBOX + "," + QBOX,
        QBOX[:-1],
        QBOX.replace("QBox", "Qiniu"),
        QBOX.replace("abc", "xyz"),
        QBOX.replace("T7F", "T7G"),
        "QBox \xff\xfe:猫",
        "QBox \ud800",
        "Basic YTpi",
        "Bearer x",
        "QBox " + "A" * 10_000,
    ],
)
def test_any_other_header_is_a_bad_signature(authorization: str | None) -> None:
    with pytest.raises(BadSignature):
        check(authorization)


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b"&uid=124"},
        {"body": b""},
        {"body": b"\xff\xfe"},
        {"keys": Keys("abcdefghklmnopq", "another")},
        {"uri": "/other", "url": "https://test.qiniu.com/other"},
    ],
)
def test_a_changed_request_is_rejected(changes: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        check(QBOX, **changes)


def test_a_body_that_is_not_utf8_can_be_signed() -> None:
    check(qbox(KEYS, "/callback", b"\xff\x00"), body=b"\xff\x00")


def test_keys_are_created_once_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"

    keys = load_or_create_keys(path)

    assert load_or_create_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(keys.secret) >= 40
    assert keys.secret not in repr(keys)
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]
    assert load_or_create_keys(tmp_path / "other.json") != keys
