"""The frames of an animation, decoded one at a time to pictures of the whole canvas, as browsers compose them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator

from PIL import Image

from ..errors import DAMAGED, NotAPicture, TooManyPixels
from ..progress import Progress
from .animation import frame_parts
from .container import read_container
from .decode import BLEED_PX, MAX_MEGAPIXELS, Source, decode, upright
from .formats.frame_parts import CLEAR, RESTORE, FramePart
from .modes import to_srgb


def decode_frames(
    data: bytes,
    count: int,
    progress: Progress,
    *,
    megapixels: float = MAX_MEGAPIXELS,
    background: str | None = "#ffffff",
) -> Iterator[Source]:
    """The frames of an animation, as `decode` gives its first picture. count: see animation.frame_durations.

    Raises NotAPicture for a frame that is damaged, TooManyPixels, and whatever the progress callback raises.
    """
    container = read_container(data, megapixels)
    if container.format == "WEBP":
        frames = _webp_frames(data, count, lambda: progress(0.0))
    else:
        size, parts = frame_parts(data)
        frames = _composed(size, parts[:count], progress, megapixels)
    for image in frames:
        source = Source(image, *image.size, bleed_px=BLEED_PX.get(container.format, 0))
        yield upright(source, container.orientation, background)


def _composed(
    size: tuple[int, int], parts: list[FramePart], progress: Progress, megapixels: float
) -> Iterator[Image.Image]:
    if size[0] * size[1] > megapixels * 1_000_000:
        raise TooManyPixels(megapixels)
    canvas = Image.new("RGBA", size)
    for part in parts:
        progress(0.0)
        picture = _rgba(decode(part.file(), progress.sub(0.0, 0.0), megapixels=megapixels, background=None))
        below = canvas.copy() if part.disposal == RESTORE else None
        if part.over:
            canvas.alpha_composite(picture, (part.left, part.top))
        else:
            canvas.paste(picture, (part.left, part.top))
        yield canvas.copy()
        if part.disposal == CLEAR:
            canvas.paste((0, 0, 0, 0), (part.left, part.top, part.left + part.width, part.top + part.height))
        canvas = below or canvas


def _rgba(source: Source) -> Image.Image:
    image = source.image.convert("RGBA")
    if source.alpha is not None:
        image.putalpha(source.alpha)
    return image


def _webp_frames(data: bytes, count: int, poll: Callable[[], None]) -> Iterator[Image.Image]:
    """libwebp composes them itself."""
    try:
        opened = Image.open(io.BytesIO(data), formats=("WEBP",))
        profile = opened.info.get("icc_profile")
        for number in range(count):
            poll()
            opened.seek(number)
            frame = to_srgb(opened.convert("RGBA"), profile, poll, grey=False)
            yield frame
    except (OSError, EOFError, SyntaxError, ValueError, IndexError, MemoryError, struct.error) as error:
        raise NotAPicture(DAMAGED) from error
