"""Log formatting: one line per event, as text or as JSON.

A message template names its subject, `task %s: ...`, and ends with the request id, `... [%s]`. JSON lines repeat both
as fields, so that all lines about one task or one request can be found by id.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

CONTEXT_PATTERN = re.compile(r"\b(task|image|user) %s|\[(%s)\]$|%")
# Control characters, line separators and bidirectional overrides: a terminal may interpret or hide them.
CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
# Who knows the key of a source can read it. Encoded keys and upload ids are in the paths of the bucket.
KEYS = re.compile(r"(source/[0-9a-f]{6})[0-9a-f]{10,}|((?:objects|uploads|stat|delete)/[\w=-]{6})[\w=-]{10,}")
PLAIN = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (ISO 8601, UTC), level, logger, message, context, and the trace of an exception.

    Context: the ids `task`, `image`, `user` and `request`, and the items of the record's `fields`.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **context_fields(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        text = shorten_keys(json.dumps(line, ensure_ascii=False, default=str))
        return CONTROL_CHARACTERS.sub(lambda one: f"\\u{ord(one[0]):04x}", text)


class PlainFormatter(logging.Formatter):
    """Plain text. Values in a message cannot start a new line; only a trace has several lines."""

    def format(self, record: logging.LogRecord) -> str:
        message = shorten_keys(record.getMessage())
        record.message = CONTROL_CHARACTERS.sub(lambda one: ascii(one[0])[1:-1], message)
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        return f"{line}\n{shorten_keys(self.formatException(record.exc_info))}" if record.exc_info else line


def shorten_keys(text: str) -> str:
    """`source/0123456789abcdef…` becomes `source/012345…`: enough to find the line, too little to read the image."""
    return KEYS.sub(lambda key: f"{key[1] or key[2]}…", text)


def context_fields(record: logging.LogRecord) -> dict[str, object]:
    """The ids that the message template names."""
    if not isinstance(record.args, tuple):
        return {}
    pairs = zip(CONTEXT_PATTERN.finditer(str(record.msg)), record.args, strict=False)
    named = [(place[1] or (place[2] and "request"), value) for place, value in pairs]
    return {name: value for name, value in named if name}


def start_logging(*, as_json: bool, quiet: bool = False) -> None:
    """Log to standard error from level INFO, or from ERROR if quiet."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter(PLAIN))
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
    logging.getLogger("tornado.general").setLevel(logging.WARNING)  # at INFO it repeats headers that it cannot parse
