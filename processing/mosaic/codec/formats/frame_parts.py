"""The frames of an animation as its file stores them: pictures that are laid one after the other on one canvas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

KEEP, CLEAR, RESTORE = 0, 1, 2
"""What happens to the part after it was shown: it stays, is made transparent, or gives way to what was below it."""


@dataclass(frozen=True, slots=True)
class FramePart:
    """left, top, width, height: its place on the canvas. over: laid over what is below it; else it replaces that.
    disposal: KEEP, CLEAR or RESTORE. file: makes a still picture of the part alone; raises NotAPicture if damaged."""

    left: int
    top: int
    width: int
    height: int
    duration_ms: int
    disposal: int
    over: bool
    file: Callable[[], bytes]
