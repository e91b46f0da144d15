"""Logs: ids are fields, and one line is one event. Secrets: tests/security/test_logged_secrets.py."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from logs import JsonFormatter, PlainFormatter
from serving import ready_line


def formatted(formatter: logging.Formatter, message: str, *arguments: object, **extra: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.emit(logging.getLogger().makeRecord("x", logging.INFO, "x", 1, message, arguments, None, extra=extra))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("message", "arguments", "fields"),
    [
        ("task %s: running, attempt %s", (5, 1), {"task": 5}),
        ("image %s: uploaded as %s [%s]", (7, "k", "ab12"), {"image": 7, "request": "ab12"}),
        ("%s %s %.1f ms [%s]", (200, "GET", 1.5, "ab12"), {"request": "ab12"}),
        ("bucket: %s belongs to nobody", ("k",), {}),
        ("nothing to fill in", (), {}),
    ],
)
def test_the_ids_in_a_line_are_fields_too(
    message: str, arguments: tuple[object, ...], fields: dict[str, object]
) -> None:
    line = json.loads(formatted(JsonFormatter(), message, *arguments))

    assert {name: line[name] for name in line.keys() - {"time", "level", "logger", "message"}} == fields
    assert line["message"] == message % arguments


@pytest.mark.requirement(54)
@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter("%(message)s")])
@pytest.mark.parametrize(
    ("path", "shortened"),
    [
        ("/bucket/source/" + "0123456789abcdef" * 2, "/bucket/source/012345…"),
        ("/up/buckets/tessera/objects/c291cmNlLzAxMjM0NTY3ODlhYmNkZWY=/uploads", "objects/c291cm…/uploads"),
        ("/up/buckets/tessera/objects/~/uploads/" + "0123456789abcdef" * 2 + "/1", "/uploads/012345…/1"),
        ("/rs/stat/dGVzc2VyYTpzb3VyY2UvMDEyMzQ1Njc4OWFiY2RlZg==", "/rs/stat/dGVzc2…"),
    ],
)
def test_keys_of_sources_are_shortened(formatter: logging.Formatter, path: str, shortened: str) -> None:
    fields = {"path": path}

    line = formatted(formatter, "%s %s %s", 200, "GET", path, fields=fields)

    assert shortened in line
    assert path not in line
    assert "0123456789" not in line


def test_a_trace_stays_in_its_line_in_json() -> None:
    try:
        raise ValueError("that was it")
    except ValueError:
        record = logging.getLogger().makeRecord("x", logging.ERROR, "x", 1, "failed %(n)s", ({"n": 1},), sys.exc_info())

    line = JsonFormatter().format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "failed 1"
    assert json.loads(line)["trace"].endswith("ValueError: that was it")


def test_fields_of_a_record_are_added() -> None:
    assert json.loads(formatted(JsonFormatter(), "hello", fields={"status": 200}))["status"] == 200


@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter("%(message)s")])
def test_control_and_invisible_characters_are_escaped(formatter: logging.Formatter) -> None:
    line = formatted(formatter, "path %s", "/a\x1b[31m\x85b\x9b31mc\u2028d\u202ee")

    assert len(line.splitlines()) == 1
    assert line.strip().isprintable()
    assert "/a" in line
    assert "猫" in formatted(formatter, "path %s", "/猫")


@pytest.mark.requirement(42)
@pytest.mark.parametrize("formatter", [JsonFormatter(), PlainFormatter("%(message)s")])
def test_a_value_with_line_breaks_stays_on_its_line(formatter: logging.Formatter) -> None:
    assert formatted(formatter, "path %s", "/a\r\nINFO forged: line").count("\n") == 1


def test_the_line_of_a_server_that_is_ready_is_json_where_the_log_is() -> None:
    plain, as_json = (ready_line("http://127.0.0.1:8888", as_json=each) for each in (False, True))

    assert plain == "Tessera is ready: http://127.0.0.1:8888"
    assert json.loads(as_json)["message"] == plain
    assert json.loads(as_json).keys() == {"time", "level", "logger", "message"}
