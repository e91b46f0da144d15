"""Assembly: tiles laid side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...progress import BAND_PX, Stage
from .matching import Shown
from .tile_pool import Tiles

_ROOM = 24 << 20  # bytes of resized tiles kept at a time


@dataclass(frozen=True, slots=True)
class Sheet:
    """shown: (rows, columns) which of the tiles each cell shows. side: of a cell, in pixels.
    shifts: (rows, columns, 3) added to a tile's bytes."""

    tiles: Tiles
    shown: Shown
    side: int
    shifts: NDArray[np.int16]


def assemble(canvas: Image.Image, sheet: Sheet, stage: Stage) -> None:
    """All of the canvas is painted over; it may cut the last column and row of tiles."""
    rows = _rows_at_a_time(sheet)
    for first in range(0, len(sheet.shown), rows):
        last = min(first + rows, len(sheet.shown))
        used, place = np.unique(sheet.shown[first:last], return_inverse=True)
        part = stage.part(first / len(sheet.shown), last / len(sheet.shown))
        fitting = _resized(sheet.tiles, used, sheet.side, part.part(0.0, 0.5))
        for row, places in enumerate(place.reshape(last - first, -1), first):
            _lay(canvas, fitting, places, sheet.shifts[row], row * sheet.side)
            part(0.5 + (row + 1 - first) / (last - first) / 2)


def _rows_at_a_time(sheet: Sheet) -> int:
    """All, unless the tiles that they use take more room than we may have once they are of the cells' size."""
    rows, columns = len(sheet.shown), sheet.shown.shape[1]
    kept = _ROOM // (3 * sheet.side * sheet.side)
    if min(len(sheet.tiles), rows * columns) <= kept:
        return rows
    return max(1, int(kept // columns))


def _resized(tiles: Tiles, used: NDArray[np.int32], side: int, stage: Stage) -> NDArray[np.uint8]:
    """(len(used), 3, side, side): channel by channel, so that one number can be added to a whole plane."""
    if tiles.shape[1] == side:
        return np.ascontiguousarray(tiles[used].transpose(0, 3, 1, 2))
    fitting = np.empty((len(used), 3, side, side), np.uint8)
    for index, tile in enumerate(used.tolist()):
        picture = Image.fromarray(tiles[tile]).resize((side, side), Image.Resampling.HAMMING)
        fitting[index] = np.asarray(picture).transpose(2, 0, 1)
        if index % 64 == 0:
            stage(index / len(used))
    return fitting


def _lay(
    canvas: Image.Image, fitting: NDArray[np.uint8], places: NDArray[np.intp], shifts: NDArray[np.int16], top: int
) -> None:
    """One row of tiles, some columns at a time."""
    side = fitting.shape[-1]
    step = max(1, BAND_PX // (side * side))
    for left in range(0, len(places), step):
        strip = fitting[places[left : left + step]]
        _add(strip, shifts[left : left + step])
        packed = np.full((side, len(strip), side, 4), 255, np.uint8)
        for channel in range(3):
            packed[..., channel] = strip[:, channel].transpose(1, 0, 2)
        size = (len(strip) * side, side)
        canvas.paste(Image.frombuffer("RGBA", size, packed, "raw", "RGBA", 0, 1), (left * side, top))


def _add(strip: NDArray[np.uint8], shifts: NDArray[np.int16]) -> None:
    """strip (n, 3, side, side) += shifts (n, 3), held to 0..255, without leaving bytes."""
    more = np.clip(shifts, 0, 255).astype(np.uint8)[:, :, None, None]
    less = np.clip(-shifts, 0, 255).astype(np.uint8)[:, :, None, None]
    np.minimum(strip, 255 - more, out=strip)
    strip += more
    np.maximum(strip, less, out=strip)
    strip -= less
