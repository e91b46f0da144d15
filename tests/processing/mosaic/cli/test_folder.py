"""A folder as a tile pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.mosaic import BadParameter
from processing.mosaic.cli import folder
from processing.mosaic.cli.folder import read_folder
from processing.mosaic.styles.photomosaic.photomosaic import MAX_TILES


def test_a_pool_must_be_a_folder_with_no_more_files_than_a_recipe_can_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.MAX_TILES == MAX_TILES
    monkeypatch.setattr(folder, "MAX_TILES", 5)
    for number in range(6):
        (tmp_path / f"{number}.png").touch()

    with pytest.raises(BadParameter, match="at most 5 files"):
        read_folder(tmp_path, shape="1:1", megapixels=1)
    with pytest.raises(BadParameter, match="a folder of pictures"):
        read_folder(tmp_path / "0.png", shape="1:1", megapixels=1)
