"""Bricks have the brick colours nearest to the picture, and the parts list is what was built."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from processing.mosaic import BadParameter, parse, render
from processing.mosaic.cells import stamps
from processing.mosaic.styles.brick import brick
from processing.mosaic.styles.brick.bricks import ANY, BASIC, COLOURS
from processing.mosaic.styles.brick.catalogue import BRICKLINK_COLOURS, NUMBERS
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean
from tests.processing.mosaic.styles.brick.plates import cell_map_of, render_bricks

BRICKLINK = """
1 White 1, 5 Tan 2, 18 Nougat 28, 21 Red 5, 23 Blue 7, 24 Yellow 3, 26 Black 11, 28 Green 6, 37 Bright Green 36,
38 Dark Orange 68, 102 Medium Blue 42, 106 Orange 4, 107 Dark Turquoise 39, 119 Lime 34, 124 Magenta 71,
135 Sand Blue 55, 138 Dark Tan 69, 140 Dark Blue 63, 141 Dark Green 80, 151 Sand Green 48, 154 Dark Red 59,
191 Bright Light Orange 110, 192 Reddish Brown 88, 194 Light Bluish Gray 86, 199 Dark Bluish Gray 85,
208 Very Light Bluish Gray 99, 212 Bright Light Blue 105, 221 Dark Pink 47, 222 Bright Pink 104,
226 Bright Light Yellow 103, 268 Dark Purple 89, 283 Light Nougat 90, 308 Dark Brown 120, 312 Medium Nougat 150,
321 Dark Azure 153, 322 Medium Azure 156, 323 Light Aqua 152, 324 Medium Lavender 157, 325 Lavender 154,
326 Yellowish Green 158, 330 Olive Green 155, 353 Coral 220, 370 Medium Brown 240, 371 Medium Tan 241
"""
"""The manufacturer's number of each colour, BrickLink's name, and BrickLink's number."""


def test_a_plate_of_one_colour_takes_the_largest_bricks() -> None:
    result = render_bricks(np.full((40, 160, 3), (180, 0, 0), np.uint8))

    assert cell_map_of(result)["parts"] == [{"colour": "Bright Red", "size": "2x8", "part": "3007", "count": 4}]


def test_the_parts_have_as_many_studs_as_the_plate() -> None:
    result = render_bricks(scene(203, 151))

    studs = 0
    for part in cell_map_of(result)["parts"]:
        short, long = map(int, part["size"].split("x"))
        studs += short * long * part["count"]
        assert part["colour"] in COLOURS
    assert studs == result.quality.cells == 21 * 16
    assert len(cell_map_of(result)["studs"]) == studs


@pytest.mark.parametrize(("name", "colour"), list(BASIC.items()))
def test_a_brick_colour_is_recognised(name: str, colour: str) -> None:
    result = render_bricks(np.full((20, 20, 3), tuple(bytes.fromhex(colour[1:])), np.uint8))

    assert [part["colour"] for part in cell_map_of(result)["parts"]] == [name]


def test_free_colours_are_the_exact_means() -> None:
    source = noise(40, 30)

    result = opened(render_bricks(source, colours="free", relief=False).data)

    for top in range(0, 30, 10):
        for left in range(0, 40, 10):
            mean = true_mean(source[top : top + 10, left : left + 10])
            assert np.abs(result[top, left] - mean).max() <= 0.51


def test_parts_of_free_colours_are_counted_together() -> None:
    parts = cell_map_of(render_bricks(noise(80, 80), colours="free"))["parts"]

    assert parts == [{"colour": ANY, "size": "1x1", "part": "3005", "count": 64}]


def test_there_is_no_cell_map_with_too_many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise(80, 80)
    assert len(cell_map_of(render_bricks(pixels, colours="free"))["rgb"]) == 64

    monkeypatch.setattr(brick, "MAX_MAP_COLOURS", 63)

    assert render_bricks(pixels, colours="free").cell_map is None


@pytest.mark.parametrize(
    ("module", "limit"),
    [(brick, "_MAX_CACHED"), (brick, "_MAX_CACHED_PX"), (brick, "_SHADED_PX"), (stamps, "BAND_PX")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_picture_does_not_depend_on_the_limits_of_memory(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str
) -> None:
    pixels = scene(203, 151)
    expected = render_bricks(pixels).data

    monkeypatch.setattr(module, limit, 1)

    assert render_bricks(pixels).data == expected


def test_light_falls_from_the_upper_left_and_changes_the_mean_colour_little() -> None:
    plate = np.full((64, 64, 3), (30, 90, 168), np.uint8)

    lit = opened(render_bricks(plate, cell=32).data).astype(float)

    first_stud = lit[:32, :32].sum(axis=-1)
    assert first_stud[8, 8] > first_stud[24, 24] + 20
    assert np.abs(lit.reshape(-1, 3).mean(axis=0) - (30, 90, 168)).max() < 12


def test_greys_are_grey_and_dithering_mixes_them() -> None:
    plate = np.full((200, 200, 3), 125, np.uint8)

    plain, dithered = (render_bricks(plate, colours="greys", dither=dither, mixing="full") for dither in (False, True))

    assert len(set(cell_map_of(plain)["studs"])) == 1
    assert len(set(cell_map_of(dithered)["studs"])) == 2


def test_bricklink_gets_its_own_number_for_each_colour() -> None:
    pairs = [entry.split() for entry in BRICKLINK.replace("\n", " ").split(",")]

    expected = {int(entry[0]): int(entry[-1]) for entry in pairs}

    assert {NUMBERS[name]: BRICKLINK_COLOURS[name] for name in COLOURS} == expected


def test_every_colour_has_its_numbers_in_the_map() -> None:
    result = render(encoded(np.full((32, 32, 3), (180, 0, 0), np.uint8)), parse({"style": "brick", "cell": 8}))

    cell_map = cell_map_of(result)
    red = cell_map["colours"].index("Bright Red")
    assert (cell_map["numbers"][red], cell_map["bricklink"][red]) == (21, 5)
    assert len(cell_map["numbers"]) == len(cell_map["bricklink"]) == len(COLOURS)
    assert len(set(BRICKLINK_COLOURS.values())) == len(set(NUMBERS.values())) == len(COLOURS)


def test_columns_give_whole_studs_at_any_size() -> None:
    recipes = [{"style": "brick", "columns": 48}, {"style": "brick", "columns": 48, "size": 2000}]

    small, large = (render(encoded(scene(300, 200)), parse(recipe)) for recipe in recipes)

    maps = cell_map_of(small), cell_map_of(large)
    assert [(row["columns"], row["rows"]) for row in maps] == [(48, 32), (48, 32)]
    assert (small.width, small.height) == (48 * 6, 32 * 6)
    assert (large.width, large.height) == (48 * 42, 32 * 42)
    assert small.quality.cells == large.quality.cells == 48 * 32


def test_a_stock_is_not_exceeded_and_studs_that_would_lose_most_come_first() -> None:
    stock = {"White": 30, "Black": 40, "Bright Red": 100}
    picture = np.full((100, 100, 3), 255, np.uint8)
    picture[:, 50:] = 0
    result = render(encoded(picture), parse({"style": "brick", "cell": 10, "stock": stock, "larger": False}))

    counts = {part["colour"]: part["count"] for part in cell_map_of(result)["parts"]}
    assert counts == {"White": 30, "Black": 40, "Bright Red": 30}


def test_a_stock_that_is_too_small_or_unknown_is_refused_by_name() -> None:
    with pytest.raises(BadParameter, match=r"stock: 99 studs .* at least 100 studs"):
        render_bricks(np.zeros((100, 100, 3), np.uint8), stock={"Black": 99})
    for stock in ({}, {"Blurple": 5}, {"Black": 0}):
        with pytest.raises(BadParameter, match=r"^stock"):
            parse({"style": "brick", "stock": stock})


@pytest.mark.parametrize(("stock", "named"), [
    ({"White": 5, "Blurple": 5}, r"no colour is called 'Blurple', the names are .*White"),
    ({"White": 5, "Black": 0}, r"0 of 'Black' is not"),
    ({"x" * 500: 5}, r"no colour is called 'x{59}…'"),
])  # fmt: skip
def test_what_is_wrong_with_a_stock_is_named(stock: dict[str, int], named: str) -> None:
    with pytest.raises(BadParameter, match=rf"^stock: .* names of brick colours .*; {named}"):
        parse({"style": "brick", "stock": stock})
