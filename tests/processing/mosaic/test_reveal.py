"""The animation in which a mosaic is laid: bounded, from empty to complete, and piece by piece in the style's order."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, BadParameter, parse, render, reveal
from processing.mosaic.canvas import Laid, PixelCanvas, StyleResult
from processing.mosaic.cells.grid import SquareGrid
from processing.mosaic.codec.animation import frame_durations
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from processing.mosaic.reveal import MAX_MS, encode_reveal, walk_order
from processing.mosaic.style import RenderContext
from processing.mosaic.styles.tesserae.tesserae import TesseraeParams, place_stones
from tests.processing.mosaic.pictures import encoded, noise, opened, scene

CAT = (Path(__file__).parent / "golden" / "source.png").read_bytes()
FEW_CELLS = {"lowpoly": {"cells": 40}}


def frames_of(data: bytes) -> list[np.ndarray]:
    """(height, width, 3) of each frame."""
    image = Image.open(io.BytesIO(data))
    frames = []
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        frames.append(np.asarray(image.convert("RGB")).astype(int))
    return frames


@pytest.mark.parametrize("style", [name for name, style in STYLES.items() if "reveal" in style.params.model_fields])
def test_every_style_is_laid_from_empty_ground_to_the_mosaic(style: str) -> None:
    recipe = {"style": style, "format": "webp", "quality": 95, "size": 160, **FEW_CELLS.get(style, {})}
    still = opened(render(CAT, parse(recipe)).data).astype(int)

    result = render(CAT, parse({**recipe, "reveal": True}))
    frames = frames_of(result.data)

    assert sum(frame_durations(result.data)) == MAX_MS
    assert (result.width, result.height) == frames[0].shape[1::-1] == still.shape[1::-1]
    assert np.ptp(frames[0].reshape(-1, 3), axis=0).max() <= 6, "empty"
    assert np.abs(frames[-1] - still).mean() < 4
    laid = [np.abs(frame - frames[0]).max(axis=-1) > 16 for frame in frames]
    shares = [share.mean() for share in laid]
    assert len({round(share, 2) for share in shares}) > 4, "piece by piece"
    assert all(after >= before - 0.01 for before, after in pairwise(shares))


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_an_animation_becomes_smaller_until_it_fits(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, recipe = encoded(noise(240, 240)), parse({"cell": 2, "reveal": True, "format": format, "quality": 100})
    monkeypatch.setattr(reveal, "MAX_SIDE_PX", 240)
    whole = render(data, recipe)
    monkeypatch.setattr(reveal, "MAX_BYTES", len(whole.data) * 9 // 10)

    result = render(data, recipe)

    assert whole.width == 240
    assert len(result.data) <= reveal.MAX_BYTES
    assert frames_of(result.data)[0].shape == (result.height, result.width, 3)


def test_cells_count_pixels_of_the_result_not_of_the_animation() -> None:
    recipe = {"style": "mosaic", "cell": 640, "size": 2560, "reveal": True, "format": "webp"}

    result = render(encoded(scene(256, 256)), parse(recipe))

    assert (result.width, result.height, result.quality.cells) == (640, 640, 16)


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_rows_are_laid_there_and_back(format: str) -> None:
    canvas = PixelCanvas(Image.fromarray(noise(80, 80)))
    result = StyleResult(canvas, cells=64, pitch=10.0, laid=Laid(SquareGrid(80, 80, 10), "#000000"))

    data, _ = encode_reveal(result, "rows", format, 100, Progress())
    appear = np.array([(frame.max(axis=-1) > 40)[5::10, 5::10] for frame in frames_of(data)]).argmax(axis=0)

    assert (np.diff(appear[0]) >= 0).all()
    assert (np.diff(appear[1]) <= 0).all()
    assert (np.diff(appear[:, 4]) >= 0).all()


def test_stones_are_laid_one_beside_the_other() -> None:
    params = parse({"style": "tesserae", "cell": 6}).params
    assert isinstance(params, TesseraeParams)
    cells = place_stones(RenderContext(decode(CAT, Progress()), params, Progress()), Progress()).cells()
    centres = cells.centres(0, cells.count)

    order = walk_order(centres, np.arange(cells.count), Progress())

    assert sorted(order.tolist()) == list(range(cells.count))
    steps = np.hypot(*np.diff(centres[order], axis=0).T)
    assert np.median(steps) < 1.3 * cells.pitch
    assert (steps < 3 * cells.pitch).mean() > 0.9


def test_of_an_animation_the_first_frame_is_laid() -> None:
    images = [Image.fromarray(np.full((40, 60, 3), grey, np.uint8)) for grey in (200, 20)]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], duration=100)

    last = frames_of(render(file.getvalue(), parse({"cell": 10, "format": "gif", "reveal": True})).data)[-1]

    assert np.abs(last - 200).max() <= 4


def test_other_formats_are_not_animated_and_redact_has_no_such_parameter() -> None:
    still, same = (render(CAT, parse({"format": "png", "reveal": reveal})).data for reveal in (False, True))

    assert still == same
    with pytest.raises(BadParameter, match="reveal"):
        parse({"style": "redact", "regions": [[0, 0, 1, 1]], "reveal": True})
