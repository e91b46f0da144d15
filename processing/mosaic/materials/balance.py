"""Balance: pieces get the colour with which light, shadow and joints leave them the mean that they should have.

A lit edge and one in shadow do not cancel out: light adds up, 8-bit numbers do not. What a piece mirrors and the dark
joint around it change its mean as well. All this is measured once, as moments of the shading over each piece, on a
coarse grid of samples. The colours then follow from a quadratic equation, as light is nearly a quadratic function of
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..cells.cells import Cells
from ..cells.runs import BACKGROUND
from ..cells.strips import Band, Strips
from ..colour.oklab import oklab_to_srgb, srgb_to_oklab
from ..colour.srgb import Colours, Floats
from ..progress import Progress
from .lighting import LIGHT, LitSides, RunGeometry
from .material import Material
from .reliefs import Chunk, Relief, cell_range, chunks

SAMPLED_PITCH, SAMPLED_PITCH_WITH_JOINTS = 10.0, 16.0
"""Samples of a piece, across and down, on which its shading is measured, and how much of it is joint."""

_MIRRORED_SHARE = 0.6  # of a piece's number, that mirrored light may be on average
_DARKEST_MIRROR = 3.0  # the least mirrored light of a piece, however dark it is
_LEAST_CHANGE, _MOST_CHANGE = 0.8, 1.4  # of a piece's number, to make up for its joint; slivers are almost all joint
_LEAST_RELIEF = 0.05  # of the contrast of a material, where no light can be added to a piece: on white
_DEVIATION = 0.0078  # the most that the lightness of pieces deviates, in OKLab, a standard deviation
_HEADROOM = 0.05  # a piece this much darker than white deviates as others do
_TILT_LIGHT = 0.22  # how much lighter a piece is that is inclined towards the light, by its slope
_GAMMA = 2.2
_OFFSET = 8.0  # the light of a number n is nearly proportional to n² + 2 * _OFFSET * n


@dataclass(frozen=True, slots=True)
class Moments:
    """Means over the pixels of each piece, all (n,): c is how much of a pixel the piece covers, d how much lighter than
    its colour it is, m the mirrored light, s the factor of the joint's colour.

    covered: of c; d: of c d; dd: of c d²; m, dm, mm alike; joint: of (1 - c) s²; mixed: of c (1 - c), where piece and
    joint share a pixel.
    """

    covered: Floats
    d: Floats
    dd: Floats
    m: Floats
    dm: Floats
    mm: Floats
    joint: Floats
    mixed: Floats

    def of(self, some: slice) -> Moments:
        """Some of the pieces."""
        return Moments(*(getattr(self, field.name)[some] for field in fields(self)))


def measure_moments(relief: Relief, samples: Cells, progress: Progress) -> Moments:
    """samples: the relief's cells on a smaller picture, each of whose pixels is one sample."""
    count, step = relief.cells.count, relief.cells.pitch / samples.pitch
    sums = np.zeros((9, count), np.float32)
    for strip in Strips(samples):
        low, high = cell_range(strip.runs)
        sides = LitSides(relief.cells.sides(low, high))
        for band in strip.bands:
            textures = _Textures(relief, band, samples.width) if step == 1.0 else None
            for chunk in chunks(strip, band, samples.width, low, step):
                inside = chunk.geometry.cells != BACKGROUND
                if inside.any():
                    sums[:, low:high] += _sums(relief, chunk, sides, low, inside, textures)
        progress(strip.bands[-1].bottom / samples.height)
    means, pixels = sums[:8], sums[8]
    average = means.sum(axis=1, dtype=np.float64) / max(float(pixels.sum(dtype=np.float64)), 1.0)
    means /= np.maximum(pixels, 1)
    means[:, pixels == 0] = average[:, None]
    return Moments(*means)


class _Textures:
    """The mottling and the grain of a band's pixels, where each of them is a sample."""

    def __init__(self, relief: Relief, band: Band, width: int) -> None:
        self._mottling = relief.mottling.rows(band.top, band.bottom, width)
        self._grain = relief.grain.rows(band.top, band.bottom, width)

    def of(self, chunk: Chunk, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        mottling, grain = self._mottling[chunk.pixels], self._grain[chunk.pixels]
        if inside.all():
            return mottling, grain
        places = np.flatnonzero(np.repeat(inside, chunk.geometry.lengths))
        return mottling[places], grain[places]


def _sums(
    relief: Relief,
    chunk: Chunk,
    sides: LitSides,
    first: int,
    inside: NDArray[np.bool_],
    textures: _Textures | None,
) -> Floats:
    """(9, cells): the sums of what Moments has, and the number of pixels."""
    runs = chunk.geometry.of(inside)
    of_samples = _sampled(relief, runs) if textures is None else textures.of(chunk, inside)
    shading = relief.shade(chunk.geometry, sides, first, inside, of_samples)
    labels = np.repeat(runs.cells.astype(np.intp), runs.lengths)
    cover, lighter = shading.cover, shading.lighter
    weighted = cover * lighter
    zero = np.zeros((), np.float32)
    values = [cover, weighted, weighted * lighter]
    if relief.material.gloss:
        mirrored = cover * shading.mirrored
        values += [mirrored, mirrored * lighter, mirrored * shading.mirrored]
    else:
        values += [zero] * 3
    sand = shading.sand
    values += [zero] * 2 if sand is None else [(1 - cover) * (1 + sand) ** 2, cover * (1 - cover)]
    values.append(np.ones_like(cover))
    count = sides.count
    return np.stack([np.bincount(labels, each, count) if each.ndim else np.zeros(count) for each in values])


def _sampled(relief: Relief, runs: RunGeometry) -> tuple[Floats, Floats]:
    """The mottling and the grain of the pixels in which samples lie."""
    y = np.repeat(runs.y, runs.lengths).astype(np.int64)
    x = (np.repeat(runs.x, runs.lengths) + runs.offsets()).astype(np.int64)
    return relief.mottling.pixels(y, x), relief.grain.pixels(y, x)


@dataclass(frozen=True, slots=True)
class Pigments:
    """The colours that pieces are painted in, before light falls on them, float32.

    colours: (n, 3), 0 to 255, more where much of it lies in shadow. contrast: (n,) of relief and texture, 0 to 1.
    mirror: (n, 3) the colour of the light that the piece mirrors, 0 to 255.
    """

    colours: Floats
    contrast: Floats
    mirror: Floats


def balance(means: Floats, moments: Moments, material: Material, joints: Floats | None) -> Pigments:
    """means: (n, 3) 0 to 255, of the pieces as they should look.

    joints: (n, 3), the colour of the joint around each piece, if it has to be made up for: the piece is lighter then,
    so that together they have the mean; None: the piece alone has it.
    """
    covered = np.maximum(moments.covered, 1e-3)[:, None]
    wanted = np.asarray(means, np.float32)
    if joints is not None:
        wanted = _without_joints(wanted, moments, covered, joints)
    d, dd = (each[:, None] / covered for each in (moments.d, moments.dd))
    spread = np.sqrt(np.maximum(dd - d * d, 1e-6))
    headroom = 1 - wanted.max(axis=1, keepdims=True) / 255
    contrast = np.clip(_LEAST_RELIEF + headroom / (1.2 * spread), _LEAST_RELIEF, 1.0)
    d, dd = d * contrast, dd * contrast**2
    a, b, c = 1 + 2 * d + dd, np.zeros_like(wanted), np.zeros_like(wanted)
    mirror = np.zeros_like(wanted)
    if material.gloss:
        m, dm, mm = (each[:, None] / covered for each in (moments.m, moments.dm, moments.mm))
        most = _MIRRORED_SHARE * np.maximum(wanted, _DARKEST_MIRROR) / np.sqrt(np.maximum(mm, 1e-6))
        mirror = np.minimum(255 * np.array(material.shine, np.float32), most) * contrast
        b, c = mirror * (m + contrast * dm), mirror**2 * mm
    b += _OFFSET * (1 + d)
    c += 2 * _OFFSET * mirror * m if material.gloss else 0.0
    colours = (np.sqrt(np.maximum(b * b - a * (c - _light(wanted)), 0.0)) - b) / a
    colours = np.clip(colours, 0.0, _MOST_CHANGE * wanted)
    mean = (1 + d) * colours + (mirror * m if material.gloss else 0.0)
    deviation = np.sqrt(np.maximum(a * colours**2 + 2 * b * colours + c - _light(mean), 1e-3))
    cut = np.maximum(255 - mean, 0.0) / deviation
    colours += 0.4 * deviation * np.exp(-(1.2 + 0.37 * cut) * cut)  # what is cut off above 255, of a Gaussian
    return Pigments(colours.astype(np.float32), contrast[:, 0].astype(np.float32), mirror.astype(np.float32))


def _without_joints(means: Floats, moments: Moments, covered: Floats, joints: Floats) -> Floats:
    """The means that the pieces need, so that with their joints they have these ones."""
    joint = moments.joint[:, None] * joints**2 + 2 * _OFFSET * (1 - covered) * joints
    lack = moments.mixed[:, None] * (means - joints) ** 2  # of pixels whose numbers are mixed instead of their light
    light = np.maximum((_light(means) - joint + lack) / covered, 0.0)
    pieces: Floats = np.sqrt(light + _OFFSET**2) - _OFFSET
    return np.clip(pieces, _LEAST_CHANGE * means, np.minimum(_MOST_CHANGE * means, 255.0))


def _light(numbers: Floats) -> Floats:
    """Nearly proportional to the light of 8-bit numbers, up to 255."""
    light: Floats = numbers * (numbers + 2 * _OFFSET)
    return light


def deviating(colours: Colours, material: Material, slopes: Floats, rng: np.random.Generator) -> Floats:
    """(n, 3), 0 to 255: each colour a little lighter or darker, and of a little other hue.

    What the material's colour deviates and what the slope of a piece changes are together limited to _DEVIATION: a
    piece is on average less than 1 (OKLab x 100) from its colour.
    """
    lab = srgb_to_oklab(colours)
    deviation = rng.uniform(-1.0, 1.0, lab.shape) * (material.lightness, material.hue, material.hue)
    inclined = slopes @ -LIGHT * (_TILT_LIGHT * _GAMMA / 3) * lab[:, 0]
    typical = np.hypot(material.lightness / np.sqrt(3), _TILT_LIGHT * _GAMMA / 3 * material.tilt * lab[:, 0])
    headroom = np.minimum(1.0, (1 - colours.max(axis=1) / 255) / _HEADROOM)  # white only becomes darker
    deviation[:, 0] = (deviation[:, 0] + inclined) * np.minimum(1.0, _DEVIATION / typical) * (0.2 + 0.8 * headroom)
    return oklab_to_srgb(lab + deviation).astype(np.float32)
