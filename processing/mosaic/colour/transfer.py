"""The colours of another picture: its mean and covariance in OKLab are carried over by a linear map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from ..progress import BAND_PX, Progress, pieces
from .oklab import oklab_to_srgb, srgb_to_oklab
from .srgb import Floats

_MEASURED_SIDE_PX = 256
_LEAST_VARIANCE = 1e-4  # of a grey picture's colour: the map would tear its noise apart
_LUT_STEPS = 33

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ColourStatistics:
    """mean: OKLab. covariance: its rows."""

    mean: Vector
    covariance: tuple[Vector, Vector, Vector]


def measure_colours(image: Image.Image) -> ColourStatistics:
    """The statistics of an RGB image, from a copy of at most 256 pixels a side."""
    width, height = image.size
    scale = min(1.0, _MEASURED_SIDE_PX / max(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    lab = srgb_to_oklab(np.asarray(small).reshape(-1, 3))
    mean = lab.mean(axis=0)
    covariance = (lab - mean).T @ (lab - mean) / len(lab)
    rows: list[Vector] = [(float(a), float(b), float(c)) for a, b, c in (mean, *covariance)]
    return ColourStatistics(rows[0], (rows[1], rows[2], rows[3]))


def colour_map(source: ColourStatistics, target: ColourStatistics) -> ImageFilter.Color3DLUT:
    """The Monge-Kantorovich map of sRGB colours: of all linear maps in OKLab that give `source` the mean and covariance
    of `target`, the one that moves colours least (Pitié and Kokaram, 2007). Colours outside sRGB are clipped.
    """
    linear = _monge_kantorovich(np.array(source.covariance), np.array(target.covariance))
    steps = np.rint(np.linspace(0, 255, _LUT_STEPS)).astype(np.uint8)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    lab = srgb_to_oklab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))
    moved = (lab - np.array(source.mean)) @ linear.T + np.array(target.mean)
    moved[:, 0] = np.clip(moved[:, 0], 0, 1)
    table = oklab_to_srgb(moved) / 255
    return ImageFilter.Color3DLUT(_LUT_STEPS, table.ravel().tolist())


def recolour(image: Image.Image, lut: ImageFilter.Color3DLUT, progress: Progress) -> None:
    """Apply a map to an RGB image in place, band by band."""
    for rows in pieces(image.height, max(1, BAND_PX // image.width)):
        box = (0, rows.start, image.width, rows.stop)
        image.paste(image.crop(box).filter(lut), box)
        progress(rows.stop / image.height)


def _monge_kantorovich(source: Floats, target: Floats) -> Floats:
    """A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 for the covariances A and B, (3, 3) each."""
    source, target = (each + _LEAST_VARIANCE * np.eye(3) for each in (source, target))
    root = _power(source, 0.5)
    inverse = _power(source, -0.5)
    linear: Floats = inverse @ _power(root @ target @ root, 0.5) @ inverse
    return linear


def _power(matrix: Floats, exponent: float) -> Floats:
    """Of a symmetric matrix with positive eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    power: Floats = (vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T
    return power
