"""What a cross-stitch looks like from above: two crossing threads of two strands each, on fabric woven in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...cells.stamps import LIGHT
from ...colour.srgb import Colours, Floats
from ...progress import pieces

Shares = NDArray[np.float32]

VARIANTS = 4
"""Of a stitch: no two hands' stitches are equal."""

HALF_WIDTH = 0.31
"""Of a thread along the edge of its cell, in cells; across the thread it is less by the square root of two."""

_SAMPLES = 3
_SAMPLED_SIDE = 32  # of larger stitches, one sample a pixel shows every fibre
_PIECE_PX = 1 << 16  # samples: each takes several floats
_DRAWN_PX = 1 << 18
_ROOT = float(np.sqrt(0.5))
_GROUND_SEEN = 0.35  # of the light in the gaps, what the fabric gives; the rest comes from the threads around
_IN_GAPS = 0.72  # the light there, of that on flat fabric
_FIBRES = 5.5  # twists of the thread along a stitch


@dataclass(frozen=True, slots=True)
class Stitches:
    """Both (VARIANTS, side, side). cover: how much of each pixel threads cover. light: on threads and fabric; its mean
    over a cell is 1."""

    cover: Shares
    light: Shares


def stitches(side: int) -> Stitches:
    """Crosses of `side` pixels under light."""
    cover, light = np.empty((2, VARIANTS, side, side), np.float32)
    samples = _SAMPLES if side <= _SAMPLED_SIDE else 1
    place = _places(side, samples)
    for variant in range(VARIANTS):
        for rows in pieces(side, max(1, _PIECE_PX // (side * samples**2))):
            y = place[rows.start * samples : rows.stop * samples, None]
            for target, values in zip((cover, light), _sampled(place, y, variant, side * samples), strict=True):
                target[variant, rows] = values.reshape(-1, samples, side, samples).mean(axis=(1, 3))
        light[variant] /= light[variant].mean()
    return Stitches(cover, light)


def flat_cover(side: int) -> Shares:
    """(1, side, side): how much of each pixel a cross covers whose threads have straight edges."""
    place = _places(side, _SAMPLES)
    cover = np.empty((1, side, side), np.float32)
    for rows in pieces(side, max(1, _PIECE_PX // (side * _SAMPLES**2))):
        y = place[rows.start * _SAMPLES : rows.stop * _SAMPLES, None]
        inside = (np.abs(place - y) < HALF_WIDTH) | (np.abs(place + y) < HALF_WIDTH)
        cover[0, rows] = inside.reshape(-1, _SAMPLES, side, _SAMPLES).mean(axis=(1, 3))
    return cover


def draw_stitches(
    colours: Colours, variants: NDArray[np.int64], ground: tuple[int, int, int], cover: Shares, light: Shares | None
) -> Colours:
    """(n, side, side, 4): one picture for each colour (n, 3) and variant (n,), opaque.

    With `light`, the fabric in the gaps is in the shadow of the threads and takes on their colour, so that a picture is
    no paler than its threads.
    """
    pictures = np.full((len(colours), *cover.shape[1:], 4), 255, np.uint8)
    fabric: Floats = np.array(ground, np.float32)
    for rows in pieces(cover.shape[1], max(1, _DRAWN_PX // (cover.shape[2] * len(colours)))):
        thread: Floats = colours.astype(np.float32)[:, None, None, :]
        below = fabric if light is None else _GROUND_SEEN * fabric + (1 - _GROUND_SEEN) * thread
        painted = below + (thread - below) * cover[variants, rows, :, None]
        if light is not None:
            painted *= light[variants, rows, :, None]
        pictures[:, rows, :, :3] = np.clip(np.rint(painted), 0, 255)
    return pictures


def _places(side: int, samples: int) -> Floats:
    """Of samples along a cell, from -0.5 to 0.5."""
    return (np.arange(side * samples, dtype=np.float32) + 0.5) / np.float32(side * samples) - np.float32(0.5)


def _sampled(x: Floats, y: Floats, variant: int, density: int) -> tuple[Floats, Floats]:
    """Cover and light at points of a cell, from -0.5 to 0.5. density: points along a cell."""
    rng = np.random.default_rng(variant)
    bend, phase = rng.uniform(-0.022, 0.022, 2), rng.uniform(0, 1, 2)
    rising, falling = (x + y) * np.float32(_ROOT), (x - y) * np.float32(_ROOT)  # along the thread on top, the one below
    top, light_top = _thread(rising, falling - np.float32(bend[0]), (1.0, -1.0), float(phase[0]))
    below, light_below = _thread(falling, rising - np.float32(bend[1]), (1.0, 1.0), float(phase[1]))
    on_top, on_below = (np.clip(inside * density + 0.5, 0, 1) for inside in (top, below))
    beside = np.clip(-top / (HALF_WIDTH * _ROOT), 0, 1)  # the thread below lies in the shadow of the one on top
    light_below *= 0.62 + 0.38 * np.minimum(1, beside * 3)
    light = _IN_GAPS * (1 + 0.05 * np.cos(x * 8 * np.pi) + 0.05 * np.cos(y * 8 * np.pi))
    light = light + (light_below - light) * on_below
    light += (light_top - light) * on_top
    hole = (0.5 - np.abs(x)) + (0.5 - np.abs(y))  # from the corner, where threads go through the fabric
    light *= 0.55 + 0.45 * np.clip(hole / 0.16, 0, 1)
    return on_top + on_below * (1 - on_top), light


def _thread(along: Floats, across: Floats, normal: tuple[float, float], phase: float) -> tuple[Floats, Floats]:
    """How far inside a thread points are (negative outside), and its light there. normal: the direction of `across`."""
    end = np.clip(np.abs(along) / _ROOT, 0, 1)
    half = HALF_WIDTH * _ROOT * (1.06 - 0.34 * end**4)
    inside = half - np.abs(across)
    strand = half / 2  # two strands lie side by side
    offset = np.clip((np.abs(across) - strand) / strand, -1, 1) * np.sign(across)
    facing = (normal[0] * LIGHT[0] + normal[1] * LIGHT[1]) * _ROOT * offset
    sinking = (LIGHT[0] + LIGHT[1] * -normal[0] * normal[1]) * _ROOT * np.sign(along) * end**3
    fibres = np.sin(2 * np.pi * ((along / _ROOT / 2 + offset * 0.10) * _FIBRES + phase + (across > 0) * 0.5))
    shine = np.exp(-((offset + 0.25) ** 2) / 0.10 - (along + 0.06) ** 2 / 0.10)
    light = 1.0 + 0.30 * facing + 0.20 * sinking + 0.05 * fibres + 0.16 * shine - 0.30 * offset**4
    return inside, light
