"""Style parameters. Each declaration holds type, range, default and labels: for validation, the form and the docs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

from .codec.animation import MAX_FRAMES
from .colour.palette import PALETTE_LABELS, PALETTES, allowed_palettes, check_palette
from .errors import Message

TRANSPARENT = "none"
_COLOUR = r"^#[0-9a-fA-F]{6}$"
_COLOUR_OR_NONE = rf"^(#[0-9a-fA-F]{{6}}|{TRANSPARENT})$"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a parameter needs to have an effect: that another one has one of these values; negated: none of them."""

    parameter: str
    values: tuple[Any, ...]
    negated: bool = False


Conditions = Condition | tuple[Condition, ...]


def int_param(
    default: int | None, *, low: int, high: int, en: str, zh: str, step: int = 1, unit: str | None = None
) -> Any:
    """A whole number. With the default None the type is `int | None`, and None means: chosen from the picture.

    unit: "px" if the number counts pixels of the picture, so that a preview of a smaller picture can scale it.
    """
    metadata = _metadata("integer", en, zh, minimum=low, maximum=high, step=step, automatic=default is None, unit=unit)
    return Field(default, ge=low, le=high, json_schema_extra=metadata)


def float_param(
    default: float, *, low: float, high: float, step: float, en: str, zh: str, unit: str | None = None
) -> Any:
    """A finite number; `unit` as for `int_param`."""
    metadata = _metadata("number", en, zh, minimum=low, maximum=high, step=step, automatic=False, unit=unit)
    return Field(default, ge=low, le=high, allow_inf_nan=False, json_schema_extra=metadata)


def bool_param(default: bool, *, en: str, zh: str) -> Any:
    """True or false."""
    return Field(default, json_schema_extra=_metadata("boolean", en, zh))


def colour_param(default: str | None, *, en: str, zh: str, transparent: bool = False) -> Any:
    """A colour as #rrggbb. transparent: "none" is possible too. With the default None the type is `str | None`, and
    None means: chosen from the picture."""
    pattern = _COLOUR_OR_NONE if transparent else _COLOUR
    metadata = _metadata("colour", en, zh) | ({"transparent": True} if transparent else {})
    metadata |= {"automatic": True} if default is None else {}
    return Field(default, pattern=pattern, json_schema_extra=metadata)


def choice_param(default: str, choices: Mapping[str, tuple[str, str]], *, en: str, zh: str) -> Any:
    """One of several words. choices: word -> (English, Chinese) label."""
    rows = [
        {"value": word, "label": {"en": label_en, "zh": label_zh}} for word, (label_en, label_zh) in choices.items()
    ]
    pattern = f"^({'|'.join(map(re.escape, choices))})$"
    return Field(default, pattern=pattern, json_schema_extra=_metadata("choice", en, zh, choices=rows))


def custom_param(default: Any, kind: str, *, allowed: Message, en: str, zh: str, **more: Any) -> Any:
    """Any other type. The params class checks it with a pydantic validator; `allowed` describes the valid values."""
    return Field(default, json_schema_extra=_metadata(kind, en, zh, allowed=allowed, **more))


def metadata_of(field: FieldInfo) -> dict[str, Any]:
    """What a declaration above recorded, as plain data; {} for a field that was declared otherwise."""
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def allowed_values(metadata: Mapping[str, Any]) -> Message:
    """The valid values of a parameter, in English."""
    kind, automatic = metadata.get("type"), metadata.get("automatic")
    if kind in ("integer", "number"):
        limits = {"low": metadata["minimum"], "high": metadata["maximum"]}
        if kind == "number":
            return Message("a number from {low} to {high}", **limits)
        if automatic:
            return Message("a whole number from {low} to {high}, or null", **limits)
        return Message("a whole number from {low} to {high}", **limits)
    if kind == "choice":
        return Message("{words}", words=tuple(row["value"] for row in metadata["choices"]))
    if kind == "boolean":
        return Message("true or false")
    if kind == "colour":
        others = (TRANSPARENT,) if metadata.get("transparent") else ("null",) if automatic else ()
        return (
            Message("a colour like #1c2d3e, or {words}", words=others) if others else Message("a colour like #1c2d3e")
        )
    allowed = metadata.get("allowed")
    return allowed if isinstance(allowed, Message) else Message("see the style's description")


def conditions_of(params: type[BaseModel], name: str) -> list[dict[str, Any]]:
    """The conditions of a parameter in a class and its bases, as plain data."""
    declared = [vars(base).get("conditions", {}).get(name, ()) for base in params.__mro__]
    return [
        condition_data(condition)
        for each in declared
        for condition in ((each,) if isinstance(each, Condition) else each)
    ]


def condition_data(condition: Condition) -> dict[str, Any]:
    """A condition as plain data."""
    return {**asdict(condition), "values": list(condition.values)}


def _metadata(kind: str, en: str, zh: str, *, unit: str | None = None, **more: Any) -> dict[str, Any]:
    metadata = {"type": kind, "label": {"en": en, "zh": zh}, **more}
    return metadata if unit is None else {**metadata, "unit": unit}


FORMATS = {
    "png": ("PNG, exact", "PNG（无损）"),
    "jpeg": ("JPEG, small", "JPEG（体积小）"),
    "webp": ("WebP, smallest", "WebP（体积最小）"),
    "gif": ("GIF, animated, 256 colours", "GIF（动图，256 色）"),
    "svg": ("SVG, for print at any size", "SVG（矢量，可任意放大）"),
    "pdf": ("PDF, a page of its true size", "PDF（实际尺寸的页面）"),
}
ANIMATED_FORMATS = ("png", "webp", "gif")
REVEAL_FORMATS = ("webp", "gif")
OPAQUE_FORMATS = ("jpeg",)
MIN_SIZE, MAX_SIZE = 16, 30_000
RASTER_FORMATS = {name: label for name, label in FORMATS.items() if name != "svg"}


_POSTERS = {
    "none": ("One page", "一整页"),
    "a4": ("Poster on A4 sheets", "多张 A4 拼接"),
    "letter": ("Poster on Letter sheets", "多张 Letter 拼接"),
}


class Params(BaseModel):
    """The parameters of every style. A style's own class inherits from this one or from CellParams."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)
    conditions: ClassVar[Mapping[str, Conditions]] = {
        "quality": Condition("format", ("jpeg", "webp", "pdf")),
        "poster": Condition("format", ("pdf",)),
        "overlap": Condition("poster", ("none",), negated=True),
    }

    seed: int = int_param(0, low=0, high=2**31 - 1, en="Seed", zh="随机种子")
    background: str = colour_param(
        "#ffffff", en="Background of transparent parts", zh="透明部分的底色", transparent=True
    )
    dpi: int | None = int_param(None, low=10, high=2400, en="Print resolution, dpi", zh="打印分辨率（dpi）")
    format: str = choice_param("png", RASTER_FORMATS, en="File format", zh="文件格式")
    frame: int | None = int_param(
        None, low=0, high=MAX_FRAMES - 1, en="One frame of an animation", zh="只取动画的某一帧"
    )
    quality: int = int_param(90, low=1, high=100, en="Quality of JPEG and WebP", zh="JPEG 与 WebP 质量")
    poster: str = choice_param("none", _POSTERS, en="Pages of the PDF", zh="PDF 分页")
    overlap: int = int_param(10, low=0, high=40, en="Overlap of pages, mm", zh="页面重叠（毫米）")

    @property
    def pixel_format(self) -> str:
        """The format in which pixels are encoded, if any are: a PDF holds a JPEG."""
        return "jpeg" if self.format == "pdf" else self.format

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels of the result for a source of that size."""
        return width, height


class SizedParams(Params):
    """The parameters of every style whose geometry is made for the size of the result. size: None is the source's.
    colours_of: the id of a picture whose colours the source gets first; the caller of `render` reads it. reveal: see
    reveal.encode_reveal."""

    conditions: ClassVar[Mapping[str, Conditions]] = {"reveal": Condition("format", REVEAL_FORMATS)}

    size: int | None = int_param(
        None, low=MIN_SIZE, high=MAX_SIZE, unit="px", en="Longer side of the result, pixels", zh="结果长边（像素）"
    )

    colours_of: int | None = custom_param(
        None, "picture", allowed=Message("the id of a picture that you may see, or null"), en="Colours of", zh="取色自"
    )

    reveal: bool = bool_param(False, en="Animate: the mosaic lays itself", zh="动画：逐块拼成")

    @property
    def is_revealed(self) -> bool:
        """Whether the result is the animation."""
        return self.reveal and self.format in REVEAL_FORMATS

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        return (width, height) if self.size is None else fit_size(width, height, self.size)


class CellParams(SizedParams):
    """The parameters of every style of flat cells."""

    conditions: ClassVar[Mapping[str, Conditions]] = {"dither": Condition("palette", (None,), negated=True)}

    cell: int | None = int_param(None, low=2, high=1024, en="Cell size, pixels", zh="单元大小（像素）", unit="px")
    linear: bool = bool_param(True, en="Average in linear light", zh="在线性光下求平均")
    palette: str | tuple[str, ...] | None = custom_param(
        None,
        "palette",
        allowed=allowed_palettes(),
        choices=[
            {"value": name, "colours": list(PALETTES[name]), "label": {"en": en, "zh": zh}}
            for name, (en, zh) in PALETTE_LABELS.items()
        ],
        en="Palette",
        zh="调色板",
    )
    dither: bool = bool_param(False, en="Dither the palette", zh="调色板抖动")
    format: str = choice_param("png", FORMATS, en="File format", zh="文件格式")

    @field_validator("palette")
    @classmethod
    def _palette_exists(cls, value: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        return check_palette(value)


FLAT = "flat"
_MATERIALS = {
    FLAT: ("Flat paint", "平涂"),
    "stone": ("Stone", "石材"),
    "smalti": ("Smalti (coloured glass paste)", "彩色玻璃马赛克"),
    "gold": ("Gold glass", "金箔玻璃"),
    "ceramic": ("Glazed ceramic", "釉面陶瓷"),
    "glass": ("Glass lit from behind", "透光玻璃"),
}


SEED_OF_MATERIAL: Mapping[str, Condition] = {"seed": Condition("material", (FLAT,), negated=True)}
"""The condition of styles whose geometry is regular: only materials differ with the seed."""


def material_param(default: str = FLAT) -> Any:
    """What cells are made of: flat paint, or one of materials.material.MATERIALS."""
    return choice_param(default, _MATERIALS, en="Material", zh="材质")


class GroutParams(CellParams):
    """Cells with joints between them. grout: None is FLAT_JOINT of the cell in flat paint, JOINT in other materials.
    grout_colour: None follows the picture; in flat paint it is FLAT_GROUT."""

    FLAT_GROUT: ClassVar[str] = "#2b2a28"
    FLAT_JOINT: ClassVar[float] = 0.0
    JOINT: ClassVar[float] = 1 / 16
    conditions: ClassVar[Mapping[str, Conditions]] = {"grout_colour": Condition("grout", (0,), negated=True)}

    material: str = material_param()
    grout: int | None = int_param(None, low=0, high=256, unit="px", en="Joint width, pixels", zh="填缝宽度（像素）")
    grout_colour: str | None = colour_param(None, en="Joint colour", zh="填缝颜色")

    def joint_width(self, cell: float) -> float:
        """The width in pixels of a joint between cells of `cell` pixels: `grout`, at most a quarter of the cell."""
        automatic = cell * (self.FLAT_JOINT if self.material == FLAT else self.JOINT)
        return min(automatic if self.grout is None else self.grout, cell / 4)

    @property
    def gap_colour(self) -> str | None:
        """The colour of the joints in flat paint; None without joints."""
        return (self.grout_colour or self.FLAT_GROUT) if self.joint_width(1.0) else None


def fit_size(width: int, height: int, longer: int) -> tuple[int, int]:
    """The size with the same aspect ratio whose longer side has `longer` pixels; no side below 1."""
    scale = longer / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def default_cell(width: int, height: int, *, across: int = 96) -> int:
    """The cell size of a recipe without one: 2 to 1024 pixels, by the area of the picture.

    About `across` cells stand along the longer side of a picture of 4 to 3. Other shapes get as many cells for as many
    pixels, so that a panorama has enough rows to be recognised.
    """
    return min(1024, max(2, round(math.sqrt(width * height * 4 / 3) / across)))
