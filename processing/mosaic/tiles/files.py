"""Tiles that are cut from their files when they are used, at the size that is needed, in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..codec.decode import MAX_MEGAPIXELS
from ..errors import BadParameter, Message, NotAPicture, TooManyPixels
from ..progress import pieces
from .cutting import SQUARE, cut_image, decode_for_tiles

_PIECE_TILES = 32  # copies of the cache that are referred to at a time

Pixels = NDArray[np.uint8]  # (high, wide, 3)
FileReader = Callable[[Sequence[int], int], Iterator[bytes]]
"""Called with ids of pictures and the side of the tiles in pixels. Returns their files in this order, which may be
smaller copies of at least twice that side."""


class TileSource(Protocol):
    """Where the pixels of a pool's tiles come from."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: NDArray[np.intp]) -> TileSource: ...

    def cut(self, indices: NDArray[np.intp], size: tuple[int, int]) -> Iterator[Pixels]:
        """These tiles, in this order, each once. size: width and height in pixels."""
        ...


class TileCache:
    """The tiles that were used last. May be shared between threads."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes, self.size_bytes = limit_bytes, 0
        self._tiles: OrderedDict[tuple[object, ...], Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: tuple[object, ...]) -> bool:
        return key in self._tiles

    def get(self, key: tuple[object, ...]) -> Pixels | None:
        with self._lock:
            if key in self._tiles:
                self._tiles.move_to_end(key)
            return self._tiles.get(key)

    def put(self, key: tuple[object, ...], tile: Pixels) -> None:
        with self._lock:
            previous = self._tiles.pop(key, None)
            self._tiles[key] = tile
            self.size_bytes += tile.nbytes - (0 if previous is None else previous.nbytes)
            while self.size_bytes > self._limit_bytes:
                _, oldest = self._tiles.popitem(last=False)
                self.size_bytes -= oldest.nbytes


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The picture that was decoded last, of which several crops may follow each other."""

    picture_id: int | None = None
    image: Image.Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TileFiles:
    """ids: (n,), of the picture of each tile. crops: (n, 3), which part of it the tile is. read: their files.

    side: at which tiles are cut and remembered, in pixels, to be resized to any cell; None: as large as the cell.
    """

    ids: NDArray[np.int64]
    crops: NDArray[np.float64]
    read: FileReader
    cache: TileCache
    shape: str = SQUARE
    side: int | None = None
    megapixels: float = MAX_MEGAPIXELS

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, indices: NDArray[np.intp]) -> TileFiles:
        return replace(self, ids=self.ids[indices], crops=self.crops[indices])

    def is_cached(self, index: int, size: tuple[int, int]) -> bool:
        return self._key(index, self._cut_size(size)) in self.cache

    def cut(self, indices: NDArray[np.intp], size: tuple[int, int]) -> Iterator[Pixels]:
        """Raises BadParameter naming the picture in `tiles` if it cannot be decoded, and whatever `read` raises."""
        cut_size, decoded = self._cut_size(size), _Decoded()
        for piece in pieces(len(indices), _PIECE_TILES):
            part = indices[piece].tolist()
            cached = {index: self.cache.get(self._key(index, cut_size)) for index in part}
            missing = [int(self.ids[index]) for index, tile in cached.items() if tile is None]
            before = [decoded.picture_id, *missing]  # crops of one picture follow each other
            needed = [each for each, previous in zip(missing, before, strict=False) if each != previous]
            files = self.read(needed, max(cut_size)) if needed else iter(())
            for index in part:
                tile = cached[index]
                if tile is None:
                    if self.ids[index] != decoded.picture_id:
                        decoded = self._decoded(next(files), index, cut_size)
                    assert decoded.image is not None
                    tile = cut_image(decoded.image, cut_size, self.shape, self.crops[index].tolist())
                    self.cache.put(self._key(index, cut_size), tile)
                yield tile if cut_size == size else _resized(tile, size)

    def _decoded(self, data: bytes, index: int, size: tuple[int, int]) -> _Decoded:
        picture_id = int(self.ids[index])
        try:
            return _Decoded(picture_id, decode_for_tiles(data, max(size), self.megapixels))
        except (NotAPicture, TooManyPixels) as error:
            allowed = Message(
                "pictures that can be decoded, of up to {megapixels:g} megapixels", megapixels=self.megapixels
            )
            raise BadParameter(field="tiles", value=picture_id, allowed=allowed) from error

    def _cut_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return size if self.side is None else (self.side, self.side)

    def _key(self, index: int, size: tuple[int, int]) -> tuple[object, ...]:
        return int(self.ids[index]), *self.crops[index].tolist(), self.shape, size


def _resized(tile: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(Image.fromarray(tile).resize(size, Image.Resampling.HAMMING))
