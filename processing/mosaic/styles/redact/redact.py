"""The style `redact`: parts of a picture hidden for good under a mosaic that knows nothing of them."""

from __future__ import annotations

import numpy as np
from PIL import Image
from pydantic import ConfigDict, field_validator

from ... import fields
from ...canvas import Painting, Picture
from ...codec.decode import Source
from ...colour.oklab import from_srgb, to_colours
from ...colour.palette import rgb
from ...colour.srgb import Colours, Floats
from ...params import Params
from ...progress import Stage
from ...style import Style
from ..blocks import block_means
from .inpaint import fill_from_around
from .regions import ALLOWED, Blocks, Region, check_regions, reduced, touched

_ACROSS = 64
_RING = 3  # blocks around the hidden ones that their colours are taken from
_LIGHTNESS, _TONE = 0.16, 0.03  # the most that a block may differ from the fill, in OKLab


class RedactParams(Params):
    """regions: never empty: a picture that comes back as it was would be taken for a safe one."""

    model_config = ConfigDict(validate_default=True)

    regions: tuple[Region, ...] = fields.special((), "regions", allowed=ALLOWED, en="Parts to hide", zh="要遮盖的区域")
    cell: int | None = fields.integer(None, low=8, high=1024, unit="px", en="Block size, pixels", zh="色块大小(像素)")
    fill: str = fields.choice(
        "around",
        {"around": ("Colours from around", "取自周围的颜色"), "solid": ("One colour", "单一颜色")},
        en="Fill",
        zh="填充方式",
    )
    colour: str = fields.colour("#3a3f4b", en="Colour of a solid fill", zh="单一颜色填充的颜色")
    variation: int = fields.integer(40, low=0, high=100, en="Variation from block to block, percent", zh="色块变化(%)")

    @field_validator("regions")
    @classmethod
    def _regions_are_inside(cls, value: tuple[Region, ...]) -> tuple[Region, ...]:
        check_regions(value)
        return value


def side_for(params: RedactParams, width: int, height: int) -> int:
    """The blocks' side, from the picture's size alone."""
    return params.cell or max(8, min(1024, round(max(width, height) / _ACROSS)))


def paint_redacted(source: Source, params: RedactParams, stage: Stage) -> Painting:
    """The source with every block that a region touches painted over; all other pixels stay.

    A region also counts where the file's format or scaling may have carried its pixels (see Source.spread). Nothing
    that is returned, the quality card's figures included, depends on a pixel under a painted block.
    """
    size, side = (source.width, source.height), side_for(params, source.width, source.height)
    hidden = touched(params.regions, size, side, source.spread, stage.part(0.0, 0.3))
    top, left, bottom, right = _frame(hidden)
    part = hidden[top:bottom, left:right]
    box = (left * side, top * side, min(right * side, size[0]), min(bottom * side, size[1]))
    base = _base(source.image.crop(box), part, side, params, stage.part(0.3, 0.7))
    colours = _varied(base, params)
    image = source.changeable()
    _cover(image, colours, part, (box[0], box[1], side), stage.part(0.7, 1.0))
    return Painting(
        Picture(image),
        cells=int(hidden.sum()),
        pitch=float(side),
        hidden=lambda factor: reduced(hidden, size, side, factor),
    )


def _frame(hidden: Blocks) -> tuple[int, int, int, int]:
    """top, left, bottom, right of the hidden blocks and a ring around them, in blocks."""
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    top, left = max(0, int(rows[0]) - _RING), max(0, int(columns[0]) - _RING)
    return (
        top,
        left,
        min(hidden.shape[0], int(rows[-1]) + 1 + _RING),
        min(hidden.shape[1], int(columns[-1]) + 1 + _RING),
    )


def _base(image: Image.Image, hidden: Blocks, side: int, params: RedactParams, stage: Stage) -> Floats:
    """(rows, columns, 3) OKLab before variation."""
    if params.fill == "solid" or hidden.all():
        return from_srgb(np.full((*hidden.shape, 3), rgb(params.colour), np.uint8))
    means = block_means(image, side, True, stage)
    return fill_from_around(from_srgb(np.where(hidden[..., None], np.uint8(0), means)), hidden)


def _varied(base: Floats, params: RedactParams) -> Colours:
    """Each block a little lighter or darker, and of a slightly other tone, by the seed and nothing else."""
    chance = np.random.default_rng(params.seed).uniform(-1.0, 1.0, base.shape)
    return to_colours(base + chance * np.array([_LIGHTNESS, _TONE, _TONE]) * (params.variation / 100))


def _cover(image: Image.Image, colours: Colours, hidden: Blocks, place: tuple[int, int, int], stage: Stage) -> None:
    """Paint the hidden blocks over. place: left, top, side in pixels. The picture's edge cuts what reaches over it."""
    left, top, side = place
    for row in range(len(hidden)):
        size = (hidden.shape[1] * side, side)
        strip = Image.fromarray(colours[row : row + 1]).resize(size, Image.Resampling.NEAREST)
        mask = Image.fromarray(hidden[row : row + 1].astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)
        image.paste(strip, (left, top + row * side), mask)
        stage((row + 1) / len(hidden))


REDACT = Style(
    name="redact",
    version=3,
    params=RedactParams,
    paint=paint_redacted,
    en="Redact",
    zh="遮盖",
    about_en="Faces, plates, names hidden for good: nothing of the hidden pixels is left in the result.",
    about_zh="永久遮盖人脸、车牌、姓名:结果中不含被遮盖像素的任何信息。",
)
