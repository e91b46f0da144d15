"""Parameters of what is built by hand from pieces of one size: how many lie across says how large the result is."""

from __future__ import annotations

from typing import ClassVar

from .params import SizedParams, default_cell, int_param


class CountedParams(SizedParams):
    """cell: the distance of pieces. columns: how many lie across; the result is as large as they need.

    ACROSS: pieces along the longer side of a result without either. MIN_DEFAULT_CELL: in fewer pixels nobody would see
    what a piece is.
    """

    ACROSS: ClassVar[int]
    MIN_DEFAULT_CELL: ClassVar[int] = 8

    cell: int | None = int_param(None, low=4, high=1024, unit="px", en="Piece size, pixels", zh="单件大小（像素）")
    columns: int | None = int_param(None, low=2, high=1000, en="Pieces across", zh="横向件数")

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """With `columns`, whole pieces, nearest to the aspect ratio of the source."""
        size = super().result_size(width, height)
        if self.columns is None:
            return size
        side = self.side_for(size[0], self.columns)
        return self.columns * side, max(1, round(self.columns * height / width)) * side

    def side_for(self, width: int, columns: int) -> int:
        """The side of a piece in pixels where that many lie across about `width` pixels."""
        return self.cell or max(self.MIN_DEFAULT_CELL, round(width / columns))

    def side_in(self, width: int, height: int) -> int:
        """The side of a piece in pixels of a result of that size."""
        if self.columns is not None:
            return max(1, width // self.columns)
        return self.cell or max(self.MIN_DEFAULT_CELL, default_cell(width, height, across=self.ACROSS))
