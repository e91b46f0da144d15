"""The colours of another picture: mean and covariance are carried over, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter, colours_of, parse, render
from processing.mosaic.colour.oklab import oklab_to_srgb, srgb_to_oklab
from processing.mosaic.colour.transfer import ColourStatistics, colour_map, measure_colours, recolour
from processing.mosaic.progress import Progress
from tests.processing.mosaic.pictures import encoded, opened, scene

PHOTO = scene(160, 120)
SAMPLES = Path(__file__).parents[4] / "static" / "samples"


def tinted(pixels: np.ndarray) -> np.ndarray:
    """Paler, bluer and darker; inside sRGB, so that nothing is clipped."""
    blended = 0.5 * pixels @ np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    return np.asarray(np.rint(blended + np.array([30, 40, 70])), np.uint8)


def photograph(name: str) -> Image.Image:
    return Image.open(SAMPLES / name).convert("RGB").reduce(4)


def recoloured(pixels: np.ndarray, target: ColourStatistics) -> Image.Image:
    image = Image.fromarray(pixels)
    recolour(image, colour_map(image, target), Progress())
    return image


def test_the_result_has_the_mean_and_the_covariance_of_the_other_picture() -> None:
    target = measure_colours(Image.fromarray(tinted(PHOTO)))

    result = measure_colours(recoloured(PHOTO, target))

    assert result.mean == pytest.approx(target.mean, abs=0.01)
    assert np.abs(np.array(result.covariance) - target.covariance).max() < 0.15 * np.max(target.covariance)


@pytest.mark.parametrize("name", ["koi.jpg", "ridges.jpg", "balloons.jpg"])
@pytest.mark.parametrize("colours", ["koi.jpg", "ridges.jpg", "balloons.jpg"])
def test_photographs_get_the_contrast_and_the_colourfulness_of_another(name: str, colours: str) -> None:
    """They had 0.6 to 0.9 of it: what sRGB does not have was cut off, and nothing made up for it."""
    target = measure_colours(photograph(colours))

    result = measure_colours(recoloured(np.asarray(photograph(name)), target))

    shares = np.sqrt(np.diag(result.covariance) / np.diag(target.covariance))
    assert shares == pytest.approx(np.ones(3), abs=0.13)
    assert np.abs(np.subtract(result.mean, target.mean)).max() < 0.01


def test_a_picture_s_own_colours_change_nothing() -> None:
    result = recoloured(PHOTO, measure_colours(Image.fromarray(PHOTO)))

    assert np.abs(np.asarray(result).astype(int) - PHOTO).max() <= 3


def test_a_grey_picture_makes_others_grey_and_its_noise_is_not_torn_apart() -> None:
    grey = np.repeat(PHOTO[..., :1], 3, axis=-1)
    pale = np.asarray(recoloured(PHOTO, measure_colours(Image.fromarray(grey)))).astype(int)
    still_grey = np.asarray(recoloured(grey, measure_colours(Image.fromarray(PHOTO)))).astype(int)

    assert np.ptp(pale, axis=-1).mean() < 0.4 * np.ptp(PHOTO.astype(int), axis=-1).mean()
    assert np.ptp(still_grey.reshape(-1, 3), axis=0).max() <= 255


def test_a_mosaic_is_made_of_the_new_colours() -> None:
    target = encoded(tinted(PHOTO))

    plain, coloured = (
        render(encoded(PHOTO), parse({"style": "mosaic", "cell": 8}), colours=colours)
        for colours in (None, colours_of(target))
    )

    assert plain.quality.difference == pytest.approx(coloured.quality.difference, abs=0.5)
    assert np.abs(opened(coloured.data).mean(axis=(0, 1)) - tinted(PHOTO).mean(axis=(0, 1))).max() < 6


def test_a_recipe_that_names_a_picture_is_refused_without_its_colours() -> None:
    with pytest.raises(BadParameter) as refused:
        render(encoded(PHOTO), parse({"style": "mosaic", "colours_of": 7}))

    assert refused.value.details["field"] == "colours_of"


def test_colours_that_srgb_does_not_have_keep_their_hue() -> None:
    lightness, chroma = np.meshgrid(np.linspace(0.3, 0.8, 60), np.linspace(0.0, 0.04, 60))
    pale, vivid = (
        oklab_to_srgb(np.stack([lightness, 0.6 * share * chroma, 0.8 * share * chroma], axis=-1)) for share in (1, 3)
    )
    wide = measure_colours(Image.fromarray(vivid))
    wider = ColourStatistics(wide.mean, tuple(tuple(9 * each for each in row) for row in wide.covariance))  # type: ignore[arg-type]

    lab = srgb_to_oklab(np.asarray(recoloured(pale, wider)))

    colourful = np.hypot(lab[..., 1], lab[..., 2]) > 0.06
    assert colourful.sum() > 500
    hues = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))[colourful] % 180  # what was palest gets the opposite hue
    assert np.quantile(np.abs(hues - np.median(hues)), 0.9) < 8  # cut off channel by channel, 61
