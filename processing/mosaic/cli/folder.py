"""A folder of image files as a tile pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import BadParameter, NotAPicture, TooManyPixels
from ..progress import ProgressCallback
from ..styles.photomosaic.photomosaic import MAX_TILES
from ..tile_pool import PoolBuilder, TilePool, cut_tile


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
            if isinstance(value, dict):
                named[field] = {self.names[tile]: each for tile, each in value.items()}
            else:
                named[field] = value
        tiles = cell_map["tiles"]
        assert isinstance(tiles, list)
        return {**named, "tiles": [self.names[tile] for tile in tiles]}


def read_folder(
    path: Path,
    progress: ProgressCallback | None = None,
    *,
    side_for: Callable[[int], int],
    shape: str,
    megapixels: float,
) -> Folder:
    """The pool of a folder's files in the order of their names, without hidden files and subfolders.

    side_for: how large so many tiles are cut, in pixels. shape: of the tiles.
    Raises BadParameter naming `pool` if it is not a folder, holds no image, or more files than a recipe can name;
    OSError if it cannot be listed.
    """
    if not path.is_dir():
        raise BadParameter(field="pool", value=str(path), allowed="a folder of pictures")
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if len(files) > MAX_TILES:
        raise BadParameter(field="pool", value=f"{len(files)} files", allowed=f"at most {MAX_TILES} files")
    side = side_for(len(files))
    names, unreadable = list[str](), dict[str, str]()
    pool = PoolBuilder(len(files), side=side, shape=shape)
    for number, file in enumerate(files, 1):
        try:
            pool.add(len(names), cut_tile(file.read_bytes(), side=side, shape=shape, megapixels=megapixels))
            names.append(file.name)
        except (NotAPicture, TooManyPixels, OSError) as error:
            unreadable[file.name] = str(error)
        if progress is not None:
            progress(number / len(files))
    if not names:
        contents = f"{len(unreadable)} unreadable files in" if unreadable else "the empty folder"
        raise BadParameter(field="pool", value=f"{contents} {path.name}", allowed="a folder with at least one picture")
    return Folder(pool.build(), names, unreadable)
