"""Whether the guard of `processing/guards.py` is on in a process: asked of this one, and on workers of a cluster."""

from __future__ import annotations

import io

from PIL import Image

from tests.hostile import png


def what_a_bomb_raises() -> str:
    """The name of what Pillow raises for a picture that claims 100 megapixels; "nothing" if it raises nothing."""
    try:
        Image.open(io.BytesIO(png.claim(10_000, 10_000))).close()
    except Exception as error:
        return type(error).__name__
    return "nothing"
