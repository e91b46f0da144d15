"""The parts list of a result as files: CSV, and the wanted list that BrickLink reads. The page writes the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any


def parts_csv(cell_map: Mapping[str, Any]) -> str:
    """One line for each kind of piece."""
    rows = [["colour", "number", "rgb", "size", "part", "count"]]
    numbers, rgb = (_by_colour(cell_map, name) for name in ("numbers", "rgb"))
    if "symbols" in cell_map:
        rows = [["symbol", "thread", "rgb", "stitches", "skeins"]]
        symbols = _by_colour(cell_map, "symbols")
    for part in cell_map["parts"]:
        colour = part["colour"]
        if "symbols" in cell_map:
            rows.append([symbols[colour], colour, rgb[colour], part["count"], part["skeins"]])
        else:
            sizes = [part.get("size", ""), part.get("part", ""), part["count"]]
            rows.append([colour, numbers.get(colour, ""), rgb.get(colour, ""), *sizes])
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue()


def wanted_list(cell_map: Mapping[str, Any]) -> str | None:
    """XML for BrickLink's page for uploading a wanted list; None if the pieces are not sold there."""
    if "bricklink" not in cell_map:
        return None
    colours = _by_colour(cell_map, "bricklink")
    items = "".join(
        f"<ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>{part['part']}</ITEMID><COLOR>{colours[part['colour']]}</COLOR>"
        f"<MINQTY>{part['count']}</MINQTY></ITEM>\n"
        for part in cell_map["parts"]
    )
    return f"<INVENTORY>\n{items}</INVENTORY>\n"


def _by_colour(cell_map: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(zip(cell_map["colours"], cell_map.get(name, ()), strict=False))
