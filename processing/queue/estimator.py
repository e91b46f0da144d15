"""Estimates of render times by style and size, from what renders cost and how fast this server has been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from models.queue.task import Task
from processing import mosaic_lazy as mosaic

WEIGHT = 0.2
"""Of the newest render in the moving average."""


def cost_of(style: str, recipe: Mapping[str, Any]) -> mosaic.RenderCost:
    """With the pieces of the recipe."""
    cost = mosaic.STYLES[style].cost if style in mosaic.STYLES else mosaic.RenderCost(0.5, 0.05)
    material = recipe["material"] if "material" in recipe else _default_material(style)
    return cost if material == mosaic.FLAT else cost.of_pieces(recipe.get("cell"))


def _default_material(style: str) -> object:
    field = mosaic.STYLES[style].params.model_fields.get("material") if style in mosaic.STYLES else None
    return mosaic.FLAT if field is None else field.default


class TimeEstimator:
    """Exponentially weighted moving averages. Estimates of tasks are None until a first one was measured."""

    def __init__(self) -> None:
        self._seconds_per_megapixel: dict[str, float] = {}
        self._factors: dict[str, float] = {}  # of the costs, by style
        self._factor: float | None = None
        self._seconds: float | None = None

    def update(self, task: Task) -> None:
        """Learn from a finished task. One that reused an older result has no time of its own and is ignored."""
        if task.seconds is None or not task.megapixels:
            return
        self._seconds_per_megapixel[task.style] = _average(
            self._seconds_per_megapixel.get(task.style), task.seconds / task.megapixels
        )
        factor = task.seconds / cost_of(task.style, task.recipe).seconds(task.megapixels)
        self._factors[task.style] = _average(self._factors.get(task.style), factor)
        self._factor = _average(self._factor, factor)
        self._seconds = _average(self._seconds, task.seconds)

    def update_all(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            self.update(task)

    def rates(self) -> dict[str, float]:
        """Seconds per megapixel, by style."""
        return {style: round(rate, 4) for style, rate in sorted(self._seconds_per_megapixel.items())}

    def costs(self) -> dict[str, mosaic.RenderCost]:
        """What a render takes on this server, by style; before the first one, where they were measured."""
        return {name: style.cost.scaled(self._factor_of(name) or 1.0) for name, style in sorted(mosaic.STYLES.items())}

    def estimate_s(
        self, style: str, megapixels: float | None, recipe: Mapping[str, Any] = MappingProxyType({})
    ) -> float | None:
        """Duration of a render on one thread, in seconds; without a recipe, of the style's default one.

        A style that was never measured takes the average factor of all styles; an image of unknown size the average
        time.
        """
        factor = self._factor_of(style)
        if factor is None or not megapixels:
            return self._seconds
        return factor * cost_of(style, recipe).seconds(megapixels)

    def wait_s(self, waiting: int, threads: int) -> float | None:
        """How long this many tasks of average size take on these threads, in seconds."""
        return None if self._seconds is None else waiting * self._seconds / max(1, threads)

    def _factor_of(self, style: str) -> float | None:
        return self._factors.get(style, self._factor)


def _average(old: float | None, new: float) -> float:
    return new if old is None else old + WEIGHT * (new - old)
