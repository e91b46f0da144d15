"""Colours of bricks are mixed: near to the photograph from a distance, and calm where one would see it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic.cells import palette_cells
from processing.mosaic.cells.block_means import block_means
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.progress import Progress
from tests.bench.differences import blurred_difference
from tests.bench.looks import neutral_share, photographs
from tests.processing.mosaic.styles.brick.plates import cell_map_of, render_bricks

PHOTOS = [
    *sorted((Path(__file__).parents[5] / "static" / "samples").glob("*-small.jpg")),
    Path(__file__).parents[2] / "golden" / "source.png",
]


@pytest.mark.parametrize("dither", [True, False])
def test_coloured_cells_are_not_painted_neutral(dither: bool) -> None:
    shares = [neutral_share(means, painted) for means, painted in _means_and_bricks(dither=dither)]

    assert np.mean(shares) <= 0.07, shares


@pytest.mark.parametrize("mixing", ["gentle", "similar", "full"])
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


def test_similar_mixing_leaves_a_warm_background_without_studs_of_other_hues() -> None:
    """Tan, pink, lavender and blue together are nearer to a warm grey from a distance, and seen in each wall."""
    light = np.linspace(235, 150, 300)[:, None, None] * np.array([1.0, 0.985, 0.96])
    background = Image.fromarray(
        (light + np.random.default_rng(4).normal(0, 3, (300, 300, 1))).clip(0, 255).astype(np.uint8)
    )

    similar, gentle = (
        np.quantile(_hue_differences(*_means_and_bricks_of(background, mixing=mixing)), 0.95)
        for mixing in ("similar", "gentle")
    )

    assert similar < 0.6 * gentle, (similar, gentle)


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
