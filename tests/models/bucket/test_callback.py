"""The body of a callback, in every valid format and in invalid ones."""

from __future__ import annotations

import contextlib
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bucket.callback import CallbackBody, parse_callback
from models.errors import MalformedBody

FORM = "application/x-www-form-urlencoded"
FULL = CallbackBody(
    key="u/1.png",
    filename="a b.png",
    filesize=12,
    etag="Fabc",
    mime="image/png",
    width=3,
    height=4,
    param='{"style": "hexagon"}',
    owner_id=7,
)
NOTHING = CallbackBody(None, "", None, None, None, None, None, "", None)


def test_the_form_body_of_our_policies() -> None:
    body = (
        b"key=u%2F1.png&filename=a+b.png&filesize=12&etag=Fabc&mime=image%2Fpng&width=3&height=4"
        b"&param=%7B%22style%22%3A+%22hexagon%22%7D&endUser=7"
    )

    assert parse_callback(body, FORM) == FULL


def test_json() -> None:
    body = (
        b'{"key": "u/1.png", "filename": "a b.png", "filesize": 12, "etag": "Fabc", "mime": "image/png",'
        b' "width": 3, "height": "4", "param": "{\\"style\\": \\"hexagon\\"}", "endUser": "7"}'
    )

    assert parse_callback(body, "application/json; charset=UTF-8") == FULL


@pytest.mark.parametrize(
    ("body", "filename", "filesize", "param"),
    [
        (b"filename:a.png&filesize:12&param:mosaic", "a.png", 12, "mosaic"),
        (b"filename:a=b.png&filesize:12&param:", "a=b.png", 12, ""),
        (b"filename=a:b.png&filesize=12&param=x=y:z", "a:b.png", 12, "x=y:z"),
        (b"filename:a%3Db%26c.png&filesize:&param:%7B%7D", "a=b&c.png", None, "{}"),
        ("filename:猫.png&filesize:1&param:".encode(), "猫.png", 1, ""),
        (b"filename:a+b.png", "a b.png", None, ""),
        (b"filename&filesize", "", None, ""),
        (b"&&filename=a&", "a", None, ""),
        (b"filename=%00%0d%0a", "\0\r\n", None, ""),
    ],
)
def test_bodies_with_colons_and_with_equals_signs(body: bytes, filename: str, filesize: int | None, param: str) -> None:
    parsed = parse_callback(body, FORM)

    assert (parsed.filename, parsed.filesize, parsed.param) == (filename, filesize, param)


@pytest.mark.parametrize(
    "body",
    [
        b"filename:evil&endUser=8",
        b"filename:evil&endUser:8",
        b"filename=a&param:x&endUser=8",
    ],
)
def test_a_body_with_colons_never_has_an_owner(body: bytes) -> None:
    assert parse_callback(body, FORM).owner_id is None


@pytest.mark.parametrize("body", [b"", b"unknown=1", b"key=&filename=&filesize=&etag=&mime=&width=&height=&endUser="])
def test_missing_and_empty_values_are_none(body: bytes) -> None:
    assert parse_callback(body, FORM) == NOTHING


def test_json_null_is_none() -> None:
    assert (
        parse_callback(b'{"key": null, "filename": null, "width": null, "endUser": null}', "application/json")
        == NOTHING
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"filename=%ff", FORM),
        (b"\xff\xfe", FORM),
        (b"filename=a&filename=b", FORM),
        (b"endUser=7&endUser=8", FORM),
        (b"filename=a&file%6eame=b", FORM),
        (b"filesize=-1", FORM),
        (b"filesize=1.5", FORM),
        (b"filesize=1e3", FORM),
        (b"filesize=%D9%A1", FORM),
        (b"filesize=" + b"9" * 5000, FORM),
        (b"endUser=7;8", FORM),
        (b"filename=" + b"x" * 4097, FORM),
        (b"key=" + b"x" * 751, FORM),
        (b"param=" + b"x" * 65_537, FORM),
        (b"x=" + b"x" * 300_000, FORM),
        (b"filename=a", FORM + "; charset=gbk"),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"key": {"$gt": ""}}', "application/json"),
        (b'{"filename": ["a"]}', "application/json"),
        (b'{"filesize": true}', "application/json"),
        (b'{"filesize": 1.0}', "application/json"),
        (b'{"filesize": NaN}', "application/json"),
        (b'{"filesize": 1e400}', "application/json"),
        (b'{"filesize": ' + b"9" * 5000 + b"}", "application/json"),
        (b'{"filename": "\\ud800"}', "application/json"),
        (b'{"key": "a", "key": "b"}', "application/json"),
    ],
)
def test_an_invalid_body_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedBody):
        parse_callback(body, content_type)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200), st.text("=:&%+ x猫", max_size=50))
def test_any_file_name_is_parsed_unchanged(filename: str, param: str) -> None:
    body = f"key=k&filename={quote_plus(filename)}&param={quote_plus(param)}&endUser=7".encode()

    parsed = parse_callback(body, FORM)

    assert (parsed.filename, parsed.param, parsed.owner_id) == (filename, param, 7)


@given(st.binary(max_size=300), st.sampled_from([FORM, "application/json", "", "text/plain; charset=x; =;"]))
def test_any_bytes_are_parsed_or_malformed(body: bytes, content_type: str) -> None:
    with contextlib.suppress(MalformedBody):
        parse_callback(body, content_type)
