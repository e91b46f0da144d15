"""A folder of pictures as a tile pool; for the command line alone, as the engine itself touches no disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import BadParameter, NotAPicture, TooManyPixels
from ..progress import Progress
from ..styles.photomosaic.photomosaic import MOST_TILES
from ..styles.photomosaic.tile_pool import Pool, make_pool
from ..styles.photomosaic.tiles import TILE_PX, cut_tile

_LARGEST_TILE_PX = 256


@dataclass(frozen=True, slots=True)
class Folder:
    """names: the files behind the pool's ids, which count from 0. unreadable: file names and what is wrong."""

    pool: Pool
    names: list[str]
    unreadable: dict[str, str]

    def named(self, cell_map: Mapping[str, object]) -> dict[str, object]:
        """A photomosaic's cell map with file names in place of ids."""
        shown = cell_map["tiles"]
        assert isinstance(shown, list)
        return {**cell_map, "tiles": [self.names[tile] for tile in shown]}


def read_folder(path: Path, progress: Progress | None = None, *, cell: int | None, megapixels: float) -> Folder:
    """The pool of a folder's files, in the order of their names; those hidden and those in folders inside are left.

    cell: the side at which tiles will be shown, where that is said; larger ones than usual are cut larger.
    Raises BadParameter naming `pool` for what is no folder, holds no picture, or more files than a recipe could name;
    OSError for what cannot be listed.
    """
    if not path.is_dir():
        raise BadParameter(field="pool", value=str(path), allowed="a folder of pictures")
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if len(files) > MOST_TILES:
        raise BadParameter(field="pool", value=f"{len(files)} files", allowed=f"at most {MOST_TILES} files")
    side = min(_LARGEST_TILE_PX, max(TILE_PX, cell or 0))
    names, tiles, unreadable = [], [], dict[str, str]()
    for number, file in enumerate(files, 1):
        try:
            tiles.append(cut_tile(file.read_bytes(), side=side, megapixels=megapixels))
            names.append(file.name)
        except (NotAPicture, TooManyPixels, OSError) as error:
            unreadable[file.name] = str(error)
        if progress is not None:
            progress(number / len(files))
    if not tiles:
        found = f"{len(unreadable)} unreadable files in" if unreadable else "the empty folder"
        raise BadParameter(field="pool", value=f"{found} {path.name}", allowed="a folder with at least one picture")
    return Folder(make_pool(range(len(names)), np.stack(tiles)), names, unreadable)
