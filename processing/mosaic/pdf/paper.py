"""Sheets of paper that printers at home take."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Paper:
    """Width and height in millimetres, upright."""

    width: float
    height: float


PAPERS = MappingProxyType({"a4": Paper(210.0, 297.0), "letter": Paper(215.9, 279.4)})
