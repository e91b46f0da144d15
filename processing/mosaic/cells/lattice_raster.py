"""Painting lattices: runs of whole pixels, and only the pixels at edges from several samples.

The pixels are those of a picture that is painted `samples` times as large and reduced. As the cells of a lattice are
crossed in the same order from row to row, an edge is known by its column in each row of samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..colour.pixels import image_of, pixels
from ..progress import BAND_PX, Progress, pieces
from ..scaled import Drawing, visible_box
from ..strip_canvas import StripCanvas
from .lattice import Lattice
from .runs import Labels, runs_from_columns

_MAX_COLUMNS = 3 << 14  # of a band; an edge takes some hundred bytes
Packed = NDArray[np.uint32]


def fill_lattice(canvas: Drawing, fine: Lattice, samples: int, colours: Packed, progress: Progress) -> None:
    """Paint every cell with antialiased edges.

    fine: the cells `samples` times as large as on the canvas. colours: (count + 1,) RGBX of each cell and of what no
    cell covers.
    """
    distinct, repeats = fine.distinct_rows(samples)
    starts = np.concatenate([[0], np.cumsum(repeats)])
    left, top, right, bottom = visible_box(canvas)
    first, last = (np.searchsorted(starts, (top, bottom - 1), side="right") - 1).tolist()
    edges = samples * distinct.columns(0, 1)[0].shape[1]
    band_rows = max(1, min(BAND_PX // canvas.width, _MAX_COLUMNS // edges))
    for piece in pieces(last + 1 - first, band_rows):
        low, high = first + piece.start, first + piece.stop
        packed = _blended_rows(distinct, samples, low, high, colours)
        if isinstance(canvas, StripCanvas):
            canvas.paste_repeated(packed, repeats[low:high], int(starts[low]))
        else:
            _paste_rows(canvas, packed[:, left:right], repeats[low:high], (left, int(starts[low])))
        progress(starts[high] / canvas.height)


def _paste_rows(canvas: Drawing, packed: Packed, repeats: NDArray[np.int64], place: tuple[int, int]) -> None:
    rows = np.repeat(np.arange(len(packed)), repeats)
    for piece in pieces(len(rows), max(1, BAND_PX // canvas.width)):
        canvas.paste(image_of(packed[rows[piece]]), (place[0], place[1] + piece.start))


def _blended_rows(fine: Lattice, samples: int, top: int, bottom: int, colours: Packed) -> Packed:
    """The rows top to bottom - 1 of the picture."""
    columns, cells = fine.columns(top * samples, bottom * samples)
    columns, cells = columns.reshape(bottom - top, samples, -1), cells.reshape(bottom - top, samples, -1)
    firsts, ends = columns.min(axis=1) // samples, -(-columns.max(axis=1) // samples)  # of the pixels that an edge cuts
    lengths = np.diff(ends, axis=1, append=fine.width // samples)
    packed = np.repeat(colours[cells[:, 0]].ravel(), lengths.ravel()).reshape(bottom - top, -1)
    simple = (firsts[:, 1:] >= ends[:, :-1]).all(axis=1)  # no pixel is cut by two edges
    simple &= (cells == cells[:, :1]).all(axis=(1, 2))
    _blend_edges(packed, columns[simple], cells[simple, 0], np.flatnonzero(simple), colours)
    if not simple.all():
        packed[~simple] = _reduced_rows(columns[~simple], cells[~simple], fine.width, colours)
    return packed


def _blend_edges(
    packed: Packed, columns: NDArray[np.int64], cells: Labels, rows: NDArray[np.intp], colours: Packed
) -> None:
    """columns: (n, samples, k) of runs in each row of samples, cells: (n, k) of them, rows: (n,) in `packed`."""
    samples = columns.shape[1]
    edges = np.moveaxis(columns[:, :, 1:], 1, 0).reshape(samples, -1)
    firsts = edges.min(axis=0) // samples
    counts = -(-edges.max(axis=0) // samples) - firsts
    edge = np.repeat(np.arange(len(counts)), counts)
    x = np.arange(len(edge)) + (firsts - np.cumsum(counts) + counts)[edge]
    right_samples = sum(np.clip(samples * (x + 1) - each[edge], 0, samples) for each in edges)
    left, right = (_channels(colours[part].ravel()[edge]) for part in (cells[:, :-1], cells[:, 1:]))
    total = samples * samples
    sums = left * total + (right - left) * np.asarray(right_samples, np.int32)[:, None]
    blended = (sums + total // 2).astype(np.uint32) * np.uint32(2**24 // total) >> np.uint32(24)  # as Pillow divides
    packed[rows[edge // (columns.shape[2] - 1)], x] = blended.astype(np.uint8).view(np.uint32)[:, 0]


def _reduced_rows(columns: NDArray[np.int64], cells: Labels, width: int, colours: Packed) -> Packed:
    """Rows where cells change between the samples of a pixel, or where it is cut twice: all samples are painted."""
    count, samples = columns.shape[:2]
    runs = runs_from_columns(columns.reshape(count * samples, -1), cells.reshape(count * samples, -1), width)
    values = np.repeat(colours[runs.cells], runs.lengths).reshape(-1, width)
    reduced: Packed = pixels(image_of(values).reduce(samples)).view(np.uint32)[..., 0]
    return reduced


def _channels(packed: Packed) -> NDArray[np.int32]:
    return packed[:, None].view(np.uint8).astype(np.int32)
