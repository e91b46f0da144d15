"""The plan of a painting by numbers, from its cell map: the picture itself and its colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...plan import Plan, PlanColour


def painting_plan(cell_map: Mapping[str, Any]) -> Plan:
    """Colours in the order of their numbers; what is counted are the regions."""
    colours = tuple(
        PlanColour(symbol=str(number), name=rgb, rgb=rgb, count=part["count"])
        for number, (rgb, part) in enumerate(zip(cell_map["rgb"], cell_map["parts"], strict=True), 1)
    )
    return Plan(np.zeros((0, 0), np.int32), colours, pitch_mm=0.0)
