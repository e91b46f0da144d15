"""A pool is said to lack the kinds of pictures that bring the mosaic nearer, in the number that does."""

from __future__ import annotations

import numpy as np

from processing.mosaic import Result, parse, pool_from_tiles, render
from tests.processing.mosaic.pictures import encoded
from tests.processing.mosaic.tile_samples import flat_tiles


def rendered(colours: list[tuple[int, int, int]]) -> Result:
    """A picture that is light on the left and nearly black on the right, from tiles of these colours."""
    picture = np.full((160, 320, 3), 200, np.uint8)
    picture[:, 160:] = np.linspace(0, 30, 160).astype(np.uint8)[None, :, None]
    noise = np.random.default_rng(5).integers(-14, 15, (len(colours), 16, 16, 3))  # so that no two are equal
    pool = pool_from_tiles(range(len(colours)), np.clip(flat_tiles(colours) + noise, 0, 255).astype(np.uint8))
    return render(encoded(picture), parse({"style": "photomosaic", "cell": 8, "tint": 0, "apart": 2}), pool=pool)


def missing_of(result: Result) -> dict[str, int]:
    assert result.cell_map is not None
    missing = result.cell_map["missing"]
    assert isinstance(missing, dict)
    return missing


def test_dark_pictures_are_missed_until_there_are_as_many_as_was_said() -> None:
    light = [(shade, shade, shade) for shade in range(150, 240, 3)]
    without = rendered(light)

    missing = missing_of(without)
    more = [(shade, shade, shade) for shade in np.linspace(5, 30, missing["dark"]).astype(int).tolist()]
    with_them = rendered([*light, *more])

    assert list(missing) == ["dark"]
    assert 4 <= missing["dark"] <= 30
    assert missing_of(with_them) == {}
    assert with_them.quality.difference < without.quality.difference / 5


def test_colours_are_told_apart_and_a_pool_that_has_all_misses_none() -> None:
    shades = [(shade, shade, shade) for shade in range(0, 256, 8)]
    picture = np.full((160, 160, 3), (40, 60, 230), np.uint8)
    picture[:80] = 240, 40, 40

    result = render(
        encoded(picture),
        parse({"style": "photomosaic", "cell": 8, "tint": 0}),
        pool=pool_from_tiles(range(len(shades)), flat_tiles(shades)),
    )

    assert set(missing_of(result)) == {"red", "blue"}
