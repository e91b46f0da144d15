"""Logs: one line for each event, for people or as JSON.

A message names what it is about by its template, `task %s: ...`, and its request at the end, `... [%s]`; JSON lines
carry these also as fields of their own, so that everything about one task or one request is found by its id.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

SUBJECTS = re.compile(r"\b(task|image|user) %s|\[(%s)\]$|%")
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, a viewer takes for the end of a line, or nobody sees."""
PLAIN = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, what it is about, an exception's trace.

    What it is about: `task`, `image`, `user` (ids), `request` (an id), and whatever a record's `fields` holds.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **subjects_of(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False, default=str)
        return UNSEEN.sub(lambda one: f"\\u{ord(one[0]):04x}", text)


class PlainFormatter(logging.Formatter):
    """Text for people. What a message brings along cannot begin a line of its own; only a trace has several."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = UNSEEN.sub(lambda one: ascii(one[0])[1:-1], record.getMessage())
        record.asctime = self.formatTime(record)
        line = self.formatMessage(record)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def subjects_of(record: logging.LogRecord) -> dict[str, object]:
    """The ids that a message's template names."""
    if not isinstance(record.args, tuple):
        return {}
    places = zip(SUBJECTS.finditer(str(record.msg)), record.args, strict=False)
    named = [(place[1] or (place[2] and "request"), value) for place, value in places]
    return {name: value for name, value in named if name}


def start_logging(*, as_json: bool, quiet: bool = False) -> None:
    """Send everything from INFO on to standard error; quiet: from ERROR on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter(PLAIN))
    logging.basicConfig(level=logging.ERROR if quiet else logging.INFO, handlers=[handler], force=True)
    logging.getLogger("tornado.general").setLevel(logging.WARNING)  # below, it repeats headers that it cannot read
