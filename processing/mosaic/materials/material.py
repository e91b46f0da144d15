"""The materials that pieces can be made of, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Material:
    """How a material reflects the light that falls on it from the upper left.

    bevel: the width of its rounded edge, in cells. relief: how much lighter an edge towards the light is, and how much
    darker one away from it. gloss: how much of the light an edge or a tilted piece reflects like a mirror. tilt: the
    standard deviation of the slope at which pieces are laid. lightness, hue: how far the colour of a piece deviates, in
    OKLab. mottling: the contrast of its texture. streaks: how many times longer than high the spots of the texture are.
    glow: how much lighter the middle of a piece is than its edge, as light that shines through glass.
    shine: the colour of the mirrored light, 0 to 1.
    """

    bevel: float = 0.13
    relief: float = 0.30
    gloss: float = 0.0
    tilt: float = 0.055
    lightness: float = 0.014
    hue: float = 0.004
    mottling: float = 0.035
    streaks: float = 1.0
    glow: float = 0.0
    shine: tuple[float, float, float] = (1.0, 1.0, 1.0)


MATERIALS: Mapping[str, Material] = MappingProxyType(
    {
        "stone": Material(),
        "smalti": Material(bevel=0.10, relief=0.26, gloss=0.30, tilt=0.10, mottling=0.03, streaks=4.0),
        "gold": Material(
            bevel=0.14, relief=0.24, gloss=0.62, tilt=0.13, hue=0.003, mottling=0.05, shine=(1.0, 0.88, 0.55)
        ),
        "ceramic": Material(bevel=0.09, relief=0.22, gloss=0.35, tilt=0.02, lightness=0.007, hue=0.002, mottling=0.008),
        "glass": Material(bevel=0.22, relief=0.12, gloss=0.25, tilt=0.02, mottling=0.025, streaks=6.0, glow=0.22),
    }
)
"""By name."""
