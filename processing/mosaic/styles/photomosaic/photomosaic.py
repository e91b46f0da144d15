"""The style `photomosaic`: a picture put together from other pictures, or from its own pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from ... import fields
from ...canvas import Painting, Picture
from ...codec.decode import Source
from ...colour.oklab import to_colours
from ...errors import BadParameter
from ...params import Params
from ...progress import Stage
from ...style import Style
from .assembly import Sheet, assemble
from .matching import Shown, match, possible
from .own_tiles import Pieces
from .sampling import cell_grids
from .tile_pool import GRID, Grids, Supply

MOST_TILES = 5000
_ACROSS = 100
_SMALLEST_CELL = 12  # of those that we choose: in fewer pixels a tile shows nothing
_SEEN = 2 * GRID  # pixels a cell needs across for matching
_NAMES = f"null, or a list of 1 to {MOST_TILES} picture ids"


class PhotomosaicParams(Params):
    """tiles: the ids of the pictures to use, of those that the tile pool holds."""

    cell: int | None = fields.integer(None, low=8, high=1024, unit="px", en="Tile size, pixels", zh="拼块大小(像素)")
    tiles: tuple[int, ...] | None = fields.special(
        None, "pictures", allowed=_NAMES, en="Pictures to build from", zh="用作拼块的图片"
    )
    apart: int = fields.integer(4, low=1, high=12, en="Same tile only so many cells away", zh="同一拼块的最小间隔(格)")
    most: int | None = fields.integer(None, low=1, high=100_000, en="Most uses of one tile", zh="每块最多使用次数")
    tint: int = fields.integer(25, low=0, high=50, en="Tint towards the picture, percent", zh="向原图着色(%)")

    @field_validator("tiles")
    @classmethod
    def _tiles_are_a_set(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and not 1 <= len(value) <= MOST_TILES:
            raise ValueError(_NAMES)
        return value


def side_for(params: PhotomosaicParams, width: int, height: int) -> int:
    """The tiles' side in pixels; one that we choose is a multiple of 8, so that its fields are whole pixels."""
    if params.cell is not None:
        return params.cell
    side = max(_SMALLEST_CELL, min(1024, round(max(width, height) / _ACROSS)))
    return side if side < 20 else round(side / 8) * 8


def shrink_for(params: PhotomosaicParams, width: int, height: int) -> int:
    """Only colours of fields are looked at: the source may be decoded as small as leaves them two pixels each way."""
    side = side_for(params, width, height)
    return max(scale for scale in (1, 2, 4, 8) if scale == 1 or (side % scale == 0 and side // scale >= _SEEN))


def paint_photomosaic(source: Source, params: PhotomosaicParams, stage: Stage) -> Painting:
    """Every cell shows the tile that comes nearest to it; see matching.match for the rules."""
    side = side_for(params, source.width, source.height)
    grids = cell_grids(source, side, stage.part(0.0, 0.1))
    supply = _supply(source, params, side, stage.part(0.1, 0.4))
    rows, columns = grids.shape[:2]
    rules = possible(params.apart, params.most, tiles=len(supply), cells=rows * columns)
    shown = match(grids, supply.grids, rules, params.seed, stage.part(0.4, 0.65))
    moved = shifts(grids, supply.grids, shown, params.tint / 100)
    sheet = Sheet(*supply.tiles_for(shown, stage.part(0.65, 0.7)), side, moved)
    canvas = source.canvas()
    assemble(canvas, sheet, stage.part(0.7, 1.0))
    uses = np.bincount(shown.ravel())
    return Painting(
        Picture(canvas),
        cells=shown.size,
        pitch=float(side),
        repeats=int(uses[uses > 1].sum()),
        cell_map=_cell_map(supply, shown, side),
    )


def shifts(cells: Grids, tiles: Grids, shown: Shown, tint: float) -> NDArray[np.int16]:
    """(rows, columns, 3) what is added to each tile's bytes to bring its mean nearer to the cell's, by the share
    `tint` of the way. Unlike a veil of colour it leaves the tile's contrast."""
    wanted = to_colours(cells.mean(axis=2)).astype(np.int16)
    given = to_colours(tiles.mean(axis=1)).astype(np.int16)[shown]
    step: NDArray[np.int16] = np.rint((wanted - given) * tint).astype(np.int16)
    return step


def _supply(source: Source, params: PhotomosaicParams, side: int, stage: Stage) -> Supply:
    if source.pool is None:
        if params.tiles is not None:
            raise BadParameter(field="tiles", value=params.tiles, allowed="null where no tile pool is given")
        whole = min(256, -(-side // (2 * GRID)) * 2 * GRID)
        return Pieces(source.image, whole, params.seed, stage)
    return source.pool if params.tiles is None else source.pool.only(params.tiles)


def _cell_map(supply: Supply, shown: Shown, side: int) -> dict[str, object]:
    """Which tile each cell shows: ids, row by row."""
    rows, columns = shown.shape
    return {"cell": side, "rows": rows, "columns": columns, "tiles": supply.ids[shown].ravel().tolist()}


PHOTOMOSAIC = Style(
    name="photomosaic",
    version=2,
    params=PhotomosaicParams,
    paint=paint_photomosaic,
    en="Photomosaic",
    zh="照片拼贴",
    about_en="The picture rebuilt from many small pictures: a pool of yours, or its own pieces.",
    about_zh="用许多小图重新拼出整幅画面:可用你的图库,也可用画面自身的碎片。",
    shrink=shrink_for,
)
