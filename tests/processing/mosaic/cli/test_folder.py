"""A folder as a tile pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.mosaic import BadParameter
from processing.mosaic.cli.folder import read_folder
from processing.mosaic.styles.photomosaic.photomosaic import MAX_TILES


def test_a_pool_must_be_a_folder_with_no_more_files_than_a_recipe_can_name(tmp_path: Path) -> None:
    for number in range(MAX_TILES + 1):
        (tmp_path / f"{number}.png").touch()

    with pytest.raises(BadParameter, match=f"at most {MAX_TILES} files"):
        read_folder(tmp_path, shape="1:1", megapixels=1)
    with pytest.raises(BadParameter, match="a folder of pictures"):
        read_folder(tmp_path / "0.png", shape="1:1", megapixels=1)
