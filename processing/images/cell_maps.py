"""Cell maps kept beside their results: what each cell shows, and the parts that it takes, as JSON in the bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "map/"
MIME = "application/json"
LIMIT_BYTES = 4_000_000
"""A larger map (more than half a million cells) is not kept: no page could show it."""


def map_key(result_key: str) -> str:
    """Where the map of a result lies."""
    return f"{PREFIX}{result_key}.json"


def result_key_of(key: str) -> str:
    """The key whose record a key hangs on: a map's result; anything else is its own."""
    return key.removeprefix(PREFIX).removesuffix(".json") if key.startswith(PREFIX) else key


def encode(cell_map: Mapping[str, Any] | None, tiles: Sequence[int] = ()) -> bytes | None:
    """None where there is no map, or one too large to keep.

    tiles: the ids that the recipe names. A map is for everybody to read, and whoever has the id of a private picture
    has the picture: so each cell is given its tile's place in that list, which only the owner is shown.
    """
    if cell_map is None:
        return None
    if tiles:
        indexes = {image_id: index for index, image_id in reversed(list(enumerate(tiles)))}
        cell_map = {**cell_map, "tiles": [indexes[image_id] for image_id in cell_map["tiles"]]}
    data = json.dumps(cell_map, separators=(",", ":")).encode()
    return data if len(data) <= LIMIT_BYTES else None
