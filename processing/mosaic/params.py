"""The parameters that styles have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_validator

from . import fields
from .colour.palette import PALETTE_NAMES, PALETTES, allowed_palettes, check_palette

FORMATS = {
    "png": ("PNG, exact", "PNG(无损)"),
    "jpeg": ("JPEG, small", "JPEG(体积小)"),
    "webp": ("WebP, smallest", "WebP(体积最小)"),
    "svg": ("SVG, for print at any size", "SVG(矢量,可任意放大)"),
}
RASTER_FORMATS = {word: label for word, label in FORMATS.items() if word != "svg"}


class Params(BaseModel):
    """What every style takes. A style's own class inherits from this one or from CellParams."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    seed: int = fields.integer(0, low=0, high=2**31 - 1, en="Seed", zh="随机种子")
    background: str = fields.colour("#ffffff", en="Behind transparency", zh="透明部分的底色")
    max_side: int | None = fields.integer(
        None, low=16, high=20_000, en="Longest side, pixels", zh="最长边(像素)", unit="px"
    )
    format: str = fields.choice("png", RASTER_FORMATS, en="File format", zh="文件格式")
    quality: int = fields.integer(90, low=1, high=100, en="Quality of JPEG and WebP", zh="JPEG 与 WebP 质量")


class CellParams(Params):
    """What every style takes that is made of flat cells."""

    cell: int | None = fields.integer(None, low=2, high=1024, en="Cell size, pixels", zh="单元大小(像素)", unit="px")
    linear: bool = fields.flag(True, en="Average in linear light", zh="在线性光下求平均")
    palette: str | tuple[str, ...] | None = fields.special(
        None,
        "palette",
        allowed=allowed_palettes(),
        choices=[
            {"value": name, "colours": list(PALETTES[name]), "label": {"en": en, "zh": zh}}
            for name, (en, zh) in PALETTE_NAMES.items()
        ],
        en="Palette",
        zh="调色板",
    )
    dither: bool = fields.flag(False, en="Dither the palette", zh="调色板抖动")
    format: str = fields.choice("png", FORMATS, en="File format", zh="文件格式")

    @field_validator("palette")
    @classmethod
    def _palette_exists(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return check_palette(value)


class GroutParams(CellParams):
    """Flat cells with joints between them. grout: a joint never takes more than a quarter of the cell's size."""

    grout: int = fields.integer(0, low=0, high=64, unit="px", en="Joint width, pixels", zh="填缝宽度(像素)")
    grout_colour: str = fields.colour("#2b2a28", en="Joint colour", zh="填缝颜色")

    def joint(self, cell: int) -> float:
        """The joint's width between cells of that size, in pixels."""
        return min(self.grout, cell / 4)

    @property
    def ground(self) -> str | None:
        """The colour between the cells; None without joints."""
        return self.grout_colour if self.grout else None


def automatic_cell(width: int, height: int, *, across: int = 96) -> int:
    """A cell size that looks good: about `across` cells along the longer side, at least 2 pixels."""
    return min(1024, max(2, round(max(width, height) / across)))
