"""Bricks have the brick colours nearest to the picture, and the parts list is what was built."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter, Result, parse, render
from processing.mosaic.cells import palette_cells, stamps
from processing.mosaic.cells.block_means import block_means
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.progress import Progress
from processing.mosaic.styles.brick import brick
from processing.mosaic.styles.brick.bricks import ANY, BASIC, COLOURS
from processing.mosaic.styles.brick.catalogue import BRICKLINK_COLOURS, NUMBERS
from tests.bench.differences import blurred_difference
from tests.bench.looks import neutral_share, photographs
from tests.processing.mosaic.pictures import encoded, noise, opened, scene, true_mean

PHOTOS = [
    *sorted((Path(__file__).parents[5] / "static" / "samples").glob("*-small.jpg")),
    Path(__file__).parents[2] / "golden" / "source.png",
]

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


def render_bricks(pixels: np.ndarray, **params: Any) -> Result:
    return render(encoded(pixels), parse({"style": "brick", "cell": 10, **params}))


def cell_map_of(result: Result) -> Any:
    return result.cell_map


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


@pytest.mark.parametrize("dither", [True, False])
def test_coloured_cells_are_not_painted_neutral(dither: bool) -> None:
    shares = [neutral_share(means, painted) for means, painted in _means_and_bricks(dither=dither)]

    assert np.mean(shares) <= 0.07, shares


@pytest.mark.parametrize("mixing", ["gentle", "full"])
def test_dithered_bricks_are_near_the_photograph_from_a_distance(mixing: str) -> None:
    differences = [blurred_difference(means, painted, 1.0) for means, painted in _means_and_bricks(mixing=mixing)]

    assert np.mean(differences) <= 1.5, differences


def test_gentle_mixing_keeps_studs_of_a_foreign_colour_off_skin() -> None:
    """Faces had pink, violet and yellow studs where all that come near from a distance were mixed."""
    skin = _skins()
    gentle, full = (
        np.quantile(_hue_differences(*_means_and_bricks_of(skin, mixing=mixing)), 0.95) for mixing in ("gentle", "full")
    )

    assert gentle < 0.7 * full, (gentle, full)


def test_skin_keeps_its_colour_from_a_distance() -> None:
    means, painted = _means_and_bricks_of(_skins())

    assert blurred_difference(means, painted, 1.0) < 1.5


def _skins() -> Image.Image:
    """Light to dark skin from left to right, in light that falls from top to bottom, a little uneven."""
    corners = [[[234, 201, 184], [97, 62, 49]], [[196, 148, 126], [52, 31, 24]]]
    ground = Image.fromarray(np.array(corners, np.uint8)).resize((300, 200), Image.Resampling.BILINEAR)
    uneven = np.random.default_rng(1).normal(0, 3, (40, 60, 1)).repeat(5, 0).repeat(5, 1)
    return Image.fromarray(np.clip(np.asarray(ground) + uneven, 0, 255).astype(np.uint8))


def _hue_differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of a and b alone, OKLab x 100."""
    return np.asarray(np.linalg.norm((srgb_to_oklab(first) - srgb_to_oklab(second))[..., 1:], axis=-1) * 100)


def test_gentle_mixing_leaves_the_areas_of_a_logo_plain() -> None:
    logo = np.full((320, 320, 3), (244, 130, 40), np.uint8)
    logo[80:240, 100:220] = (120, 190, 60)

    gentle, full = (
        np.array(cell_map_of(render_bricks(logo, cell=8, mixing=mixing))["studs"]).reshape(40, 40)
        for mixing in ("gentle", "full")
    )

    assert len(np.unique(gentle[:9])) == len(np.unique(gentle[11:29, 14:26])) == 1
    assert len(np.unique(full[:9])) > 1


def test_stars_stand_on_a_calm_black_sky() -> None:
    """It was a maze of black and brown studs, which mix to a black that is a little more neutral."""
    sky = np.random.default_rng(2).integers(6, 14, (400, 400, 3)).astype(np.uint8)
    sky[::40, ::50] = 255

    studs = np.array(cell_map_of(render_bricks(sky))["studs"]).reshape(40, 40)

    assert (studs[:, 1:] != studs[:, :-1]).mean() < 0.1


def test_gentle_mixing_keeps_a_night_calm_and_a_slow_gradient_without_steps() -> None:
    night = np.full((320, 320, 3), (18, 17, 16), np.uint8) + np.random.default_rng(1).integers(0, 4, (320, 320, 1))
    sky = np.repeat(np.linspace(90, 130, 320)[:, None, None], 320, 1) + np.array([0, 20, 60])

    dark, blue = (
        np.array(cell_map_of(render_bricks(plate.astype(np.uint8), cell=8))["studs"]) for plate in (night, sky)
    )

    assert np.bincount(dark).max() > 0.95 * len(dark)
    assert sum(len(np.unique(row)) > 1 for row in blue.reshape(40, 40)) > 10


def test_more_cells_than_can_be_searched_are_diffused_or_dithered_by_a_pattern(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def render_grey() -> list[int]:
        return cell_map_of(render_bricks(np.full((200, 200, 3), 125, np.uint8), colours="greys", mixing="full"))[
            "studs"
        ]

    plates = [render_grey()]

    for limit in ("MAX_SEARCHED", "MAX_DIFFUSED_CELLS"):
        monkeypatch.setattr(palette_cells, limit, 10)
        plates.append(render_grey())

    assert all(len(set(plate)) == 2 for plate in plates)
    assert plates[0] != plates[1] != plates[2] != plates[0]


def _means_and_bricks(**params: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows, columns, 3) twice for each photograph: the means of its cells, and the colours of the bricks."""
    return [_means_and_bricks_of(photo, **params) for photo in photographs(PHOTOS).values()]


def _means_and_bricks_of(photo: Image.Image, **params: Any) -> tuple[np.ndarray, np.ndarray]:
    cell_map = cell_map_of(render_bricks(np.asarray(photo), cell=5, **params))
    palette = np.array([tuple(bytes.fromhex(colour[1:])) for colour in cell_map["rgb"]], np.uint8)
    means = block_means(photo, 5, True, Progress())
    return means, palette[cell_map["studs"]].reshape(means.shape)


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
