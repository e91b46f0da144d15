"""The chart to stitch a picture, from its cell map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...plan import Plan, PlanColour, order_colours
from ...units import MM_PER_INCH
from .threads import AIDA_COUNTS

_SECTION = 40  # stitches


def stitch_plan(cell_map: Mapping[str, Any]) -> Plan:
    """In centimetres of the coarsest fabric; the cover states the others. Threads are counted in stitches."""
    stitches = np.array(cell_map["stitches"], np.int32).reshape(cell_map["rows"], cell_map["columns"])
    counts = [part["count"] for part in cell_map["parts"]]
    cells, order = order_colours(stitches, counts)
    colours = tuple(
        PlanColour(
            symbol=cell_map["symbols"][index],
            name=cell_map["colours"][index],
            rgb=cell_map["rgb"][index],
            count=counts[index],
            details=f"x {cell_map['parts'][index]['skeins']} (8 m)",
        )
        for index in order
    )
    notes = [f"Aida {size['count']}: {size['width_cm']} x {size['height_cm']} cm" for size in cell_map["aida"]]
    return Plan(cells, colours, MM_PER_INCH / AIDA_COUNTS[0], _SECTION, notes=(", ".join(notes),))
