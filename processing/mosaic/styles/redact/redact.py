"""The style `redact`: regions of a picture hidden irreversibly under blocks that do not depend on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from PIL import Image
from pydantic import ConfigDict, field_validator

from ...canvas import PixelCanvas, StyleResult
from ...cells.block_means import block_means
from ...colour.oklab import oklab_to_srgb, srgb_to_oklab
from ...colour.palette import hex_to_rgb
from ...colour.srgb import Colours, Floats
from ...costs import FileSizes, RenderCost
from ...params import Condition, Params, choice_param, colour_param, custom_param, default_cell, int_param
from ...progress import Progress
from ...style import RenderContext, Style
from .inpaint import inpaint
from .regions import ALLOWED, BlockMask, HiddenRegion, check_regions, covered_blocks, downscale_mask

_BLOCKS_ACROSS = 64
_MARGIN_BLOCKS = 3  # around the hidden ones, from which their colours are interpolated
_LIGHTNESS_JITTER, _HUE_JITTER = 0.16, 0.03  # the largest deviation of a block from the fill, in OKLab


class RedactParams(Params):
    """regions: never empty, as a picture that comes back unchanged would be taken for a safe one."""

    model_config = ConfigDict(validate_default=True)
    conditions: ClassVar[Mapping[str, Condition]] = {"colour": Condition("fill", ("solid",))}

    regions: tuple[HiddenRegion, ...] = custom_param((), "regions", allowed=ALLOWED, en="Parts to hide", zh="打码区域")
    cell: int | None = int_param(None, low=8, high=1024, unit="px", en="Block size, pixels", zh="色块大小（像素）")
    fill: str = choice_param(
        "around",
        {"around": ("Colours of the surroundings", "取自周围的颜色"), "solid": ("One colour", "单一颜色")},
        en="Fill",
        zh="填充方式",
    )
    colour: str = colour_param("#3a3f4b", en="Colour of a solid fill", zh="填充颜色")
    variation: int = int_param(40, low=0, high=100, en="Variation from block to block, percent", zh="色块变化（%）")

    @field_validator("regions")
    @classmethod
    def _regions_are_inside(cls, value: tuple[HiddenRegion, ...]) -> tuple[HiddenRegion, ...]:
        check_regions(value)
        return value


def block_side(params: RedactParams, width: int, height: int) -> int:
    """The blocks' side in pixels; by default, from the picture's size alone."""
    return params.cell or max(8, default_cell(width, height, across=_BLOCKS_ACROSS))


def paint_redacted(context: RenderContext[RedactParams]) -> StyleResult:
    """Paint over every block that a region covers; all other pixels stay.

    Regions are widened by the distance that compression or scaling may have spread their pixels (Source.bleed_px).
    Nothing in the result, the quality report included, depends on a pixel under a painted block.
    """
    source, params, progress, size = context.source, context.params, context.progress, context.size
    side = block_side(params, *size)
    hidden = covered_blocks(params.regions, size, side, source.bleed_px, progress.sub(0.0, 0.3))
    top, left, bottom, right = _bounding_box(hidden)
    mask = hidden[top:bottom, left:right]
    box = (left * side, top * side, min(right * side, size[0]), min(bottom * side, size[1]))
    base = _base_colours(source.image.crop(box), mask, side, params, progress.sub(0.3, 0.7))
    colours = _jitter_colours(base, params)
    image = context.writable_copy()
    _paint_blocks(image, colours, mask, (box[0], box[1], side), progress.sub(0.7, 1.0))
    return StyleResult(
        PixelCanvas(image),
        cells=int(hidden.sum()),
        pitch=float(side),
        hidden_mask=lambda factor: downscale_mask(hidden, size, side, factor),
    )


def _bounding_box(hidden: BlockMask) -> tuple[int, int, int, int]:
    """top, left, bottom, right, in blocks, of the hidden blocks with a margin around them."""
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    top, left = max(0, int(rows[0]) - _MARGIN_BLOCKS), max(0, int(columns[0]) - _MARGIN_BLOCKS)
    bottom = min(hidden.shape[0], int(rows[-1]) + 1 + _MARGIN_BLOCKS)
    right = min(hidden.shape[1], int(columns[-1]) + 1 + _MARGIN_BLOCKS)
    return top, left, bottom, right


def _base_colours(image: Image.Image, hidden: BlockMask, side: int, params: RedactParams, progress: Progress) -> Floats:
    """(rows, columns, 3) OKLab before jitter."""
    if params.fill == "solid" or hidden.all():
        return srgb_to_oklab(np.full((*hidden.shape, 3), hex_to_rgb(params.colour), np.uint8))
    means = block_means(image, side, True, progress)
    return inpaint(srgb_to_oklab(np.where(hidden[..., None], np.uint8(0), means)), hidden)


def _jitter_colours(base: Floats, params: RedactParams) -> Colours:
    """Vary lightness and hue from block to block, by the seed alone. base: (rows, columns, 3) OKLab."""
    noise = np.random.default_rng(params.seed).uniform(-1.0, 1.0, base.shape)
    return oklab_to_srgb(
        base + noise * np.array([_LIGHTNESS_JITTER, _HUE_JITTER, _HUE_JITTER]) * (params.variation / 100)
    )


def _paint_blocks(
    image: Image.Image, colours: Colours, hidden: BlockMask, position: tuple[int, int, int], progress: Progress
) -> None:
    """Paint over the hidden blocks; the image's edge crops them. position: left, top, and a block's side in pixels."""
    left, top, side = position
    for row in range(len(hidden)):
        size = (hidden.shape[1] * side, side)
        strip = Image.fromarray(colours[row : row + 1]).resize(size, Image.Resampling.NEAREST)
        mask = Image.fromarray(hidden[row : row + 1].astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)
        image.paste(strip, (left, top + row * side), mask)
        progress((row + 1) / len(hidden))


REDACT = Style(
    name="redact",
    version=4,
    params=RedactParams,
    paint=paint_redacted,
    en="Redact",
    zh="打码",
    about_en="Faces, plates, names hidden irreversibly: nothing of the hidden pixels is left in the result.",
    about_zh="为人脸、车牌、姓名永久打码：结果中不含被遮住像素的任何信息。",
    cost=RenderCost(0.2, 0.03),
    file_mb=FileSizes(15, 4, 3),
    seeded=True,
)
