"""Every style renders a small photo as in its golden image (see golden/make.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.processing.mosaic.golden.make import FOLDER, NAMES, main, render_golden
from tests.processing.mosaic.pictures import opened

TOLERANCE = 2  # of 255: other versions of NumPy and Pillow may round differently
OUTLIERS = 0.01  # of the pixels: an edge may be on the other side of a pixel's centre


@pytest.mark.parametrize("style", NAMES)
def test_a_style_renders_its_golden_image(style: str) -> None:
    golden = opened((FOLDER / f"{style}.png").read_bytes()).astype(int)

    result = opened(render_golden(style)).astype(int)

    assert result.shape == golden.shape
    different = (np.abs(result - golden).max(axis=-1) > TOLERANCE).mean()
    assert different <= OUTLIERS, (
        f"{different:.1%} of the pixels differ: compare both, then render the golden image again"
    )


def test_there_is_one_golden_image_for_each_style() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == sorted([*NAMES, "source"])


def test_the_command_renders_the_named_styles_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["mosaic", "dots"], tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["dots.png", "mosaic.png"]
    with pytest.raises(SystemExit, match="2"):
        main([], tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["hexagoon"], tmp_path)
    assert "hexagoon" in capsys.readouterr().err
