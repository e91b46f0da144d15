"""What decoding a picture will hold in memory, computed from its header before any pixel is decoded."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from ..errors import DAMAGED, MosaicError, NotAPicture
from .container import read_container
from .decode import MAX_MEGAPIXELS, draft


def decoded_pixels(
    data: bytes,
    *,
    megapixels: float = MAX_MEGAPIXELS,
    reduction_for: Callable[[int, int], int] | None = None,
) -> int:
    """The pixels that `decode` holds at once: those of the picture, or fewer of a sequential JPEG that may be reduced.

    Of a progressive one libjpeg holds all coefficients whatever its scale.

    Raises NotAPicture; TooManyPixels for a HEIF or AVIF, and no limit is checked for the others.
    """
    try:
        container = read_container(data, megapixels)
        if container.heif is not None:
            return container.heif.pixels
        with Image.open(io.BytesIO(container.pixels), formats=(container.format,)) as opened:
            if container.jpeg is not None and container.jpeg.sequential:
                draft(opened, container.orientation, reduction_for)
            width, height = container.canvas or opened.size
    except MosaicError:
        raise
    except Exception as error:  # as in `decode`
        raise NotAPicture(DAMAGED) from error
    return width * height
