"""The style `mosaic`: square blocks, each in the mean of its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import fields
from ..canvas import Painting
from ..cells.grid import SquareGrid
from ..cells.raster import Means
from ..codec.block_encoders import write_png
from ..codec.block_jpeg import write_jpeg
from ..codec.decode import Source
from ..codec.encode import encode
from ..codec.svg import write_svg
from ..colour.pixels import looked_up
from ..colour.srgb import Colours, light_table, to_bytes
from ..flat_cells import settle
from ..params import CellParams, automatic_cell
from ..progress import Stage
from ..style import Style

_PLAIN_SIDE = 64  # so far `reduce` of 8-bit numbers keeps within 0.67/255; its fixed-point factor grows coarser after


class MosaicParams(CellParams):
    """draft: decode a JPEG at a reduced scale and average the rest. Means are then taken of the encoded numbers
    inside each 2, 4 or 8 pixels square instead of in linear light: several times faster, no longer exact."""

    draft: bool = fields.flag(False, en="Quick and not quite exact", zh="快速(略有误差)")


class Blocks:
    """A canvas of flat squares. colours: (rows, columns, 3)."""

    def __init__(self, colours: Colours, side: int, size: tuple[int, int]) -> None:
        self.size = size
        self._colours, self._side = colours, side

    def encode(self, format: str, quality: int, stage: Stage) -> bytes:
        if format == "png":
            return write_png(self._colours, self._side, self.size, stage)
        if format == "jpeg" and self._side % 8 == 0:
            return write_jpeg(self._colours, self._side, self.size, quality, stage)
        return encode(self._resized(self.size, Image.Resampling.NEAREST), format, quality, stage)

    def reduced(self, factor: int) -> Image.Image:
        small = (-(-self.size[0] // factor), -(-self.size[1] // factor))
        return self._resized(small, Image.Resampling.BOX)

    def _resized(self, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
        box = (0, 0, self.size[0] / self._side, self.size[1] / self._side)
        return Image.fromarray(self._colours).resize(size, resampling, box=box)


def side_for(params: MosaicParams, width: int, height: int) -> int:
    """The blocks' side in pixels; one that we choose is a multiple of 8 where that changes little."""
    if params.cell is not None:
        return params.cell
    side = automatic_cell(width, height)
    return side if side < 24 else round(side / 8) * 8


def shrink_for(params: MosaicParams, width: int, height: int) -> int:
    """How many times smaller the source may be decoded: at least 2 x 2 pixels a block are left."""
    side = side_for(params, width, height)
    fitting = [scale for scale in (8, 4, 2) if side % scale == 0 and side // scale >= 2]
    return fitting[0] if params.draft and fitting else 1


def paint_blocks(source: Source, params: MosaicParams, stage: Stage) -> Painting:
    """Each block in the exact mean of its pixels, as long as the source was decoded in full."""
    size = (source.width, source.height)
    grid = SquareGrid(*size, side_for(params, *size))
    means = block_means(source.image, grid.side // source.shrink, params.linear, stage.part(0.0, 0.9))
    flat = settle(Means(means.reshape(-1, 3), block_areas(grid)), params, grid, stage.part(0.9, 1.0))
    return Painting(
        Blocks(flat.reshape(grid.rows, grid.columns, 3), grid.side, size),
        cells=grid.count,
        pitch=grid.pitch,
        svg=lambda stage: write_svg(size, grid.outlines(), flat, None, stage),
    )


def block_means(image: Image.Image, side: int, linear: bool, stage: Stage) -> Colours:
    """(rows, columns, 3) mean of every block, in Pillow's C code; cut blocks by the pixels they have."""
    bands = []
    for top, bottom in stage.bands(image.width, image.height, step=side):
        if linear or side > _PLAIN_SIDE:
            bands.append(_exact_means(image.crop((0, top, image.width, bottom)), side, linear))
        else:
            bands.append(np.asarray(image.reduce(side, (0, top, image.width, bottom))))
    return np.concatenate(bands)


def _exact_means(band: Image.Image, side: int, linear: bool) -> Colours:
    down, across = _sides(band.height, side), _sides(band.width, side)
    rows = _row_sums(band, side, light_table(linear))
    starts = np.arange(3 * len(down))[:, None] * band.width + np.arange(len(across)) * side
    sums = np.add.reduceat(rows.ravel(), starts.ravel()).reshape(3, len(down), len(across))
    return to_bytes(np.moveaxis(sums / np.outer(down, across), 0, -1), linear)


def _row_sums(band: Image.Image, side: int, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """(3, rows of blocks, width): light, added up along the height of each block; the last one may be cut."""
    if band.height <= side:  # of large blocks, which are looked up in parts
        boxes = [(0, top, band.width, bottom) for top, bottom in Stage().bands(*band.size)]
        parts = [looked_up(band.crop(box), table).sum(axis=1, keepdims=True) for box in boxes]
        rows: NDArray[np.float32] = np.concatenate(parts, axis=1).sum(axis=1, keepdims=True)
        return rows
    light = looked_up(band, table)
    whole = light.shape[1] // side
    sums = [light[:, : whole * side].reshape(3, whole, side, light.shape[2]).sum(axis=2)]
    if whole * side < light.shape[1]:
        sums.append(light[:, whole * side :].sum(axis=1, keepdims=True))
    return np.concatenate(sums, axis=1)


def block_areas(grid: SquareGrid) -> NDArray[np.uint32]:
    """(count,) pixels of every block."""
    return np.outer(_sides(grid.height, grid.side), _sides(grid.width, grid.side)).ravel()


def _sides(length: int, side: int) -> NDArray[np.uint32]:
    """The sides of the blocks that such a length is cut into."""
    return np.minimum(side, length - np.arange(0, length, side)).astype(np.uint32)


MOSAIC = Style(
    name="mosaic",
    version=3,
    params=MosaicParams,
    paint=paint_blocks,
    en="Square blocks",
    zh="方块马赛克",
    about_en="Square blocks, each in the mean colour of its pixels.",
    about_zh="方形色块,每块取其像素的平均颜色。",
    svg=True,
    shrink=shrink_for,
)
