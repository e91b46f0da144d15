"""How far results are from their pictures. Differences are distances in OKLab x 100, means over all pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from processing.mosaic import Result, parse, render
from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.processing.mosaic.pictures import opened, saved


def render_image(image: Image.Image, recipe: dict[str, Any]) -> tuple[Result, np.ndarray]:
    """The result of a recipe, as large as the image, and its pixels."""
    size = {} if recipe["style"] == "redact" else {"size": max(image.size)}
    result = render(saved(image), parse(size | recipe))
    return result, opened(result.data)


def mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    return float(delta_e(first, second).mean())


def blurred_difference(first: np.ndarray, second: np.ndarray, sigma_px: float) -> float:
    """The mean difference seen from a distance: after a Gaussian blur in linear light."""
    return mean_difference(blurred(first, sigma_px), blurred(second, sigma_px))


def blurred(pixels: np.ndarray, sigma_px: float) -> np.ndarray:
    """(height, width, 3) uint8 after a Gaussian blur in linear light."""
    light = ndimage.gaussian_filter(linearise(pixels / 255), (sigma_px, sigma_px, 0), mode="nearest")
    return np.asarray(np.rint(encode_srgb(light) * 255), np.uint8)


def pitch_of(size: tuple[int, int], result: Result) -> float:
    """The side in pixels of a square as large as the mean cell."""
    return float(np.sqrt(size[0] * size[1] / result.quality.cells))
