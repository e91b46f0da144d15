"""Encoding GIF: at most 255 colours, which all frames share so that nothing flickers, and fully transparent pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ...colour.srgb import Colours

_COLOURS, _CLEAR = 255, 255  # the last index is for transparent pixels
_SAMPLE_PX = 1 << 18  # of all frames, from which the palette is computed
_LEAST_ALPHA = 128


def encode_gif(images: Sequence[Image.Image], durations_ms: Sequence[int], *, differences: bool = False) -> bytes:
    """Encode frames of one size in RGB or RGBA; more than one loops endlessly. durations_ms: of each frame.

    differences: store of opaque frames what has changed, which is smaller where most of a picture stays.
    """
    palette = _palette(images)
    first, *others = [_reduced(image, palette) for image in images]
    options: dict[str, object] = {"transparency": _CLEAR} if images[0].mode == "RGBA" else {}
    if others:
        disposal = 1 if differences and images[0].mode == "RGB" else 2
        options |= {"save_all": True, "append_images": others, "duration": list(durations_ms), "loop": 0}
        options["disposal"] = disposal
    file = io.BytesIO()
    first.save(file, "GIF", optimize=False, **options)
    return file.getvalue()


def _palette(images: Sequence[Image.Image]) -> Image.Image:
    """Exact if the frames have no more colours than a palette holds."""
    exact = _exact_colours(images)
    if exact is not None:
        colours = exact
    else:
        step = max(1, round((sum(image.width * image.height for image in images) / _SAMPLE_PX) ** 0.5))
        samples = [np.asarray(_rgb(image))[::step, ::step].reshape(-1, 3) for image in images]
        sample = Image.fromarray(np.concatenate(samples)[None])
        quantized = sample.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colours = np.array(quantized.getpalette(), np.uint8).reshape(-1, 3)[:_COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.vstack([colours, np.repeat(colours[:1], 256 - len(colours), axis=0)]).tobytes())
    return palette


def _exact_colours(images: Sequence[Image.Image]) -> Colours | None:
    """(k, 3): all colours of the frames; None if they are too many."""
    colours = np.empty((0, 3), np.uint8)
    for image in images:
        counted = _rgb(image).getcolors(_COLOURS)
        if counted is None:
            return None
        colours = np.unique(np.vstack([colours, np.array([colour for _, colour in counted], np.uint8)]), axis=0)
        if len(colours) > _COLOURS:
            return None
    return colours


def _reduced(image: Image.Image, palette: Image.Image) -> Image.Image:
    """Mode P with that palette."""
    result = _rgb(image).quantize(palette=palette, dither=Image.Dither.NONE)
    if image.mode == "RGBA":
        clear = image.getchannel("A").point([255] * _LEAST_ALPHA + [0] * (256 - _LEAST_ALPHA))
        result.paste(_CLEAR, mask=clear)
    return result


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")
