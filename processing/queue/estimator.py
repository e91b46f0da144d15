"""Estimates of render times by style and size, from what renders cost and how fast this server has been."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Any

from models.queue.task import Task
from processing import mosaic_lazy as mosaic

WEIGHT = 0.2
"""Of the newest render in the moving average."""
SMALL_PX = 16
_PIECES = 0.09, 0.2


@dataclass(frozen=True, slots=True)
class RenderCost:
    """Seconds of a render from a photo of 12 megapixels to a PNG: however small it is, and for each megapixel of it.

    pieces_s: more for each megapixel of pieces of a material, in styles that are flat by default. small_pieces_s: more
    for each megapixel of such pieces up to SMALL_PX wide, all of whose pixels are measured before they are painted.
    """

    fixed_s: float
    megapixel_s: float
    pieces_s: float = 0.0
    small_pieces_s: float = 0.0

    def seconds(self, megapixels: float) -> float:
        return self.fixed_s + self.megapixel_s * megapixels

    def of_pieces(self, cell: int | None) -> RenderCost:
        """Of a material. cell: their width in pixels, or None: not small."""
        small_s = self.small_pieces_s * min(1.0, (SMALL_PX / cell) ** 2) if cell else 0.0
        return RenderCost(self.fixed_s, self.megapixel_s + self.pieces_s + small_s)

    def scaled(self, factor: float) -> RenderCost:
        return RenderCost(*(seconds * factor for seconds in astuple(self)))


COSTS = {
    "mosaic": RenderCost(0.1, 0.012, *_PIECES),
    "hexagon": RenderCost(0.12, 0.035, *_PIECES),
    "triangle": RenderCost(0.15, 0.035, *_PIECES),
    "diamond": RenderCost(0.15, 0.038, *_PIECES),
    "voronoi": RenderCost(1.1, 0.11),
    "lowpoly": RenderCost(0.9, 0.03),
    "numbers": RenderCost(1.4, 0.05),
    "quadtree": RenderCost(0.25, 0.02, *_PIECES),
    "tesserae": RenderCost(0.7, 0.055, 0.0, 0.2),
    "photomosaic": RenderCost(0.2, 0.035),
    "redact": RenderCost(0.2, 0.03),
    "dots": RenderCost(0.1, 0.04),
    "brick": RenderCost(0.1, 0.042),
    "beads": RenderCost(0.2, 0.055),
    "stitch": RenderCost(0.1, 0.055),
}
"""With default cells on an idle core, from the table of posters in docs/performance.md and from PNGs; a server learns
how much faster or slower it is."""
_OTHER = RenderCost(0.5, 0.05)


def cost_of(style: str, recipe: Mapping[str, Any]) -> RenderCost:
    """With the pieces of the recipe."""
    cost = COSTS.get(style, _OTHER)
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

    def costs(self) -> dict[str, RenderCost]:
        """What a render takes on this server, by style; before the first one, on the machine of COSTS."""
        return {style: cost.scaled(self._factor_of(style) or 1.0) for style, cost in sorted(COSTS.items())}

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
