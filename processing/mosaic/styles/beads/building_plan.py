"""The plan to lay a picture of beads, from its cell map."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import BadParameter, Message
from ...plan import Plan, PlanColour, order_colours

BEAD_MM = 5.0
BOARD = 29  # pegs along a board of the usual size: a section lies under one of clear plastic
_COMMON_START = re.compile(r"^80-(?=\d{5}\b)")  # of Perler's codes


def bead_plan(cell_map: Mapping[str, Any]) -> Plan:
    """As large on paper as the beads are. Raises BadParameter for beads of colours that are not sold."""
    if cell_map["colours"][0].startswith("#"):
        raise BadParameter(field="palette", value="free", allowed=Message("the colours of a maker, for a plan"))
    beads = np.array(cell_map["beads"], np.int32).reshape(cell_map["rows"], cell_map["columns"])
    counts = np.bincount(beads.ravel(), minlength=len(cell_map["colours"])).tolist()
    cells, order = order_colours(beads, counts)
    colours = []
    for index in order:
        code, _, name = _COMMON_START.sub("", cell_map["colours"][index]).partition(" ")
        colours.append(PlanColour(symbol=code, name=name or code, rgb=cell_map["rgb"][index], count=counts[index]))
    return Plan(cells, tuple(colours), BEAD_MM, BOARD, printed_mm=BEAD_MM)
