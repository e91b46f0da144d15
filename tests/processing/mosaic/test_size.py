"""Results of any size: geometry is made for the size of the result, pixels are never stretched."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, BadParameter, Limits, parse, pool_from_tiles, render
from processing.mosaic.codec.encoders.resolution import write_resolution
from processing.mosaic.materials.material import MATERIALS
from processing.mosaic.params import FLAT
from tests.processing.mosaic.pictures import encoded, opened, saved, scene
from tests.processing.mosaic.samples import sample
from tests.processing.mosaic.tile_samples import colourful_pool

SIZED = [name for name in STYLES if name != "redact"]
WITH_MATERIAL = [name for name, style in STYLES.items() if "material" in style.params.model_fields]
JOINTS = {"voronoi": {"leading": 2}, "lowpoly": {"wireframe": 2}} | {
    name: {"grout": 2} for name in ("hexagon", "triangle", "diamond", "quadtree", "tesserae")
}


def rendered(picture: np.ndarray, style: str, **params: object) -> np.ndarray:
    return opened(render(encoded(picture), parse(sample(style, **params))).data)


def recipe_at(style: str, times: int) -> dict[str, int]:
    joints = {name: width * times for name, width in JOINTS.get(style, {}).items()}
    return {"size": 320 * times, "cell": 40 * times, **joints}


@pytest.mark.parametrize("style", SIZED)
def test_a_recipe_four_times_as_large_gives_the_same_picture_four_times_as_fine(style: str) -> None:
    # A cell of a photomosaic without a pool has the aspect ratio of the picture, and
    # numbers need several colours.
    picture = scene(320, 320 if style in ("photomosaic", "numbers") else 160)

    small = rendered(picture, style, **recipe_at(style, 1))
    large = rendered(picture, style, **recipe_at(style, 4))

    assert large.shape == (4 * picture.shape[0], 1280, 3)
    reduced = np.asarray(Image.fromarray(large).reduce(4)).astype(int)
    assert np.abs(reduced - small).mean() <= 4, f"{np.abs(reduced - small).mean():.2f} of 255"


@pytest.mark.parametrize("material", [name for name in MATERIALS if name != FLAT])
@pytest.mark.parametrize("style", WITH_MATERIAL)
def test_pieces_of_a_material_are_four_times_as_fine_too(style: str, material: str) -> None:
    picture = scene(320, 160)

    small, large = (rendered(picture, style, **recipe_at(style, times), material=material) for times in (1, 4))

    reduced = np.asarray(Image.fromarray(large).reduce(4)).astype(int)
    assert np.abs(reduced - small).mean() <= 4, f"{np.abs(reduced - small).mean():.2f} of 255"


@pytest.mark.parametrize(("style", "lengths", "params"), [
    ("triangle", {"grout": 60}, {}),
    ("voronoi", {"leading": 3}, {"panes": "voronoi"}),
    ("lowpoly", {"wireframe": 2}, {"fill": "gradient"}),
    ("numbers", {}, {"show": "outlines"}),
    ("photomosaic", {"margin": 2}, {"split": True}),
    ("photomosaic", {}, {"shape": "hexagon"}),
    ("dots", {}, {"screens": "cmyk"}),
    ("beads", {}, {"columns": 32, "palette": "hama"}),
    ("stitch", {}, {"columns": 32, "colours": 12}),
])  # fmt: skip
def test_other_parameters_are_four_times_as_fine_too(style: str, lengths: dict[str, int], params: dict) -> None:
    picture = scene(320, 320)

    small, large = (
        rendered(
            picture,
            style,
            size=320 * times,
            **({} if "columns" in params else {"cell": 32 * times}),
            **{name: width * times for name, width in lengths.items()},
            **params,
        )
        for times in (1, 4)
    )

    reduced = np.asarray(Image.fromarray(large).reduce(4)).astype(int)
    assert np.abs(reduced - small).mean() <= 4, f"{np.abs(reduced - small).mean():.2f} of 255"


@pytest.mark.parametrize("cell", [24, 33, 40])
@pytest.mark.parametrize("shape", ["3:2", "3:4", "hexagon", "split"])
def test_tiles_are_the_same_whatever_their_shape(shape: str, cell: int) -> None:
    """Their sides are no whole numbers of pixels, and the same number of them shows the same pictures all the same."""
    base, split = colourful_pool(200), shape == "split"
    shape = "1:1" if split else shape
    pool = pool_from_tiles(base.ids.tolist(), base.tiles, shape=shape)
    params = {"style": "photomosaic", "shape": shape, "split": split, "apart": 1}

    small, large = (
        render(encoded(scene(320, 320)), parse({**params, "size": 320 * times, "cell": cell * times}), pool=pool)
        for times in (1, 4)
    )

    tiles_of_large, expected = (np.array(result.cell_map["tiles"]) for result in (large, small) if result.cell_map)
    assert len(tiles_of_large) == len(expected)
    assert (tiles_of_large == expected).mean() > 0.9
    reduced = np.asarray(Image.fromarray(opened(large.data)).reduce(4)).astype(int)
    assert np.abs(reduced - opened(small.data)).mean() <= 4


@pytest.mark.parametrize("cell", [20, 24, 40])
@pytest.mark.parametrize("dot_size", ["tone", "airy"])
def test_staggered_dots_are_four_times_as_fine_whatever_their_distance(cell: int, dot_size: str) -> None:
    picture = scene(320, 160)

    small, large = (
        rendered(picture, "dots", size=320 * times, cell=cell * times, dot_size=dot_size) for times in (1, 4)
    )

    reduced = np.asarray(Image.fromarray(large).reduce(4)).astype(int)
    assert np.abs(reduced - small).mean() <= 4, f"{np.abs(reduced - small).mean():.2f} of 255"


@pytest.mark.parametrize("style", SIZED)
def test_defaults_are_in_proportion_to_the_size(style: str) -> None:
    """Seen from far away: the size of a cell is a whole number, so their number differs a little."""
    picture = scene(320, 240)
    size = 1280 if style == "quadtree" else 800  # its cells are halved, and so are their differences

    small = rendered(picture, style, size=size)
    large = rendered(picture, style, size=2 * size)

    reduced, expected = (
        np.asarray(Image.fromarray(pixels).resize((32, 24), Image.Resampling.BOX)).astype(int)
        for pixels in (large, small)
    )
    assert np.abs(reduced - expected).mean() <= 4, f"{np.abs(reduced - expected).mean():.2f} of 255"


def edge_px(pixels: np.ndarray, dark: int, light: int) -> float:
    """The mean width in pixels of the edges in rows near the middle: values neither dark nor light, per edge."""
    middle, reach = pixels.shape[0] // 2, pixels.shape[0] // 20
    rows = pixels[middle - reach : middle + reach, :, 0].astype(int)
    is_light, is_dark = rows >= light - 8, rows <= dark + 8
    edges = np.count_nonzero(np.diff(is_light[is_light | is_dark]))
    return np.count_nonzero(~is_light & ~is_dark) / max(1, edges)


WITHOUT_JOINTS = {
    "voronoi": {"leading": 0, "panes": "voronoi"},
    "quadtree": {"grout": 0},
    "tesserae": {"grout": 0, "material": "flat"},
}


@pytest.mark.parametrize("style", ["mosaic", "hexagon", "triangle", "diamond", "quadtree", "tesserae", "voronoi"])
def test_edges_are_as_sharp_at_ten_thousand_pixels_as_at_a_thousand(style: str) -> None:
    stripes = np.zeros((40, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    stripes = stripes.repeat(4, axis=1)
    params = {"palette": ["#000000", "#ffffff"], **WITHOUT_JOINTS.get(style, {})}

    small, large = (rendered(stripes, style, size=size, cell=size // 100, **params) for size in (1000, 10_000))

    assert edge_px(small, 0, 255) <= 2, "antialiased"
    assert edge_px(large, 0, 255) <= edge_px(small, 0, 255) + 0.5


def sharpness(pixels: np.ndarray) -> float:
    """How much of the contrast of an edge lies within two pixels, 0 to 1: the median of the strongest edges, each in a
    window of 16 pixels, in rows near the middle."""
    middle, reach = pixels.shape[0] // 2, max(8, pixels.shape[0] // 20)
    rows = pixels[middle - reach : middle + reach, :, 1].astype(int)
    windows = rows[:, : rows.shape[1] // 16 * 16].reshape(len(rows), -1, 16)
    contrast = windows.max(axis=-1) - windows.min(axis=-1)
    steps = np.abs(windows[..., 2:] - windows[..., :-2]).max(axis=-1)
    strongest = contrast >= max(1, np.quantile(contrast, 0.97))
    return float(np.median(steps[strongest] / contrast[strongest]))


@pytest.mark.parametrize("style", SIZED)
def test_nothing_is_enlarged_at_ten_thousand_pixels(style: str) -> None:
    """Cells, studs, stitches and numbers have sharp edges, as the same picture enlarged has not."""
    stripes = np.zeros((12, 400, 3), np.uint8)
    stripes.reshape(12, 10, 40, 3)[:, :, :20] = (230, 220, 200)
    params = {
        "beads": {"light": False},  # the shading of round beads is wider than their edges
        "quadtree": {"cell": 40},  # by default 6 px in such a panorama: a window would have three of them
    }.get(style, {})

    small, large = (rendered(stripes, style, size=size, **params) for size in (1000, 10_000))
    enlarged = Image.fromarray(small).resize((large.shape[1], large.shape[0]), Image.Resampling.BILINEAR)

    assert sharpness(large) > 0.75
    assert sharpness(np.asarray(enlarged)) < 0.5


def test_soft_edges_of_dots_stay_two_pixels_wide() -> None:
    grey = np.full((8, 100, 3), 128, np.uint8)
    dots = {"dot_size": "airy", "ground": "#000000", "lattice": "square"}

    small, large = (rendered(grey, "dots", size=size, cell=size // 25, **dots) for size in (1000, 10_000))

    assert 0 < edge_px(small, 0, 128) <= 2
    assert 0 < edge_px(large, 0, 128) <= 2


def test_a_result_larger_than_the_limit_is_refused_by_name() -> None:
    with pytest.raises(BadParameter, match="size: 6000 x 4000 pixels"):
        render(encoded(scene(60, 40)), parse({"size": 6000}), limits=Limits(result_megapixels=20))

    assert render(encoded(scene(60, 40)), parse("mosaic"), limits=Limits(result_megapixels=0.001)).width == 60


@pytest.mark.parametrize(("format", "dots_per_inch"), [("png", 300), ("jpeg", 72)])
def test_the_resolution_is_written_into_the_file(format: str, dots_per_inch: int) -> None:
    result = render(encoded(scene(60, 40)), parse({"cell": 8, "dpi": dots_per_inch, "format": format}))

    with Image.open(io.BytesIO(result.data)) as image:
        assert image.info["dpi"] == pytest.approx((dots_per_inch, dots_per_inch), abs=0.1)
        image.load()


@pytest.mark.parametrize("format", ["jpeg", "png"])
def test_a_picture_in_strips_has_its_resolution_and_is_not_copied_for_it(format: str) -> None:
    large = render(encoded(scene(60, 40)), parse({"style": "hexagon", "size": 4500, "dpi": 300, "format": format}))

    with Image.open(io.BytesIO(large.data)) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        image.load()
    assert write_resolution(large.data, format, 300) is large.data


def test_an_svg_states_its_size_in_millimetres() -> None:
    result = render(encoded(scene(60, 40)), parse({"size": 600, "dpi": 300, "format": "svg"}))

    assert b'width="50.80mm" height="33.87mm" viewBox="0 0 600 400"' in result.data


def test_a_photomosaic_of_a_small_picture_has_tiles_that_show_something() -> None:
    result = render(encoded(scene(512, 384)), parse("photomosaic"))

    assert result.width == pytest.approx(512 * 64 / 12, abs=1)


def test_an_animation_is_drawn_at_any_size() -> None:
    frames = [Image.fromarray(scene(40, 30)), Image.new("RGB", (40, 30), "red")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    result = render(data, parse({"size": 400, "format": "webp"}))

    with Image.open(io.BytesIO(result.data)) as image:
        assert (image.size, image.n_frames) == ((400, 300), 2)


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_a_format_without_a_resolution_is_the_same_file(format: str) -> None:
    recipe = {"cell": 8, "format": format}

    plain, stated = (render(encoded(scene(60, 40)), parse(each)).data for each in (recipe, {**recipe, "dpi": 300}))

    assert plain == stated
