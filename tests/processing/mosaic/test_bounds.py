"""What the engine refuses because it could not be shown or would not end, each with the parameter to change."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.cli.folder import read_folder
from processing.mosaic.codec.encode import check_size, encode
from processing.mosaic.codec.svg import MAX_SVG_CELLS, write_svg
from processing.mosaic.errors import BadParameter, MosaicError, NotAPicture, TooManyPixels
from processing.mosaic.progress import Progress
from processing.mosaic.styles.photomosaic.photomosaic import MAX_TILES
from tests.support.pictures import png


@pytest.mark.parametrize(
    ("size", "format", "allowed"),
    [
        ((70_000, 10), "jpeg", "png for 70000 x 10 pixels"),
        ((10, 70_000), "webp", "png for 10 x 70000 pixels"),
        ((20_000, 10), "webp", "jpeg, png for 20000 x 10 pixels"),
    ],
)
def test_a_format_that_cannot_hold_the_size_names_those_that_can(
    size: tuple[int, int], format: str, allowed: str
) -> None:
    with pytest.raises(BadParameter) as refused:
        check_size(*size, format)

    assert refused.value.details == {"field": "format", "value": format, "allowed": allowed}


@pytest.mark.parametrize(
    "error", [BadParameter(field="cell", value="x" * 99, allowed="1"), NotAPicture("no"), TooManyPixels(megapixels=3)]
)
def test_the_engines_errors_come_home_from_another_process(error: MosaicError) -> None:
    after = pickle.loads(pickle.dumps(error))

    assert (type(after), after.details, str(after)) == (type(error), error.details, str(error))


def test_a_drawing_of_more_cells_than_a_viewer_can_show_is_refused() -> None:
    with pytest.raises(BadParameter, match="up to 200000 cells") as refused:
        write_svg((1000, 1000), [], np.zeros((MAX_SVG_CELLS + 1, 3), np.uint8), None, Progress())

    assert refused.value.details["field"] == "cell"


def test_drawing_an_svg_can_be_stopped() -> None:
    squares = SquareGrid(600, 400, 4)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_svg((600, 400), squares.outlines(), np.zeros((squares.count, 3), np.uint8), None, Progress(stop))


def test_a_recipe_that_has_no_flat_cells_cannot_be_drawn_as_svg() -> None:
    with pytest.raises(BadParameter) as refused:
        render(png(64, 48), parse({"style": "redact", "regions": [[4, 4, 20, 20]], "format": "svg"}))

    assert refused.value.details["field"] == "format"


def test_a_folder_of_tiles_must_be_one_and_hold_no_more_than_a_recipe_can_name(tmp_path: Path) -> None:
    for number in range(MAX_TILES + 1):
        (tmp_path / f"{number}.png").touch()

    with pytest.raises(BadParameter, match=f"at most {MAX_TILES} files"):
        read_folder(tmp_path, cell=None, megapixels=1)
    with pytest.raises(BadParameter, match="a folder of pictures"):
        read_folder(tmp_path / "0.png", cell=None, megapixels=1)


def test_a_picture_too_rich_for_webp_names_the_formats_that_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """libwebp's error 6 takes a photomosaic of some 50 megapixels and a minute: its answer is played here."""

    def save(*_: object, **__: object) -> None:
        raise ValueError("encoding error 6")

    monkeypatch.setattr(Image.Image, "save", save)
    with pytest.raises(BadParameter) as raised:
        encode(Image.new("RGB", (40, 30)), "webp", 80, Progress())

    assert raised.value.details["field"] == "format"
    assert raised.value.details["allowed"] == "jpeg, png for a picture of 40 x 30 pixels with this much detail"
