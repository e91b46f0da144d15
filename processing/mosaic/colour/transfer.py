"""The colours of another picture: its mean and covariance in OKLab are carried over by a linear map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..progress import BAND_PX, Progress, pieces
from .oklab import oklab_to_light, oklab_to_srgb, srgb_to_oklab
from .srgb import Floats

_MEASURED_SIDE_PX = 256
_LEAST_VARIANCE = 1e-4  # of a grey picture's colour: the map would tear its noise apart
_LUT_STEPS = 33
_AIMS = 12
_FARTHEST = 1.5  # times the target's spread, that may be aimed at
_HALVINGS = 8
_ROUNDING = 1e-4

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ColourStatistics:
    """mean: OKLab. covariance: its rows."""

    mean: Vector
    covariance: tuple[Vector, Vector, Vector]


def measure_colours(image: Image.Image) -> ColourStatistics:
    """The statistics of an RGB image, from a copy of at most 256 pixels a side."""
    return _statistics(_sample(image))


def colour_map(image: Image.Image, target: ColourStatistics) -> ImageFilter.Color3DLUT:
    """A map of sRGB colours that gives the image the mean and the covariance of `target`.

    The Monge-Kantorovich map: of all linear maps in OKLab that do so, the one that moves colours least (Pitié and
    Kokaram, 2007). Colours outside sRGB keep their hue and lose chroma. As the image then has less contrast than was
    aimed at, the aim is moved beyond the target until the rest makes up for it, or as far as is reasonable.
    """
    sample = _sample(image)
    moved = _best_map(sample, target)
    steps = np.rint(np.linspace(0, 255, _LUT_STEPS)).astype(np.uint8)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    lab = srgb_to_oklab(np.stack([red, green, blue], axis=-1).reshape(-1, 3))
    table = oklab_to_srgb(_into_srgb(moved.apply(lab))) / 255
    return ImageFilter.Color3DLUT(_LUT_STEPS, table.ravel().tolist())


@dataclass(frozen=True, slots=True)
class _LinearMap:
    """Of OKLab: linear @ (colour - origin) + mean."""

    origin: Floats
    linear: Floats
    mean: Floats

    def apply(self, lab: Floats) -> Floats:
        return (lab - self.origin) @ self.linear.T + self.mean


def _best_map(sample: Floats, target: ColourStatistics) -> _LinearMap:
    """The map of the sample after which it is nearest to the target inside sRGB."""
    source, mean = _statistics(sample), np.array(target.mean)
    aim_mean, aim = mean, np.array(target.covariance)
    origin, measured = np.array(source.mean), np.array(source.covariance)
    best, least = None, np.inf
    wanted = None
    for _ in range(_AIMS):
        moved = _LinearMap(origin, _monge_kantorovich(measured, aim), aim_mean)
        if wanted is None:  # what is reached without limits; a grey picture does not get all of the colours
            wanted = moved.linear @ measured @ moved.linear.T
        reached = _statistics(_into_srgb(moved.apply(sample)))
        off = mean - reached.mean
        spread = np.sqrt(np.diag(reached.covariance)) - np.sqrt(np.diag(wanted))
        distance = float(np.hypot(np.linalg.norm(off), np.linalg.norm(spread)))
        if distance < least:
            best, least = moved, distance
        wider = _monge_kantorovich(np.array(reached.covariance), wanted)
        values, vectors = np.linalg.eigh((wider + wider.T) / 2)
        step = (vectors * np.clip(values, 0.8, 1.25)) @ vectors.T
        aim = step @ aim @ step.T
        aim *= min(1.0, _FARTHEST**2 * np.trace(target.covariance) / max(np.trace(aim), 1e-12))
        aim_mean = aim_mean + off
    assert best is not None
    return best


def _sample(image: Image.Image) -> Floats:
    """(n, 3): the OKLab colours of a copy of at most 256 pixels a side."""
    width, height = image.size
    scale = min(1.0, _MEASURED_SIDE_PX / max(width, height))
    small = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX)
    return srgb_to_oklab(np.asarray(small).reshape(-1, 3))


def _statistics(lab: Floats) -> ColourStatistics:
    mean = lab.mean(axis=0)
    covariance = (lab - mean).T @ (lab - mean) / len(lab)
    rows: list[Vector] = [(float(a), float(b), float(c)) for a, b, c in (mean, *covariance)]
    return ColourStatistics(rows[0], (rows[1], rows[2], rows[3]))


def _into_srgb(lab: Floats) -> Floats:
    """The colours with as much of their chroma as sRGB has at their lightness and hue."""
    inside = lab.copy()
    inside[:, 0] = np.clip(lab[:, 0], 0, 1)
    outside = np.flatnonzero(~_is_srgb(inside))
    shares_in, shares_out = np.zeros(len(outside)), np.ones(len(outside))
    for _ in range(_HALVINGS):
        middle = (shares_in + shares_out) / 2
        tried = inside[outside] * np.stack([np.ones(len(outside)), middle, middle], axis=1)
        is_inside = _is_srgb(tried)
        shares_in, shares_out = np.where(is_inside, middle, shares_in), np.where(is_inside, shares_out, middle)
    inside[outside, 1:] *= shares_in[:, None]
    return inside


def _is_srgb(lab: Floats) -> NDArray[np.bool_]:
    light = oklab_to_light(lab)
    return np.asarray(((light >= -_ROUNDING) & (light <= 1 + _ROUNDING)).all(axis=-1))


def recolour(image: Image.Image, lut: ImageFilter.Color3DLUT, progress: Progress) -> None:
    """Apply a map to an RGB image in place, band by band."""
    for rows in pieces(image.height, max(1, BAND_PX // image.width)):
        box = (0, rows.start, image.width, rows.stop)
        image.paste(image.crop(box).filter(lut), box)
        progress(rows.stop / image.height)


def _monge_kantorovich(source: Floats, target: Floats) -> Floats:
    """A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 for the covariances A and B, (3, 3) each."""
    values, vectors = np.linalg.eigh(source)
    source = (vectors * np.maximum(values, _LEAST_VARIANCE)) @ vectors.T
    root, inverse = _power(source, 0.5), _power(source, -0.5)
    linear: Floats = inverse @ _power(root @ target @ root, 0.5) @ inverse
    return linear


def _power(matrix: Floats, exponent: float) -> Floats:
    """Of a symmetric matrix with positive eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    power: Floats = (vectors * np.maximum(values, 1e-12) ** exponent) @ vectors.T
    return power
