"""The style `mosaic`: square blocks, each in the mean of its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from PIL import Image

from ..canvas import Laid, StyleResult
from ..cells.block_means import block_areas
from ..cells.grid import SquareGrid
from ..cells.raster import CellMeans
from ..codec.encoders.block_encoders import encode_block_jpeg, encode_block_png
from ..codec.encoders.encode import encode
from ..codec.encoders.strip_encoders import STRIP_ROWS, strip_encoder
from ..codec.encoders.vector_image import VectorImage
from ..colour.srgb import Colours
from ..costs import FileSizes, RenderCost
from ..flat_cells import cell_colours, paint_flat_cells
from ..materials.pieces import lay, paint_pieces
from ..params import FLAT, SEED_OF_MATERIAL, CellParams, Condition, bool_param, default_cell, material_param
from ..progress import Progress, pieces, run_interruptible
from ..region_canvas import PixelBox
from ..square_means import square_means
from ..strip_canvas import LARGE_MEGAPIXELS, STRIP_FORMATS
from ..style import RenderContext, Style


class MosaicParams(CellParams):
    """draft: decode a JPEG at a reduced scale and average the rest: several times faster, but no longer exact.

    Inside each square of 2, 4 or 8 pixels the decoder averages the encoded numbers instead of linear light.
    """

    conditions: ClassVar[Mapping[str, Condition]] = SEED_OF_MATERIAL

    material: str = material_param()
    draft: bool = bool_param(False, en="Fast, slightly inexact", zh="快速（略有误差）")


class BlockCanvas:
    """A canvas of flat squares; implements canvas.Canvas. colours: (rows, columns, 3)."""

    def __init__(self, colours: Colours, side: int, size: tuple[int, int]) -> None:
        self.size = size
        self._colours, self._side = colours, side

    def encode(self, format: str, quality: int, progress: Progress) -> bytes:
        if format == "png":
            return encode_block_png(self._colours, self._side, self.size, progress)
        if format == "jpeg" and self._side % 8 == 0:
            return encode_block_jpeg(self._colours, self._side, self.size, quality, progress)
        if format not in STRIP_FORMATS or self.size[0] * self.size[1] <= LARGE_MEGAPIXELS * 1_000_000:
            return encode(self._resized(self.size, Image.Resampling.NEAREST), format, quality, progress)
        strips = strip_encoder(self.size, "RGB", format, quality, None)
        for rows in pieces(self.size[1], STRIP_ROWS):
            box = (0, rows.start / self._side, self.size[0] / self._side, rows.stop / self._side)
            size = (self.size[0], rows.stop - rows.start)
            strips.add(Image.fromarray(self._colours).resize(size, Image.Resampling.NEAREST, box=box))
            progress(rows.stop / self.size[1])
        return run_interruptible(strips.finish, lambda: progress(1.0))

    def to_image(self) -> Image.Image:
        return self._resized(self.size, Image.Resampling.NEAREST)

    def crop(self, box: PixelBox) -> Image.Image:
        left, top, right, bottom = box
        blocks = (left / self._side, top / self._side, right / self._side, bottom / self._side)
        return Image.fromarray(self._colours).resize((right - left, bottom - top), Image.Resampling.NEAREST, box=blocks)

    def reduce(self, factor: int) -> Image.Image:
        size = (-(-self.size[0] // factor), -(-self.size[1] // factor))
        return self._resized(size, Image.Resampling.BOX)

    def _resized(self, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
        box = (0, 0, self.size[0] / self._side, self.size[1] / self._side)
        return Image.fromarray(self._colours).resize(size, resampling, box=box)


def block_side(params: MosaicParams, width: int, height: int) -> int:
    """The side of a block in pixels; a default of 24 or more is a multiple of 8, for the fast JPEG encoder."""
    if params.cell is not None:
        return params.cell
    side = default_cell(width, height)
    return side if side < 24 else round(side / 8) * 8


def draft_reduction(params: MosaicParams, width: int, height: int) -> int:
    """How many times smaller (1, 2, 4, 8) the source may be decoded: at least 2 x 2 pixels a block remain."""
    if params.result_size(width, height) != (width, height):
        return 1
    side = block_side(params, width, height)
    candidates = [scale for scale in (8, 4, 2) if side % scale == 0 and side // scale >= 2]
    return candidates[0] if params.draft and candidates and params.material == FLAT else 1


def paint_blocks(context: RenderContext[MosaicParams]) -> StyleResult:
    """Each block in the mean of its pixels, exact if the source was decoded in full."""
    params, progress = context.params, context.progress
    size = context.size
    grid = SquareGrid(*size, block_side(params, *size))
    if context.alpha is not None:
        return paint_flat_cells(context, grid, progress)
    laying = lay(context, params.material, grid.pitch, grid.side / 16, None, outweighed=True)
    if laying is not None:
        return paint_pieces(context, grid, laying, progress, flat=lambda: grid)
    colours = context.once_measured("colours", grid.count, lambda: _block_colours(context, grid))
    return StyleResult(
        BlockCanvas(colours.reshape(grid.rows, grid.columns, 3), grid.side, size),
        cells=grid.count,
        pitch=grid.pitch,
        laid=Laid(grid),
        vector=lambda: VectorImage(size, grid.outlines, colours),
    )


def _block_colours(context: RenderContext[MosaicParams], grid: SquareGrid) -> Colours:
    params, progress = context.params, context.progress
    means = square_means(context, grid.side, params.linear, progress.sub(0.0, 0.9))
    flat_means = CellMeans(means.reshape(-1, 3), block_areas(*context.size, grid.side))
    return cell_colours(flat_means, params, grid, progress.sub(0.9, 1.0), context)


BLOCKS = Style(
    name="mosaic",
    version=13,
    params=MosaicParams,
    paint=paint_blocks,
    en="Square blocks",
    zh="方块马赛克",
    about_en="Square blocks, each in the mean colour of its pixels.",
    about_zh="方形色块，每块取其像素的平均颜色。",
    cost=RenderCost(0.1, 0.012, pieces_s=0.09, small_pieces_s=0.2),
    file_mb=FileSizes(0.07, 0.3, 0.2, shapes=0.25),
    svg=True,
    seeded=True,
    reduction=draft_reduction,
)
