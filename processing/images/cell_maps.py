"""Cell maps: what each cell of a result shows, and its parts list, as JSON beside the result in the bucket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

PREFIX = "map/"
MIME = "application/json"
LISTED = ("uses",)
"""What a photomosaic's map says of each tile."""
LIMIT_BYTES = 4_000_000
"""A larger map (more than half a million cells) is not stored: the page could not show it."""


def map_key(result_key: str) -> str:
    """The key of the map of a result."""
    return f"{PREFIX}{result_key}.json"


def result_key_of(key: str) -> str:
    """The result of a map's key; any other key is returned as it is."""
    return key.removeprefix(PREFIX).removesuffix(".json") if key.startswith(PREFIX) else key


def encode(cell_map: Mapping[str, Any] | None, tiles: Sequence[int] = ()) -> bytes | None:
    """None if there is no map, or if it is too large.

    tiles: the ids in the recipe. Everyone who sees the result can read its map, and an id gives access to an image that
    is not private; so each cell has its tile's index in that list, which is shown to the owner only, and what the map
    says of each tile is in the order of that list.
    """
    if cell_map is None:
        return None
    if tiles:
        indexes = {image_id: index for index, image_id in reversed(list(enumerate(tiles)))}
        listed = {name: [cell_map[name][image_id] for image_id in tiles] for name in LISTED if name in cell_map}
        cell_map = {**cell_map, "tiles": [indexes[image_id] for image_id in cell_map["tiles"]], **listed}
    data = json.dumps(cell_map, separators=(",", ":")).encode()
    return data if len(data) <= LIMIT_BYTES else None
