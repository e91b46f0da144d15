"""The client's own metadata of an object: Kodo's `x-qn-meta-*`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from models.bucket.embedded.errors import MalformedUpload

PREFIX = "x-qn-meta-"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
LIMIT_BYTES = 2048


def custom_metadata(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields whose names start with PREFIX, without it. Raises MalformedUpload."""
    custom = {name[len(PREFIX) :].lower(): value for name, value in fields.items() if name.lower().startswith(PREFIX)}
    if not all(NAME.fullmatch(name) for name in custom):
        raise MalformedUpload(f"a name after {PREFIX} has 1 to 64 of A-Z, a-z, 0-9, _ and -")
    if len(json.dumps(custom)) > LIMIT_BYTES:
        raise MalformedUpload(f"all {PREFIX} fields together exceed {LIMIT_BYTES} bytes of JSON")
    return custom
