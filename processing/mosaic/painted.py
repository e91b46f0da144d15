"""The first half of a render: a source is decoded, and its style paints the result or a part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from PIL import Image, ImageChops

from .canvas import PixelCanvas, StyleResult
from .codec.animation import MAX_TOTAL_MEGAPIXELS, frame_durations
from .codec.decode import MAX_MEGAPIXELS, Source, decode
from .codec.deferred import SourceFacts
from .codec.encoders.encode import check_size
from .codec.frames import decode_frames
from .colour.transfer import ColourStatistics, colour_map, recolour
from .errors import BadParameter, Message
from .params import ANIMATED_FORMATS, OPAQUE_FORMATS, TRANSPARENT, Params
from .progress import Progress
from .recipe import Recipe
from .region_canvas import Region, RegionCanvas
from .report import Reference, reference
from .reveal import is_revealed, painted_params
from .strip_canvas import StripCanvas, check_strips, check_transparent
from .style import RenderContext, Style
from .styles import STYLES
from .tiles.pool import TilePool

MAX_RESULT_MEGAPIXELS = 150.0
MAX_REGION_MEGAPIXELS = 16.0
_SOURCE = "source"  # in the geometry of regions


@dataclass(frozen=True, slots=True)
class Limits:
    """megapixels: the largest source that is decoded. result_megapixels: the largest result that is painted; one of the
    source's size always is. region_megapixels: the largest part of a result that is painted alone."""

    megapixels: float = MAX_MEGAPIXELS
    result_megapixels: float = MAX_RESULT_MEGAPIXELS
    region_megapixels: float = MAX_REGION_MEGAPIXELS


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Painted:
    """What a style has painted, to be encoded.

    size: width and height of the result. original: for the quality report; None for a region. durations_ms: of the
    frames of an animation, of which `result` is the first; `following` paints the others.
    """

    result: StyleResult
    params: Params
    size: tuple[int, int]
    original: Reference | None
    durations_ms: list[int]
    following: Iterator[StyleResult]

    @property
    def is_animated(self) -> bool:
        return bool(self.durations_ms)

    @property
    def is_revealed(self) -> bool:
        return is_revealed(self.params)


def paint_source(
    data: bytes,
    recipe: Recipe,
    whole: Progress,
    *,
    limits: Limits,
    pool: TilePool | None,
    colours: ColourStatistics | None,
    region: Region | None = None,
    geometry: dict[str, Any] | None = None,
) -> Painted:
    """Decode an image and paint it. whole: the range of the render, of which encoding takes the last fifth.

    region: the part that is painted; None: everything. geometry: see style.RenderContext. Raises what `render` raises.
    """
    _check_params(recipe.params, colours)
    style, durations = STYLES[recipe.style], _animation(data, recipe.params)
    frames = _frames(data, recipe.params, durations, whole, limits)
    source = next(frames, None) or _still(data, style, recipe.params, whole, limits, geometry)
    source_size = (source.width, source.height)
    params = painted_params(recipe, source_size) if is_revealed(recipe.params) else recipe.params
    size = result_size(params, source_size, limits, frames=max(1, len(durations)))
    _check_result(size, source, params, region, limits)

    share = 1 / max(1, len(durations))  # of one frame in all of the work
    lut = None if colours is None else colour_map(source.image, colours)
    if lut is not None:
        recolour(source.image, lut, whole.sub(0.4 * share, 0.4 * share))
    original, alpha = reference(source, size) if region is None else None, source.alpha
    shared: dict[str, Any] | None = {} if durations else None
    context_of = partial(RenderContext, params=params, result_size=size, pool=pool, reusable=True, shared=shared)
    painting = whole.sub(0.0, share) if durations else whole.sub(0.4, 0.8)
    result = style.paint(context_of(source, progress=painting, region=region, geometry=geometry))
    del source  # frees memory for the result's alpha and for the encoder
    if alpha is not None:
        result = _with_alpha(result, alpha)

    def following() -> Iterator[StyleResult]:
        for number, frame in enumerate(frames, 1):
            part = whole.sub(number * share, (number + 1) * share)
            if lut is not None:
                recolour(frame.image, lut, part.sub(0.0, 0.0))
            painted = style.paint(context_of(frame, progress=part))
            yield painted if frame.alpha is None else _with_alpha(painted, frame.alpha)

    return Painted(result, params, size, original, durations, following())


def _check_params(params: Params, colours: ColourStatistics | None) -> None:
    """Raises BadParameter for what no single parameter shows."""
    if colours is None and getattr(params, "colours_of", None) is not None:
        raise BadParameter(
            field="colours_of", value=params.model_dump()["colours_of"], allowed=Message("a picture that was read")
        )
    if params.background == TRANSPARENT and params.format in OPAQUE_FORMATS:
        raise BadParameter(field="background", value=TRANSPARENT, allowed=Message("a colour like #1c2d3e for a JPEG"))


def _animation(data: bytes, params: Params) -> list[int]:
    """How long each frame is shown, in milliseconds; empty if the result is a still picture."""
    if is_revealed(params) or params.frame is not None or params.format not in ANIMATED_FORMATS:
        return []
    durations = frame_durations(data)
    return durations if len(durations) > 1 else []


def _frames(data: bytes, params: Params, durations: list[int], whole: Progress, limits: Limits) -> Iterator[Source]:
    """The frames to paint: all, or the one that is asked for. None of them if the picture is read as a still."""
    if durations:
        return _decoded_frames(data, len(durations), params, whole, limits)
    if params.frame is None or is_revealed(params):
        return iter(())
    count = len(frame_durations(data))
    if params.frame >= max(1, count):
        allowed = Message("{low} to {high}", low=0, high=max(1, count) - 1)
        raise BadParameter(field="frame", value=params.frame, allowed=allowed)
    return islice(_decoded_frames(data, count, params, whole, limits), params.frame, params.frame + 1)


def _decoded_frames(data: bytes, count: int, params: Params, whole: Progress, limits: Limits) -> Iterator[Source]:
    return decode_frames(data, count, whole.sub(0.0, 0.0), megapixels=limits.megapixels, background=_background(params))


def _still(
    data: bytes,
    style: Style[Any],
    params: Params,
    whole: Progress,
    limits: Limits,
    geometry: dict[str, Any] | None,
) -> Source:
    """The source. geometry: if it has the facts of the source, from an earlier region, that is decoded only if its
    pixels are needed."""
    decode_it = partial(
        decode,
        data,
        whole.sub(0.0, 0.4),
        megapixels=limits.megapixels,
        background=_background(params),
        reduction_for=lambda width, height: _reduction(style, params, (width, height), limits),
    )
    facts: SourceFacts | None = None if geometry is None else geometry.get(_SOURCE)
    if facts is not None:
        return facts.deferred(decode_it)
    source = decode_it()
    if geometry is not None:
        geometry[_SOURCE] = SourceFacts.of(source)
    return source


def _background(params: Params) -> str | None:
    return None if params.background == TRANSPARENT else params.background


def _check_result(size: tuple[int, int], source: Source, params: Params, region: Region | None, limits: Limits) -> None:
    """Raises BadParameter if the format, the memory or the limit of regions does not allow a result of this size."""
    check_size(*size, params.pixel_format)
    if size != (source.width, source.height):
        check_strips(*size, params.pixel_format)
    if source.alpha is not None:
        check_transparent(*size, params.pixel_format)
    if region is not None:
        _check_region(region, size, limits)


def _reduction(style: Style[Any], params: Params, source: tuple[int, int], limits: Limits) -> int:
    """How many times smaller a JPEG of that size may be decoded: to twice the result's size, or as the style allows."""
    reduction = max(source) // (2 * max(result_size(params, source, limits)))
    return max(reduction, 1 if style.reduction is None else style.reduction(params, *source))


def result_size(params: Params, source: tuple[int, int], limits: Limits, *, frames: int = 1) -> tuple[int, int]:
    """Width and height. Raises BadParameter if the result is larger than its source and than the limit."""
    size = params.result_size(*source)
    megapixels = limits.result_megapixels if frames == 1 else min(limits.result_megapixels, MAX_TOTAL_MEGAPIXELS)
    if max(size) > max(source) and size[0] * size[1] * frames > megapixels * 1_000_000:
        facts = {"width": size[0], "height": size[1]}
        pixels = Message("{width} x {height} pixels", **facts)
        if frames > 1:
            pixels = Message("{width} x {height} pixels in {frames} frames", **facts, frames=frames)
        raise BadParameter(field="size", value=pixels, allowed=_up_to(megapixels))
    return size


def _check_region(region: Region, size: tuple[int, int], limits: Limits) -> None:
    left, top, right, bottom = region.box(size)
    if (right - left) * (bottom - top) > limits.region_megapixels * 1_000_000:
        pixels = Message("{width} x {height} pixels", width=right - left, height=bottom - top)
        raise BadParameter(field="region", value=pixels, allowed=_up_to(limits.region_megapixels))


def _up_to(megapixels: float) -> Message:
    return Message("up to {megapixels:g} megapixels", megapixels=megapixels)


def _with_alpha(result: StyleResult, alpha: Image.Image) -> StyleResult:
    """A result that ignored the source's alpha gets it back, opaque where it hides the source."""
    canvas, shapes = result.canvas, result.vector
    if isinstance(canvas, StripCanvas) and canvas.mode == "RGB" and shapes is not None:
        return replace(result, vector=lambda: replace(shapes(), mask=alpha))
    if not isinstance(canvas, PixelCanvas | RegionCanvas) or canvas.image.mode == "RGBA":
        return result
    image = canvas.image.convert("RGBA")
    opacity = alpha.resize(canvas.size)
    if isinstance(canvas, RegionCanvas):
        image.putalpha(opacity.crop(canvas.box))
        return replace(result, canvas=RegionCanvas(canvas.size, canvas.box, image))
    if result.hidden_mask is not None:
        opacity = ImageChops.lighter(opacity, result.hidden_mask(1))
    image.putalpha(opacity)
    vector = None if shapes is None else lambda: replace(shapes(), mask=opacity)
    return replace(result, canvas=PixelCanvas(image), vector=vector)
