"""Fuse beads: real colours, as few as demanded and well chosen, counts equal to the cells, whole beads across."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import parse, render
from processing.mosaic.colour.medoids import choose_colours
from processing.mosaic.colour.oklab import delta_e, srgb_to_oklab
from processing.mosaic.colour.palette import hex_to_rgb
from processing.mosaic.colour.srgb import encode_srgb, linearise
from processing.mosaic.progress import Progress
from processing.mosaic.styles.beads import beads
from processing.mosaic.styles.beads.makers import BEADS
from processing.mosaic.styles.beads.relief import bead_cover, bead_shade, draw_beads
from tests.bench.differences import blurred_difference
from tests.processing.mosaic.pictures import encoded, noise, opened, scene

CAT = np.asarray(
    Image.open(Path(__file__).parents[2] / "golden" / "source.png").convert("RGB").resize((348, 232)), np.uint8
)


def palette_of(maker: str) -> np.ndarray:
    return np.array([hex_to_rgb(bead.colour) for bead in BEADS[maker]], np.uint8)


def mean_distance(colours: np.ndarray, palette: np.ndarray) -> float:
    """From each colour to the nearest of the palette, OKLab x 100."""
    return float(delta_e(colours[:, None], palette).min(axis=1).mean())


@pytest.mark.parametrize(("maker", "count"), [("mard", 291), ("hama", 92), ("perler", 103), ("artkal", 199)])
def test_the_tables_are_complete(maker: str, count: int) -> None:
    beads = BEADS[maker]

    assert len({bead.code for bead in beads}) == len(beads) == count
    assert all(len(hex_to_rgb(bead.colour)) == 3 and len(bead.colour) == 7 for bead in beads)
    assert all(bead.code and bead.code == bead.code.strip() for bead in beads)


def test_forty_chosen_colours_are_nearly_as_good_as_all() -> None:
    colours, palette = CAT[::4, ::4].reshape(-1, 3), palette_of("mard")

    chosen = palette[choose_colours(colours, palette, 40, Progress())]

    assert len(chosen) == 40
    assert mean_distance(colours, chosen) <= mean_distance(colours, palette) + 0.7


def test_chosen_colours_are_better_than_those_used_most() -> None:
    colours, palette = CAT[::4, ::4].reshape(-1, 3), palette_of("mard")
    nearest = delta_e(colours[:, None], palette).argmin(axis=1)
    most_used = np.argsort(-np.bincount(nearest, minlength=len(palette)))[:12]

    chosen = choose_colours(colours, palette, 12, Progress())

    assert mean_distance(colours, palette[chosen]) < mean_distance(colours, palette[most_used])


def test_the_list_counts_every_bead_of_at_most_so_many_colours() -> None:
    result = render(encoded(CAT), parse({"style": "beads", "columns": 58, "colours": 15, "palette": "hama"}))

    beads = result.cell_map
    assert beads is not None
    assert (beads["columns"], beads["rows"], beads["boards"]) == (58, 39, [2, 2])
    parts = {part["colour"]: part["count"] for part in beads["parts"]}  # type: ignore[attr-defined]
    assert sum(parts.values()) == 58 * 39 == result.quality.cells
    assert len(parts) <= 15
    codes = {f"{bead.code} {bead.name}".strip() for bead in BEADS["hama"]}
    assert set(parts) <= codes


@pytest.mark.parametrize("size", [(348, 232), (100, 300), (1500, 700)])
def test_columns_of_whole_beads(size: tuple[int, int]) -> None:
    result = render(encoded(scene(*size)), parse({"style": "beads", "columns": 40}))

    assert result.width % 40 == 0
    side = result.width // 40
    assert side >= 8
    assert result.height == side * round(40 * size[1] / size[0])


def test_a_bead_has_a_hole_through_which_the_board_shows() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)
    recipe = {"style": "beads", "cell": 20, "palette": "free", "board": "#00ff00", "light": False}

    pixels = opened(render(encoded(grey), parse(recipe)).data)

    assert pixels[10, 10].tolist() == [0, 255, 0]
    assert pixels[0, 0].tolist() == [0, 255, 0]
    assert pixels[10, 4].tolist() == [128, 128, 128]


def test_light_makes_a_highlight_towards_the_upper_left() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)

    pixels = opened(render(encoded(grey), parse({"style": "beads", "cell": 40, "palette": "free"})).data)[..., 0]

    y, x = np.unravel_index(np.argmax(pixels * (np.hypot(*np.mgrid[-20:20, -20:20]) < 17)), pixels.shape)
    assert y < 20
    assert x < 20


def test_beads_are_no_paler_than_the_picture() -> None:
    """Seen from a distance: the board was seen through holes and gaps, which washed colours out (12 instead of 5)."""
    result = render(encoded(CAT), parse({"style": "beads", "size": 900}))

    assert result.quality.difference < 3


@pytest.mark.parametrize("side", [10, 40])
def test_white_beads_do_not_look_grey_from_a_distance(side: int) -> None:
    """Holes and gaps in shadow, which no lighter bead can make up for, made a white ground darker by 13."""
    bead = np.full((1, 3), 255, np.uint8)

    pictures = draw_beads(bead, (232, 230, 225), bead_cover(side), bead_shade(side))

    mean = encode_srgb(linearise(pictures[0, ..., :3] / 255.0).reshape(-1, 3).mean(axis=0)) * 255
    assert delta_e(np.rint(mean[None]).astype(np.uint8), bead)[0] < 6


@pytest.mark.parametrize("side", [10, 40])
@pytest.mark.parametrize("colour", [(5, 5, 5), (27, 42, 52), (60, 20, 20)])
def test_dark_beads_stay_dark_from_a_distance(colour: tuple[int, int, int], side: int) -> None:
    """Their highlights and the light board lifted black by 11, which made nights pale."""
    bead = np.array([colour], np.uint8)

    pictures = draw_beads(bead, (232, 230, 225), bead_cover(side), bead_shade(side))

    mean = encode_srgb(linearise(pictures[0, ..., :3] / 255.0).reshape(-1, 3).mean(axis=0)) * 255
    assert delta_e(np.rint(mean).astype(np.uint8)[None], bead)[0] < 1.5


def test_as_many_colours_as_a_palette_has_are_all_of_them() -> None:
    palette = palette_of("hama")

    assert choose_colours(CAT[0], palette, len(palette), Progress()).tolist() == list(range(len(palette)))


def test_there_is_no_cell_map_with_too_many_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = parse({"style": "beads", "cell": 10, "palette": "free"})
    picture = encoded(noise(80, 80))
    assert render(picture, recipe).cell_map is not None

    monkeypatch.setattr(beads, "MAX_MAP_COLOURS", 63)

    assert render(picture, recipe).cell_map is None


def test_mixed_beads_make_a_night_sky_of_which_no_bead_is_much_more_violet() -> None:
    """Without, it had large patches of violet and teal, as the table has no dark blue."""
    heights = np.linspace(0, 1, 40)[:, None, None]
    sky = ((1 - heights) * (18, 32, 66) + heights * (70, 96, 128)).repeat(60, 1).astype(np.uint8)
    large = encoded(sky.repeat(4, 0).repeat(4, 1))

    plain, mixed = (_beads_of(large, dither=dither) for dither in (False, True))

    assert blurred_difference(sky, mixed, 1) < 0.75 * blurred_difference(sky, plain, 1)
    assert _hue_difference(sky, mixed) < 1.3 * _hue_difference(sky, plain)


def _beads_of(data: bytes, *, dither: bool) -> np.ndarray:
    """(40, 60, 3): the colour of each bead."""
    cell_map: Any = render(data, parse({"style": "beads", "cell": 4, "dither": dither})).cell_map
    colours = np.array([hex_to_rgb(colour) for colour in cell_map["rgb"]], np.uint8)
    return np.asarray(colours[cell_map["beads"]].reshape(40, 60, 3))


def _hue_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Of a and b, OKLab x 100: nearly the largest."""
    differences = np.linalg.norm((srgb_to_oklab(first) - srgb_to_oklab(second))[..., 1:], axis=-1)
    return float(np.quantile(differences, 0.95) * 100)
