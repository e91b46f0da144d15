"""A region has the pixels that the whole result has there, in every style."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, Region, TilePool, painted, parse, render, render_region
from processing.mosaic.colour.srgb import Floats
from processing.mosaic.materials import texture
from processing.mosaic.materials.texture import Texture
from processing.mosaic.region_canvas import RegionCanvas
from processing.mosaic.styles.photomosaic import photomosaic
from tests.processing.mosaic.pictures import encoded, opened, saved, scene
from tests.processing.mosaic.samples import sample, sample_flat
from tests.processing.mosaic.tile_samples import colourful_pool

SOURCE = encoded(scene(400, 300), "JPEG")
ENLARGED = 500
REGION = Region((0.31, 0.42, 0.58, 0.7))
OTHER_RECIPES: dict[str, dict[str, Any]] = {
    "stone": {"style": "hexagon", "material": "stone"},
    "glass in squares": {"style": "mosaic", "material": "glass"},
    "diffused palette": {"style": "triangle", "palette": "auto-8", "dither": True},
    "four screens": {"style": "dots", "screens": "cmyk"},
    "gradients": {"style": "lowpoly", "fill": "gradient"},
    "margin": {"style": "photomosaic", "margin": 5},
    "hexagonal tiles": {"style": "photomosaic", "shape": "hexagon", "margin": 3},
    "small cells": {"style": "diamond", "cell": 3},
    "columns": {"style": "brick", "columns": 40},
}


def pixels_of(recipe: dict[str, Any], data: bytes = SOURCE, pool: TilePool | None = None) -> np.ndarray:
    if pool is None and data is SOURCE:
        return whole_result(json.dumps(parse(recipe | {"format": "png"}).to_dict(), sort_keys=True))
    return opened(render(data, parse(recipe | {"format": "png"}), pool=pool).data)


@cache
def whole_result(recipe: str) -> np.ndarray:
    """Of the usual source; several tests compare it with regions."""
    return opened(render(SOURCE, parse(json.loads(recipe))).data)


def region_of(recipe: dict[str, Any], region: Region = REGION, **options: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    data = options.pop("data", SOURCE)
    result = render_region(data, parse(recipe | {"format": "png"}), region, **options)
    return opened(result.data), result.box


def assert_equal_there(recipe: dict[str, Any], **options: Any) -> None:
    part, (left, top, right, bottom) = region_of(recipe, **options)
    whole = pixels_of(recipe, **{name: options[name] for name in ("data", "pool") if name in options})

    assert part.shape[:2] == (bottom - top, right - left)
    assert np.array_equal(part, whole[top:bottom, left:right])


@pytest.mark.parametrize("size", [None, ENLARGED])
@pytest.mark.parametrize("style", STYLES)
def test_a_region_of_every_style_has_the_pixels_of_the_result(style: str, size: int | None) -> None:
    assert_equal_there(sample(style, **({} if style == "redact" else {"size": size})))


@pytest.mark.parametrize("style", STYLES)
def test_a_region_without_light_has_the_pixels_of_the_result(style: str) -> None:
    assert_equal_there(sample_flat(style, **({} if style == "redact" else {"size": ENLARGED})))


@pytest.mark.parametrize("recipe", OTHER_RECIPES.values(), ids=OTHER_RECIPES.keys())
def test_a_region_of_other_recipes_has_the_pixels_of_the_result(recipe: dict[str, Any]) -> None:
    assert_equal_there(recipe | {"size": ENLARGED})


def test_a_region_of_a_photomosaic_has_the_tiles_of_the_result() -> None:
    recipe = {"style": "photomosaic", "size": 1600, "transfer": 60, "apart": 2}

    assert_equal_there(recipe, pool=colourful_pool(60))


def test_only_the_tiles_of_the_region_are_cut() -> None:
    counted = CountedTiles(colourful_pool(300))
    recipe = parse({"style": "photomosaic", "size": 3200, "format": "png"})

    render_region(SOURCE, recipe, Region((0.5, 0.5, 0.55, 0.55)), pool=counted.pool)

    assert 0 < counted.count < 40


def test_transparent_parts_stay_transparent() -> None:
    image = Image.fromarray(scene(200, 150)).convert("RGBA")
    image.putalpha(Image.fromarray(scene(200, 150)[..., 1]))
    data = saved(image)
    for style in ("hexagon", "dots", "tesserae"):
        recipe = parse({"style": style, "size": 800, "background": "none", "format": "png"})
        left, top, right, bottom = REGION.box((800, 600))

        part = np.asarray(Image.open(io.BytesIO(render_region(data, recipe, REGION).data)))
        whole = np.asarray(Image.open(io.BytesIO(render(data, recipe).data)))

        assert part.shape[2] == 4
        assert np.array_equal(part, whole[top:bottom, left:right])


def test_the_frame_of_an_animation_is_the_first_one_of_the_result() -> None:
    frames = [Image.fromarray(np.roll(scene(160, 120), shift, axis=1)) for shift in (0, 40)]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)

    assert_equal_there({"style": "triangle", "palette": "auto-4", "dither": True, "size": 480}, data=data)


@pytest.mark.parametrize("style", STYLES)
def test_a_second_region_that_uses_the_geometry_of_the_first_has_the_pixels_of_the_result(style: str) -> None:
    recipe, geometry = sample(style), dict[str, Any]()

    region_of(recipe, Region((0.0, 0.0, 0.2, 0.2)), geometry=geometry)
    part, (left, top, right, bottom) = region_of(recipe, geometry=geometry)

    assert np.array_equal(part, pixels_of(recipe)[top:bottom, left:right])


@pytest.mark.parametrize("style", [style for style in STYLES if style != "redact"])
def test_a_further_region_is_painted_without_decoding_the_source_again(
    style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, geometry = sample(style), dict[str, Any]()
    region_of(recipe, geometry=geometry)
    whole = pixels_of(recipe)

    monkeypatch.setattr(painted, "decode", lambda *_, **__: pytest.fail("decoded again"))
    part, (left, top, right, bottom) = region_of(recipe, Region((0.1, 0.2, 0.4, 0.5)), geometry=geometry)

    assert np.array_equal(part, whole[top:bottom, left:right])


def test_a_further_region_of_a_photomosaic_keeps_what_was_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe: dict[str, Any] = {"style": "photomosaic", "size": 1600, "transfer": 60}
    pool, geometry = colourful_pool(60), dict[str, Any]()
    region_of(recipe, pool=pool, geometry=geometry)
    whole = pixels_of(recipe, pool=pool)

    monkeypatch.setattr(painted, "decode", lambda *_, **__: pytest.fail("decoded again"))
    monkeypatch.setattr(photomosaic, "assign_tiles", lambda *_, **__: pytest.fail("matched again"))
    other = Region((0.1, 0.2, 0.4, 0.5))
    part, (left, top, right, bottom) = region_of(recipe, other, pool=pool, geometry=geometry)

    assert np.array_equal(part, whole[top:bottom, left:right])
    assert len(geometry["layout"][0].tiles) == 0  # they are large, and may be others in memory by then


def test_a_reduced_region_is_the_mean_of_its_pixels() -> None:
    recipe = {"style": "tesserae", "size": 800}

    small, box = region_of(recipe, Region(REGION.shares, 3))
    whole = Image.fromarray(pixels_of(recipe)).crop(box)

    assert [edge % 3 for edge in box] == [0, 0, 0, 0]
    assert np.array_equal(small, np.asarray(whole.reduce(3)))


def test_transparent_pixels_do_not_count_in_a_reduced_region() -> None:
    pixels = np.zeros((96, 64, 2, 4), np.uint8)
    pixels[:, ::2] = (250, 10, 10, 255)  # every second column of cells is opaque
    pixels[:, 1::2] = (0, 0, 255, 0)
    recipe = parse({"style": "mosaic", "cell": 2, "background": "none", "format": "png"})

    result = render_region(saved(Image.fromarray(pixels.reshape(96, 128, 4))), recipe, Region((0.0, 0.0, 1.0, 1.0), 4))

    small = np.asarray(Image.open(io.BytesIO(result.data)))
    assert small.shape == (24, 32, 4)
    assert np.abs(small.reshape(-1, 4).astype(int) - (250, 10, 10, 128)).max() <= 2


@pytest.mark.parametrize(("shares", "reduction", "box"), [
    ((0.0, 0.0, 1.0, 1.0), 1, (0, 0, 400, 301)),
    ((0.0, 0.0, 1.0, 1.0), 8, (0, 0, 400, 301)),
    ((0.25, 0.5, 0.5, 0.75), 1, (100, 150, 200, 226)),
    ((1.0, 1.0, 1.0, 1.0), 1, (399, 300, 400, 301)),
    ((1.0, 1.0, 1.0, 1.0), 4, (396, 300, 400, 301)),
    ((0.3, 0.3, 0.3, 0.3), 4, (120, 88, 124, 92)),
])  # fmt: skip
def test_a_region_covers_its_shares_in_whole_pixels(
    shares: tuple[float, float, float, float], reduction: int, box: tuple[int, int, int, int]
) -> None:
    assert Region(shares, reduction).box((400, 301)) == box


def test_rows_beside_the_region_are_not_painted() -> None:
    rows: list[int] = []
    recipe = parse({"style": "hexagon", "material": "stone", "size": 4000, "format": "png"})

    class Counted(Texture):
        def rows(self, top: int, bottom: int, width: int) -> Floats:
            rows.append(bottom - top)
            return super().rows(top, bottom, width)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texture, "Texture", Counted)
        render_region(SOURCE, recipe, Region((0.4, 0.4, 0.5, 0.45)))

    assert 0 < sum(rows) < 3 * 1000


@pytest.mark.parametrize("recipe", [
    {"style": "hexagon", "material": "stone", "cell": 90},
    {"style": "dots", "screens": "cmyk", "cell": 24},
    {"style": "lowpoly", "fill": "gradient"},
    {"style": "beads", "cell": 40},
], ids=lambda recipe: recipe["style"])  # fmt: skip
def test_bands_beside_the_region_are_not_painted(recipe: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The result has several bands, of which the region needs the last one."""
    recipe, painted_rows, paste = recipe | {"size": 1600}, list[tuple[int, int]](), RegionCanvas.paste

    def recorded(canvas: RegionCanvas, content: Image.Image, box: tuple[int, int]) -> None:
        painted_rows.append((box[1], box[1] + content.height))
        paste(canvas, content, box)

    monkeypatch.setattr(RegionCanvas, "paste", recorded)
    part, (left, top, right, bottom) = region_of(recipe, Region((0.4, 0.85, 0.5, 0.9)))

    assert painted_rows
    assert all(first < bottom and last > top for first, last in painted_rows)
    assert np.array_equal(part, pixels_of(recipe)[top:bottom, left:right])


@pytest.mark.parametrize("material", ["stone", "glass"])
def test_a_region_beside_the_last_few_pixels_of_a_band_has_the_pixels_of_the_result(material: str) -> None:
    """Pieces are shaded 65,536 pixels at a time: the last 640 are in the right half of the last row alone."""
    data = encoded(scene(205, 128), "JPEG")
    recipe = {"style": "hexagon", "material": material, "size": 1025, "cell": 40}

    assert_equal_there(recipe, data=data, region=Region((0.0, 0.9, 0.2, 1.0)))


class CountedTiles:
    """A pool whose tiles count how many are cut."""

    def __init__(self, pool: TilePool) -> None:
        self.count, self._tiles = 0, pool.tiles
        self.pool = replace(pool, tiles=self)

    def __len__(self) -> int:
        return len(self._tiles)

    def __getitem__(self, indices: Any) -> Any:
        return self

    def cut(self, indices: Any, size: tuple[int, int]) -> Iterator[Any]:
        for index in indices.tolist():
            self.count += 1
            yield np.asarray(Image.fromarray(self._tiles[index]).resize(size))
