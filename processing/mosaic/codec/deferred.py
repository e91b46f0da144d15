"""A source that is decoded only if its pixels are needed: another part of a result that was measured needs none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from .decode import Source


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a source is without its pixels, which are opaque. size: width and height of its image."""

    size: tuple[int, int]
    width: int
    height: int
    reduction: int
    bleed_px: int

    @classmethod
    def of(cls, source: Source) -> SourceFacts | None:
        """None for a source with transparency, whose pixels are always needed."""
        if source.alpha is not None:
            return None
        return cls(source.image.size, source.width, source.height, source.reduction, source.bleed_px)

    def deferred(self, decode: Callable[[], Source]) -> Source:
        """The source, which `decode` returns once its pixels are needed. Using these raises what `decode` raises."""
        image = _DeferredImage(self.size, lambda: decode().image)
        return Source(image, self.width, self.height, self.reduction, self.bleed_px)


class _DeferredImage(Image.Image):
    """As a file that Pillow has opened: every method that needs pixels calls `load` first."""

    def __init__(self, size: tuple[int, int], decode: Callable[[], Image.Image]) -> None:
        super().__init__()
        self._mode, self._size = "RGB", size
        self._decode: Callable[[], Image.Image] | None = decode

    def load(self) -> Any:
        if self._decode is not None:
            self.im = self._decode().im
            self._decode = None
        return super().load()
