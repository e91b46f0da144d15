"""The style `photomosaic`: a picture assembled from other pictures, or from small copies of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from ...canvas import Laid, StyleResult, finished
from ...cells.hexagons import hexagon_size
from ...costs import FileSizes, RenderCost
from ...errors import BadParameter, Message
from ...fine_canvas import FineCanvas
from ...params import (
    MAX_SIZE,
    Condition,
    SizedParams,
    bool_param,
    choice_param,
    colour_param,
    custom_param,
    default_cell,
    fit_size,
    int_param,
)
from ...progress import Progress
from ...style import RenderContext, Style
from ...tiles.cutting import ASPECTS, HEXAGON, SQUARE
from ...tiles.pool import TilePool
from .advice import missing_kinds
from .arrangement import Arrangement, Hexagons, Rectangles, TwoSizes, samples_of
from .assembly import TileLayout, assemble
from .margins import Margins
from .matching import assign_tiles, feasible_limits
from .offsets import tint_offsets
from .own_picture import own_cell_size, own_layout
from .sampled_picture import SAMPLES
from .transfer import colour_transfer

MAX_TILES = 20_000
_CELLS_ACROSS = 100
_TILE_PX = 64
_MIN_CELL = 8
_LEAST_SEEN = 0.1  # of a cell: where less of the last one would be seen, cells are a little larger instead
_MIN_DEFAULT_CELL = 12  # in pixels of the source, of a recipe without `size`
_SHAPES = {
    SQUARE: ("Square", "正方形"),
    "4:3": ("4:3", "4:3"),
    "3:4": ("3:4", "3:4"),
    "3:2": ("3:2", "3:2"),
    HEXAGON: ("Hexagon", "六边形"),
}
_ALLOWED_TILES = Message("null, or a list of 1 to {most} picture ids", most=MAX_TILES)


class PhotomosaicParams(SizedParams):
    """tiles: ids of the pool's pictures to use; None: all. size: None, without `cell`, makes tiles of 64 pixels.

    Without a pool only `size`, `cell`, `split`, the margin and the hexagonal `shape` have an effect.
    """

    conditions: ClassVar[Mapping[str, Condition]] = {
        "split": Condition("shape", (HEXAGON,), negated=True),
        "margin_colour": Condition("margin", (0,), negated=True),
    }

    cell: int | None = int_param(
        None, low=_MIN_CELL, high=1024, unit="px", en="Tile size, pixels", zh="拼块大小（像素）"
    )
    tiles: tuple[int, ...] | None = custom_param(
        None, "pictures", allowed=_ALLOWED_TILES, en="Pictures to build from", zh="用作拼块的图片"
    )
    apart: int = int_param(4, low=1, high=12, en="Distance between equal tiles, cells", zh="同一拼块的最小间隔（格）")
    most: int | None = int_param(None, low=1, high=100_000, en="Maximum uses of one tile", zh="每块最多使用次数")
    mirror: bool = bool_param(True, en="Mirror pictures where it helps", zh="允许镜像图片")
    every: bool = bool_param(False, en="Use every picture at least once", zh="每张图片至少用一次")
    tint: int = int_param(25, low=0, high=100, en="Tint towards the picture, percent", zh="向原图着色（%）")
    transfer: int = int_param(
        0, low=0, high=100, en="Take on colour and contrast of the picture, percent", zh="采用原图的颜色和对比度（%）"
    )
    shape: str = choice_param(SQUARE, _SHAPES, en="Shape of the tiles", zh="拼块形状")
    split: bool = bool_param(False, en="Smaller tiles where there is detail", zh="细节处用更小的拼块")
    margin: int = int_param(0, low=0, high=256, unit="px", en="Margin between tiles, pixels", zh="拼块间距（像素）")
    margin_colour: str = colour_param("#ffffff", en="Colour of the margin", zh="间距颜色")

    @field_validator("tiles")
    @classmethod
    def _tiles_are_a_set(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if value is not None and not 1 <= len(value) <= MAX_TILES:
            raise ValueError(_ALLOWED_TILES)
        return value

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Without `size` and `cell`, as large as makes the source's default tiles 64 pixels wide, so that one sees what
        they show."""
        side = max(_MIN_DEFAULT_CELL, _default_side(width, height))
        if self.size is not None or self.cell is not None or side >= _TILE_PX:
            return super().result_size(width, height)
        longer = min(MAX_SIZE, round(max(width, height) * _TILE_PX / side))
        return fit_size(width, height, longer)


def tile_side(params: PhotomosaicParams, width: int, height: int) -> int:
    """The side of a cell in pixels; a default of 20 or more is a multiple of 8, so that samples are whole pixels."""
    if params.cell is not None:
        return params.cell
    return max(_TILE_PX if params.size is None else _MIN_CELL, _default_side(width, height))


def tile_size(params: PhotomosaicParams, width: int, height: int) -> tuple[float, float]:
    """Width and height of a cell in pixels, with the area of a square of `tile_side`: whole numbers for squares alone.

    A cell is a little larger where less than a tenth of the last one would be seen.
    """
    side = tile_side(params, width, height)
    if params.shape == HEXAGON:
        return hexagon_size(side, width)
    if params.shape == SQUARE:
        return side, side
    stretch = math.sqrt(ASPECTS[params.shape])
    return _fitted(side * stretch, width), _fitted(side / stretch, height)


def _fitted(side: float, length: int) -> float:
    return max(side, length / max(1, math.ceil(length / side - _LEAST_SEEN)))


def _default_side(width: int, height: int) -> int:
    side = default_cell(width, height, across=_CELLS_ACROSS)
    return side if side < 20 else round(side / 8) * 8


def source_reduction(params: PhotomosaicParams, width: int, height: int) -> int:
    """How many times smaller (1, 2, 4, 8) the source may be decoded: SAMPLES pixels across a cell are enough.

    width, height: of the source.
    """
    size = params.result_size(width, height)
    side, any_scale = min(tile_size(params, *size)), size != (width, height) or params.shape != SQUARE
    scales = [scale for scale in (1, 2, 4, 8) if any_scale or side % scale == 0]
    return max(scale for scale in scales if scale == 1 or side * width >= SAMPLES * scale * size[0])


def paint_photomosaic(context: RenderContext[PhotomosaicParams]) -> StyleResult:
    """Analyse the cells, assign the nearest tile to each under the limits of reuse, and draw them."""
    params, progress = context.params, context.progress
    pool = _tile_pool(context)
    if pool is None:
        return _paint_own(context)
    count = _cell_count(context.size, tile_size(params, *context.size))
    layout, uses, missing = context.once_measured("layout", count, lambda: _pool_layout(context, pool))
    cell_map = {**_cell_map(pool, layout), "uses": _uses_by_id(pool, uses), "missing": missing}
    result = _drawn(context, replace(layout, tiles=pool.tiles), progress.sub(0.6, 1.0))
    return replace(result, repeats=int(uses[uses > 1].sum()), cell_map=cell_map)


def _pool_layout(
    context: RenderContext[PhotomosaicParams], pool: TilePool
) -> tuple[TileLayout, NDArray[np.intp], dict[str, int]]:
    """The layout without its tiles, how many cells show each distinct picture, and of which kinds more are wanted."""
    params, progress, distinct = context.params, context.progress, pool.distinct
    arrangement = _arrangement(context, tile_size(params, *context.size), progress.sub(0.0, 0.05))
    features, cells = arrangement.features(context, progress.sub(0.05, 0.1)), len(arrangement.places)
    parts = arrangement.places.size[2]
    limits = feasible_limits(params.apart, params.most, tiles=len(distinct), cells=cells, parts=parts)
    if params.every and len(distinct) > cells:
        allowed = Message("false for {pictures} pictures in {cells} cells", pictures=len(distinct), cells=cells)
        raise BadParameter(field="every", value=True, allowed=allowed)
    matching = assign_tiles(
        features,
        arrangement.places,
        pool.features_of(distinct),
        limits,
        params.seed,
        progress.sub(0.1, 0.6),
        every=params.every,
        mirror=params.mirror,
        field_weights=arrangement.field_weights,
    )
    assignment = distinct.astype(np.int32)[matching.pictures] * pool.crop_count + matching.crops
    missing = missing_kinds(features, pool.features, assignment, len(distinct), limits)
    no_tiles, no_offsets = np.empty((0, 1, 1, 3), np.uint8), np.zeros((len(assignment), 3), np.int8)
    layout = TileLayout(no_tiles, arrangement, assignment, matching.mirrored, no_offsets)
    if params.transfer:
        layout = replace(layout, transfer=colour_transfer(features, pool.features, layout, params.transfer / 100))
    if params.tint:
        layout = replace(layout, offsets=tint_offsets(features, pool.features, layout, params.tint / 100))
    return layout, np.bincount(matching.pictures, minlength=len(distinct)), missing


def _cell_count(size: tuple[int, int], cell: tuple[float, float]) -> int:
    """About how many cells there are, before some are split."""
    return round(size[0] * size[1] / (cell[0] * cell[1]))


def _paint_own(context: RenderContext[PhotomosaicParams]) -> StyleResult:
    """Every cell shows the picture itself. There is no cell map, as there are no other pictures."""
    params, size = context.params, context.size
    cell = tile_size(params, *size)
    if params.shape != HEXAGON:
        wide, high = own_cell_size(tile_side(params, *size), size)
        cell = _fitted(wide, size[0]), _fitted(high, size[1])
    progress = context.progress

    def layout() -> TileLayout:
        return own_layout(context, _arrangement(context, cell, progress.sub(0.0, 0.2)), progress.sub(0.2, 0.5))

    own = context.once_measured("layout", _cell_count(size, cell), layout)
    result = _drawn(context, own, progress.sub(0.5, 1.0))
    return replace(result, repeats=result.cells)


def _arrangement(
    context: RenderContext[PhotomosaicParams], cell: tuple[float, float], progress: Progress
) -> Arrangement:
    if context.params.shape == HEXAGON:
        return Hexagons(context.size, cell)
    return TwoSizes(context, cell, progress) if context.params.split else Rectangles(context.size, cell)


def _drawn(context: RenderContext[PhotomosaicParams], layout: TileLayout, progress: Progress) -> StyleResult:
    """The picture and its figures."""
    arrangement, coverage = layout.arrangement, 1.0
    samples = samples_of(arrangement, context.params.margin)
    fine = arrangement if samples == 1 else arrangement.enlarged(samples)
    layout = replace(layout, arrangement=fine)
    width = min(context.params.margin * samples, min(fine.smallest) // 4)
    if width:
        margins = Margins(width, context.params.margin_colour, fine.size)
        layout, coverage = replace(layout, margins=margins), margins.left_over(fine)
    canvas, laid = context.new_canvas(), arrangement.laid
    assemble(canvas if samples == 1 else FineCanvas(canvas, samples), layout, progress)
    return StyleResult(finished(canvas), cells=laid.count, pitch=laid.pitch, coverage=coverage, laid=Laid(laid))


def _tile_pool(context: RenderContext[PhotomosaicParams]) -> TilePool | None:
    """The part of the pool that the recipe names."""
    pool, tiles = context.pool, context.params.tiles
    if pool is None and tiles is not None:
        raise BadParameter(field="tiles", value=tiles, allowed=Message("null where no tile pool is given"))
    if pool is None:
        return None
    if pool.shape != context.params.shape:
        allowed = Message("{shape}, as the tile pool was cut", shape=pool.shape)
        raise BadParameter(field="shape", value=context.params.shape, allowed=allowed)
    return pool if tiles is None else pool.only(tiles)


def _uses_by_id(pool: TilePool, uses: NDArray[np.intp]) -> dict[int, int]:
    """How many cells show each picture, whichever of its duplicates it is. uses: of the distinct pictures."""
    _, distinct = np.unique(pool.first_equals, return_inverse=True)
    return dict(zip(pool.ids.tolist(), uses[distinct].tolist(), strict=True))


def _cell_map(pool: TilePool, layout: TileLayout) -> dict[str, object]:
    """Row by row: the id of each cell's picture, 1 where it is mirrored, else 0, and where it is known, which of the
    `crops` it is."""
    used, places = np.unique(layout.assignment, return_inverse=True)
    crops, indices = np.unique(pool.crops[used], axis=0, return_inverse=True)
    has_crops = not np.isnan(crops).any()
    return {
        **layout.arrangement.map_fields(),
        "tiles": pool.ids[layout.assignment // pool.crop_count].tolist(),
        "mirrored": layout.mirrored.astype(int).tolist(),
        "crops": crops.round(4).tolist() if has_crops else None,
        "cell_crops": indices.ravel()[places].tolist() if has_crops else None,
    }


PHOTOMOSAIC = Style(
    name="photomosaic",
    version=18,
    params=PhotomosaicParams,
    paint=paint_photomosaic,
    en="Photomosaic",
    zh="照片马赛克",
    about_en="The picture rebuilt from many small pictures: a pool of yours, or small copies of itself.",
    about_zh="用许多小照片拼出整幅画面：可以用您自己的图片，也可以用画面自身的缩小图。",
    cost=RenderCost(0.2, 0.035),
    file_mb=FileSizes(5, 7.5, 5),
    reduction=source_reduction,
    seeded=True,
)
