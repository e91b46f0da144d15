"""Bricks cover the plate without overlap, in the toy's colours, and the parts list is what was laid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.mosaic import Result, parse, render
from processing.mosaic.toy import BASIC, TOY, join
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean


def built(pixels: np.ndarray, **params: Any) -> Result:
    return render(encoded(pixels), parse({"style": "brick", "cell": 10, **params}))


def said(result: Result) -> Any:
    return result.cell_map


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 3), st.booleans(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_pieces_cover_every_cell_once_and_have_one_colour(
    rows: int, columns: int, kinds: int, larger: bool, seed: int
) -> None:
    colours = np.random.default_rng(seed).integers(0, kinds, (rows, columns)).astype(np.int32)

    pieces = join(colours, larger=larger)

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

    assert said(result)["parts"] == [{"colour": "Bright Red", "size": "2x8", "count": 4}]


def test_the_parts_have_as_many_studs_as_the_plate() -> None:
    result = built(scene(203, 151))

    studs = 0
    for part in said(result)["parts"]:
        short, long = map(int, part["size"].split("x"))
        studs += short * long * part["count"]
        assert part["colour"] in TOY
    assert studs == result.card.cells == 21 * 16
    assert len(said(result)["studs"]) == studs


@pytest.mark.parametrize(("name", "colour"), list(BASIC.items()))
def test_a_colour_of_the_toy_is_found_by_its_name(name: str, colour: str) -> None:
    result = built(np.full((20, 20, 3), tuple(bytes.fromhex(colour[1:])), np.uint8))

    assert [part["colour"] for part in said(result)["parts"]] == [name]


def test_free_colours_are_the_exact_means() -> None:
    source = noise(40, 30)

    result = opened(built(source, colours="free", relief=False).data)

    for top in range(0, 30, 10):
        for left in range(0, 40, 10):
            mean = true_mean(source[top : top + 10, left : left + 10])
            assert np.abs(result[top, left] - mean).max() <= 0.51


def test_light_falls_from_the_upper_left_and_changes_the_colour_little() -> None:
    plate = np.full((64, 64, 3), (30, 90, 168), np.uint8)

    lit = opened(built(plate, cell=32).data).astype(float)

    first_stud = lit[:32, :32].sum(axis=-1)
    assert first_stud[8, 8] > first_stud[24, 24] + 20
    assert np.abs(lit.reshape(-1, 3).mean(axis=0) - (30, 90, 168)).max() < 12


def test_greys_are_grey_and_dithering_mixes_them() -> None:
    plate = np.full((200, 200, 3), 125, np.uint8)

    plain, dithered = (built(plate, colours="greys", dither=dither) for dither in (False, True))

    assert len(set(said(plain)["studs"])) == 1
    assert len(set(said(dithered)["studs"])) == 2
