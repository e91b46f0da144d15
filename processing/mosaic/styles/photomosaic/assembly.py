"""Assembly: tiles pasted side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...fine_canvas import FineCanvas
from ...progress import BAND_PX, Progress, pieces
from ...scaled import Drawing, is_visible, visible_box
from ...strip_canvas import StripCanvas
from ...tiles.features import Squares
from ...tiles.files import TileSource
from .arrangement import Arrangement, Course
from .hexagons import tip_mask
from .margins import Margins
from .matching import Assignment
from .offsets import Offsets, add_fields, add_offsets
from .transfer import Transfer

MAX_RESIZED_BYTES = 32 << 20  # of resized tiles in memory at a time

Packed = NDArray[np.uint32]  # pixels whose bytes are R, G, B, X


@dataclass(frozen=True, slots=True)
class TileLayout:
    """assignment: (n,), the index in `tiles` of each cell's tile. mirrored: (n,), which are shown mirrored left to
    right. offsets: added to the tile's bytes; of the whole tile, (n, 3), or of its fields, (n, GRID, GRID, 3).
    transfer: of (n,), applied before. margins: lines between the tiles."""

    tiles: Squares | TileSource
    arrangement: Arrangement
    assignment: Assignment
    mirrored: NDArray[np.bool_]
    offsets: Offsets
    transfer: Transfer | None = None
    margins: Margins | None = None

    def variants(self, cells: slice | NDArray[np.intp]) -> Assignment:
        """The index in `tiles` of each of these cells, plus len(tiles) where the tile is mirrored."""
        return self.assignment[cells] + len(self.tiles) * self.mirrored[cells].astype(np.int32)


def assemble(canvas: Drawing, layout: TileLayout, progress: Progress) -> None:
    """Paint the whole canvas; its edges may cut the outer tiles."""
    count, layout = layout.arrangement.rows, _without_hidden(canvas, layout)
    for rows in pieces(count, _rows_at_a_time(layout)):
        all_courses = (course for row in range(count)[rows] for course in layout.arrangement.courses(row))
        courses = [each for each in all_courses if is_visible(canvas, each.top, each.top + each.size[1])]
        part = progress.sub(rows.start / count, rows.stop / count)
        tiles = _tiles_by_size(layout, courses, part.sub(0.0, 0.5))
        for number, course in enumerate(courses, 1):
            if isinstance(canvas, FineCanvas):
                canvas.finish(course.top)
            used, resized = tiles[course.size]
            _paste_course(canvas, layout, course, resized, np.searchsorted(used, layout.variants(course.cells)))
            part(0.5 + number / len(courses) / 2)
    if isinstance(canvas, FineCanvas):
        canvas.finish(canvas.height)


def _without_hidden(canvas: Drawing, layout: TileLayout) -> TileLayout:
    """The same layout, in which cells that the canvas drops have a tile that is needed anyway."""
    left, top, right, bottom = visible_box(canvas)
    visible = np.zeros(len(layout.assignment), bool)
    for course in (course for row in range(layout.arrangement.rows) for course in layout.arrangement.courses(row)):
        if course.top < bottom and course.top + course.size[1] > top:
            visible[course.cells] = (course.lefts < right) & (course.lefts + course.size[0] > left)
    if visible.all():
        return layout
    needed = np.flatnonzero(visible)[0]
    assignment = np.where(visible, layout.assignment, layout.assignment[needed])
    mirrored = np.where(visible, layout.mirrored, layout.mirrored[needed])
    return replace(layout, assignment=assignment, mirrored=mirrored)


def _rows_at_a_time(layout: TileLayout) -> int:
    """All, unless the resized tiles would take more than MAX_RESIZED_BYTES."""
    arrangement = layout.arrangement
    fitting = MAX_RESIZED_BYTES // (4 * arrangement.cell[0] * arrangement.cell[1])
    if min(2 * len(layout.tiles), arrangement.rows * arrangement.columns) <= fitting:
        return arrangement.rows
    return max(1, int(fitting // arrangement.columns))


def _tiles_by_size(
    layout: TileLayout, courses: Sequence[Course], progress: Progress
) -> dict[tuple[int, int], tuple[Assignment, Packed]]:
    """By the size of the cells: the variants that they show, increasing, and their pixels."""
    sizes, tiles = sorted({course.size for course in courses}), {}
    for number, size in enumerate(sizes):
        cells = np.concatenate([course.cells for course in courses if course.size == size])
        used = np.unique(layout.variants(cells))
        part = progress.sub(number / len(sizes), (number + 1) / len(sizes))
        tiles[size] = used, _resized(layout.tiles, used, size, part)
    return tiles


def _resized(tiles: Squares | TileSource, used: NDArray[np.int32], cell: tuple[int, int], progress: Progress) -> Packed:
    """(len(used), high, wide)."""
    wide, high = cell
    if isinstance(tiles, np.ndarray) and tiles.shape[1:3] == (high, wide):
        packed = _packed(tiles[used % len(tiles)])
        packed[used >= len(tiles)] = packed[used >= len(tiles), :, ::-1]
        return packed
    resized = np.empty((len(used), high, wide), np.uint32)
    indices, variants = np.unique((used % len(tiles)).astype(np.intp), return_inverse=True)
    places = np.argsort(variants, kind="stable")  # of the variants in `used`, those of the same tile together
    ends = np.cumsum(np.bincount(variants, minlength=len(indices)))
    for number, tile in enumerate(_cut(tiles, indices, cell)):
        packed = _packed(tile)
        for place in places[ends[number - 1] if number else 0 : ends[number]].tolist():
            resized[place] = packed[:, :: -1 if used[place] >= len(tiles) else 1]
        progress((number + 1) / len(indices))
    return resized


def _packed(tiles: NDArray[np.uint8]) -> Packed:
    """(..., 3) bytes -> (...)."""
    packed = np.empty((*tiles.shape[:-1], 4), np.uint8)
    for channel in range(3):
        packed[..., channel] = tiles[..., channel]
    packed[..., 3] = 255
    return packed.view(np.uint32)[..., 0]


def _cut(tiles: Squares | TileSource, indices: NDArray[np.intp], cell: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    if not isinstance(tiles, np.ndarray):
        yield from tiles.cut(indices, cell)
        return
    for index in indices.tolist():
        yield np.asarray(Image.fromarray(tiles[index]).resize(cell, Image.Resampling.HAMMING))


def _paste_course(canvas: Drawing, layout: TileLayout, course: Course, tiles: Packed, places: NDArray[np.intp]) -> None:
    """Paste some cells of a course at a time. places: in `tiles`, of each cell."""
    wide, high = course.size
    lines = tiles.reshape(-1, wide)
    mode = "RGBX" if isinstance(canvas, StripCanvas | FineCanvas) else "RGBA"  # the first is pasted as it is
    for columns in pieces(len(places), max(1, BAND_PX // (high * wide))):
        cells = course.cells[columns]
        strip = lines.take(places[columns] * high + np.arange(high)[:, None], axis=0).view(np.uint8).reshape(high, -1)
        if layout.transfer is not None:
            layout.transfer.of(cells).change(strip, wide)
        offsets = layout.offsets[cells]
        if offsets.ndim > 2:
            add_fields(strip, offsets, wide)
        elif offsets.any():
            add_offsets(strip, offsets, wide)
        size = (len(cells) * wide, high)
        image = Image.frombuffer(mode, size, strip, "raw", mode, 0, 1)
        lefts, widths = course.lefts[columns], course.widths[columns]
        if layout.margins is not None:
            layout.margins.draw(image, course, lefts.tolist(), widths.tolist())
        mask = np.tile(tip_mask(course.size), len(lefts)) if course.tips[0] else None
        if (widths < wide).any():
            seen = np.flatnonzero((np.arange(wide) < widths[:, None]).ravel())
            lines_seen = np.asarray(image).view(np.uint32)[..., 0].take(seen, axis=1)
            image = Image.frombuffer(mode, (len(seen), high), lines_seen, "raw", mode, 0, 1)
            mask = None if mask is None else mask.take(seen, axis=1)
        bottom = high if course.tips[1] else min(course.reach, high)
        for run in _runs(lefts, widths):
            start, stop = int(widths[: run.start].sum()), int(widths[: run.stop].sum())
            part = image if (start, stop, bottom) == (0, *image.size) else image.crop((start, 0, stop, bottom))
            tips = None if mask is None else Image.fromarray(np.ascontiguousarray(mask[:bottom, start:stop]))
            canvas.paste(part, (int(lefts[run.start]), course.top), tips)


def _runs(lefts: NDArray[np.int64], widths: NDArray[np.int64]) -> list[slice]:
    """The cells that stand side by side without a gap."""
    starts = [0, *(np.flatnonzero(np.diff(lefts) != widths[:-1]) + 1).tolist()]
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(lefts)], strict=True)]
