"""The plan to build a plate of bricks, from its cell map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadParameter, Message
from ...plan import Plan, PlanColour, order_colours
from ...progress import Progress
from .bricks import merge_bricks
from .catalogue import CHINESE_NAMES

STUD_MM = 8.0
_SECTION = 16  # studs along the side of a usual plate


def brick_plan(cell_map: Mapping[str, Any]) -> Plan:
    """Raises BadParameter for bricks of colours that are not sold."""
    if "numbers" not in cell_map:
        allowed = Message("colours that bricks are sold in, for a plan")
        raise BadParameter(field="colours", value="free", allowed=allowed)
    studs = np.array(cell_map["studs"], np.int32).reshape(cell_map["rows"], cell_map["columns"])
    sizes: dict[str, dict[str, int]] = {}
    for part in cell_map["parts"]:
        sizes.setdefault(part["colour"], {})[part["size"]] = part["count"]
    counts = [sum(sizes.get(name, {}).values()) for name in cell_map["colours"]]
    larger = any(part["size"] != "1x1" for part in cell_map["parts"])
    cells, order = order_colours(studs, counts)
    colours = tuple(
        PlanColour(
            symbol=str(cell_map["numbers"][index]),
            name=cell_map["colours"][index],
            zh=CHINESE_NAMES.get(cell_map["colours"][index], ""),
            rgb=cell_map["rgb"][index],
            count=counts[index],
            details=", ".join(f"{size}: {count}" for size, count in sizes[cell_map["colours"][index]].items()),
        )
        for index in order
    )
    return Plan(cells, colours, STUD_MM, _SECTION, merge_bricks(cells, Progress(), larger=larger).boxes)
