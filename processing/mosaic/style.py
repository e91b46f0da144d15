"""What a style is to the engine, and what it is given to render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from PIL import Image

from .canvas import StyleResult
from .codec.decode import Source
from .costs import FileSizes, RenderCost
from .looks import LOOKS
from .params import Condition, Params, condition_data, conditions_of, metadata_of
from .plan import Plan
from .progress import Progress
from .region_canvas import Region, RegionCanvas
from .scaled import Drawing, Picture, compared_factor, scaled
from .strip_canvas import LARGE_MEGAPIXELS, STRIP_FORMATS, StripCanvas, check_in_memory
from .tiles.pool import TilePool

_MAX_REMEMBERED_CELLS = 1 << 18

P = TypeVar("P", bound=Params)
T = TypeVar("T")
P_co = TypeVar("P_co", bound=Params, covariant=True)


@dataclass(frozen=True, slots=True)
class RenderContext(Generic[P_co]):
    """The input of a style.

    result_size: width and height of the result; None: those of the source. pool: the tiles of a photomosaic; None:
    small copies of the source itself. reusable: the caller does not need the source afterwards, so that the style may
    paint over its pixels, which saves a second picture in memory. shared: what the frames of an animation have in
    common, see `once`. region: the part of the result that is wanted; None: all of it. geometry: what regions of the
    same source and recipe have in common.
    """

    source: Source
    params: P_co
    progress: Progress
    result_size: tuple[int, int] | None = None
    pool: TilePool | None = None
    reusable: bool = False
    shared: dict[str, Any] | None = None
    large_megapixels: float = LARGE_MEGAPIXELS
    region: Region | None = None
    geometry: dict[str, Any] | None = None

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returns; in an animation, what it returned for the first frame, so that nothing flickers; for a
        region, what it returned for the first one."""
        return _remembered(self.geometry if self.shared is None else self.shared, name, make)

    def once_measured(self, name: str, cells: int, make: Callable[[], T]) -> T:
        """The same for what depends on the pixels of this many cells, and so differs from frame to frame."""
        return _remembered(self.geometry if cells <= _MAX_REMEMBERED_CELLS else None, name, make)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result in pixels."""
        return self.result_size or (self.source.width, self.source.height)

    @property
    def is_original_size(self) -> bool:
        return self.size == (self.source.width, self.source.height)

    @property
    def _is_large(self) -> bool:
        large = self.size[0] * self.size[1] > self.large_megapixels * 1_000_000
        return large and not self.is_original_size and self.shared is None

    @property
    def reduction(self) -> int:
        """How many times smaller than the result `image` is because the source was decoded so; 1 if it was scaled."""
        return self.source.reduction if self.is_original_size else 1

    @property
    def image(self) -> Picture:
        """The source's pixels at the result's size, or `reduction` times smaller. Mode RGB."""
        return self.source.image if self.reduction > 1 else scaled(self.source.image, self.size)

    @property
    def alpha(self) -> Picture | None:
        """The opacity of these pixels, mode L, if transparency was kept and there is any."""
        return None if self.source.alpha is None else scaled(self.source.alpha, self.size)

    def new_canvas(self, mode: str = "RGB", *, shapes: bool = False) -> Drawing:
        """A canvas of the result's size, RGB with undefined content or RGBA, for `canvas.finished`.

        shapes: a PDF shows shapes, and only the report needs the pixels.
        The source must not be read afterwards; the style draws from top to bottom. Raises BadParameter if a canvas that
        is in memory as a whole would be too large.
        """
        if self.region is not None:
            left, top, right, bottom = box = self.region.box(self.size)
            return RegionCanvas(self.size, box, Image.new(mode, (right - left, bottom - top), None))
        if self.reusable and self.source.image.size == self.size and mode == "RGB":
            return self.source.image
        if self.reusable:
            self.source.image.close()  # its memory is the canvas's
        format = "svg" if shapes and self.params.format == "pdf" else self.params.pixel_format
        if self._is_large and format in STRIP_FORMATS and (mode == "RGB" or format != "jpeg"):
            return StripCanvas(
                self.size,
                mode=mode,
                format=format,
                quality=self.params.quality,
                factor=compared_factor(self.size),
                dpi=self.params.dpi,
                opacity=self.source.alpha if mode == "RGB" else None,
            )
        check_in_memory(*self.size)
        return Image.new(mode, self.size, None)  # black as well, but allocated and cleared in one step

    def writable_copy(self) -> Image.Image:
        """The source's pixels in an image that may be changed. The source must not be read afterwards."""
        return self.source.image if self.reusable else self.source.image.copy()


def _remembered(values: dict[str, Any] | None, name: str, make: Callable[[], T]) -> T:
    if values is None:
        return make()
    if name not in values:
        values[name] = make()
    value: T = values[name]
    return value


@dataclass(frozen=True, slots=True)
class Style(Generic[P]):
    """A named way to make a mosaic.

    version: incremented whenever the same recipe would give other bytes. paint: a pure function. en, zh: the name.
    about_en, about_zh: one sentence. cost, file_mb: as measured; estimates begin with them.
    svg: whether its results can be written as SVG, if the svg_condition is met.
    seeded: whether another seed gives another result, where the conditions of the parameter are met. reduction: how
    many times smaller (1, 2, 4, 8) a JPEG of that width and height may be decoded; None: the style needs every pixel.
    laying: the order in which an animation lays the cells: rows, middle (from there outwards), walk (along rows that
    are not straight).
    plan: from a cell map, how to build the picture; None for styles that nobody builds.
    """

    name: str
    version: int
    params: type[P]
    paint: Callable[[RenderContext[P]], StyleResult]
    en: str
    zh: str
    about_en: str
    about_zh: str
    cost: RenderCost
    file_mb: FileSizes
    svg: bool = False
    svg_condition: Condition | None = None
    seeded: bool = False
    reduction: Callable[[P, int, int], int] | None = None
    laying: str = "rows"
    plan: Callable[[Mapping[str, Any]], Plan] | None = None


def describe(styles: Mapping[str, Style[Any]]) -> list[dict[str, Any]]:
    """Every style with its looks and parameters as plain data, from which forms are drawn."""
    return [
        {
            "name": style.name,
            "version": style.version,
            "label": {"en": style.en, "zh": style.zh},
            "about": {"en": style.about_en, "zh": style.about_zh},
            "svg": style.svg,
            "svg_conditions": [condition_data(style.svg_condition)] if style.svg_condition else [],
            "seeded": style.seeded,
            "file_mb": asdict(style.file_mb),
            "plan": style.plan is not None,
            "looks": [look.to_dict() for look in LOOKS.get(style.name, ())],
            "params": [
                {
                    "name": name,
                    "default": _to_json(field.default),
                    **metadata_of(field),
                    "conditions": conditions_of(style.params, name),
                }
                for name, field in style.params.model_fields.items()
            ],
        }
        for style in styles.values()
    ]


def _to_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
