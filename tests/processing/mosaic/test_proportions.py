"""Lengths that are all four times as large give the same picture, four times as fine, whatever they are.

Cells, joints and pictures have no common measure here: what is rounded to whole pixels at the small size shows.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import TilePool, parse, pool_from_tiles, render
from processing.mosaic.colour.srgb import encode_srgb, linearise
from tests.processing.mosaic.pictures import encoded, opened, scene
from tests.processing.mosaic.samples import sample
from tests.processing.mosaic.tile_samples import colourful_pool

WIDE, SQUARE = (211, 157), (160, 160)
MOST = 4.0  # of 255, on average


def rendered_pair(
    style: str,
    size: tuple[int, int],
    lengths: dict[str, int],
    *,
    pool: TilePool | None = None,
    source: tuple[int, int] | None = None,
    **params: object,
) -> tuple[np.ndarray, np.ndarray]:
    """The small result and the large one. size: of the small one. source: of the picture; None: the same."""
    data = encoded(scene(*(source or size)))
    small, large = (
        opened(
            render(
                data,
                parse(
                    sample(
                        style,
                        size=max(size) * times,
                        **{name: length * times for name, length in lengths.items()},
                        **params,
                    )
                ),
                pool=pool,
            ).data
        )
        for times in (1, 4)
    )
    return small, large


def difference(
    style: str,
    size: tuple[int, int],
    lengths: dict[str, int],
    *,
    pool: TilePool | None = None,
    source: tuple[int, int] | None = None,
    **params: object,
) -> float:
    small, large = rendered_pair(style, size, lengths, pool=pool, source=source, **params)
    reduced = Image.fromarray(large).resize(small.shape[1::-1], Image.Resampling.BOX)
    return float(np.abs(np.asarray(reduced).astype(int) - small).mean())


def difference_in_light(small: np.ndarray, large: np.ndarray, side: int) -> float:
    """Of the means of squares of `side` pixels of the small result, in linear light as from a distance; 0 to 255."""
    means = [mean_light(small, side), mean_light(large, 4 * side)]
    return float(np.abs(means[0] - means[1]).mean())


def mean_light(pixels: np.ndarray, side: int) -> np.ndarray:
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    blocks = linearise(pixels[: rows * side, : columns * side] / 255).reshape(rows, side, columns, side, 3)
    return np.asarray(encode_srgb(blocks.mean(axis=(1, 3))) * 255)


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize(("style", "cell", "joint", "material"), [
    ("hexagon", 16, None, "smalti"),
    ("hexagon", 20, 3, "glass"),
    ("triangle", 17, None, "ceramic"),
    ("triangle", 24, 4, "stone"),
    ("triangle", 29, 1, "gold"),
    ("diamond", 24, None, "gold"),
    ("diamond", 31, 4, "smalti"),
    ("quadtree", 4, None, "flat"),
    ("quadtree", 8, None, "flat"),
    ("quadtree", 8, None, "gold"),
    ("quadtree", 12, 1, "flat"),
    ("quadtree", 15, None, "stone"),
    ("quadtree", 16, None, "stone"),
    ("quadtree", 16, 1, "flat"),
    ("quadtree", 24, 3, "flat"),
    ("quadtree", 17, None, "ceramic"),
    ("quadtree", 20, 2, "flat"),
    ("quadtree", 20, 5, "flat"),
    ("quadtree", 33, None, "smalti"),
    ("tesserae", 16, 4, "gold"),
    ("tesserae", 29, 0, "stone"),
    ("mosaic", 19, None, "glass"),
])  # fmt: skip
def test_pieces_of_any_size_are_four_times_as_fine(
    style: str, cell: int, joint: int | None, material: str, source: tuple[int, int]
) -> None:
    lengths = {"cell": cell} | ({} if joint is None else {"grout": joint})

    assert difference(style, source, lengths, material=material) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize("has_pool", [True, False])
@pytest.mark.parametrize(("shape", "cell", "margin"), [
    ("1:1", 16, 1),
    ("1:1", 33, 3),
    ("4:3", 20, 0),
    ("3:2", 16, 0),
    ("3:2", 24, 2),
    ("3:4", 33, 1),
    ("hexagon", 16, 0),
    ("hexagon", 20, 4),
    ("hexagon", 33, 1),
    ("split", 16, 0),
    ("split", 20, 3),
    ("split", 28, 0),
    ("split", 28, 4),
    ("split", 29, 2),
    ("1:1", 28, 0),
    ("3:2", 28, 3),
    ("4:3", 40, 0),
    ("hexagon", 28, 0),
])  # fmt: skip
def test_tiles_and_margins_of_any_size_are_four_times_as_fine(
    shape: str, cell: int, margin: int, has_pool: bool, source: tuple[int, int]
) -> None:
    params = {"split": True} if shape == "split" else {"shape": shape}
    base = colourful_pool(200)
    cut = pool_from_tiles(base.ids.tolist(), base.tiles, shape=params.get("shape", "1:1")) if has_pool else None

    assert difference("photomosaic", source, {"cell": cell, "margin": margin}, pool=cut, **params) <= MOST


@pytest.mark.parametrize("enlarged", [1, 2])
@pytest.mark.parametrize("size", [SQUARE, WIDE])
@pytest.mark.parametrize(("style", "cell", "params"), [
    ("brick", 8, {}),
    ("brick", 12, {"colours": "free"}),
    ("brick", 19, {"linear": False}),
    ("brick", 24, {}),
    ("brick", 28, {"colours": "basic"}),
    ("brick", 33, {"mixing": "full"}),
    ("beads", 16, {}),
    ("beads", 24, {"palette": "hama"}),
    ("stitch", 24, {"dither": True}),
    ("mosaic", 24, {"palette": "auto-12", "dither": True}),
    ("hexagon", 29, {"palette": "auto-12", "dither": True}),
    ("triangle", 16, {"palette": "auto-12", "dither": True}),
    ("diamond", 29, {"palette": "auto-12", "dither": True}),
])  # fmt: skip
def test_colours_of_any_pieces_are_the_same_at_every_size(
    style: str, cell: int, params: dict[str, object], size: tuple[int, int], enlarged: int
) -> None:
    source = (size[0] * enlarged, size[1] * enlarged)

    assert difference(style, size, {"cell": cell}, source=source, **params) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize(("cell", "params"), [
    (12, {}),
    (16, {}),
    (17, {}),
    (17, {"lattice": "square"}),
    (33, {}),
    (12, {"dot_size": "airy"}),
    (12, {"dot_size": "equal", "lattice": "square"}),
    (16, {"dot_size": "equal"}),
    (17, {"dot_size": "light", "lattice": "square"}),
    (22, {"dot_size": "airy", "lattice": "square"}),
    (33, {"dot_size": "airy"}),
    (33, {"screens": "cmyk"}),
    (45, {"screens": "cmyk"}),
])  # fmt: skip
def test_dots_of_any_distance_are_four_times_as_fine(
    cell: int, params: dict[str, str], source: tuple[int, int]
) -> None:
    assert difference("dots", source, {"cell": cell}, **params) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize("cell", [8, 12])
def test_small_dots_of_four_inks_give_the_same_light(cell: int, source: tuple[int, int]) -> None:
    """Their pixels are mixed in linear light, so that reducing the numbers of large dots makes these darker."""
    small, large = rendered_pair("dots", source, {"cell": cell}, screens="cmyk")

    assert difference_in_light(small, large, 1) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize(("cell", "params"), [
    (8, {}),
    (12, {"lattice": "square"}),
    (12, {"dot_size": "airy"}),
    (17, {}),
    (12, {"screens": "cmyk"}),
])  # fmt: skip
def test_dots_with_hard_edges_look_the_same_from_the_distance_of_a_cell(
    cell: int, params: dict[str, str], source: tuple[int, int]
) -> None:
    """Nearer, a pixel of the small ones is either dot or ground, where one of the large ones has parts of both."""
    small, large = rendered_pair("dots", source, {"cell": cell}, smooth=False, **params)

    assert difference_in_light(small, large, cell) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize(("cell", "wireframe"), [(16, 0), (20, 1), (24, 0), (29, 4)])
def test_gradients_of_any_size_are_four_times_as_fine(cell: int, wireframe: int, source: tuple[int, int]) -> None:
    lengths = {"cell": cell, "wireframe": wireframe}

    assert difference("lowpoly", source, lengths, fill="gradient") <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize(("cell", "leading", "light"), [
    (14, 2, False),
    (14, None, True),
    (17, 4, True),
    (20, 3, True),
    (24, 1, True),
    (24, 4, False),
    (40, 6, True),
])  # fmt: skip
def test_leads_of_any_width_are_four_times_as_fine(
    cell: int, leading: int | None, light: bool, source: tuple[int, int]
) -> None:
    lengths = {"cell": cell} | ({} if leading is None else {"leading": leading})

    assert difference("voronoi", source, lengths, light=light) <= MOST


@pytest.mark.parametrize("source", [SQUARE, WIDE])
@pytest.mark.parametrize("show", ["tinted", "outlines", "painted"])
@pytest.mark.parametrize("cell", [8, 12, 24])
def test_outlines_and_numbers_of_any_size_are_four_times_as_fine(cell: int, show: str, source: tuple[int, int]) -> None:
    assert difference("numbers", source, {"cell": cell}, show=show) <= MOST
