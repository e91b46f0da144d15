"""Error diffusion: palette colours whose light, averaged over neighbouring cells, is that of the cells themselves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, pieces
from ..scipy_lazy import kd_tree
from .palette import nearest_indices
from .srgb import Colours, Floats, linear_lut, to_bytes

MAX_DIFFUSED_CELLS = 200_000  # cells are visited one after the other, 3 to 5 microseconds each

_PASSED_ON = 0.9  # of the error: less noise in flat areas than with all of it
_MAX_ERROR = 0.25  # in linear light: colours that the palette cannot mix leave no trail
_NEIGHBOURS, _RECEIVERS = 9, 4
_REACH = 1.6  # pitches
_TABLE_STEPS = 32  # a channel; spaced by the square root of light, about as the eye sees it
_CHUNK_CELLS = 1 << 12


def diffuse_indices(
    colours: Colours,
    palette: Colours,
    centres: Floats,
    pitch: float,
    progress: Progress,
    *,
    chroma_penalty: float = 0,
    visible: NDArray[np.bool_] | None = None,
    passed_on: float = _PASSED_ON,
) -> NDArray[np.intp]:
    """(n,): an index of the palette for each cell, by error diffusion in linear light.

    Cells are visited row by row, alternately from the left and from the right. `passed_on` of a cell's error goes to
    the next neighbours that are still to come, in proportion to the inverse square of their distance, so that cells of
    any shape can be dithered. colours: (n, 3) of at most MAX_DIFFUSED_CELLS cells; centres: (n, 2) and pitch in pixels;
    chroma_penalty: as of `nearest_indices`. visible: (n,), False for cells without pixels, whose error is dropped.
    """
    table = _nearest_table(palette, chroma_penalty)
    progress(0.0)
    order = _serpentine(centres, pitch)
    progress(0.0)
    receivers, shares = _receivers(centres, pitch, order, progress.sub(0.0, 0.5))
    if visible is not None:
        shares[~visible] = 0
    light = linear_lut(True)
    channels, entries = light[colours].T.tolist(), light[palette].tolist()
    indices = np.empty(len(colours), np.intp)
    for chunk in pieces(len(order), _CHUNK_CELLS):
        cells = order[chunk]
        rows = zip(cells.tolist(), receivers[cells].tolist(), shares[cells].tolist(), strict=True)
        indices[cells] = _diffuse(rows, channels, table, entries, passed_on)
        progress(0.5 + chunk.stop / len(order) / 2)
    return indices


def _diffuse(
    rows: Iterable[tuple[int, list[int], list[float]]],
    channels: list[list[float]],
    table: list[int],
    entries: list[list[float]],
    passed_on: float,
) -> list[int]:
    """An entry of the palette for each cell. rows: cells with their receivers and shares. channels: light, changed."""
    red, green, blue = channels
    scale, last = _TABLE_STEPS, _TABLE_STEPS - 1
    chosen = []
    for cell, neighbours, weights in rows:
        r, g, b = red[cell], green[cell], blue[cell]
        i = min(last, int(scale * r**0.5)) if r > 0 else 0
        j = min(last, int(scale * g**0.5)) if g > 0 else 0
        k = min(last, int(scale * b**0.5)) if b > 0 else 0
        entry = table[(i * scale + j) * scale + k]
        chosen.append(entry)
        entry_red, entry_green, entry_blue = entries[entry]
        r = max(-_MAX_ERROR, min(_MAX_ERROR, (r - entry_red) * passed_on))
        g = max(-_MAX_ERROR, min(_MAX_ERROR, (g - entry_green) * passed_on))
        b = max(-_MAX_ERROR, min(_MAX_ERROR, (b - entry_blue) * passed_on))
        for neighbour, weight in zip(neighbours, weights, strict=True):
            red[neighbour] += r * weight
            green[neighbour] += g * weight
            blue[neighbour] += b * weight
    return chosen


def _serpentine(centres: Floats, pitch: float) -> NDArray[np.intp]:
    """(n,): the cells in the order of their rows, every second row backwards."""
    row = np.floor(centres[:, 1] / pitch).astype(np.int64)
    return np.lexsort((np.where(row % 2 == 0, 1, -1) * centres[:, 0], row))


def _receivers(
    centres: Floats, pitch: float, order: NDArray[np.intp], progress: Progress
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(n, 4) twice: the cells that each cell's error is passed on to, and their shares, which add up to 1 or 0."""
    count = len(centres)
    rank = np.full(count + 1, -1, np.int64)
    rank[order] = np.arange(count)
    receivers, shares = np.zeros((count, _RECEIVERS), np.int32), np.zeros((count, _RECEIVERS), np.float32)
    tree = kd_tree(centres)
    for piece in pieces(count, _CHUNK_CELLS):
        distances, neighbours = tree.query(centres[piece], k=_NEIGHBOURS, distance_upper_bound=_REACH * pitch)
        weights = 1 / np.maximum(distances, pitch / 4) ** 2  # 0 for neighbours that do not exist
        weights[rank[neighbours] <= rank[piece, None]] = 0
        largest = np.argsort(-weights, axis=1, kind="stable")[:, :_RECEIVERS]
        weights = np.take_along_axis(weights, largest, axis=1)
        neighbours = np.take_along_axis(neighbours, largest, axis=1)
        receivers[piece] = np.where(weights > 0, neighbours, 0)
        progress(piece.start / count)
        shares[piece] = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    return receivers, shares


def _nearest_table(palette: Colours, chroma_penalty: float) -> list[int]:
    """The index of the nearest palette colour for each of 32 x 32 x 32 colours, red first."""
    steps = ((np.arange(_TABLE_STEPS) + 0.5) / _TABLE_STEPS) ** 2
    light = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    table: list[int] = nearest_indices(to_bytes(light, linear=True), palette, chroma_penalty).tolist()
    return table
