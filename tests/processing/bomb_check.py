"""Checks whether Pillow's pixel limit is set in a process: this one, or a worker of a cluster."""

from __future__ import annotations

import io

from PIL import Image

from tests.hostile import png


def error_of_a_bomb() -> str:
    """The class name of Pillow's error for an image that claims 100 megapixels, "nothing" if there is none."""
    try:
        Image.open(io.BytesIO(png.claim(10_000, 10_000))).close()
    except Exception as error:
        return type(error).__name__
    return "nothing"
