"""Advice: of which colours a pool has too few pictures for a photomosaic, and how many more would do."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...tiles.features import Features
from .matching import Assignment, ReuseLimits

KINDS = ("dark", "light", "grey", "red", "yellow", "green", "blue", "purple")

_FAR = 0.08  # in OKLab, of the means of a cell and its tile; 0.02 is just noticeable
_LEAST_SHARE = 0.02  # of all cells: fewer are not seen
_BLACK = 0.2  # lightness up to which all looks black beside the rest of a picture
_DARK, _LIGHT, _GREY = 0.35, 0.85, 0.04  # lightness below and above, chroma below
_HUES = (60.0, 120.0, 190.0, 290.0, 340.0)  # degrees in OKLab at which yellow, green, blue, purple and red begin
_MOST_NAMED = 3


def missing_kinds(
    cells: Features, tiles: Features, assignment: Assignment, pictures: int, limits: ReuseLimits
) -> dict[str, int]:
    """How many more pictures of which kinds would bring the cells near to the picture, the most missed kind first.

    cells: (n, fields, 3). tiles: (n, fields, 3). pictures: of the pool. A further picture is counted on
    for as many cells as one of the pool is used in on average; a plain part takes at least as many as keep their
    distance.
    """
    wanted, current = cells.mean(axis=-2), tiles.mean(axis=-2)[assignment]
    differences = wanted - current
    differences[:, 0] = np.maximum(wanted[:, 0], _BLACK) - np.maximum(current[:, 0], _BLACK)
    far = np.linalg.norm(differences, axis=1) > _FAR
    counts = np.bincount(_kinds(wanted)[far], minlength=len(KINDS))
    uses = min(limits.max_uses, max(1.0, len(wanted) / pictures))
    most_first, apart = np.argsort(-counts, kind="stable").tolist(), limits.min_distance**2
    missed = [kind for kind in most_first if counts[kind] >= _LEAST_SHARE * len(wanted)]
    return {KINDS[kind]: max(math.ceil(counts[kind] / uses), apart) for kind in missed[:_MOST_NAMED]}


def _kinds(colours: NDArray[np.float32]) -> NDArray[np.intp]:
    """(n, 3) OKLab -> (n,): indexes in KINDS."""
    lightness, chroma = colours[:, 0], np.hypot(colours[:, 1], colours[:, 2])
    hues = np.degrees(np.arctan2(colours[:, 2], colours[:, 1])) % 360
    coloured = KINDS.index("red") + np.digitize(hues, _HUES) % len(_HUES)
    kinds = np.where(chroma < _GREY, KINDS.index("grey"), coloured)
    return np.where(lightness < _DARK, 0, np.where(lightness > _LIGHT, 1, kinds))
