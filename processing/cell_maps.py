"""Cell maps kept beside their results: what each cell shows, and the parts that it takes, as JSON in the bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping

PREFIX = "map/"
MIME = "application/json"
LIMIT_BYTES = 4_000_000
"""A larger map (more than half a million cells) is not kept: no page could show it."""


def map_key(result_key: str) -> str:
    """Where the map of a result lies."""
    return f"{PREFIX}{result_key}.json"


def owning_key(key: str) -> str:
    """The key whose record a key hangs on: a map's result; anything else is its own."""
    return key.removeprefix(PREFIX).removesuffix(".json") if key.startswith(PREFIX) else key


def encode(cell_map: Mapping[str, object] | None) -> bytes | None:
    """None where there is no map, or one too large to keep."""
    if cell_map is None:
        return None
    data = json.dumps(cell_map, separators=(",", ":")).encode()
    return data if len(data) <= LIMIT_BYTES else None
