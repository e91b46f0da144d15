"""A folder of image files as a tile pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadParameter, Message, NotAPicture, TooManyPixels
from ..progress import ProgressCallback
from ..styles.photomosaic.photomosaic import MAX_TILES
from ..tiles.centering import CROPS
from ..tiles.files import TileCache, TileFiles
from ..tiles.packed import PackedFeatures, measure_features
from ..tiles.pool import TilePool, pool_of_features

CACHE_BYTES = 96 << 20
"""Of tiles that may be used once more."""


@dataclass(frozen=True, slots=True)
class Folder:
    """names: of the files, by the pool's ids, which count from 0. unreadable: file name -> reason."""

    pool: TilePool
    names: list[str]
    unreadable: dict[str, str]

    def with_file_names(self, cell_map: Mapping[str, object]) -> dict[str, object]:
        """A photomosaic's cell map with file names instead of ids."""
        named: dict[str, object] = {}
        for field, value in cell_map.items():
            if isinstance(value, dict) and field != "missing":
                named[field] = {self.names[tile]: each for tile, each in value.items()}
            else:
                named[field] = value
        tiles = cell_map["tiles"]
        assert isinstance(tiles, list)
        return {**named, "tiles": [self.names[tile] for tile in tiles]}


def read_folder(path: Path, progress: ProgressCallback | None = None, *, shape: str, megapixels: float) -> Folder:
    """The pool of a folder's files in the order of their names, without hidden files and subfolders.

    shape: of the tiles, which are cut from the files when they are used.
    Raises BadParameter naming `pool` if it is not a folder, holds no image, or more files than a recipe can name;
    OSError if it cannot be listed.
    """
    if not path.is_dir():
        raise BadParameter(field="pool", value=str(path), allowed=Message("a folder of pictures"))
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if len(files) > MAX_TILES:
        raise BadParameter(
            field="pool", value=f"{len(files)} files", allowed=Message("at most {most} files", most=MAX_TILES)
        )
    features, unreadable = dict[Path, bytes](), dict[str, str]()
    for number, file in enumerate(files, 1):
        try:
            features[file] = measure_features(file.read_bytes(), megapixels=megapixels)
        except (NotAPicture, TooManyPixels, OSError) as error:
            unreadable[file.name] = str(error)
        if progress is not None:
            progress(number / len(files))
    if not features:
        contents = f"{len(unreadable)} unreadable files in" if unreadable else "the empty folder"
        allowed = Message("a folder with at least one picture")
        raise BadParameter(field="pool", value=f"{contents} {path.name}", allowed=allowed)
    packed, readable = PackedFeatures.of(list(features.values()), shape), list(features)
    ids = np.arange(len(readable), dtype=np.int64)

    def read(tile_ids: Sequence[int], _: int) -> Iterator[bytes]:
        return (readable[tile_id].read_bytes() for tile_id in tile_ids)

    tiles = TileFiles(np.repeat(ids, CROPS), packed.crops, read, TileCache(CACHE_BYTES), shape, megapixels=megapixels)
    return Folder(pool_of_features(ids.tolist(), packed, tiles), [file.name for file in readable], unreadable)
