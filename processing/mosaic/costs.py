"""What results of a style cost, as measured: seconds of a render, and megabytes of a file."""

from __future__ import annotations

from dataclasses import astuple, dataclass

SMALL_PX = 16


@dataclass(frozen=True, slots=True)
class RenderCost:
    """Seconds of a render from a photo of 12 megapixels to a PNG: however small it is, and for each megapixel of it.

    With default cells on an idle core, from the table of posters in docs/performance.md and from PNGs.
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


@dataclass(frozen=True, slots=True)
class FileSizes:
    """Megabytes of a file of 12 megapixels with default cells; larger ones grow more slowly than their pixels.

    shapes: of a PDF of shapes, at any size; 0: not known. None: a PDF has a JPEG inside.
    """

    png: float
    jpeg: float
    webp: float
    shapes: float | None = None
