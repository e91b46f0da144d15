"""Bricks cover the plate without overlap, in the toy's colours, and the parts list is what was laid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import Result, parse, render
from processing.mosaic.progress import Progress
from processing.mosaic.styles.brick import brick, relief
from processing.mosaic.styles.brick.bricks import ANY, BASIC, COLOURS, merge_bricks
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def built(pixels: np.ndarray, **params: Any) -> Result:
    return render(encoded(pixels), parse({"style": "brick", "cell": 10, **params}))


def cell_map_of(result: Result) -> Any:
    return result.cell_map


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 3), st.booleans(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_pieces_cover_every_cell_once_and_have_one_colour(
    rows: int, columns: int, kinds: int, larger: bool, seed: int
) -> None:
    colours = np.random.default_rng(seed).integers(0, kinds, (rows, columns)).astype(np.int32)

    pieces = merge_bricks(colours, Progress(), larger=larger)

    laid = np.zeros((rows, columns), int)
    for top, left, high, wide in pieces.boxes.tolist():
        part = (slice(top, top + high), slice(left, left + wide))
        laid[part] += 1
        assert laid[part].size == high * wide
        assert len(np.unique(colours[part])) == 1
        assert (pieces.owner[part] == top * columns + left).all()
        assert larger or (high, wide) == (1, 1)
    assert (laid == 1).all()


def test_a_plain_plate_takes_the_largest_pieces() -> None:
    result = built(np.full((40, 160, 3), (180, 0, 0), np.uint8))

    assert cell_map_of(result)["parts"] == [{"colour": "Bright Red", "size": "2x8", "count": 4}]


def test_the_parts_have_as_many_studs_as_the_plate() -> None:
    result = built(scene(203, 151))

    studs = 0
    for part in cell_map_of(result)["parts"]:
        short, long = map(int, part["size"].split("x"))
        studs += short * long * part["count"]
        assert part["colour"] in COLOURS
    assert studs == result.quality.cells == 21 * 16
    assert len(cell_map_of(result)["studs"]) == studs


@pytest.mark.parametrize(("name", "colour"), list(BASIC.items()))
def test_a_colour_of_the_toy_is_found_by_its_name(name: str, colour: str) -> None:
    result = built(np.full((20, 20, 3), tuple(bytes.fromhex(colour[1:])), np.uint8))

    assert [part["colour"] for part in cell_map_of(result)["parts"]] == [name]


def test_free_colours_are_the_exact_means() -> None:
    source = noise(40, 30)

    result = opened(built(source, colours="free", relief=False).data)

    for top in range(0, 30, 10):
        for left in range(0, 40, 10):
            mean = true_mean(source[top : top + 10, left : left + 10])
            assert np.abs(result[top, left] - mean).max() <= 0.51


def test_colours_that_nobody_sells_are_counted_together() -> None:
    parts = cell_map_of(built(noise(80, 80), colours="free"))["parts"]

    assert parts == [{"colour": ANY, "size": "1x1", "count": 64}]


def test_more_colours_than_a_map_can_tell_make_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise(80, 80)
    assert len(cell_map_of(built(pixels, colours="free"))["rgb"]) == 64

    monkeypatch.setattr(brick, "_MAX_MAP_COLOURS", 63)

    assert built(pixels, colours="free").cell_map is None


@pytest.mark.parametrize("limit", ["_MAX_CACHED", "_MAX_CACHED_PX", "_SHADED_PX", "BAND_PX"])
def test_the_picture_is_the_same_however_few_studs_are_kept(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    pixels = scene(203, 151)
    plenty = built(pixels).data

    monkeypatch.setattr(brick, limit, 1)

    assert built(pixels).data == plenty


@pytest.mark.parametrize("ends", [0, relief.TOP, relief.RIGHT | relief.BOTTOM])
def test_a_stud_is_lit_the_same_piece_by_piece(monkeypatch: pytest.MonkeyPatch, ends: int) -> None:
    whole = relief.render_stud(37, ends)

    monkeypatch.setattr(relief, "_PIECE_PX", 80)

    assert np.array_equal(relief.render_stud(37, ends), whole)


def test_light_falls_from_the_upper_left_and_changes_the_colour_little() -> None:
    plate = np.full((64, 64, 3), (30, 90, 168), np.uint8)

    lit = opened(built(plate, cell=32).data).astype(float)

    first_stud = lit[:32, :32].sum(axis=-1)
    assert first_stud[8, 8] > first_stud[24, 24] + 20
    assert np.abs(lit.reshape(-1, 3).mean(axis=0) - (30, 90, 168)).max() < 12


def test_greys_are_grey_and_dithering_mixes_them() -> None:
    plate = np.full((200, 200, 3), 125, np.uint8)

    plain, dithered = (built(plate, colours="greys", dither=dither) for dither in (False, True))

    assert len(set(cell_map_of(plain)["studs"])) == 1
    assert len(set(cell_map_of(dithered)["studs"])) == 2
